"""Reading bodies and sending answers: limits, headers, and completing the journal."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TypedDict, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.refusals import refuse, visible
from mp_oauth_sandbox.journal import Entry

#: Guess: the charset; `cache-control` is RFC 6749 section 5.1, not observed.
JSON_HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
}

#: The statuses of a body that was not taken, where ours is the choice: RFC 9110 section 15.5.
BODY_STATUS = {
    Cause.BODY_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Cause.BODY_TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """How large a request's body may be and how long it may take to arrive; our own numbers."""

    size: int = 64 * 1024
    time: timedelta = timedelta(seconds=10)


class _Connection(TypedDict):
    connected: Callable[[], bool]


class JournaledResponse(Response):
    """A response whose journal entry learns whether the client was still there to hear it."""

    def __init__(
        self, body: bytes | str, *, status: int, headers: Mapping[str, str], entry: Entry
    ) -> None:
        """`entry` is already recorded: it is visible before the first byte leaves."""
        super().__init__(body, status_code=status, headers=headers)
        self._entry = entry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send, then complete the entry."""
        await super().__call__(scope, receive, send)
        extensions = cast("dict[str, _Connection]", scope.get("extensions") or {})
        connection = extensions.get("mp_oauth_sandbox.connection")
        heard = connection is None or connection["connected"]()
        self._entry.delivery = "delivered" if heard else "disconnected"


async def read_body(request: Request, limits: BodyLimits) -> bytes | Refused:
    """The whole body, bounded in bytes and in time. Raises ClientDisconnect if it never comes."""
    declared = request.headers.get("content-length", "0")
    # Longer numbers than that are too large without being read.
    if len(declared) > 18 or (declared.isdecimal() and int(declared) > limits.size):
        return refuse(Cause.BODY_TOO_LARGE, limit=limits.size)
    chunks: list[bytes] = []
    received = 0
    try:
        async with asyncio.timeout(limits.time.total_seconds()):
            async for chunk in request.stream():
                received += len(chunk)
                if received > limits.size:
                    return refuse(Cause.BODY_TOO_LARGE, limit=limits.size)
                chunks.append(chunk)
    except TimeoutError:
        return refuse(Cause.BODY_TOO_SLOW, limit=f"{limits.time.total_seconds():g}")
    return b"".join(chunks)


#: A code or token that somebody put where none belongs; its first group may be shown.
_SECRET = re.compile(r"\b(APP_USR|TEST|TG)(?:-|%2[Dd])[\w%-]+")

#: A long value in the query of an address; nobody needs it whole to follow the journal.
_LONG_VALUE = re.compile(r"([?&][^=&]*=)[^&]{16,}")


def masked(text: str) -> str:
    """A text without the codes and tokens in it, for the journal."""
    if "-" in text or "%" in text:
        text = _SECRET.sub(r"\1-...", text)
    return _LONG_VALUE.sub(r"\1...", text) if "?" in text else text


def masked_refusal(refused: Refused) -> Refused:
    """A refusal whose explanation shows no code or token, for the journal and error pages."""
    return replace(refused, facts={name: masked(fact) for name, fact in refused.facts.items()})


def request_line(request: Request) -> str:
    """Method and path for the journal and for messages: bounded, masked, fit for a terminal.

    Not by `request.url`, which also decodes the query, whatever bytes that has.
    """
    path = masked(request.scope["path"])
    return visible(f"{request.method[:20]} {path[:100]}")
