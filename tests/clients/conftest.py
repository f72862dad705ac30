"""A live sandbox with one application, and a seller whose browser always says yes."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

CALLBACK = "http://localhost:8000/mp/callback"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


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
