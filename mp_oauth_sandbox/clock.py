"""The server's clock: real time plus what tests have added, never backwards."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockError(ValueError):
    """The clock was asked to do what it cannot: go backwards, or past the year 9999."""


class Clock:
    """Virtual time of one sandbox (aware UTC).

    It is based on the monotonic clock, read through names that neither freezegun nor
    time-machine reaches: a test that moves its own process's time does not move the
    server's. It is the server's clock only; an integration has its own.
    """

    # Class attributes, because freezegun replaces what it finds in modules.
    _monotonic = staticmethod(time.monotonic)
    _wall_at_zero = time.time() - time.monotonic()

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        """Start at `start` (aware; default: the real time), running or frozen."""
        self.on_move: Callable[[], None] | None = None
        """Called after each move, so that a sandbox can remember and note it."""
        self._lock = threading.Lock()
        self._offset = 0.0
        self._frozen_at: float | None = None
        if start is not None:
            self._offset = _seconds(start) - self._real()
        if frozen:
            self._frozen_at = self._seconds_now()

    def __call__(self) -> datetime:
        """The instant it is now on this server."""
        return _EPOCH + timedelta(seconds=self._seconds_now())

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

        Raises ClockError for a negative duration, or one that leaves the calendar.
        """
        try:
            step = duration + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        except (OverflowError, ValueError) as error:
            raise ClockError("the duration is too large: the calendar ends in 9999") from error
        if step < timedelta():
            raise ClockError(f"the clock cannot go backwards (asked for {step.total_seconds()} s)")
        with self._lock:
            self._move_to(self._seconds_now() + step.total_seconds())
        return self._moved()

    def travel(self, to: datetime) -> datetime:
        """Move forward to an instant (aware), and return it. Raises ClockError if it is past."""
        target = _seconds(to)
        with self._lock:
            if target < self._seconds_now():
                raise ClockError(f"the clock cannot go backwards: it is {self.now().isoformat()}")
            self._move_to(target)
        return self._moved()

    def freeze(self) -> datetime:
        """Stop the clock, and return where it stands; `advance` and `travel` still move it."""
        with self._lock:
            self._frozen_at = self._seconds_now()
        return self._moved()

    def resume(self) -> datetime:
        """Let a frozen clock run on from where it stands."""
        with self._lock:
            if self._frozen_at is not None:
                self._offset = self._frozen_at - self._real()
                self._frozen_at = None
        return self._moved()

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen_at is not None

    def state(self) -> tuple[float, float | None]:
        """Seconds ahead of real time, and the frozen instant: enough to go on after a restart."""
        return self._offset, self._frozen_at

    def restore(self, state: tuple[float, float | None]) -> None:
        """Go on from an earlier `state()`; the only way back, used by reset and restart."""
        with self._lock:
            self._offset, self._frozen_at = state

    def _moved(self) -> datetime:
        if self.on_move is not None:
            self.on_move()
        return self.now()

    def _move_to(self, seconds: float) -> None:
        # A year of margin, so that whatever is issued now has an expiry in the calendar.
        if seconds > _LAST:
            raise ClockError("the clock cannot go beyond the year 9990")
        if self._frozen_at is not None:
            self._frozen_at = seconds
        else:
            self._offset = seconds - self._real()

    def _seconds_now(self) -> float:
        return self._offset + self._real() if self._frozen_at is None else self._frozen_at

    @classmethod
    def _real(cls) -> float:
        return cls._wall_at_zero + cls._monotonic()


def _seconds(instant: datetime) -> float:
    if instant.tzinfo is None:
        raise ClockError(f"{instant.isoformat()} has no time zone; give an aware datetime")
    return (instant - _EPOCH).total_seconds()


_LAST = _seconds(datetime(9990, 1, 1, tzinfo=UTC))
