"""The sandbox's own two pages: the front page with the journal, and a built-in callback."""

import asyncio
import json
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox.core import paths
from mp_oauth_sandbox.core.messages import Authentication, RedeemCode
from mp_oauth_sandbox.core.records import Application
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.modes import modes
from mp_oauth_sandbox.journal import Query
from mp_oauth_sandbox.web.api.answering import Answering
from mp_oauth_sandbox.web.arrivals import ARRIVAL
from mp_oauth_sandbox.web.delivery import JournaledResponse
from mp_oauth_sandbox.web.pages.rendering import PageRefusedError, Pages, same
from mp_oauth_sandbox.web.pages.sessions import Sessions, cookie_name


class Home:
    """GET / and the callback that stands in for an integration one has not written yet."""

    def __init__(self, engine: Engine, pages: Pages, browsers: Sessions) -> None:
        """Show this engine with these pages, and that `browsers` at Mercado Pago have modes."""
        self._engine = engine
        self._pages = pages
        self._answering = Answering(engine)
        self._browsers = browsers
        # Of the callback page: another site's, as it were.
        self._sessions = Sessions()

    async def index(self, request: Request) -> Response:
        """GET /: where things are, and the live journal."""
        self._pages.check_local(request)
        application = self._first_application()
        base_url, journal = str(request.base_url).rstrip("/"), self._engine.journal
        newest = [msgspec.to_builtins(entry) for entry in journal.latest(Query(), limit=50)]
        context = {
            "base_url": base_url,
            "application": application,
            "authorization_url": _authorization_path(application) if application else None,
            "links": [
                (f"{paths.CONTROL}/openapi.json", "The control API, as an OpenAPI document"),
                (f"{paths.CONTROL}/journal", "The journal, as JSON"),
                (f"{paths.CONTROL}/health", "Health"),
            ],
            "entries": list(reversed(newest)),
            "modes": modes(self._engine, sessions=self._browsers.with_consent()).told,
        }
        return self._pages.render("index.html", context, scripts=True)

    async def callback(self, request: Request) -> Response:
        """GET /callback: show what an integration's callback would receive."""
        self._pages.check_local(request)
        query = request.query_params
        return self._callback_page(request, query.get("code"), query.get("state"))

    async def exchange(self, request: Request) -> Response:
        """POST /callback: redeem the code as the first application would, and show the answer."""
        self._pages.check_local(request)
        form = await self._pages.form(request)
        session = self._sessions.find(request.cookies.get(f"{cookie_name(request.scope)}_callback"))
        code, application = form.get("code"), self._application_of(request)
        if session is None or not same(form.get("csrf", ""), session.csrf):
            raise PageRefusedError("the form is too old; reload the callback page")
        if application is None:
            raise PageRefusedError(f"no application has registered {_callback_uri(request)}")
        redeem = RedeemCode(
            authentication=Authentication(
                client_id=application.client_id, client_secret=application.client_secret
            ),
            code=code,
            redirect_uri=_callback_uri(request),
        )
        reply = await self._engine.token(redeem, request=f"POST {paths.TOKEN}")
        answer, entry = self._answering.token(
            redeem,
            reply,
            request=f"POST {paths.CALLBACK} (button)",
            arrival=request.scope[ARRIVAL],
        )
        # As an integration's server would hear it: late, or not at all.
        await asyncio.sleep((reply.delay + reply.drip).total_seconds())
        state, journal = form.get("state"), self._engine.journal
        if reply.dropped:
            journal.complete(entry, "dropped")
            lost = {"status": 0, "body": "no answer: a fault hung up (see the journal)"}
            return self._callback_page(request, code, state, result=lost)
        result: dict[str, object] = {"status": answer.status, "body": _pretty(answer.body)}
        page = self._callback_page(request, code, state, result=result)
        # The answer is heard by whoever hears the page.
        return JournaledResponse(page, journal=journal, entry=entry)

    def _callback_page(
        self,
        request: Request,
        code: str | None,
        state: str | None,
        result: Mapping[str, object] | None = None,
    ) -> Response:
        application = self._application_of(request)
        session = self._sessions.find(request.cookies.get(f"{cookie_name(request.scope)}_callback"))
        session = session or self._sessions.open()
        query = request.query_params
        context = {
            "code": code,
            "state": state,
            "error": query.get("error"),
            "error_description": query.get("error_description"),
            "curl": _curl(request, application, code) if application and code else None,
            "csrf": session.csrf,
            "redirect_uri": _callback_uri(request),
            "result": result,
            "expires_note": "A code lives ten minutes and works once.",
        }
        response = self._pages.render("callback.html", context)
        response.set_cookie(
            f"{cookie_name(request.scope)}_callback",
            session.session_id,
            httponly=True,
            samesite="lax",
            path=paths.CALLBACK,
        )
        return response

    def _first_application(self) -> Application | None:
        applications: Sequence[Application] = self._engine.store.page(Application, limit=1)
        return applications[0] if applications else None

    def _application_of(self, request: Request) -> Application | None:
        """The first application that has this page as its callback."""
        uri = _callback_uri(request)
        for application in self._engine.store.page(Application, limit=500):
            if uri in application.redirect_uris:
                return application
        return None


def _pretty(body: bytes) -> str:
    """A body for people; JSON line by line."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")


def _callback_uri(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{paths.CALLBACK}"


def _authorization_path(application: Application) -> str:
    redirect_uri = quote(application.redirect_uris[0], safe="")
    return (
        f"{paths.AUTHORIZATION}?client_id={application.client_id}&response_type=code"
        f"&platform_id=mp&redirect_uri={redirect_uri}&state=from-the-front-page"
    )


def _curl(request: Request, application: Application, code: str) -> str:
    body = {
        "grant_type": "authorization_code",
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        "code": code,
        "redirect_uri": _callback_uri(request),
    }
    base_url = str(request.base_url).rstrip("/")
    return (
        f"curl -s {base_url}{paths.TOKEN} -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(body))}"
    )
