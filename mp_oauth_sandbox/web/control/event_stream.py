"""The journal as server-sent events (HTML standard, section 9.2): each new entry as it comes.

The journal itself is the queue: a listener is only woken, from whichever thread recorded,
and reads what it has not sent yet. So nothing is out of order and no request ever waits.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from anyio import CancelScope, fail_after, move_on_after
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from mp_oauth_sandbox.control.journal import EntryOut
from mp_oauth_sandbox.journal import Entry, Journal, Query
from mp_oauth_sandbox.support.connection import CONNECTION, Extensions

MEDIA_TYPE = "text/event-stream"

#: Entries read at once, so that other requests get their turn in between.
_BATCH = 64

#: How long a last word may take to be heard.
_FAREWELL_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """Our own numbers, in real time.

    A listener that is more than `behind` entries late, or takes longer than `patience` over
    one piece, is cut off; it may come back with the last number it saw.
    """

    heartbeat: timedelta = timedelta(seconds=15)
    behind: int = 1000
    patience: timedelta = timedelta(seconds=30)


class JournalStream(StreamingResponse):
    """An answer that goes on until the client leaves, or the sandbox is closed or reset."""

    def __init__(
        self, journal: Journal, query: Query, *, limit: int | None, limits: StreamLimits
    ) -> None:
        """Send what the query wants, at first of what there is; end after `limit` of them."""
        self._journal = journal
        self._query = query
        self._left = limit
        self._limits = limits
        self._read = query.after
        self._caught_up = self._over = False
        self._news = asyncio.Event()
        self._pieces = self._told()
        super().__init__(self._pieces, headers={"cache-control": "no-store"}, media_type=MEDIA_TYPE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream; every way out leaves no subscription and no task behind."""
        loop = asyncio.get_running_loop()
        listening = CancelScope()

        def in_loop(act: Callable[[], None]) -> None:
            # Closed already: the loop went away, and this listener with it.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(act)

        def tell(entry: Entry) -> None:
            if self._caught_up and entry.seq - self._read > self._limits.behind:
                in_loop(listening.cancel)
            elif not self._news.is_set():
                in_loop(self._news.set)

        def end() -> None:
            self._over = True
            self._news.set()
            listening.deadline = loop.time() + _FAREWELL_SECONDS

        async def send_in_time(message: Message) -> None:
            with fail_after(self._limits.patience.total_seconds()):
                await send(message)

        stop = self._journal.subscribe(tell, over=lambda: in_loop(end))
        try:
            with listening, suppress(TimeoutError, ClientDisconnect):
                # Closed here: a piece that was cut off leaves it waiting for the next.
                async with aclosing(self._pieces):
                    await super().__call__(scope, receive, send_in_time)
                return
        finally:
            stop()
        extensions: Extensions = scope.get("extensions") or {}
        connection = extensions.get(CONNECTION)
        if connection is not None:
            connection["abort"]()

    async def _told(self) -> AsyncGenerator[bytes, None]:
        # The first piece takes the head along: the client knows that it is listened to.
        yield b": the journal of mp-oauth-sandbox\n\n"
        while not self._over and (self._left is None or self._left > 0):
            # Before reading: what is recorded from here on sets it again.
            self._news.clear()
            batch = self._journal.entries(after=self._read, limit=_BATCH)
            for entry in batch:
                self._read = entry.seq
                if self._query.matches(entry):
                    yield _event(entry)
                    if self._left is not None:
                        self._left -= 1
                        if not self._left:
                            return
            if not batch:
                self._caught_up = True
                with move_on_after(self._limits.heartbeat.total_seconds()) as waiting:
                    await self._news.wait()
                if waiting.cancelled_caught:
                    yield b": still here\n\n"


def _event(entry: Entry) -> bytes:
    data = msgspec.json.encode(EntryOut.of(entry))
    return b"id: %d\nevent: entry\ndata: %b\n\n" % (entry.seq, data)
