"""A sandbox without a socket, with one application and one seller, and a browser for it."""

from collections.abc import Iterator

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

CALLBACK = "https://shop.example/mp/callback"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(live=False) as sandbox:
        yield sandbox


@pytest.fixture
def application(sandbox: Sandbox) -> Application:
    return sandbox.register_application(redirect_uris=[CALLBACK], name="Tienda Sol")


@pytest.fixture
def seller(sandbox: Sandbox) -> Seller:
    return sandbox.create_seller(country="AR", nickname="ALMACEN")


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client:
        yield client
