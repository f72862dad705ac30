"""Reading bodies within limits."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.refusals import refuse
from mp_oauth_sandbox.support.connection import CONNECTION, Extensions

#: Guess: the charset; `cache-control` is RFC 6749 section 5.1, not observed.
JSON_HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
}

#: The statuses of a body that was not taken, where ours is the choice: RFC 9110 section 15.5.
BODY_STATUS = {
    Cause.BODY_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Cause.BODY_TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
    Cause.PARAMETER_DUPLICATED: HTTPStatus.BAD_REQUEST,
}

#: The fields that say how a request is to be read: of two, nobody could tell which one counts
#: (RFC 9110 section 5.3).
_SINGLE = {
    b"host": "Host",
    b"content-type": "Content-Type",
    b"content-length": "Content-Length",
    b"x-idempotency-key": "X-Idempotency-Key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """How large a request's body may be and how long it may take to arrive; our own numbers."""

    size: int = 64 * 1024
    time: timedelta = timedelta(seconds=10)


async def read_body(request: Request, limits: BodyLimits) -> bytes | Refused:
    """The whole body, bounded in bytes and in time. Raises ClientDisconnect if it never comes.

    Refused is also what says twice how it is to be read.
    """
    sent: set[bytes] = set()
    for name, _ in request.scope["headers"]:
        if name in _SINGLE:
            if name in sent:
                return refuse(Cause.PARAMETER_DUPLICATED, name=_SINGLE[name])
            sent.add(name)
    declared = request.headers.get("content-length", "0")
    # Longer numbers than that are too large without being read.
    if len(declared) > 18 or (declared.isdecimal() and int(declared) > limits.size):
        return refuse(Cause.BODY_TOO_LARGE, limit=limits.size)
    extensions: Extensions = request.scope.get("extensions") or {}
    if CONNECTION in extensions and extensions[CONNECTION]["arrived"]:
        return await _whole_body(request, limits)
    try:
        async with asyncio.timeout(limits.time.total_seconds()):
            return await _whole_body(request, limits)
    except TimeoutError:
        return refuse(Cause.BODY_TOO_SLOW, limit=f"{limits.time.total_seconds():g}")


async def _whole_body(request: Request, limits: BodyLimits) -> bytes | Refused:
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limits.size:
            return refuse(Cause.BODY_TOO_LARGE, limit=limits.size)
        if not message.get("more_body"):
            return bytes(body)
