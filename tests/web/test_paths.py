"""The list of the sandbox's own paths holds whatever the application answers itself."""

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.core.paths import ENDPOINTS, is_own
from mp_oauth_sandbox.web.dispatch import Dispatcher


def paths(sandbox: Sandbox) -> set[str]:
    assert isinstance(sandbox.asgi, Dispatcher)
    return set(sandbox.asgi.endpoints)


def test_no_resource_can_take_a_path_that_is_answered_otherwise(sandbox: Sandbox) -> None:
    assert len(paths(sandbox)) > 5
    assert [path for path in paths(sandbox) if not is_own(path)] == []


def test_every_path_of_an_endpoint_is_answered(sandbox: Sandbox) -> None:
    assert set(ENDPOINTS) <= paths(sandbox)


def test_a_longer_name_is_a_resource_s() -> None:
    assert not is_own("/authorizations")
    assert not is_own("/users/me")
