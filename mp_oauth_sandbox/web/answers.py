"""Reading bodies and sending answers: limits, headers, and completing the journal."""

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.refusals import refuse
from mp_oauth_sandbox.journal import Entry

BODY_BYTES = 64 * 1024
BODY_SECONDS = 10

#: Guess: the charset; `cache-control` is RFC 6749 section 5.1, not observed.
JSON_HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
}


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
        extensions = scope.get("extensions") or {}
        connection = extensions.get("mp_oauth_sandbox.connection")
        heard = connection is None or connection["connected"]()
        self._entry.delivery = "delivered" if heard else "disconnected"


async def read_body(request: Request) -> bytes | Refused:
    """The whole body, bounded in bytes and in time. Raises ClientDisconnect if it never comes."""
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and len(declared) < 20:
        size = int(declared)
    else:
        size = BODY_BYTES + 1
    too_large = refuse(Cause.BODY_TOO_LARGE, limit=BODY_BYTES)
    if size > BODY_BYTES:
        return too_large
    chunks: list[bytes] = []
    received = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                received += len(chunk)
                if received > BODY_BYTES:
                    return too_large
                chunks.append(chunk)
    except TimeoutError:
        return refuse(Cause.BODY_TOO_SLOW, limit=BODY_SECONDS)
    return b"".join(chunks)
