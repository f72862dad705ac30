"""A live sandbox, one linked seller, and a client that keeps no connection."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

CALLBACK = "https://shop.example/mp/callback"


@dataclass(kw_only=True)
class World:
    sandbox: Sandbox
    http: httpx.Client
    app: Application
    seller: Seller

    def authorize(self, state: str = "s1", **options: Any) -> httpx.Response:
        return self.http.get(self.sandbox.authorization_url(self.app, state=state), **options)

    def code(self) -> str:
        return httpx.URL(self.authorize().headers["location"]).params["code"]

    def token(self, **fields: object) -> httpx.Response:
        secrets = {"client_id": self.app.client_id, "client_secret": self.app.client_secret}
        return self.http.post("/oauth/token", json={**secrets, **fields})

    def exchange(self, code: str | None = None) -> httpx.Response:
        grant = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
        return self.token(**grant, code=code or self.code())

    def refresh(self, refresh_token: str) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def me(self, access_token: str) -> httpx.Response:
        return self.http.get("/users/me", headers={"Authorization": f"Bearer {access_token}"})


@pytest.fixture(params=[True, False], ids=["live", "in-process"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with Sandbox(live=request.param) as sandbox:
        transport = httpx.HTTPTransport() if request.param else sandbox.transport()
        with httpx.Client(transport=transport, base_url=sandbox.url, timeout=10) as http:
            seller = sandbox.create_seller(country="AR")
            sandbox.auto_consent(seller)
            app = sandbox.register_application(redirect_uris=[CALLBACK])
            yield World(sandbox=sandbox, http=http, app=app, seller=seller)
