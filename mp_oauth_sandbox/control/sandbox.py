"""The sandbox as a whole: whether it answers, its beginning, its own description."""

from typing import Any, Literal

from msgspec import Struct

from mp_oauth_sandbox.control.types import Call, Done, Nothing


class HealthOut(Struct):
    """The sandbox answers; which version and profile, and its virtual time.

    It is `degraded` while the last change could not be saved, for that `reason`.
    """

    status: Literal["ok", "degraded"]
    version: str
    profile: str
    now: str
    reason: str | None = None


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
