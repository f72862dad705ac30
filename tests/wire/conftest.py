"""A small world without a socket: one sandbox, one application, one seller who says yes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

CALLBACK = "https://shop.example/mp/callback"

#: 21 h of the day before in UTC-4, where the hour of an access token is told.
START = datetime(2026, 5, 18, 1, 12, 30, tzinfo=UTC)


@dataclass(kw_only=True)
class World:
    sandbox: Sandbox
    http: httpx.Client
    app: Application
    seller: Seller

    def authorize(self, query: str | bytes = "", **parameters: str | None) -> httpx.Response:
        """GET /authorization with the usual parameters, these instead, and raw bytes at the end.

        A parameter that is None is left out.
        """
        usual = {
            "client_id": self.app.client_id,
            "response_type": "code",
            "redirect_uri": self.app.redirect_uris[0],
        }
        pairs = {name: value for name, value in (usual | parameters).items() if value is not None}
        raw = query.encode() if isinstance(query, str) else query
        target = b"/authorization?" + urlencode(pairs).encode() + (raw and b"&" + raw)
        return self.http.get("/authorization", extensions={"target": target})

    def code(self, **parameters: str) -> str:
        answer = self.authorize(**{"state": "s1", **parameters})
        assert answer.status_code in {302, 303}, answer.text
        return httpx.URL(answer.headers["location"]).params["code"]

    def exchange(self, code: str | None = None, **changes: Any) -> dict[str, Any]:
        """The body of a code exchange that succeeds as it is, with these changes."""
        return {
            "grant_type": "authorization_code",
            **self.id_and_secret(),
            "code": self.code() if code is None else code,
            "redirect_uri": self.app.redirect_uris[0],
            **changes,
        }

    def renewal(self, refresh_token: str, **changes: Any) -> dict[str, Any]:
        body = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return body | self.id_and_secret() | changes

    def own(self) -> dict[str, Any]:
        """The body of a request for a token of the application's owner."""
        return {"grant_type": "client_credentials", **self.id_and_secret()}

    def id_and_secret(self) -> dict[str, str]:
        return {"client_id": self.app.client_id, "client_secret": self.app.client_secret}

    def post(self, body: dict[str, Any]) -> httpx.Response:
        return self.http.post("/oauth/token", json=body)

    def tokens(self, code: str | None = None, **changes: Any) -> dict[str, Any]:
        answer = self.post(self.exchange(code, **changes))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def cause(self) -> str | None:
        return self.sandbox.journal.last().cause


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    """Makes worlds with other switches, and closes them at the end."""
    with ExitStack() as closing:

        def make(*, live: bool = False, seed: str | None = None, **given: Any) -> World:
            app = {"redirect_uris": [CALLBACK]} | given.pop("app", {})
            sandbox = closing.enter_context(
                Sandbox(live=live, seed=seed, start=START, frozen=True, **given)
            )
            transport = httpx.HTTPTransport() if live else sandbox.transport()
            http = httpx.Client(transport=transport, base_url=sandbox.url)
            closing.enter_context(http)
            seller = sandbox.create_seller(country="AR")
            sandbox.auto_consent(seller)
            application = sandbox.register_application(**app)
            return World(sandbox=sandbox, http=http, app=application, seller=seller)

        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
