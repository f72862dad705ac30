"""A live sandbox with one application, and a seller whose browser always says yes."""

import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

CALLBACK = "http://localhost:8000/mp/callback"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def every_answer_is_heard(sandbox: Sandbox) -> Iterator[None]:
    """Whatever its client does with a connection, the journal says that it heard its answers.

    A module whose client hangs up on purpose overrides this by name.
    """
    yield
    pause = threading.Event()
    entries = [e for e in sandbox.journal if e.kind in {"authorization", "token", "resource"}]
    for _ in range(1000):
        # A client may be back a moment before the server has noted that it was.
        if all(entry.ended for entry in entries):
            break
        pause.wait(0.005)
    assert [entry for entry in entries if entry.delivery != "delivered"] == []


@pytest.fixture
def seller(sandbox: Sandbox) -> Seller:
    seller = sandbox.create_seller(country="AR")
    sandbox.auto_consent(seller)
    return seller


@pytest.fixture
def application(sandbox: Sandbox) -> Application:
    return sandbox.register_application(redirect_uris=[CALLBACK])


@pytest.fixture
def approved(sandbox: Sandbox, seller: Seller) -> Iterator[Callable[[str], str]]:
    """Opens an authorization URL as the seller's browser; returns the callback it is sent to."""
    with httpx.Client(transport=sandbox.transport()) as browser:

        def follow(url: str) -> str:
            answer = browser.get(url)
            assert answer.status_code == 302, answer.text
            return answer.headers["location"]

        yield follow


@pytest.fixture
def new_code(
    sandbox: Sandbox, application: Application, approved: Callable[[str], str]
) -> Callable[[], str]:
    """Makes a fresh code of the application and the seller."""

    def code() -> str:
        callback = approved(sandbox.authorization_url(application))
        return httpx.URL(callback).params["code"]

    return code
