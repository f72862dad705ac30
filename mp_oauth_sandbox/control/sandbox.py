"""The sandbox as a whole: whether it answers, its beginning, its own description."""

from typing import Any, Literal

from msgspec import Struct, field

from mp_oauth_sandbox.control.consent import ConsentOut
from mp_oauth_sandbox.control.types import Call, Done, Nothing


class ProfileMode(Struct):
    """A profile, and the switches that say something else than the preset of that name."""

    name: str
    switches: dict[str, Any]


class ClockMode(Struct):
    """How many seconds the clock has been moved, and whether it stands still."""

    moved_seconds: int
    frozen: bool


class ModesOut(Struct):
    """What makes this sandbox answer otherwise than at its start, to which `reset` returns.

    Null, 0 and empty: that is as at the start. `faults` and `resources` are each described in a
    line; `applications` has the names of the fields that differ, by client_id; `sessions` counts
    the browsers with a consent of their own. What an earlier run has left in a data file is told
    like a change of this one.
    """

    consent: ConsentOut | None = None
    clock: ClockMode | None = None
    profile: ProfileMode | None = None
    faults: list[str] = field(default_factory=list[str])
    resources: list[str] = field(default_factory=list[str])
    applications: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    sessions: int = 0
    told: list[str] = field(default_factory=list[str])


class HealthOut(Struct):
    """The sandbox answers; which version and profile, its virtual time, and its `modes`.

    It is `degraded` while the last change could not be saved, for that `reason`.
    """

    status: Literal["ok", "degraded"]
    version: str
    profile: str
    now: str
    reason: str | None = None
    modes: ModesOut = field(default_factory=ModesOut)


HEALTH = Call(
    "health", "GET", "/health", "Whether the sandbox answers", Nothing, HealthOut, guarded=False
)
RESET = Call("reset", "POST", "/reset", "Return to the state right after start", Nothing, Done)
OPENAPI = Call(
    "openapi",
    "GET",
    "/openapi.json",
    "This API as an OpenAPI document",
    Nothing,
    dict[str, Any],
)

CALLS = (HEALTH, RESET, OPENAPI)
