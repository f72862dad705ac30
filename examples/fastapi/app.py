"""A small marketplace whose sellers link Mercado Pago, with FastAPI.

Start `mp-oauth-sandbox serve --redirect-uri http://localhost:8000/mp/callback`, then, with the
variables that it prints, `MP_AUTH_URL=... MP_... python examples/fastapi/app.py`. See ../README.md.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket
from typing import Annotated

import httpx
import uvicorn
from fastapi import APIRouter, Cookie, Depends, FastAPI, Form, Header, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from mp_oauth_sandbox.client import (
    AsyncLinking,
    Linked,
    LinkingError,
    NotificationError,
    SQLitePendingStore,
    SQLiteTokenStore,
)

sys.path.insert(0, str(Path(__file__).parents[1]))
import marketplace
from testing import Testing

testing, logins = Testing(), marketplace.logins

# ---- who asks ----

SessionCookie = Annotated[str | None, Cookie(alias="session")]


async def current_login(session: SessionCookie = None) -> marketplace.Login | None:
    """Who asks, if anybody is logged in."""
    return logins.get(session)


Current = Annotated[marketplace.Login | None, Depends(current_login)]


async def logged_in(login: Current) -> marketplace.Login:
    """Who asks; 401 if nobody is logged in."""
    if login is None:
        raise HTTPException(401)
    return login


async def own_form(
    origin: Annotated[str | None, Header()] = None,
    sec_fetch_site: Annotated[str | None, Header()] = None,
) -> None:
    """Refuse forms that other sites send in somebody's name."""
    if marketplace.sent_by_another_site(origin, sec_fetch_site):
        raise HTTPException(403)


async def wanted_language(accept_language: Annotated[str, Header()] = "") -> str:
    """The language to talk to the seller in."""
    return marketplace.language(accept_language)


LoggedIn = Annotated[marketplace.Login, Depends(logged_in)]
Language = Annotated[str, Depends(wanted_language)]
OWN_FORM = [Depends(own_form)]

# ---- linking ----

settings = marketplace.settings()
links = testing.store(SQLiteTokenStore(marketplace.DATABASE))
pending = SQLitePendingStore(marketplace.DATABASE)
linking = AsyncLinking(settings, links, pending, now=testing.clock)
api = httpx.AsyncClient(base_url=settings.api_url, timeout=10)
mp = APIRouter(prefix="/mp")


@mp.post("/link", dependencies=OWN_FORM)
async def link(login: LoggedIn) -> Response:
    """Send the seller to Mercado Pago."""
    start = await linking.start(login.account, binding=login.binding)
    return RedirectResponse(start.url, 303)


@mp.get("/callback")  # FastAPI does not ask a view of GET for HEAD; others do.
async def callback(request: Request, login: Current, language: Language) -> Response:
    """Take the seller back, with a code or without."""
    if login is None:
        return HTMLResponse(marketplace.not_linked_page(None, language), 400)
    query: bytes = request.scope["query_string"]
    outcome = await linking.callback(query, account=login.account, binding=login.binding)
    if isinstance(outcome, Linked):
        return RedirectResponse("/", 303)
    return HTMLResponse(marketplace.not_linked_page(outcome.for_seller(language), language), 400)


@mp.post("/unlink", dependencies=OWN_FORM)
async def unlink(login: LoggedIn) -> Response:
    """Forget the seller's tokens."""
    await linking.unlink(login.account)
    return RedirectResponse("/", 303)


@mp.get("/status")
async def status(login: LoggedIn) -> Response:
    """What has become of the account's link."""
    return JSONResponse(await status_of(login.account))


@mp.post("/webhook")
async def webhook(request: Request) -> Response:
    """Hear of sellers who unlinked us at Mercado Pago."""
    query: bytes = request.scope["query_string"]
    try:
        await linking.notified(query, request.headers, await request.body())
    except NotificationError:
        return Response(status_code=401)
    return Response()


async def status_of(account: str) -> marketplace.LinkStatus:
    """The status of the account's link, and the seller it is linked to."""
    return marketplace.link_status(await linking.link(account))


async def sell(account: str) -> None:
    """Charge somebody for the account's seller. Raises LinkingError or httpx.HTTPError."""
    order, auth = marketplace.order(), linking.auth(account)
    (await api.post("/v1/payments", **order, auth=auth)).raise_for_status()


# ---- pages ----


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    """Close what is open, once exchanges under way have been kept."""
    async with api, linking:
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)


@app.middleware("http")
async def add_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """What every page is sent with."""
    response = await call_next(request)
    response.headers.update(marketplace.HEADERS)
    return response


@app.get("/")
async def home(login: Current) -> HTMLResponse:
    """The only page there is."""
    if login is None:
        return HTMLResponse(marketplace.login_page())
    return HTMLResponse(marketplace.account_page(login.account, **await status_of(login.account)))


@app.post("/login", dependencies=OWN_FORM)
async def log_in(account: Annotated[str, Form()], session: SessionCookie = None) -> Response:
    """Log in, always in a new session."""
    if not marketplace.is_account_name(account):
        raise HTTPException(400)
    logins.end(session)
    response = RedirectResponse("/", 303)
    response.set_cookie("session", logins.begin(account), **marketplace.COOKIE)
    return response


@app.post("/logout", dependencies=OWN_FORM)
async def log_out(session: SessionCookie = None) -> Response:
    """Log out."""
    logins.end(session)
    response = RedirectResponse("/", 303)
    response.delete_cookie("session", **marketplace.COOKIE)
    return response


@app.post("/sales", dependencies=OWN_FORM)
async def sales(login: LoggedIn, language: Language) -> Response:
    """Sell one thing."""
    try:
        await sell(login.account)
        marketplace.log.info("sold, for %s", login.account)
    except (LinkingError, httpx.HTTPError) as error:
        return JSONResponse(*marketplace.not_sold(error, language))
    return JSONResponse({"sold": True})


@app.get("/health")
async def health() -> dict[str, bool]:
    """It is up."""
    return {"ok": True}


@app.api_route("/test/{hook}", methods=["GET", "POST"])
async def test(hook: str, request: Request) -> JSONResponse:
    """See Testing; 404 without TEST_TOKEN."""
    if not testing.allowed(request.headers.get("authorization")):
        raise HTTPException(404)
    if hook == "run-jobs":
        await linking.renew_due(per_second=1000)
    called = f"{request.method} {hook}"
    return JSONResponse(
        testing.call(called, await request.body(), request.query_params.get("since"))
    )


app.include_router(mp)

# ---- the program ----


class Server(uvicorn.Server):
    """Says when it listens."""

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """See uvicorn."""
        await super().startup(sockets)
        marketplace.say_that_it_listens()


def serve() -> None:
    """Until Ctrl-C. No log of requests: the URL of a callback has a code in it."""
    Server(uvicorn.Config(app, port=marketplace.PORT, access_log=False, log_config=None)).run()


if __name__ == "__main__":
    marketplace.run(serve=serve, renew=lambda: asyncio.run(linking.renew_due()))
