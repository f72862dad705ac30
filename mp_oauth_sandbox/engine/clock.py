"""The server's clock: real time plus what tests have added, never backwards."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

#: How far a clock is ahead of real time, and where it is frozen, if it is (microseconds).
ClockState = tuple[int, int | None]


class ClockError(ValueError):
    """The clock was asked to do what it cannot: go backwards, or past the year 9890."""


class Clock:
    """Virtual time of one sandbox (aware UTC).

    It is based on the monotonic clock, read through names that neither freezegun nor
    time-machine reaches: a test that moves its own process's time does not move the
    server's. It is the server's clock only; an integration has its own.

    Inside it counts whole microseconds, so that no sum of steps drifts, and every reading
    takes the lock, so that none falls between a move's two halves.
    """

    # Class attributes, because freezegun replaces what it finds in modules.
    _monotonic_ns = staticmethod(time.monotonic_ns)
    _wall_at_zero = (time.time_ns() - time.monotonic_ns()) // 1000

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        """Start at `start` (aware; default: the real time), running or frozen."""
        self._before: Callable[[ClockState], None] | None = None
        self._after: Callable[[], None] | None = None
        self._lock = threading.Lock()
        real = self._real()
        begin = real if start is None else _microseconds(start)
        self._offset = begin - real
        self._frozen_at = begin if frozen else None

    def __call__(self) -> datetime:
        """The instant it is now on this server."""
        with self._lock:
            return _instant(self._reading())

    now = __call__

    def advance(
        self,
        duration: timedelta = timedelta(),
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Move forward by a duration, and return the new instant.

        Raises ClockError for a negative duration, or one that leaves the calendar; and, as all
        that move the clock, StoreError if the move cannot be saved: then it has not moved.
        """
        try:
            step = duration + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        except (OverflowError, ValueError) as error:
            raise ClockError("the duration is too large: the calendar ends in 9999") from error
        if step < timedelta():
            raise ClockError(f"the clock cannot go backwards (asked for {step.total_seconds()} s)")
        with self._lock:
            now = self._move(self._reading(), step // _MICROSECOND)
        return self._moved(now)

    def travel(self, to: datetime) -> datetime:
        """Move forward to an instant (aware), and return it. Raises ClockError if it is past."""
        target = _microseconds(to)
        with self._lock:
            reading = self._reading()
            if target < reading:
                now = _instant(reading)
                raise ClockError(f"the clock cannot go backwards: it is {now.isoformat()}")
            now = self._move(reading, target - reading)
        return self._moved(now)

    def freeze(self) -> datetime:
        """Stop the clock, and return where it stands; `advance` and `travel` still move it."""
        with self._lock:
            reading = self._reading()
            self._take((self._offset, reading))
            now = _instant(reading)
        return self._moved(now)

    def resume(self) -> datetime:
        """Let a frozen clock run on from where it stands."""
        with self._lock:
            if self._frozen_at is not None:
                self._take((self._frozen_at - self._real(), None))
            now = _instant(self._reading())
        return self._moved(now)

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen_at is not None

    def watch(self, *, before: Callable[[ClockState], None], after: Callable[[], None]) -> None:
        """Let a sandbox remember where each move leads, `before` it, and note it `after` it.

        If `before` raises, the clock does not move. It may not read the clock, which waits for it.
        """
        self._before, self._after = before, after

    def state(self) -> ClockState:
        """Where it is: for a restart."""
        with self._lock:
            return self._offset, self._frozen_at

    def ahead_of(self, state: ClockState) -> timedelta:
        """How much later it is than it would be had nothing moved it since that `state()`."""
        offset, frozen_at = state
        with self._lock:
            then = offset + self._real() if frozen_at is None else frozen_at
            return (self._reading() - then) * _MICROSECOND

    def restore(self, state: ClockState, *, before: Callable[[], None] | None = None) -> None:
        """Go on from an earlier `state()`; the only way back, used by reset and restart.

        `before` is called while the clock is held, as that of `watch` is. Raises ClockError for a
        state that no clock can have had.
        """
        offset, frozen_at = state
        try:
            _instant(offset + self._real() if frozen_at is None else frozen_at)
        except OverflowError as error:
            raise ClockError("the clock cannot be outside the calendar") from error
        with self._lock:
            if before is not None:
                before()
            self._offset, self._frozen_at = state

    def _moved(self, now: datetime) -> datetime:
        if self._after is not None:
            self._after()
        return now

    def _move(self, reading: int, step: int) -> datetime:
        # A hundred years of margin, so that what is issued now expires inside the calendar.
        if reading + step > _LAST:
            raise ClockError("the clock cannot go beyond the year 9890")
        if self._frozen_at is None:
            self._take((self._offset + step, None))
        else:
            self._take((self._offset, self._frozen_at + step))
        return _instant(reading + step)

    def _take(self, state: ClockState) -> None:
        # With the lock held: a reading in between could be later than where it is frozen.
        if self._before is not None:
            self._before(state)
        self._offset, self._frozen_at = state

    def _reading(self) -> int:
        return self._offset + self._real() if self._frozen_at is None else self._frozen_at

    @classmethod
    def _real(cls) -> int:
        return cls._wall_at_zero + cls._monotonic_ns() // 1000


def _microseconds(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise ClockError(f"{instant.isoformat()} has no time zone; give an aware datetime")
    return (instant - _EPOCH) // _MICROSECOND


def _instant(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND


_LAST = _microseconds(datetime(9890, 1, 1, tzinfo=UTC))
