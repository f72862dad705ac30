"""What goes wrong on purpose: armed, listed, disarmed."""

from typing import cast

from msgspec import Struct

from mp_oauth_sandbox.control.types import PAGE_LIMIT, Call, Count, Done, Limit, Nothing
from mp_oauth_sandbox.faults.kinds import AnyFault, Steps


class FaultOut(Struct):
    """An armed fault: how many requests fitted it (`matched`), how many it really met (`used`).

    `idle` counts those that it was for without doing any, because another fault hid it or there
    was nothing to change; `held` counts the requests that wait at a gate now.
    """

    id: str
    fault: AnyFault
    description: str
    matched: int
    used: int
    idle: int
    held: int
    reached: bool
    spent: bool


class FaultsOut(Struct):
    """The armed faults, oldest first.

    `next` is what to give as `after` for those that follow, None where there are no more.
    """

    faults: list[FaultOut]
    next: int | None


class FaultsWanted(Struct, forbid_unknown_fields=True):
    """Which faults: at most `limit`, after so many (`next` of the page before)."""

    after: Count = 0
    limit: Limit = PAGE_LIMIT


class FaultWanted(Struct, forbid_unknown_fields=True):
    """Which fault, by its name: f1, f2, ..."""

    id: str


ADD = Call(
    "add_fault",
    "POST",
    "/faults",
    "Make something go wrong, on purpose",
    # Type checkers do not take a union for a type; msgspec does.
    cast("type[AnyFault]", AnyFault),
    FaultOut,
    status=201,
)
SEQUENCE = Call(
    "add_sequence",
    "POST",
    "/sequences",
    "Make the n-th request that fits meet the n-th step",
    Steps,
    FaultsOut,
    status=201,
)
LIST = Call(
    "faults",
    "GET",
    "/faults",
    "The armed faults, and what has become of them",
    FaultsWanted,
    FaultsOut,
)
CLEAR = Call(
    "clear_faults", "DELETE", "/faults", "Disarm every fault; what waits goes on", Nothing, Done
)
REMOVE = Call(
    "remove_fault",
    "DELETE",
    "/faults/{id}",
    "Disarm one fault; what waits at it goes on",
    FaultWanted,
    Done,
)

CALLS = (ADD, LIST, CLEAR, REMOVE, SEQUENCE)
