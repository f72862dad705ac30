"""A fault in its place: how many requests it has seen, and how many it has met."""

from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.faults.gate import Barrier
from mp_oauth_sandbox.wire.exchange import Asked, Wrapper


class Armed:
    """A fault that was added. No public constructor: `sandbox.faults.add` makes it.

    `matched` counts the requests that fit, `used` those it was for.
    """

    def __init__(self, name: str, fault: Fault) -> None:
        """`name` is unique within the sandbox: f1, f2, ..."""
        self.name = name
        self.fault = fault
        self.matched = 0
        self.used = 0
        self.wrapper: Wrapper = fault.arm()

    @property
    def spent(self) -> bool:
        """Whether it has met all that it was for."""
        return self.fault.times != "always" and self.used >= (self.fault.times or self.fault.needed)

    @property
    def reached(self) -> bool:
        """Whether it has met anything at all."""
        return self.used > 0

    @property
    def held(self) -> int:
        """How many requests wait at it now, if it is a gate."""
        return self.wrapper.held if isinstance(self.wrapper, Barrier) else 0

    def take(self, asked: Asked) -> str | None:
        """Count a request; its description for the journal if the fault is for it."""
        if not self.fault.fits(asked):
            return None
        self.matched += 1
        if not self.fault.meets(self.matched):
            return None
        self.used += 1
        return f"{self.name} {self.fault.label} (match {self.matched})"

    def release(self) -> None:
        """Let go of whatever waits at it."""
        if isinstance(self.wrapper, Barrier):
            self.wrapper.open()

    def __repr__(self) -> str:
        return f"<{self.name} {self.fault!r} matched={self.matched} used={self.used}>"
