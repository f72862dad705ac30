"""The journal as server-sent events (HTML standard, section 9.2): each new entry as it comes.

The journal itself is the queue: a listener is only woken, from whichever thread recorded,
and reads what it has not sent yet. So nothing is out of order and no request ever waits.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mp_oauth_sandbox.control.journal import EntryOut
from mp_oauth_sandbox.journal import Entry, Filter, Journal, Query
from mp_oauth_sandbox.support.connection import connection_of

MEDIA_TYPE = "text/event-stream"

#: Entries read at once, so that other requests get their turn in between.
_BATCH = 64

#: How long a last word may take to be heard.
_FAREWELL_SECONDS = 1.0

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """Our own numbers, in real time.

    A listener that is more than `behind` entries late, or takes longer than `patience` over
    one piece, is cut off; it may come back with the last number it saw.
    """

    heartbeat: timedelta = timedelta(seconds=15)
    behind: int = 1000
    patience: timedelta = timedelta(seconds=30)


class JournalStream(Response):
    """An answer that goes on until the client leaves, or the sandbox is closed or reset."""

    def __init__(
        self, journal: Journal, query: Query, *, limit: int | None, limits: StreamLimits
    ) -> None:
        """Send what the query wants, at first of what there is; end after `limit` of them."""
        super().__init__()
        self._journal = journal
        self._filter = Filter(query)
        self._left = limit
        self._limits = limits
        self._read = self._filter.first
        self._caught_up = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream; every way out leaves no subscription and no task behind."""
        loop = asyncio.get_running_loop()
        news, over, slow = asyncio.Event(), asyncio.Event(), asyncio.Event()

        def in_loop(event: asyncio.Event) -> None:
            # Closed already: the loop went away, and this listener with it.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

        def tell(entry: Entry) -> None:
            if self._caught_up and entry.seq - self._read > self._limits.behind:
                in_loop(slow)
            elif not news.is_set():
                in_loop(news)

        stop = self._journal.subscribe(tell, over=lambda: in_loop(over))
        writing = asyncio.create_task(self._write(send, news))
        leaving = asyncio.create_task(_gone(receive))
        ends = [asyncio.create_task(over.wait()), asyncio.create_task(slow.wait())]
        tasks: list[asyncio.Task[Any]] = [writing, leaving, *ends]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if leaving.cancelled():
            await self._say_goodbye(scope, send, cut_off=slow.is_set() or _failed(writing))

    async def _write(self, send: Send, news: asyncio.Event) -> None:
        await self._send(send, {"type": "http.response.start", "status": 200, "headers": _HEADERS})
        # The first piece takes the head along: the client knows that it is listened to.
        await self._send_piece(send, b": the journal of mp-oauth-sandbox\n\n")
        while self._left is None or self._left > 0:
            # Before reading: what is recorded from here on sets it again.
            news.clear()
            batch = self._journal.entries(after=self._read, limit=_BATCH)
            for entry in batch:
                self._read = entry.seq
                self._filter.learn(entry)
                if self._filter.matches(entry):
                    await self._send_piece(send, _event(entry))
                    if self._left is not None:
                        self._left -= 1
                        if not self._left:
                            return
            if not batch:
                self._caught_up = True
                await self._wait(send, news)

    async def _wait(self, send: Send, news: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._limits.heartbeat.total_seconds()):
                await news.wait()
        except TimeoutError:
            await self._send_piece(send, b": still here\n\n")

    async def _send_piece(self, send: Send, piece: bytes) -> None:
        await self._send(send, {"type": "http.response.body", "body": piece, "more_body": True})

    async def _send(self, send: Send, message: dict[str, object]) -> None:
        async with asyncio.timeout(self._limits.patience.total_seconds()):
            await send(message)

    async def _say_goodbye(self, scope: Scope, send: Send, *, cut_off: bool) -> None:
        if not cut_off:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
        connection = connection_of(scope)
        if connection is not None:
            connection["abort"]()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _failed(task: asyncio.Task[None]) -> bool:
    return not task.cancelled() and task.exception() is not None


def _event(entry: Entry) -> bytes:
    data = msgspec.json.encode(EntryOut.of(entry))
    return b"id: %d\nevent: entry\ndata: %b\n\n" % (entry.seq, data)
