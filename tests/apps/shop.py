"""A small integration that links sellers correctly, and copies that get one thing wrong each."""

import hmac
import secrets
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

STATE_LIFETIME = timedelta(minutes=30)
MARGIN = timedelta(minutes=5)
_SSL = ssl.create_default_context()


@dataclass
class Link:
    access_token: str
    refresh_token: str
    expires_at: datetime


class Shop:
    """It binds state to the session, spends it once, reads `error`, and refreshes in time."""

    def __init__(
        self,
        *,
        mp_url: str,
        client_id: str,
        client_secret: str,
        base_url: str = "http://localhost:8000",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.mp_url, self.redirect_uri = mp_url, f"{base_url}/callback"
        self.credentials = {"client_id": client_id, "client_secret": client_secret}
        self.transport = transport
        self.sessions: dict[str, dict[str, str]] = {}
        self.states: dict[str, datetime] = {}
        self.links: dict[str, Link] = {}
        self.ahead = timedelta()
        self.asgi = Starlette(
            routes=[
                Route("/login", self.log_in, methods=["POST"]),
                Route("/start", self.start),
                Route("/callback", self.callback),
                Route("/charge", self.charge, methods=["POST"]),
                Route("/status", self.status),
            ]
        )

    # ---- what the driver may use ----

    def move_clock(self, duration: timedelta) -> None:
        self.ahead += duration

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    # ---- the pages ----

    async def log_in(self, request: Request) -> Response:
        session_id = secrets.token_urlsafe(16)
        self.sessions[session_id] = {"account": (await request.json())["user"]}
        response = JSONResponse({"logged_in": True})
        response.set_cookie("session", session_id, httponly=True, secure=True, samesite="lax")
        return response

    async def start(self, request: Request) -> Response:
        session = self.session(request)
        if session is None:
            return Response("log in first", status_code=401)
        state = session["state"] = secrets.token_urlsafe(32)
        self.states[state] = self.now() + STATE_LIFETIME
        query = urlencode(
            {
                "client_id": self.credentials["client_id"],
                "response_type": "code",
                "platform_id": "mp",
                "state": state,
                "redirect_uri": self.redirect_uri,
            }
        )
        return RedirectResponse(f"{self.mp_url}/authorization?{query}", status_code=302)

    async def callback(self, request: Request) -> Response:
        session = self.session(request)
        if session is None or not self.take_state(session, request.query_params.get("state", "")):
            return Response("This link is not yours, or too old. Start again.", status_code=400)
        code = self.code_of(request)
        if code is None:
            return Response("Not linked: you did not approve. Start again if you like.")
        tokens = await self.tokens(
            grant_type="authorization_code", code=code, redirect_uri=self.redirect_uri
        )
        if tokens is None:
            self.exchange_failed(session["account"])
            return Response("Not linked: that took too long. Start again.", status_code=400)
        self.links[session["account"]] = tokens
        return RedirectResponse("/status", status_code=303)

    async def charge(self, request: Request) -> Response:
        session = self.session(request)
        link = self.links.get(session["account"]) if session else None
        if session is None or link is None:
            return Response("not linked", status_code=409)
        if self.must_refresh(link):
            renewed = await self.tokens(
                grant_type="refresh_token", refresh_token=link.refresh_token
            )
            if renewed is None:
                del self.links[session["account"]]
                return Response("link again", status_code=409)
            link = self.links[session["account"]] = renewed
        async with self.client() as client:
            me = await client.get(
                f"{self.mp_url}/users/me", headers={"authorization": f"Bearer {link.access_token}"}
            )
        return Response("charged" if me.is_success else "failed", 200 if me.is_success else 409)

    async def status(self, request: Request) -> Response:
        session = self.session(request)
        if session is None:
            return Response("log in first", status_code=401)
        return JSONResponse({"mp": "linked" if session["account"] in self.links else "none"})

    # ---- what the broken copies replace ----

    def take_state(self, session: dict[str, str], state: str) -> bool:
        expected = session.pop("state", "")
        until = self.states.pop(expected, None)
        same = hmac.compare_digest(expected.encode(), state.encode())
        return until is not None and same and self.now() < until

    def code_of(self, request: Request) -> str | None:
        return None if "error" in request.query_params else request.query_params.get("code")

    def exchange_failed(self, account: str) -> None:
        """Nothing is stored."""

    def must_refresh(self, link: Link) -> bool:
        return self.now() >= link.expires_at - MARGIN

    # ---- small parts ----

    def session(self, request: Request) -> dict[str, str] | None:
        return self.sessions.get(request.cookies.get("session", ""))

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self.transport, verify=_SSL, timeout=10)

    async def tokens(self, **grant: str) -> Link | None:
        async with self.client() as client:
            answer = await client.post(
                f"{self.mp_url}/oauth/token", json={**self.credentials, **grant}
            )
        if not answer.is_success:
            return None
        body = answer.json()
        return Link(
            access_token=body["access_token"],
            refresh_token=body["refresh_token"],
            expires_at=self.now() + timedelta(seconds=body["expires_in"]),
        )


class AnyGenuineStateShop(Shop):
    """Asks whether it ever issued the state, not to whom."""

    def take_state(self, session: dict[str, str], state: str) -> bool:
        until = self.states.pop(state, None)
        return until is not None and self.now() < until


class NeverRefreshesShop(Shop):
    """Ignores expires_in, and uses a token until it is refused."""

    def must_refresh(self, link: Link) -> bool:
        return False


class IgnoresErrorShop(Shop):
    """Never reads `error`, and exchanges the code that is not there."""

    def code_of(self, request: Request) -> str | None:
        return request.query_params.get("code", "undefined")


class LinkedAnywayShop(Shop):
    """Marks the account as linked before it knows how the exchange ended."""

    def exchange_failed(self, account: str) -> None:
        self.links[account] = Link(
            access_token="", refresh_token="", expires_at=datetime.max.replace(tzinfo=UTC)
        )


class StackTraceShop(Shop):
    """Breaks down when there is no code."""

    def code_of(self, request: Request) -> str | None:
        return request.query_params["code"]


class LinksNobodyShop(Shop):
    """Refuses every callback: safe, and of no use."""

    def take_state(self, session: dict[str, str], state: str) -> bool:
        return False
