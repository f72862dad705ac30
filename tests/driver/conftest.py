"""The small integrations of `tests/apps`, live on a port and beside a live sandbox."""

import importlib.util
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.driver.endpoints import Endpoints, Login, StatusPage, Tolerances
from mp_oauth_sandbox.first_run import CLIENT_ID, CLIENT_SECRET, first_run
from mp_oauth_sandbox.hosting.live import LiveServer

if TYPE_CHECKING:
    from types import ModuleType

APPS = Path(__file__).parents[1] / "apps" / "shop.py"

TOML = """\
[sandbox]
{sandbox}

[integration]
base_url = "{base_url}"
start_url = "/start"
callback_path = "/callback"
trigger_url = "/charge"

[integration.login]
url = "/login"
json = {{ user = "{{account}}" }}

[integration.status]
url = "/status"
pointer = "/mp"

[integration.tolerances]
synchronous = true
"""


@pytest.fixture(scope="session")
def shops() -> "ModuleType":
    """The module with the correct integration and its broken copies."""
    spec = importlib.util.spec_from_file_location("shop_under_test", APPS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, kw_only=True)
class Running:
    """A live integration, and the live sandbox it is configured for."""

    shop: Any
    base_url: str
    sandbox: Sandbox

    def toml(self) -> str:
        return TOML.format(sandbox=f'url = "{self.sandbox.url}"', base_url=self.base_url)


@pytest.fixture
def toml_for() -> Callable[..., str]:
    """The configuration of a shop, with any `[sandbox]` table."""
    return lambda base_url, *, sandbox: TOML.format(sandbox=sandbox, base_url=base_url)


@pytest.fixture
def endpoints() -> Endpoints:
    """What the driver is told of a shop in this process."""
    return Endpoints(
        base_url="http://localhost:8000",
        start_url="/start",
        callback_path="/callback",
        trigger_url="/charge",
        login=Login(url="/login", json={"user": "{account}"}),
        status=StatusPage(url="/status", pointer="/mp"),
        tolerances=Tolerances(synchronous=True),
    )


@pytest.fixture
def serve_shop(shops: "ModuleType") -> Iterator[Callable[..., tuple[Any, str]]]:
    """Start a shop by class name for a sandbox at some URL; returns it and its own URL."""
    with ExitStack() as servers:

        def start(name: str, *, mp_url: str) -> tuple[Any, str]:
            sock = socket.socket()
            sock.bind(("127.0.0.1", 0))
            base_url = f"http://localhost:{sock.getsockname()[1]}"
            shop = getattr(shops, name)(
                mp_url=mp_url,
                client_id=CLIENT_ID,
                client_secret=CLIENT_SECRET,
                base_url=base_url,
            )
            servers.enter_context(LiveServer(shop.asgi, sock=sock))
            return shop, base_url

        yield start


@pytest.fixture
def run_shop(serve_shop: Callable[..., tuple[Any, str]]) -> Iterator[Callable[[str], Running]]:
    """Start a shop by class name, and a sandbox that knows it as `serve` would."""
    with ExitStack() as sandboxes:

        def start(name: str) -> Running:
            sandbox = sandboxes.enter_context(Sandbox())
            shop, base_url = serve_shop(name, mp_url=sandbox.url)
            known = first_run(sandbox, redirect_uris=[f"{base_url}/callback"])
            sandbox.keep(known.application, *known.sellers)
            return Running(shop=shop, base_url=base_url, sandbox=sandbox)

        yield start
