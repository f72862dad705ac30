"""The journal: what was asked, what was answered, and why really.

An entry is visible before the first byte of its answer leaves, and completed afterwards.
It never holds a whole secret: each is shown by its kind and a short stable id, so that
chains and repeats can be followed.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

import msgspec

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.refusals import RULES, explanation, remedy

#: How many entries are kept, newest first to stay.
KEPT = 10_000

_BATCH = 64

Kind = Literal["authorization", "token", "resource", "webhook", "control"]
_logger = logging.getLogger("mp_oauth_sandbox")

Delivery = Literal["pending", "delivered", "disconnected", "dropped"]


@dataclass(slots=True, kw_only=True)
class Entry:
    """One exchange. All of it but `delivery` is fixed when it is recorded.

    `at` is the server's virtual time (UTC), `request` the method and path, `outcome` a few
    words, `line` these in one line, `facts` what else is known (redirect_uri, state and
    credentials by short id). On a refusal `error` is the wire's word and `cause` the true
    one, with explanation, remedy and source.
    """

    seq: int
    at: datetime
    kind: Kind
    request: str
    status: int
    outcome: str
    line: str
    grant_type: str | None = None
    client_id: str | None = None
    user_id: int | None = None
    error: str | None = None
    cause: Cause | None = None
    explanation: str | None = None
    remedy: str | None = None
    source: str | None = None
    facts: dict[str, str] = field(default_factory=dict[str, str])
    faults: tuple[str, ...] = ()
    delivery: Delivery = "pending"

    def __str__(self) -> str:
        """The entry for people: its line, and for a refusal why and what to do."""
        text = f"{self.at:%H:%M:%S} {self.line}"
        if self.cause is not None:
            text += f"\n  why: {self.cause}. {self.explanation}\n  do:  {self.remedy}"
            text += f"\n  see: {self.source}"
        return text


class Journal:
    """The newest entries, oldest first. No public constructor: use `sandbox.journal`."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        save: Callable[[Sequence[bytes]], None],
        kept: Sequence[bytes] = (),
    ) -> None:
        """`save` takes batches of encoded entries; `kept` are those of an earlier run."""
        self._clock = clock
        self._save = save
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._unsaved: list[Entry] = []
        self._subscribers: list[Callable[[Entry], None]] = []
        decoder = msgspec.json.Decoder(Entry)
        self._entries.extend(decoder.decode(entry) for entry in kept)
        self._next = self._entries[-1].seq + 1 if self._entries else 1

    def record(
        self,
        *,
        kind: Kind,
        request: str,
        status: int,
        outcome: str,
        refused: Refused | None = None,
        error: str | None = None,
        grant_type: str | None = None,
        client_id: str | None = None,
        user_id: int | None = None,
        facts: dict[str, str] | None = None,
        faults: tuple[str, ...] = (),
    ) -> Entry:
        """Add an entry, tell the subscribers, and return it to be completed."""
        entry = Entry(
            seq=0,
            at=self._clock(),
            kind=kind,
            request=request,
            status=status,
            outcome=outcome,
            line=_line(request, grant_type, status, outcome, error),
            grant_type=grant_type,
            client_id=client_id,
            user_id=user_id,
            facts=facts or {},
            faults=faults,
        )
        if refused is not None:
            entry.error = error
            entry.cause = refused.cause
            entry.explanation = explanation(refused)
            entry.remedy = remedy(refused)
            entry.source = RULES[refused.cause].source
        with self._lock:
            entry.seq = self._next
            self._next += 1
            self._entries.append(entry)
            self._unsaved.append(entry)
            if len(self._unsaved) >= _BATCH:
                self._flush()
        for tell in tuple(self._subscribers):
            try:
                tell(entry)
            except Exception:
                # The decision stands; an answer must not get lost over its description.
                _logger.exception("A subscriber of the journal failed on entry %d", entry.seq)
        return entry

    def __iter__(self) -> Iterator[Entry]:
        """The kept entries, oldest first."""
        return iter(self.entries())

    def entries(self, *, after: int = 0, limit: int | None = None) -> list[Entry]:
        """Entries with a higher number than `after`, oldest first, at most `limit`."""
        with self._lock:
            if not self._entries:
                return []
            skipped = max(0, after - self._entries[0].seq + 1)
            stop = None if limit is None else skipped + limit
            return list(islice(self._entries, skipped, stop))

    def last(self, kind: Kind | None = None) -> Entry:
        """The newest exchange (of that kind). Raises LookupError if there is none."""
        with self._lock:
            for entry in reversed(self._entries):
                if entry.kind == kind or (kind is None and entry.kind != "control"):
                    return entry
        raise LookupError("the journal has no such entry yet")

    def refusals(self) -> list[Entry]:
        """Every refusal, oldest first."""
        return [entry for entry in self.entries() if entry.cause is not None]

    def subscribe(self, tell: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `tell` with each new entry, in the thread that made it; returns the way to stop."""
        self._subscribers.append(tell)
        return lambda: self._subscribers.remove(tell)

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

    def _flush(self) -> None:
        batch = [msgspec.json.encode(entry) for entry in self._unsaved]
        self._unsaved.clear()
        if batch:
            try:
                self._save(batch)
            except Exception:
                _logger.exception("%d journal entries could not be kept", len(batch))

    @property
    def newest(self) -> int:
        """The number of the newest entry, 0 while there is none."""
        return self._next - 1

    def __len__(self) -> int:
        """How many entries are kept."""
        return len(self._entries)


def _line(
    request: str, grant_type: str | None, status: int, outcome: str, error: str | None
) -> str:
    asked = f"{request} {grant_type}" if grant_type else request
    return f"{asked} -> {status} {outcome}" + (f" ({error})" if error else "")


def moment(at: datetime) -> str:
    """An instant as the journal writes it: UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
