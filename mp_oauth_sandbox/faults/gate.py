"""A gate: requests that must meet are held until they have, then decided one after another."""

import asyncio
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta

from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.wire.exchange import Asked, Meeting, Reply, Serve, Wrapper

# Bound here, so that no test's frozen time keeps a gate shut.
_monotonic = time.monotonic


class Gate(Fault, frozen=True, kw_only=True, tag="gate"):
    """Requests wait until `waiting` of them have come, or `within` seconds (real time) are over.

    Then they are decided one after another, in the `order` of arrival, reverse, or as listed:
    [2, 1, 3] lets the second one through first. A request whose client has gone meanwhile is
    decided in its turn like the others, as in a server's queue.
    """

    waiting: Annotated[int, Meta(ge=1, le=1000)] = 2
    within: Annotated[float, Meta(gt=0, le=600)] = 1.0
    order: Literal["arrival", "reverse"] | list[int] = "arrival"

    @property
    def needed(self) -> int:
        """See Fault.needed."""
        return self.waiting

    def check(self) -> None:
        """See Fault.check."""
        super().check()
        if isinstance(self.times, int) and self.times < self.waiting:
            problem = f"must be at least waiting ({self.waiting}), or the gate never fills"
            raise InvalidInputError("times", problem)
        listed = isinstance(self.order, list)
        if listed and sorted(self.order) != list(range(1, self.waiting + 1)):
            raise InvalidInputError("order", f"must list each of 1 to {self.waiting} once")

    def arm(self) -> Wrapper:
        """See Fault.arm."""
        return Barrier(self)


@dataclass(eq=False, slots=True)
class _Ticket:
    loop: asyncio.AbstractEventLoop
    turn: "asyncio.Future[None]"

    def call(self) -> bool:
        """Let it through; False if nobody holds it any more."""
        try:
            self.loop.call_soon_threadsafe(self._called)
        except RuntimeError:  # Its loop has been closed.
            return False
        return True

    def _called(self) -> None:
        if not self.turn.done():
            self.turn.set_result(None)


@dataclass(eq=False, slots=True)
class _Round:
    """The requests that wait together; `queue` is theirs once the gate is open."""

    opens_at: float
    arrived: list[_Ticket] = field(default_factory=list[_Ticket])
    queue: deque[_Ticket] = field(default_factory=deque[_Ticket])
    is_open: bool = False


class Barrier:
    """An armed gate. Requests may wait on any number of event loops."""

    def __init__(self, gate: Gate) -> None:
        """No request waits yet."""
        self._gate = gate
        self._lock = threading.Lock()
        self._round: _Round | None = None
        self._removed = False

    def __call__(self, serve: Serve, by: Meeting) -> Serve:
        """Wrap a way to serve."""

        async def gated(asked: Asked) -> Reply[Any]:
            ticket, waiting = self._arrive()
            try:
                await self._wait(ticket, waiting)
                by.meet()
                return await serve(asked)
            finally:
                self._pass_on(ticket, waiting)

        return gated

    @property
    def held(self) -> int:
        """How many requests wait now."""
        with self._lock:
            return len(self._round.arrived) if self._round else 0

    def open(self) -> None:
        """Let everybody through, and hold nobody any more."""
        with self._lock:
            self._removed = True
            if self._round is not None:
                self._open(self._round)

    def _arrive(self) -> tuple[_Ticket, _Round]:
        loop = asyncio.get_running_loop()
        ticket = _Ticket(loop, loop.create_future())
        with self._lock:
            waiting = self._round
            if waiting is None:
                waiting = self._round = _Round(_monotonic() + self._gate.within)
            waiting.arrived.append(ticket)
            if self._removed or len(waiting.arrived) >= self._gate.waiting:
                self._open(waiting)
        return ticket, waiting

    async def _wait(self, ticket: _Ticket, waiting: _Round) -> None:
        left = waiting.opens_at - _monotonic()
        await asyncio.wait([ticket.turn], timeout=max(left, 0))
        if not ticket.turn.done():
            with self._lock:
                self._open(waiting)
            await ticket.turn

    def _open(self, waiting: _Round) -> None:
        """Form the queue and call its first. The lock is held."""
        if waiting.is_open:
            return
        waiting.is_open = True
        self._round = None
        waiting.queue.extend(_ordered(waiting.arrived, self._gate.order))
        self._call_next(waiting)

    def _pass_on(self, ticket: _Ticket, waiting: _Round) -> None:
        """The turn of this one is over, whether it was taken or given up."""
        with self._lock:
            if not waiting.is_open:
                waiting.arrived.remove(ticket)
                if not waiting.arrived and self._round is waiting:
                    self._round = None
            elif waiting.queue and waiting.queue[0] is ticket:
                waiting.queue.popleft()
                self._call_next(waiting)
            elif ticket in waiting.queue:
                waiting.queue.remove(ticket)

    def _call_next(self, waiting: _Round) -> None:
        while waiting.queue and not waiting.queue[0].call():
            waiting.queue.popleft()


def _ordered(arrived: list[_Ticket], order: str | list[int]) -> list[_Ticket]:
    if order == "reverse":
        return arrived[::-1]
    if isinstance(order, list):
        # Those that never came are left out.
        return [arrived[place - 1] for place in order if place <= len(arrived)]
    return arrived
