"""Sending an answer as a reply asks: at once, late, drop by drop or not at all."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, Never

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mp_oauth_sandbox.faults import Answer, Reply
from mp_oauth_sandbox.journal import Delivery, Entry, Journal
from mp_oauth_sandbox.support.connection import CONNECTION, Connection, Extensions, Written

#: What becomes of an answer of which so much was written.
_DELIVERY: dict[Written, Delivery] = {
    "nothing": "disconnected",
    "part": "cut_off",
    "whole": "delivered",
}

#: A reply that no fault has touched.
PLAIN: Reply[Never] = Reply(outcome=None)


#: Timers are not exact: more pieces would take longer than they should.
_MOST_PIECES = 50

#: Seconds between two looks at whether the client is still there.
_GLANCE = 0.25


class JournaledResponse(Response):
    """An answer whose journal entry learns what became of it.

    The entry is already recorded: it is visible before the first byte leaves.
    """

    def __init__(
        self,
        answer: Answer | Response,
        *,
        journal: Journal,
        entry: Entry,
        reply: Reply[Any] = PLAIN,
    ) -> None:
        """`reply` says how the answer, or a page that is ready to be sent, is delivered."""
        if isinstance(answer, Response):
            super().__init__()
            self.status_code, self.body = answer.status_code, answer.body
            self.raw_headers = answer.raw_headers
        else:
            super().__init__(answer.body, answer.status, answer.headers)
        self._journal = journal
        self._entry = entry
        self._reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it or hang up, then complete the entry, also if the server closes meanwhile."""
        extensions: Extensions = scope.get("extensions") or {}
        connection = extensions.get(CONNECTION)
        delivery: Delivery = "disconnected"
        try:
            delivery = await self._deliver(scope, receive, send)
        finally:
            if connection is not None and delivery != "dropped":
                delivery = _DELIVERY[connection["written"]]
            self._journal.complete(self._entry, delivery)
        if delivery == "dropped":
            # Only now: whoever is hung up on may ask the journal at once.
            await _hang_up(connection, send)

    async def _deliver(self, scope: Scope, receive: Receive, send: Send) -> Delivery:
        """What became of it, as far as `send` tells: all that is known on another host."""
        reply = self._reply
        if reply.delay and await _left_within(receive, reply.delay):
            return "disconnected"
        if reply.dropped:
            return "dropped"
        if reply.drip and self.body:
            if not await self._drip(receive, send):
                return "cut_off"
        else:
            await super().__call__(scope, receive, send)
        return "delivered"

    async def _drip(self, receive: Receive, send: Send) -> bool:
        """The body in small pieces; False as soon as nobody is there to hear it."""
        body = bytes(self.body)
        size = -(-len(body) // _MOST_PIECES)
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        for left, piece in zip(range(len(pieces) - 1, -1, -1), pieces, strict=True):
            if await _left_within(receive, self._reply.drip / len(pieces)):
                return False
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
        return True


async def _left_within(receive: Receive, duration: timedelta) -> bool:
    """Wait, real time; True as soon as the client has gone."""
    loop = asyncio.get_running_loop()
    until = loop.time() + duration.total_seconds()
    while (left := until - loop.time()) > 0:
        # Asked anew now and then: a host that has put a pipelined request aside reads on, and
        # learns that the client has gone, only when it is asked.
        with suppress(TimeoutError):
            async with asyncio.timeout(min(left, _GLANCE)):
                while (await receive())["type"] != "http.disconnect":
                    pass
            return True
    return False


async def _hang_up(connection: Connection | None, send: Send) -> None:
    if connection is not None:
        connection["abort"]()
        return
    # Another host cannot hang up for us, but closes on a body that never comes.
    headers = [(b"content-length", b"1"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
