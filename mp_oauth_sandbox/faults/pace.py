"""Answers that take their time (real time, in seconds)."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.wire.exchange import Asked, Effect, Meeting, Reply, Serve, Wrapper

RealSeconds = Annotated[float, Meta(gt=0, le=3600)]


class Slow(Fault, frozen=True, kw_only=True, tag="slow"):
    """The request takes effect at once; the answer, or the hang-up, comes `seconds` later."""

    seconds: RealSeconds = 1.0

    def arm(self) -> Wrapper:
        """See Fault.arm."""
        wait = timedelta(seconds=self.seconds)

        def wrapper(serve: Serve, by: Meeting) -> Serve:
            async def slow(asked: Asked) -> Reply[Any]:
                return (await serve(asked)).touched(Effect(by=by, delay=wait))

            return slow

        return wrapper


class Drip(Fault, frozen=True, kw_only=True, tag="drip"):
    """The head comes at once, the body in small pieces over `seconds`.

    A client whose timeout is for each read alone waits all of it.
    """

    ENDPOINTS: ClassVar[tuple[str, ...]] = ("token", "resource")

    seconds: RealSeconds = 1.0

    def arm(self) -> Wrapper:
        """See Fault.arm."""
        time = timedelta(seconds=self.seconds)

        def wrapper(serve: Serve, by: Meeting) -> Serve:
            async def dripping(asked: Asked) -> Reply[Any]:
                return (await serve(asked)).touched(Effect(by=by, drip=time))

            return dripping

        return wrapper
