"""Mercado Pago's token endpoint, and the 404 of what is none of its paths."""

from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox import wire
from mp_oauth_sandbox.core import paths
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
from mp_oauth_sandbox.web.api.answering import About, Answering
from mp_oauth_sandbox.web.bodies import BodyLimits, read_body, request_line


class TokenApi:
    """POST /oauth/token, and the 404 of a known path with another method."""

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
        reply = await engine.answer(parsed, endpoint="token", request=f"POST {paths.TOKEN}")
        outcome = reply.outcome
        about = About(
            kind="token",
            grant_type=grant_type_of(parsed),
            whose=engine.whose(parsed, outcome),
            facts=self._facts(parsed, outcome),
        )
        if isinstance(outcome, TokensIssued) and not isinstance(parsed, Refused):
            content = wire.render_tokens(outcome, parsed, engine.profile)
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
                facts["redirect_uri"] = parsed.redirect_uri[:2048]
        elif isinstance(parsed, Refresh) and parsed.refresh_token:
            facts["refresh_token"] = label(parsed.refresh_token)
        if isinstance(outcome, TokensIssued):
            facts["issued_access_token"] = label(outcome.access_token)
            if outcome.refresh_token:
                facts["issued_refresh_token"] = label(outcome.refresh_token)
        return facts
