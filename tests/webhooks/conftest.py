"""A frozen sandbox without a socket, an application with a webhook, and its receiver."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller, Webhook

from .receiver import Receiver

START = datetime(2026, 6, 12, 13, 14, 1, 351000, tzinfo=UTC)
CALLBACK = "https://shop.example/mp/callback"
SECRET = "the-webhook-secret"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(live=False, start=START, frozen=True, seed="webhooks") as sandbox:
        yield sandbox


@pytest.fixture
def seller(sandbox: Sandbox) -> Seller:
    seller = sandbox.create_seller(user_id=123456789)
    sandbox.auto_consent(seller)
    return seller


@pytest.fixture
def application(sandbox: Sandbox, receiver: Receiver) -> Application:
    return register(sandbox, receiver.url)


def register(sandbox: Sandbox, url: str, *, secret: str = SECRET) -> Application:
    return sandbox.register_application(
        redirect_uris=[CALLBACK], webhook=Webhook(url=url, secret=secret)
    )


def link(sandbox: Sandbox, application: Application, *, test_token: bool = False) -> None:
    """Approve and exchange, as an integration would."""
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as http:
        answer = http.get(sandbox.authorization_url(application))
        tokens = http.post(
            "/oauth/token",
            json={
                "grant_type": "authorization_code",
                "client_id": application.client_id,
                "client_secret": application.client_secret,
                "code": httpx.URL(answer.headers["location"]).params["code"],
                "redirect_uri": CALLBACK,
                "test_token": test_token,
            },
        )
        assert tokens.status_code == 200, tokens.text
