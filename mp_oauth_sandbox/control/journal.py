"""What happened, and why: read in pages or as it grows."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from mp_oauth_sandbox.control.types import Call, Count, Nothing
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.reception import Reception
from mp_oauth_sandbox.journal.entries import Delivery, Entry, GrantType, Kind

#: How many entries one page has at most, and without being asked.
PAGE_LIMIT, PAGE = 1000, 100

EVENT_STREAM = "text/event-stream"

#: How many seconds of real time a call may wait for an entry.
LONGEST_WAIT = 60


class JournalWanted(Struct, forbid_unknown_fields=True):
    """Which entries; what is left out may be anything."""

    after: Annotated[
        Count | None,
        Meta(
            description="Only entries with a higher number, from the oldest of them on; 0 is the"
            " beginning. Without it a page has the newest, and a stream begins with the oldest"
        ),
    ] = None
    since: Annotated[
        str | None,
        Meta(
            description="As `after`; or an instant of the sandbox's clock, ISO 8601 with a zone:"
            " only entries of then and later"
        ),
    ] = None
    limit: Annotated[
        Count | None,
        Meta(description=f"At most so many: {PAGE} for a page, no end for a stream"),
    ] = None
    kind: Kind | None = None
    application: (
        Annotated[str, Meta(pattern="^[0-9]{1,20}$", description="A client_id: 1 to 20 digits")]
        | None
    ) = None
    seller: Annotated[Count | None, Meta(description="A user_id")] = None
    cause: (
        Annotated[
            str,
            Meta(
                description="The cause of a refusal, or the reception of a notification",
                extra_json_schema={"enum": [*Cause, *Reception]},
            ),
        ]
        | None
    ) = None
    grant_type: GrantType | None = None
    wait: Annotated[
        Annotated[float, Meta(ge=0, le=LONGEST_WAIT)] | None,
        Meta(description="Seconds (real time) to wait at most until there is such an entry"),
    ] = None
    stream: Annotated[
        bool | None,
        Meta(description=f"Server-sent events, as with Accept: {EVENT_STREAM}"),
    ] = None


class EntryOut(Struct):
    """A journal entry. `explain` says it all in words, as a terminal shows it.

    `arrived`, `decided` and `ended` (null while the answer is on its way) are numbers of one
    counter that only goes up. `client_id`, `user_id` and `grant` say whose the request was, as
    far as it can be told; `carried` and `got` are the labels of the credentials in it and in
    its answer.
    """

    seq: int
    at: datetime
    kind: Kind
    request: str
    status: int
    outcome: str
    line: str
    grant_type: str | None
    client_id: str | None
    user_id: int | None
    grant: str | None
    error: str | None
    cause: Cause | None
    reception: Reception | None
    explanation: str | None
    remedy: str | None
    source: str | None
    facts: dict[str, str]
    delivery: Delivery
    faults: tuple[str, ...]
    arrived: int
    decided: int
    ended: int | None
    carried: dict[str, str]
    got: dict[str, str]
    explain: str

    @classmethod
    def of(cls, entry: Entry) -> "EntryOut":
        """How the control API shows it."""
        same = {name: getattr(entry, name) for name in _SHOWN}
        return cls(**same, explain=entry.explain())


_SHOWN = tuple(name for name in EntryOut.__struct_fields__ if name != "explain")


class JournalOut(Struct):
    """Journal entries, oldest first, and the number to ask for next with `after`.

    After a page of the newest entries that is for what comes later.
    """

    entries: list[EntryOut]
    next: int


class InFlight(Struct):
    """A request that has come and is not over; `seq` is its entry's, once it is decided."""

    arrived: int
    request: str
    seq: int | None


class InFlightOut(Struct):
    """What is in flight, in the order of arrival: requests, and notifications on their way.

    `number` is later than everything up to now, in the count of `arrived`, `decided` and `ended`.
    """

    in_flight: list[InFlight]
    number: int


READ = Call(
    "journal",
    "GET",
    "/journal",
    "What happened, and why: the newest page, pages from a number on, or server-sent events",
    JournalWanted,
    JournalOut,
    streams=EVENT_STREAM,
)

IN_FLIGHT = Call(
    "in_flight",
    "GET",
    "/journal/in-flight",
    "The requests that have come and are not over",
    Nothing,
    InFlightOut,
)

CALLS = (READ, IN_FLIGHT)
