"""Asking the journal: which entries, and assertions that show what happened instead."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Literal, NoReturn, TypedDict, TypeVar, Unpack, cast, get_args

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.records import Application, Seller
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.journal.diagram import sequence
from mp_oauth_sandbox.journal.entry import KINDS, Entry, Kind, moment

GrantType = Literal["authorization_code", "refresh_token", "client_credentials"]

#: What the sandbox says of itself and to webhooks: no exchange that an integration began.
ASIDE: frozenset[Kind] = frozenset({"control", "webhook"})

#: The words of the two enumerations.
CAUSES = tuple(cause.value for cause in Cause)

_MUST_HAVE = ("status", "outcome", "error", "cause")

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


class Expected(Which, total=False):
    """Which exchange is meant, and what it must have."""

    status: int
    outcome: str
    error: str
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
        _check_names(wanted, Wanted)
        application, seller = wanted.get("application"), wanted.get("seller")
        since, cause = wanted.get("since"), wanted.get("cause")
        if isinstance(since, datetime) and since.tzinfo is None:
            raise InvalidInputError("since", "the instant must have a zone, such as UTC")
        if isinstance(application, Application):
            application = application.client_id
        return cls(
            kind=_one_of("kind", wanted.get("kind"), KINDS),
            client_id=application,
            user_id=seller.user_id if isinstance(seller, Seller) else seller,
            cause=None if cause is None else Cause(_one_of("cause", str(cause), CAUSES) or ""),
            after=since if isinstance(since, int) else 0,
            since=since if isinstance(since, datetime) else None,
            grant_type=_one_of("grant_type", wanted.get("grant_type"), get_args(GrantType)),
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


class Asking:
    """What can be asked of entries, wherever they are kept."""

    def entries(self, *, after: int = 0, limit: int | None = None) -> list[Entry]:
        """Entries with a higher number than `after`, oldest first, at most `limit`."""
        raise NotImplementedError

    def query(self, **wanted: Unpack[Wanted]) -> list[Entry]:
        """The entries that are so, oldest first: `query(kind="token", seller=seller)`.

        Take `kind` (authorization, token, resource, control, webhook), `application`,
        `seller`, `cause`, `grant_type` and `since` (an entry's number: those after it; or an
        aware instant of the sandbox's clock). Raises InvalidInputError for a word that no
        entry has.
        """
        return self.find(Query.of(wanted))

    def find(self, query: Query, *, limit: int | None = None) -> list[Entry]:
        """The entries that a checked query wants, oldest first, at most `limit`."""
        wanted, found = Filter(query), list[Entry]()
        for entry in self.entries(after=wanted.first):
            if limit is not None and len(found) >= limit:
                break
            wanted.learn(entry)
            if wanted.matches(entry):
                found.append(entry)
        return found

    def refusals(self) -> list[Entry]:
        """Every refusal, oldest first."""
        return [entry for entry in self.entries() if entry.cause is not None]

    # ---- assertions ----

    def assert_refused(self, cause: Cause | str, **which: Unpack[Which]) -> Entry:
        """Fail unless something was refused for this cause; returns the newest such entry.

        Raises AssertionError with a diagram of what happened instead.
        """
        __tracebackhide__ = True
        wanted: Wanted = {**which, "cause": cause}
        query = Query.of(wanted)
        found = self.find(query)
        if not found:
            self._fail(f"expected a refusal{query}, but there is none", query)
        return found[-1]

    def assert_no_refusals(self, **which: Unpack[Which]) -> None:
        """Fail if anything was refused, a seller's denial included.

        Raises AssertionError with a diagram that points at the refusals, and the newest
        one's explanation.
        """
        __tracebackhide__ = True
        query = Query.of(cast("Wanted", which))
        found = [entry for entry in self.find(query) if entry.cause is not None]
        if found:
            count = _counted(len(found), "refusal")
            self._fail(
                f"expected no refusal{query}, but there {count}", query, found, why=found[-1]
            )

    def assert_count(self, count: int, **wanted: Unpack[Wanted]) -> list[Entry]:
        """Fail unless exactly so many entries are so; returns them.

        Raises AssertionError with a diagram that points at those there are.
        """
        __tracebackhide__ = True
        query = Query.of(wanted)
        found = self.find(query)
        if len(found) != count:
            there = _counted(len(found), "entry")
            self._fail(f"expected {count} entries{query}, but there {there}", query, found)
        return found

    def assert_last(self, **expected: Unpack[Expected]) -> Entry:
        """Fail unless the newest exchange is so; returns it.

        `kind`, `application`, `seller`, `grant_type` and `since` choose it (without a kind:
        neither what the test did nor a webhook); `status`, `outcome`, `error` and `cause` are
        what it must have. Raises AssertionError with a diagram that points at it.
        """
        __tracebackhide__ = True
        _check_names(expected, Expected)
        given: dict[str, object] = {**expected}
        wanted = {name: given.pop(name) for name in _MUST_HAVE if name in given}
        if "cause" in wanted:
            _one_of("cause", str(wanted["cause"]), CAUSES)
        query = Query.of(cast("Wanted", given))
        aside = frozenset[Kind]() if query.kind else ASIDE
        newest = next((one for one in reversed(self.find(query)) if one.kind not in aside), None)
        said = ", ".join(f"{name} {value}" for name, value in wanted.items())
        if newest is None:
            self._fail(f"expected an exchange{query} with {said or 'anything'}", query)
        has = {name: getattr(newest, name) for name in wanted}
        if has != wanted:
            found = ", ".join(f"{name} {value}" for name, value in has.items())
            text = f"expected the last exchange{query} to have {said}, but it has {found}"
            self._fail(text, query, [newest], why=newest)
        return newest

    def _fail(
        self,
        text: str,
        query: Query,
        marked: Collection[Entry] = (),
        *,
        why: Entry | None = None,
    ) -> NoReturn:
        __tracebackhide__ = True
        wanted, story = Filter(query), list[Entry]()
        for entry in self.entries(after=wanted.first):
            wanted.learn(entry)
            if wanted.touches(entry):
                story.append(entry)
        text += f". What happened:\n{sequence(story, mark={entry.seq for entry in marked})}"
        if why is not None and why.cause is not None:
            text += f"\n{why.explain()}"
        raise AssertionError(text)


def _issued(entry: Entry) -> list[str]:
    names = ["issued_access_token", "issued_refresh_token"]
    if entry.kind == "authorization":
        names.append("code")
    return [name for name in names if name in entry.facts]


def _presented(entry: Entry) -> list[str]:
    names = ("code", "refresh_token", "access_token")
    return [entry.facts[name] for name in names if name in entry.facts]


def _counted(count: int, word: str) -> str:
    if count == 1:
        return f"is 1 {word}"
    return f"are {count} {word[:-1]}ies" if word.endswith("y") else f"are {count} {word}s"


def _one_of(field: str, value: Word | None, known: Collection[Word]) -> Word | None:
    if value is not None and value not in known:
        words = [str(one) for one in known]
        few = get_close_matches(value[:60], words, n=3, cutoff=0.5)
        if not few and len(words) < 10:
            few = words
        hint = f"; did you mean {', '.join(few)}?" if few else "; docs/fidelity.md lists them all"
        raise InvalidInputError(field, f"there is no {value[:40]!r}{hint}")
    return value


def _check_names(given: Collection[str], known: type) -> None:
    for name in given:
        if name not in known.__annotations__:
            raise TypeError(f"{name!r} is not one of {', '.join(known.__annotations__)}")
