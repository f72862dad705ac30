"""Where entries are kept: bounded, counted, told to whoever listens."""

import logging
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import count, islice
from operator import attrgetter
from typing import Unpack

import msgspec

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.journal import assertions
from mp_oauth_sandbox.journal.entries import Arrival, Delivery, Entry, Happened, Kind
from mp_oauth_sandbox.journal.masks import cleaned, masked_refusal, masked_request, without, written
from mp_oauth_sandbox.journal.queries import ASIDE, Query, Wanted, Which, find

#: How many entries are kept, newest first to stay.
KEPT = 10_000

_BATCH = 64

_logger = logging.getLogger("mp_oauth_sandbox")

_seq = attrgetter("seq")

_Listener = tuple[Callable[[Entry], None], Callable[[], None] | None]


class Journal:
    """The newest entries, oldest first. No public constructor: use `sandbox.journal`."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        save: Callable[[Sequence[bytes]], None],
        kept: Sequence[bytes] = (),
        secrets: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """`save` takes batches of encoded entries; `kept` are those of an earlier run.

        `secrets` are texts of any shape that no entry may show.
        """
        self._secrets = secrets
        self._clock = clock
        self._save = save
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        # Bounded like the entries: of what could never be saved the oldest are let go.
        self._unsaved: deque[Entry] = deque(maxlen=KEPT)
        self._until_flush = _BATCH
        # Why the newest batch could not be kept; empty if it could.
        self._problem = ""
        self._listeners: dict[object, _Listener] = {}
        self._closed = False
        self._entries.extend(sorted(_readable(kept), key=_seq))
        self._next = self._entries[-1].seq + 1 if self._entries else 1
        numbers = (max(one.arrived, one.decided, one.ended or 0) for one in self._entries)
        self._numbers = count(max(numbers, default=0) + 1)
        self._in_flight: dict[int, Arrival] = {}

    # ---- exchanges, from their arrival to their end ----

    def number(self) -> int:
        """The next number of the counter that orders what happens; see `Entry`."""
        return next(self._numbers)

    def arrive(self, method: str, path: str) -> Arrival:
        """A request has come; it is in flight until it leaves."""
        number = next(self._numbers)
        arrival = self._in_flight[number] = Arrival(number, masked_request(method, path))
        return arrival

    def leave(self, arrival: Arrival) -> None:
        """It is over, whatever became of it."""
        self._in_flight.pop(arrival.number, None)

    def in_flight(self) -> list[Arrival]:
        """The requests that have come and are not over, in the order of their arrival."""
        return list(self._in_flight.values())

    def record(self, happened: Happened) -> Entry:
        """Add an entry, tell the subscribers, and return it to be completed.

        Everything in it is masked, so that nobody who records has to think of it.
        """
        entry, arrival = written(happened, happened.at or self._clock()), happened.arrival
        if happened.refused is not None:
            self._hide(entry)
        entry.arrived = next(self._numbers) if arrival is None else arrival.number
        with self._lock:
            entry.seq = self._next
            self._next += 1
            entry.decided = next(self._numbers)
            if entry.delivery != "pending":
                entry.ended = next(self._numbers)
            self._entries.append(entry)
            self._unsaved.append(entry)
            self._until_flush -= 1
            if not self._until_flush:
                self._flush()
        if arrival is not None:
            arrival.entry = entry
        for tell, _ in self._listeners.values():
            try:
                tell(entry)
            except Exception:
                # The decision stands; an answer must not get lost over its description.
                _logger.exception("A subscriber of the journal failed on entry %d", entry.seq)
        return entry

    def hidden(self, refused: Refused) -> Refused:
        """A refusal that is to be shown, without code, token or any application's secret."""
        return cleaned(masked_refusal(refused), without(self._secrets()))

    def _hide(self, entry: Entry) -> None:
        """Only where something was refused: what was granted held none in a wrong place."""
        clean = without(self._secrets())
        for name in ("request", "outcome", "line", "explanation", "remedy"):
            text: str | None = getattr(entry, name)
            setattr(entry, name, text and clean(text))
        entry.facts = {name: clean(fact) for name, fact in entry.facts.items()}

    def complete(self, entry: Entry, delivery: Delivery) -> None:
        """An answer has been delivered, or has not: the exchange has ended."""
        entry.delivery = delivery
        entry.ended = next(self._numbers)

    def __iter__(self) -> Iterator[Entry]:
        """The kept entries, oldest first."""
        return iter(self.entries())

    def entries(self, *, after: int = 0, limit: int | None = None) -> list[Entry]:
        """Entries with a higher number than `after`, oldest first, at most `limit`."""
        with self._lock:
            # Not by counting: a run that was killed may have left gaps.
            skipped = bisect_right(self._entries, after, key=_seq)
            stop = None if limit is None else skipped + limit
            return list(islice(self._entries, skipped, stop))

    def last(self, kind: Kind | None = None) -> Entry:
        """The newest exchange (of that kind). Raises LookupError if there is none.

        Without a kind, what a test did to the sandbox and webhooks are passed over.
        """
        with self._lock:
            for entry in reversed(self._entries):
                if entry.kind == kind or (kind is None and entry.kind not in ASIDE):
                    return entry
        raise LookupError("the journal has no such entry yet")

    # ---- questions ----

    def query(self, **wanted: Unpack[Wanted]) -> list[Entry]:
        """The entries that are so, oldest first: `query(kind="token", seller=seller)`.

        Take `kind` (authorization, token, resource, control, webhook), `application`,
        `seller`, `cause` (of a refusal, or the `reception` of a notification), `grant_type` and
        `since` (an entry's number: those after it; or an
        aware instant of the sandbox's clock). Raises InvalidInputError for a word that no
        entry has.
        """
        return self.find(Query.of(wanted))

    def find(self, query: Query, *, limit: int | None = None) -> list[Entry]:
        """The entries that a checked query wants, oldest first, at most `limit`."""
        return find(self.entries(after=query.after), query, limit=limit)

    def latest(self, query: Query, *, limit: int) -> list[Entry]:
        """The newest `limit` entries that a checked query wants, oldest first."""
        return find(reversed(self.entries()), query, limit=limit)[::-1]

    def refusals(self) -> list[Entry]:
        """Every refusal, oldest first."""
        return [entry for entry in self.entries() if entry.cause is not None]

    # ---- assertions ----

    def assert_refused(self, cause: Cause | str, **which: Unpack[Which]) -> Entry:
        """Fail unless something was refused for this cause; returns the newest such entry.

        Raises AssertionError with a diagram of what happened instead.
        """
        __tracebackhide__ = True
        return assertions.assert_refused(self.entries(), cause, which)

    def assert_no_refusals(self, **which: Unpack[Which]) -> None:
        """Fail if anything was refused, a seller's denial included.

        Raises AssertionError with a diagram that points at the refusals, and the newest
        one's explanation.
        """
        __tracebackhide__ = True
        assertions.assert_no_refusals(self.entries(), which)

    def assert_count(self, count: int, **wanted: Unpack[Wanted]) -> list[Entry]:
        """Fail unless exactly so many entries are so; returns them.

        Raises AssertionError with a diagram that points at those there are.
        """
        __tracebackhide__ = True
        return assertions.assert_count(self.entries(), count, wanted)

    def assert_last(self, **expected: Unpack[assertions.Expected]) -> Entry:
        """Fail unless the newest exchange is so; returns it.

        `kind`, `application`, `seller`, `grant_type` and `since` choose it (without a kind:
        neither what the test did nor a webhook); `status`, `outcome`, `error` and `cause` are
        what it must have. Raises AssertionError with a diagram that points at it.
        """
        __tracebackhide__ = True
        return assertions.assert_last(self.entries(), expected)

    # ---- listeners ----

    def subscribe(
        self, tell: Callable[[Entry], None], *, over: Callable[[], None] | None = None
    ) -> Callable[[], None]:
        """Call `tell` with each new entry, in the thread that made it; returns the way to stop.

        With `over` the subscription ends when the journal is cleared or closed: `over` is
        called then, from whichever thread did that. Without, it outlives a clear.
        """
        key = object()
        with self._lock:
            closed = self._closed and over is not None
            if not closed:
                self._listeners = {**self._listeners, key: (tell, over)}
        if closed and over is not None:
            over()

        def stop() -> None:
            with self._lock:
                self._listeners = {k: v for k, v in self._listeners.items() if k is not key}

        return stop

    @property
    def listeners(self) -> int:
        """How many subscriptions there are."""
        return len(self._listeners)

    # ---- keeping ----

    def flush(self) -> None:
        """Hand what is not yet saved to the store."""
        with self._lock:
            self._flush()

    def clear(self) -> None:
        """Forget every entry and count from 1 again; subscribers stay."""
        with self._lock:
            self._entries.clear()
            self._unsaved.clear()
            self._next = 1
        self._end_listeners()

    def close(self) -> None:
        """Save what is not saved yet, and end the subscriptions that wait for an end."""
        with self._lock:
            self._closed = True
            self._flush(everything=True)
        self._end_listeners()

    def _end_listeners(self) -> None:
        with self._lock:
            ended = [over for _, over in self._listeners.values() if over is not None]
            self._listeners = {k: v for k, v in self._listeners.items() if v[1] is None}
        for over in ended:
            over()

    def _flush(self, *, everything: bool = False) -> None:
        """Save in batches until one is refused: then all that is left waits for the next time.

        What has not ended waits too, for its end is to be kept; but not if `everything` is saved.
        """
        self._until_flush = _BATCH
        while True:
            ready = (one for one in self._unsaved if everything or one.ended is not None)
            batch = list(islice(ready, _BATCH))
            if not batch:
                return
            try:
                self._save([msgspec.json.encode(entry) for entry in batch])
            except Exception as error:  # noqa: BLE001 - no answer is lost over its description
                # Said once, and not again with each batch that meets the same.
                if str(error) != self._problem:
                    self._problem = str(error)
                    count = len(self._unsaved)
                    _logger.error("%d journal entries could not be kept yet: %s", count, error)
                return
            self._problem = ""
            saved = {entry.seq for entry in batch}
            left = [entry for entry in self._unsaved if entry.seq not in saved]
            self._unsaved.clear()
            self._unsaved.extend(left)

    @property
    def newest(self) -> int:
        """The number of the newest entry, 0 while there is none."""
        return self._next - 1

    def __len__(self) -> int:
        """How many entries are kept."""
        return len(self._entries)


def _readable(kept: Sequence[bytes]) -> Iterator[Entry]:
    """The entries of an earlier run; what is damaged is left out, and its number told."""
    decoder, damaged = msgspec.json.Decoder(Entry), 0
    for entry in kept:
        try:
            yield decoder.decode(entry)
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
            damaged += 1
    if damaged:
        _logger.warning("%d journal entries of earlier runs are damaged and left out", damaged)
