"""Which entries are meant: said in words, checked, and looked for."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from itertools import islice
from typing import TypedDict, TypeVar, get_args

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.reception import Reception
from mp_oauth_sandbox.core.records import Application, Seller
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.journal.entries import KINDS, Entry, GrantType, Kind, moment

#: What the sandbox says of itself and to webhooks: no exchange that an integration began.
ASIDE: frozenset[Kind] = frozenset({"control", "webhook"})

#: The words for why something is refused, and those for how a notification was received.
CAUSES = tuple(cause.value for cause in Cause)
RECEPTIONS = tuple(reception.value for reception in Reception)

Word = TypeVar("Word", bound=str)


class Which(TypedDict, total=False):
    """Which exchanges; what is left out may be anything.

    `application` and `seller` are records or their ids; `since` is the number of an entry
    (those after it) or an aware instant of the sandbox's clock (that one and later).
    """

    kind: Kind
    application: Application | str
    seller: Seller | int
    since: datetime | int
    grant_type: GrantType


class Wanted(Which, total=False):
    """Which exchanges, also by why they came out so: `cause` or `reception` of their entry."""

    cause: Cause | Reception | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is wanted, checked: a misspelt word would otherwise match nothing, silently."""

    kind: Kind | None = None
    client_id: str | None = None
    user_id: int | None = None
    cause: str | None = None
    after: int = 0
    since: datetime | None = None
    grant_type: GrantType | None = None

    @classmethod
    def of(cls, wanted: Wanted) -> "Query":
        """Check what is wanted. Raises InvalidInputError naming what cannot be looked for."""
        check_names(wanted, Wanted)
        application, seller = wanted.get("application"), wanted.get("seller")
        since, cause = wanted.get("since"), wanted.get("cause")
        if isinstance(since, datetime) and since.tzinfo is None:
            raise InvalidInputError("since", "the instant must have a zone, such as UTC")
        if isinstance(application, Application):
            application = application.client_id
        return cls(
            kind=one_of("kind", wanted.get("kind"), KINDS),
            client_id=application,
            user_id=seller.user_id if isinstance(seller, Seller) else seller,
            cause=None if cause is None else one_of("cause", str(cause), (*CAUSES, *RECEPTIONS)),
            after=since if isinstance(since, int) else 0,
            since=since if isinstance(since, datetime) else None,
            grant_type=one_of("grant_type", wanted.get("grant_type"), get_args(GrantType)),
        )

    def starting(self, after: int) -> "Query":
        """The same of the entries with a higher number than `after`."""
        return replace(self, after=after)

    def matches(self, entry: Entry) -> bool:
        """Whether it is one of those that are wanted."""
        return (
            self._in_time(entry)
            and self.client_id in {None, entry.client_id}
            and self.user_id in {None, entry.user_id}
            and self.kind in {None, entry.kind}
            and self.cause in {None, entry.why}
            and self.grant_type in {None, entry.grant_type}
        )

    def touches(self, entry: Entry) -> bool:
        """Whether it belongs to the same story: not before it, and not of somebody else."""
        return (
            self._in_time(entry)
            and (None in {self.client_id, entry.client_id} or entry.client_id == self.client_id)
            and (None in {self.user_id, entry.user_id} or entry.user_id == self.user_id)
        )

    def _in_time(self, entry: Entry) -> bool:
        return entry.seq > self.after and (self.since is None or entry.at >= self.since)

    def __str__(self) -> str:
        """For failure texts, in brackets: "(kind token, seller 5)"; empty if it takes all."""
        said = {
            "kind": self.kind,
            "grant_type": self.grant_type,
            "cause": self.cause,
            "application": self.client_id,
            "seller": self.user_id,
            "after": f"#{self.after}" if self.after else None,
            "since": None if self.since is None else moment(self.since),
        }
        given = [f"{name} {value}" for name, value in said.items() if value is not None]
        return f" ({', '.join(given)})" if given else ""


def find(entries: Iterable[Entry], query: Query, *, limit: int | None = None) -> list[Entry]:
    """The entries that a query wants, in their order, at most `limit`."""
    return list(islice((entry for entry in entries if query.matches(entry)), limit))


def one_of(field: str, value: Word | None, known: Collection[Word]) -> Word | None:
    """The word, if it is known. Raises InvalidInputError with the nearest known ones."""
    if value is not None and value not in known:
        words = [str(one) for one in known]
        few = get_close_matches(value[:60], words, n=3, cutoff=0.5)
        if not few and len(words) < 10:
            few = words
        hint = f"; did you mean {', '.join(few)}?" if few else "; docs/fidelity.md lists them all"
        raise InvalidInputError(field, f"there is no {value[:40]!r}{hint}")
    return value


def check_names(given: Collection[str], known: type) -> None:
    """Raise TypeError for a name that a TypedDict does not have."""
    for name in given:
        if name not in known.__annotations__:
            raise TypeError(f"{name!r} is not one of {', '.join(known.__annotations__)}")
