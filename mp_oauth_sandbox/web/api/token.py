"""Mercado Pago's token endpoint, and the 404 of what is none of its paths."""

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox import wire
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Refused, TokenRequest
from mp_oauth_sandbox.core.refusals import refuse
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.journal import Arrival, Happened
from mp_oauth_sandbox.web.api.answering import Answering
from mp_oauth_sandbox.web.arrivals import ARRIVAL
from mp_oauth_sandbox.web.bodies import BodyLimits, read_body
from mp_oauth_sandbox.web.delivery import JournaledResponse
from mp_oauth_sandbox.web.mistakes import likely_of


class TokenApi:
    """POST /oauth/token, and the 404 of a known path with another method."""

    def __init__(self, engine: Engine, limits: BodyLimits) -> None:
        """Answer from this engine."""
        self._engine = engine
        self._limits = limits
        self._answering = Answering(engine)

    async def token(self, request: Request) -> Response:
        """POST /oauth/token."""
        engine, headers = self._engine, request.headers
        arrival: Arrival = request.scope[ARRIVAL]
        body = await read_body(request, self._limits)
        parsed: TokenRequest | Refused = (
            body
            if isinstance(body, Refused)
            else wire.parse_token_request(
                headers.get("content-type", ""),
                body,
                request.scope["query_string"],
                engine.profile,
                authorization=headers.get("authorization", ""),
            )
        )
        reply = await engine.token(parsed, request=f"{request.method} {request.scope['path']}")
        if isinstance(reply.outcome, Refused):
            sent = b"" if isinstance(body, Refused) else body
            reply = replace(reply, outcome=likely_of(engine, reply.outcome, request, sent))
        answer, entry = self._answering.token(
            parsed, reply, request=arrival.request, arrival=arrival
        )
        return JournaledResponse(answer, journal=engine.journal, entry=entry, reply=reply)

    async def not_found(self, request: Request) -> Response:
        """The documented 404, also for a known path with another method."""
        engine = self._engine
        arrival: Arrival = request.scope[ARRIVAL]
        method, _, path = arrival.request.partition(" ")
        refused = likely_of(
            engine, refuse(Cause.RESOURCE_UNKNOWN, method=method, path=path), request
        )
        reply = await engine.resource(refused, request=f"{request.method} {request.scope['path']}")
        happened = Happened(kind="resource", request=arrival.request, arrival=arrival)
        answer, entry = self._answering.answered(reply, happened, {}, None)
        return JournaledResponse(answer, journal=engine.journal, entry=entry, reply=reply)
