"""Moving and stopping the virtual time."""

from mp_oauth_sandbox.control import clock
from mp_oauth_sandbox.control.clock import AdvanceIn, ClockOut, TravelIn
from mp_oauth_sandbox.control.types import Nothing
from mp_oauth_sandbox.engine.clock import Clock
from mp_oauth_sandbox.journal import moment
from mp_oauth_sandbox.web.control.operations import Operation, does
from mp_oauth_sandbox.web.control.webhooks import settle
from mp_oauth_sandbox.webhooks.public import Webhooks


class ClockOperations:
    """The server's own time, which never goes backwards."""

    def __init__(self, clock: Clock, webhooks: Webhooks) -> None:
        """Move this clock, and wait for these notifications where that is asked for."""
        self._clock = clock
        self._webhooks = webhooks

    def operations(self) -> tuple[Operation, ...]:
        """What does each of the calls."""
        return (
            does(clock.SHOW, self._show),
            does(clock.ADVANCE, self._advance),
            does(clock.TRAVEL, self._travel),
            does(clock.FREEZE, self._freeze),
            does(clock.RESUME, self._resume),
        )

    async def _show(self, _: Nothing) -> ClockOut:
        return self._now()

    async def _advance(self, given: AdvanceIn) -> ClockOut:
        self._clock.advance(seconds=given.seconds)
        if given.settle:
            await settle(self._webhooks)
        return self._now()

    async def _travel(self, given: TravelIn) -> ClockOut:
        self._clock.travel(given.to)
        if given.settle:
            await settle(self._webhooks)
        return self._now()

    async def _freeze(self, _: Nothing) -> ClockOut:
        self._clock.freeze()
        return self._now()

    async def _resume(self, _: Nothing) -> ClockOut:
        self._clock.resume()
        return self._now()

    def _now(self) -> ClockOut:
        return ClockOut(now=moment(self._clock()), frozen=self._clock.frozen)
