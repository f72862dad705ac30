"""A journal alone, and a sandbox in which every run is the same, byte for byte."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller
from mp_oauth_sandbox.journal import Journal

CALLBACK = "https://shop.example/cb"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def journal() -> Journal:
    return Journal(clock=lambda: NOON, save=lambda _batch: None)


class Shop:
    """An integration with two sellers, and what it has got so far."""

    def __init__(self, sandbox: Sandbox, client: httpx.Client) -> None:
        self.sandbox, self.client = sandbox, client
        self.application: Application = sandbox.register_application(
            redirect_uris=[CALLBACK], client_id="1234567890123456", client_secret="s" * 32
        )
        self.ana: Seller = sandbox.create_seller(user_id=200000001, nickname="ANA")
        self.bea: Seller = sandbox.create_seller(user_id=200000002, nickname="BEA")

    def code(self, seller: Seller) -> str:
        self.sandbox.auto_consent(seller)
        answer = self.client.get(self.sandbox.authorization_url(self.application, state="s1"))
        return httpx.URL(answer.headers["location"]).params["code"]

    def redeem(self, code: str) -> dict[str, str]:
        return self.ask(grant_type="authorization_code", code=code, redirect_uri=CALLBACK)

    def ask(self, **fields: str) -> dict[str, str]:
        mine = {
            "client_id": self.application.client_id,
            "client_secret": self.application.client_secret,
        }
        return self.client.post("/oauth/token", json=mine | fields).json()

    def use(self, token: str) -> int:
        bearer = {"Authorization": f"Bearer {token}"}
        return self.client.get("/users/me", headers=bearer).status_code


@pytest.fixture
def shop() -> Iterator[Shop]:
    with (
        Sandbox(live=False, seed="journal", start=NOON, frozen=True) as sandbox,
        httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client,
    ):
        yield Shop(sandbox, client)
