"""The list of the sandbox's own paths holds whatever the application answers itself."""

from typing import cast

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.core.paths import ENDPOINTS, is_own


def test_no_resource_can_take_a_path_that_has_a_route(sandbox: Sandbox) -> None:
    routes = cast("list[Route | Mount]", cast("Starlette", sandbox.asgi).routes)

    assert len(routes) > 20
    assert [route.path for route in routes if not is_own(route.path)] == []


def test_every_path_of_an_endpoint_has_a_route(sandbox: Sandbox) -> None:
    routes = cast("list[Route | Mount]", cast("Starlette", sandbox.asgi).routes)

    assert set(ENDPOINTS) <= {route.path for route in routes}


def test_a_longer_name_is_a_resource_s() -> None:
    assert not is_own("/authorizations")
    assert not is_own("/users/me")
