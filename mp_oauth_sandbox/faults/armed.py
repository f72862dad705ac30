"""A fault in its place: how many requests it has seen, and on how many it has done its work."""

import threading

from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.faults.gate import Barrier
from mp_oauth_sandbox.wire.exchange import Asked, Meeting, Wrapper


class Armed:
    """A fault that was added. No public constructor: `sandbox.faults.add` makes it.

    `matched` counts the requests that fit, `used` those on which it has done its work, and `idle`
    those that it was for without doing any: another fault hid it, or there was nothing to change.
    """

    def __init__(self, name: str, fault: Fault) -> None:
        """`name` is unique within the sandbox: f1, f2, ..."""
        self.name = name
        self.fault = fault
        self.matched = 0
        self.used = 0
        self.idle = 0
        self.wrapper: Wrapper = fault.arm()
        self._lock = threading.Lock()
        # Requests on their way, of which it will turn out whether it has met them.
        self._open = 0

    @property
    def spent(self) -> bool:
        """Whether it has met all that it was for."""
        return self.fault.most is not None and self.used >= self.fault.most

    @property
    def reached(self) -> bool:
        """Whether it has met anything at all."""
        return self.used > 0

    @property
    def held(self) -> int:
        """How many requests wait at it now, if it is a gate."""
        return self.wrapper.held if isinstance(self.wrapper, Barrier) else 0

    def take(self, asked: Asked) -> Meeting | None:
        """Count a request; its meeting with the fault, if that is for it."""
        if not self.fault.fits(asked):
            return None
        with self._lock:
            self.matched += 1
            if not self.fault.meets(self.matched, self.used + self._open):
                return None
            self._open += 1
            said = f"{self.name} {self.fault.label} (match {self.matched})"
        return Meeting(said, self._count)

    def release(self) -> None:
        """Let go of whatever waits at it."""
        if isinstance(self.wrapper, Barrier):
            self.wrapper.open()

    def _count(self, met: bool) -> None:
        with self._lock:
            self._open -= 1
            self.used += met
            self.idle += not met

    def __repr__(self) -> str:
        return f"<{self.name} {self.fault!r} matched={self.matched} used={self.used}>"
