"""The server's virtual time."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from mp_oauth_sandbox.control.types import Call, Nothing


class AdvanceIn(Struct, forbid_unknown_fields=True):
    """How far to move the clock forward, in seconds; `settle` waits for due webhooks."""

    seconds: Annotated[float, Meta(ge=0)]
    settle: bool = False


class TravelIn(Struct, forbid_unknown_fields=True):
    """The instant to move the clock to: ISO 8601 with a zone; `settle` waits for due webhooks."""

    to: Annotated[datetime, Meta(tz=True)]
    settle: bool = False


class ClockOut(Struct):
    """The server's virtual time (UTC), and whether it stands still."""

    now: str
    frozen: bool


SHOW = Call("clock", "GET", "/clock", "The server's virtual time", Nothing, ClockOut)
ADVANCE = Call(
    "advance",
    "POST",
    "/clock/advance",
    "Move the clock forward by seconds",
    AdvanceIn,
    ClockOut,
    waits=True,
)
TRAVEL = Call(
    "travel",
    "POST",
    "/clock/travel",
    "Move the clock forward to an instant",
    TravelIn,
    ClockOut,
    waits=True,
)
FREEZE = Call("freeze", "POST", "/clock/freeze", "Stop the clock", Nothing, ClockOut)
RESUME = Call("resume", "POST", "/clock/resume", "Let the clock run on", Nothing, ClockOut)

CALLS = (SHOW, ADVANCE, TRAVEL, FREEZE, RESUME)
