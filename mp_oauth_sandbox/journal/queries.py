"""Which entries are meant: said in words, checked, and looked for."""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Literal, TypedDict, TypeVar, get_args

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.records import Application, Seller
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.journal.entries import KINDS, Entry, Kind, moment

GrantType = Literal["authorization_code", "refresh_token", "client_credentials"]

#: What the sandbox says of itself and to webhooks: no exchange that an integration began.
ASIDE: frozenset[Kind] = frozenset({"control", "webhook"})

#: The words of the two enumerations.
CAUSES = tuple(cause.value for cause in Cause)

Word = TypeVar("Word", bound=str)

#: How many credentials a filter remembers the owners of.
_OWNERS_KEPT = 50_000


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
    """Which exchanges, by their true cause too."""

    cause: Cause | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is wanted, checked: a misspelt word would otherwise match nothing, silently."""

    kind: Kind | None = None
    client_id: str | None = None
    user_id: int | None = None
    cause: Cause | None = None
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
            cause=None if cause is None else Cause(one_of("cause", str(cause), CAUSES) or ""),
            after=since if isinstance(since, int) else 0,
            since=since if isinstance(since, datetime) else None,
            grant_type=one_of("grant_type", wanted.get("grant_type"), get_args(GrantType)),
        )

    def starting(self, after: int) -> "Query":
        """The same of the entries with a higher number than `after`."""
        return replace(self, after=after)

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


class Filter:
    """Takes entries in their order, and says which are wanted.

    A refused request tells the application or seller only by the credential in it; the
    filter remembers whose each one is from the entry that issued it.
    """

    def __init__(self, query: Query) -> None:
        """Look for this."""
        self._query = query
        self._owners: OrderedDict[str, tuple[str | None, int | None]] = OrderedDict()
        self._by_owner = query.client_id is not None or query.user_id is not None

    @property
    def first(self) -> int:
        """The number after which entries must be shown to it: owners may be named early."""
        return 0 if self._by_owner else self._query.after

    def matches(self, entry: Entry) -> bool:
        """Whether it is one of those that are wanted."""
        query = self._query
        return (
            self._in_time(entry)
            and self._is_of(entry, strictly=True)
            and (query.kind is None or entry.kind == query.kind)
            and (query.cause is None or entry.cause == query.cause)
            and (query.grant_type is None or entry.grant_type == query.grant_type)
        )

    def touches(self, entry: Entry) -> bool:
        """Whether it belongs to the same story: not before it, and not of somebody else."""
        return self._in_time(entry) and self._is_of(entry, strictly=False)

    def learn(self, entry: Entry) -> None:
        """Remember whose credentials an entry issued; before asking about it."""
        if self._by_owner and entry.user_id is not None:
            for name in _issued(entry):
                self._owners[entry.facts[name]] = (entry.client_id, entry.user_id)
            while len(self._owners) > _OWNERS_KEPT:
                self._owners.popitem(last=False)

    def _in_time(self, entry: Entry) -> bool:
        query = self._query
        return entry.seq > query.after and (query.since is None or entry.at >= query.since)

    def _is_of(self, entry: Entry, *, strictly: bool) -> bool:
        if not self._by_owner:
            return True
        query, client_id, user_id = self._query, entry.client_id, entry.user_id
        if client_id is None or user_id is None:
            owner = next(
                (self._owners[label] for label in _presented(entry) if label in self._owners),
                (None, None),
            )
            client_id = client_id if client_id is not None else owner[0]
            user_id = user_id if user_id is not None else owner[1]
        neither = set[object]() if strictly else {None}
        return (query.client_id is None or client_id in {query.client_id, *neither}) and (
            query.user_id is None or user_id in {query.user_id, *neither}
        )


def find(entries: Iterable[Entry], wanted: Filter, *, limit: int | None = None) -> list[Entry]:
    """The entries that a filter wants, in their order, at most `limit`."""
    found: list[Entry] = []
    for entry in entries:
        if limit is not None and len(found) >= limit:
            break
        wanted.learn(entry)
        if wanted.matches(entry):
            found.append(entry)
    return found


def _issued(entry: Entry) -> list[str]:
    names = ["issued_access_token", "issued_refresh_token"]
    if entry.kind == "authorization":
        names.append("code")
    return [name for name in names if name in entry.facts]


def _presented(entry: Entry) -> list[str]:
    names = ("code", "refresh_token", "access_token")
    return [entry.facts[name] for name in names if name in entry.facts]


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
