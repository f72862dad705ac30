"""The ASGI application: bytes and paths in, answers out. It knows nothing of OAuth."""

from http import HTTPStatus

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route, request_response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from mp_oauth_sandbox import wire
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import (
    RedeemCode,
    Refresh,
    Refused,
    TokenRequest,
    TokensIssued,
)
from mp_oauth_sandbox.core.refusals import refuse
from mp_oauth_sandbox.engine.engine import Engine, grant_type_of
from mp_oauth_sandbox.faults import Answer
from mp_oauth_sandbox.journal.masks import masked
from mp_oauth_sandbox.web.access import Access
from mp_oauth_sandbox.web.api.answering import About, Answering
from mp_oauth_sandbox.web.api.resources import ResourceApi
from mp_oauth_sandbox.web.bodies import JSON_HEADERS, BodyLimits, read_body, request_line
from mp_oauth_sandbox.web.control.guard import Control
from mp_oauth_sandbox.web.control.openapi import PREFIX
from mp_oauth_sandbox.web.control.operations import Operations
from mp_oauth_sandbox.web.pages.authorization import ConsentPages
from mp_oauth_sandbox.web.pages.consent import DeadPageError, on_dead_page
from mp_oauth_sandbox.web.pages.home import Home
from mp_oauth_sandbox.web.pages.rendering import PageRefusedError, Pages, on_page_refused
from mp_oauth_sandbox.webhooks.public import Webhooks

#: RFC 9110 section 15.6.1, in the shape of an error body.
INTERNAL_ERROR = msgspec.json.encode(
    {"message": "internal error", "error": "internal_server_error", "status": 500, "cause": []}
)


_PAGES = "mp_oauth_sandbox.web.pages"


class Api:
    """Mercado Pago's token endpoint, and the 404 of what it is not."""

    def __init__(self, engine: Engine, limits: BodyLimits) -> None:
        """Answer from this engine."""
        self._engine = engine
        self._limits = limits
        self._answering = Answering(engine)

    async def token(self, request: Request) -> Response:
        """POST /oauth/token."""
        engine = self._engine
        body = await read_body(request, self._limits)
        parsed: TokenRequest | Refused
        if isinstance(body, Refused):
            parsed = body
        else:
            parsed = wire.parse_token_request(
                request.headers.get("content-type", ""),
                body,
                request.scope["query_string"],
                engine.profile,
                authorization=request.headers.get("authorization", ""),
            )
        reply = await engine.answer(parsed, endpoint="token", request="POST /oauth/token")
        outcome = reply.outcome
        about = About(
            kind="token",
            grant_type=grant_type_of(parsed),
            client_id=None if isinstance(parsed, Refused) else parsed.authentication.client_id,
            facts=self._facts(parsed, outcome),
        )
        if isinstance(outcome, TokensIssued) and not isinstance(parsed, Refused):
            content = wire.render_tokens(outcome, parsed, engine.profile)
            about = about.of(outcome.client_id, outcome.user_id)
            answer = Answer(200, content, {})
            return self._answering.success(request, reply, answer, about, "tokens issued")
        return self._answering.otherwise(request, reply, about)

    async def not_found(self, request: Request) -> Response:
        """The documented 404, also for a known path with another method."""
        line = request_line(request)
        method, _, path = line.partition(" ")
        refused = refuse(Cause.RESOURCE_UNKNOWN, method=method, path=path)
        reply = await self._engine.answer(refused, endpoint="resource", request=line)
        return self._answering.otherwise(request, reply, About(kind="resource"))

    def _facts(self, parsed: TokenRequest | Refused, outcome: object) -> dict[str, str]:
        """Which credentials came and went, by short id; never a whole secret."""
        label = self._engine.mint.label
        facts: dict[str, str] = {}
        if isinstance(parsed, RedeemCode):
            if parsed.code:
                facts["code"] = label(parsed.code)
            if parsed.redirect_uri:
                facts["redirect_uri"] = masked(parsed.redirect_uri[:2048])
        elif isinstance(parsed, Refresh) and parsed.refresh_token:
            facts["refresh_token"] = label(parsed.refresh_token)
        if isinstance(outcome, TokensIssued):
            facts["issued_access_token"] = label(outcome.access_token)
            if outcome.refresh_token:
                facts["issued_refresh_token"] = label(outcome.refresh_token)
        return facts


def create_app(
    engine: Engine,
    *,
    access: Access | None = None,
    body_limits: BodyLimits | None = None,
    webhooks: Webhooks | None = None,
) -> ASGIApp:
    """The whole sandbox as one ASGI application, to host or to mount at the root of a server."""
    access, limits = access or Access(), body_limits or BodyLimits()
    api, pages = Api(engine, limits), Pages(access, limits)
    consent, home = ConsentPages(engine, pages), Home(engine, pages)
    resources = ResourceApi(engine, limits)

    def forget() -> None:
        consent.forget()
        resources.forget()

    engine.on_reset = forget
    control = Control(Operations(engine, limits, webhooks or Webhooks(engine)), access)

    async def on_http_error(request: Request, _error: Exception) -> Response:
        """Starlette's own errors: no such path, or not with this method."""
        if request.scope["path"].startswith(f"{PREFIX}/"):
            return control.no_such_call(request)
        return await api.not_found(request)

    async def on_disconnect(_request: Request, _error: Exception) -> Response:
        # Nobody is there to read it.
        return Response(status_code=HTTPStatus.BAD_REQUEST)

    async def on_crash(_request: Request, _error: Exception) -> Response:
        # It should never come to this; Starlette raises it again, for the log.
        return Response(INTERNAL_ERROR, status_code=500, headers=JSON_HEADERS)

    starlette = Starlette(
        routes=[
            Route("/oauth/token", api.token, methods=["POST"]),
            Route("/authorization", consent.authorization, methods=["GET"]),
            Route("/authorization/consent", consent.show, methods=["GET"]),
            Route("/authorization/consent", consent.decide, methods=["POST"]),
            Route("/authorization/sign-in", consent.sign_in, methods=["POST"]),
            Route("/authorization/sign-out", consent.sign_out, methods=["POST"]),
            Mount(
                "/_sandbox/static", StaticFiles(packages=[("mp_oauth_sandbox.web.pages", "static")])
            ),
            *control.routes,
            Route("/callback", home.callback, methods=["GET"]),
            Route("/callback", home.exchange, methods=["POST"]),
            Route("/", home.index, methods=["GET"]),
        ],
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
        control_call = scope["type"] != "http" or scope["path"].startswith(f"{PREFIX}/")
        await (no_route if control_call else answer_resource)(scope, receive, send)

    starlette.router.default = elsewhere
    return starlette
