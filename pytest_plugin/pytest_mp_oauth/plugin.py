"""The fixtures, as pytest loads them; imports only pytest at the top."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mp_oauth_sandbox import Application, Clock, Sandbox, Seller


@pytest.fixture(scope="session")
def mp_server() -> Iterator["Sandbox"]:
    """The live sandbox of this process (with xdist: of this worker). Tests use `mp_sandbox`."""
    from mp_oauth_sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def mp_sandbox(mp_server: "Sandbox") -> "Sandbox":
    """A live sandbox as if just started: empty, real time, default profile, consent page."""
    from mp_oauth_sandbox import Clock, Profile

    # Whatever an earlier test did or asked to keep.
    mp_server.clock.restore(Clock().state())
    mp_server.profile = Profile()
    mp_server.show_consent_page()
    mp_server.keep()
    mp_server.reset()
    return mp_server


@pytest.fixture
def mp_redirect_uris() -> list[str]:
    """The redirect URIs of `mp_application`; override it with your own."""
    return ["http://localhost:8000/callback"]


@pytest.fixture
def mp_application(mp_sandbox: "Sandbox", mp_redirect_uris: list[str]) -> "Application":
    """A registered application: `client_id`, `client_secret`, `redirect_uris`."""
    return mp_sandbox.register_application(redirect_uris=mp_redirect_uris)


@pytest.fixture
def mp_seller(mp_sandbox: "Sandbox") -> "Seller":
    """A seller in Argentina who approves every authorization request at once."""
    seller = mp_sandbox.create_seller(country="AR")
    mp_sandbox.auto_consent(seller)
    return seller


@pytest.fixture
def mp_clock(mp_sandbox: "Sandbox") -> "Clock":
    """The sandbox's clock; it goes back to real time after the test."""
    return mp_sandbox.clock
