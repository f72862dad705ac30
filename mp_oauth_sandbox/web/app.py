"""The ASGI application: which path is answered by what."""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route, request_response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from mp_oauth_sandbox.core import paths
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.stores.protocol import StoreError
from mp_oauth_sandbox.web.access import Access
from mp_oauth_sandbox.web.api.resources import ResourceApi
from mp_oauth_sandbox.web.api.token import TokenApi
from mp_oauth_sandbox.web.arrivals import Arrivals
from mp_oauth_sandbox.web.bodies import JSON_HEADERS, BodyLimits
from mp_oauth_sandbox.web.control.all import operations
from mp_oauth_sandbox.web.control.guard import ControlApi
from mp_oauth_sandbox.web.pages.authorization import ConsentPages
from mp_oauth_sandbox.web.pages.consent import DeadPageError, on_dead_page
from mp_oauth_sandbox.web.pages.home import Home
from mp_oauth_sandbox.web.pages.rendering import PageRefusedError, Pages, on_page_refused
from mp_oauth_sandbox.web.pages.sessions import Sessions
from mp_oauth_sandbox.web.unsaved import record_unsaved
from mp_oauth_sandbox.webhooks.public import Webhooks
from mp_oauth_sandbox.wire.errors import INTERNAL_ERROR

_PAGES = "mp_oauth_sandbox.web.pages"


def create_app(
    engine: Engine,
    *,
    access: Access | None = None,
    body_limits: BodyLimits | None = None,
    webhooks: Webhooks | None = None,
) -> ASGIApp:
    """The whole sandbox as one ASGI application, to host or to mount at the root of a server."""
    access, limits = access or Access(), body_limits or BodyLimits()
    api, pages, sessions = TokenApi(engine, limits), Pages(access, limits), Sessions()
    consent, home = ConsentPages(engine, pages, sessions), Home(engine, pages)
    resources = ResourceApi(engine, limits)

    engine.at_reset(sessions.forget)
    engine.at_reset(resources.forget)
    done = operations(engine, webhooks or Webhooks(engine), sessions)
    control = ControlApi(done, access, limits, engine.journal)

    async def on_http_error(request: Request, _error: Exception) -> Response:
        """Starlette's own errors: no such path, or not with this method."""
        if request.scope["path"].startswith(f"{paths.CONTROL}/"):
            return control.no_such_call(request)
        return await api.not_found(request)

    async def on_disconnect(_request: Request, _error: Exception) -> Response:
        # Nobody is there to read it.
        return Response(status_code=HTTPStatus.BAD_REQUEST)

    async def on_crash(request: Request, error: Exception) -> Response:
        # But for a store that fails it should never come to this. Starlette raises it again,
        # for the log.
        if isinstance(error, StoreError):
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            record_unsaved(engine.journal, request, error, status=status)
        return Response(INTERNAL_ERROR, status_code=500, headers=JSON_HEADERS)

    starlette = Starlette(
        routes=[
            Route(paths.TOKEN, api.token, methods=["POST"]),
            Route(paths.AUTHORIZATION, consent.authorization, methods=["GET"]),
            Route(paths.CONSENT, consent.show, methods=["GET"]),
            Route(paths.CONSENT, consent.decide, methods=["POST"]),
            Route(paths.SIGN_IN, consent.sign_in, methods=["POST"]),
            Route(paths.SIGN_OUT, consent.sign_out, methods=["POST"]),
            Mount(paths.STATIC, StaticFiles(packages=[(_PAGES, "static")])),
            *control.routes,
            Route(paths.CALLBACK, home.callback, methods=["GET"]),
            Route(paths.CALLBACK, home.exchange, methods=["POST"]),
            Route("/", home.index, methods=["GET"]),
        ],
        middleware=[Middleware(Arrivals, journal=engine.journal)],
        exception_handlers={
            HTTPException: on_http_error,
            ClientDisconnect: on_disconnect,
            Exception: on_crash,
            DeadPageError: on_dead_page,
            PageRefusedError: on_page_refused,
        },
    )
    starlette.router.redirect_slashes = False
    no_route = starlette.router.default
    answer_resource = request_response(resources.answer)

    async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
        """Any other path is a resource of the API, or a call that there is not."""
        control_call = scope["type"] != "http" or scope["path"].startswith(f"{paths.CONTROL}/")
        await (no_route if control_call else answer_resource)(scope, receive, send)

    starlette.router.default = elsewhere
    return starlette
