"""The store in memory: dictionaries behind one lock. The oracle for all other stores."""

import heapq
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import chain, islice

from msgspec import Struct

from mp_oauth_sandbox.core.records import (
    Application,
    Change,
    Credential,
    Grant,
    Keys,
    Link,
    Notification,
    Record,
    Seller,
    View,
)
from mp_oauth_sandbox.stores.protocol import (
    DEAD_KEPT,
    FINISHED_KEPT,
    SWEPT_AT_ONCE,
    Decide,
    Outcome,
    R,
)
from mp_oauth_sandbox.stores.view import Lookup, view_of


class Expiry(Struct, frozen=True, order=True, array_like=True, gc=False):
    """When a credential expires; among equals its secret decides. Half the size of a tuple."""

    at: datetime
    secret: str


class MemoryStore:
    """Everything in this process; gone when it ends."""

    def __init__(self, *, dead_kept: int = DEAD_KEPT, finished_kept: int = FINISHED_KEPT) -> None:
        """How many dead credentials, and notifications that no longer wait, stay findable."""
        self._lock: AbstractContextManager[object] = threading.Lock()
        self._dead_kept = dead_kept
        self._finished_kept = finished_kept
        self._settings: dict[str, str] = {}
        self._clear()

    def _clear(self) -> None:
        self._applications: dict[str, Application] = {}
        self._sellers: dict[int, Seller] = {}
        self._links: dict[tuple[str, int], Link] = {}
        self._grants: dict[str, Grant] = {}
        self._credentials: dict[str, Credential] = {}
        self._members: dict[str, int] = {}
        self._expiries: list[Expiry] = []
        # In the order in which they died.
        self._dead: deque[str] = deque()
        self._notifications: dict[int, Notification] = {}
        # What is due when; an entry that says otherwise than its notification is a past one.
        self._due: list[tuple[datetime, int]] = []
        # Not a plain dict: that gets slower and slower at giving up its first key.
        self._finished: OrderedDict[int, None] = OrderedDict()
        self._lookup = Lookup(
            application=self._applications.get,
            seller=self._sellers.get,
            link=self._links.get,
            grant=self._grants.get,
            credential=self._credentials.get,
            notification=self._notifications.get,
        )

    def transact(
        self, keys: Keys, decide: Decide[Outcome], *, now: datetime
    ) -> tuple[Change, Outcome]:
        """See RecordStore.transact."""
        with self._lock:
            decided = decide(view_of(self._lookup, keys))
            self._apply(decided[0], now)
            return decided

    def read(self, keys: Keys) -> View:
        """See RecordStore.read."""
        with self._lock:
            return view_of(self._lookup, keys)

    def page(self, kind: type[R], *, after: str = "", limit: int = 100) -> Sequence[R]:
        """See RecordStore.page."""
        with self._lock:
            listed = iter(self._listed(kind))
            if after:
                # An unknown key has nothing after it.
                for key, _ in listed:
                    if key == after:
                        break
            found = [record for _, record in islice(listed, limit)]
        return [record for record in found if isinstance(record, kind)]

    def newest(self, limit: int) -> Sequence[Credential]:
        """See RecordStore.newest."""
        with self._lock:
            return list(islice(reversed(self._credentials.values()), limit))

    def next_notification(self) -> Notification | None:
        """See Outbox.next_notification."""
        with self._lock:
            while self._due:
                due_at, number = self._due[0]
                found = self._notifications.get(number)
                if found and found.status == "pending" and found.due_at == due_at:
                    return found
                heapq.heappop(self._due)
            return None

    def snapshot(self) -> Sequence[Record]:
        """See RecordStore.snapshot."""
        with self._lock:
            return list(self._records())

    def reset(self, records: Iterable[Record], settings: Mapping[str, str]) -> None:
        """See Store.reset."""
        kept = tuple(records)
        with self._lock:
            self._begin_with(kept, settings)

    def save_settings(self, settings: Mapping[str, str]) -> None:
        """See SettingsStore.save_settings."""
        with self._lock:
            self._settings.update(settings)

    def settings(self) -> Mapping[str, str]:
        """See SettingsStore.settings."""
        with self._lock:
            return dict(self._settings)

    def append_journal(self, entries: Sequence[bytes]) -> None:
        """Nothing: this store does not survive a restart, and the journal has its own copy."""

    def journal(self, limit: int) -> Sequence[bytes]:
        """No entries: see `append_journal`."""
        return []

    @property
    def problem(self) -> str | None:
        """Never any: see Store.problem."""
        return None

    def close(self) -> None:
        """Nothing to release."""

    def _begin_with(self, records: Iterable[Record], settings: Mapping[str, str]) -> None:
        self._clear()
        for record in records:
            self._put(record)
        self._settings.update(settings)

    def _records(self) -> Iterable[Record]:
        return chain(
            self._applications.values(),
            self._sellers.values(),
            self._links.values(),
            self._grants.values(),
            self._credentials.values(),
            self._notifications.values(),
        )

    def _listed(self, kind: type[R]) -> Iterable[tuple[str, Record]]:
        if kind is Application:
            return self._applications.items()
        if kind is Seller:
            return ((str(key), seller) for key, seller in self._sellers.items())
        if kind is Link:
            return ((f"{c}/{u}", link) for (c, u), link in self._links.items())
        if kind is Notification:
            return ((str(key), one) for key, one in self._notifications.items())
        return self._grants.items() if kind is Grant else self._credentials.items()

    def _apply(self, change: Change, now: datetime) -> None:
        if not change.put:
            return
        for record in change.put:
            self._put(record)
        self._sweep(now)

    def _put(self, record: Record) -> None:
        match record:
            case Credential():
                self._put_credential(record)
            case Grant():
                self._grants[record.grant_id] = record
            case Link():
                self._links[record.client_id, record.user_id] = record
            case Seller():
                self._sellers[record.user_id] = record
            case Application():
                self._applications[record.client_id] = record
            case Notification():
                self._put_notification(record)

    def _put_notification(self, record: Notification) -> None:
        number = record.notification_id
        self._notifications[number] = record
        if record.status == "pending":
            self._finished.pop(number, None)
            heapq.heappush(self._due, (record.due_at, number))
        else:
            self._finished.setdefault(number)

    def _put_credential(self, record: Credential) -> None:
        known = self._credentials.get(record.secret)
        if known is None:
            self._members[record.grant_id] = self._members.get(record.grant_id, 0) + 1
            if record.expires_at is not None:
                heapq.heappush(self._expiries, Expiry(record.expires_at, record.secret))
        self._credentials[record.secret] = record
        if record.spent_at is not None and (known is None or known.spent_at is None):
            self._dead.append(record.secret)

    def _sweep(self, now: datetime) -> None:
        """Move a few expired credentials to the dead, and drop a few of the oldest dead.

        A few notifications too, of those that ended first.
        """
        for _ in range(SWEPT_AT_ONCE):
            if not self._expiries or self._expiries[0].at > now:
                break
            expired = self._credentials.get(heapq.heappop(self._expiries).secret)
            if expired is not None and expired.spent_at is None:
                self._dead.append(expired.secret)
        for _ in range(min(SWEPT_AT_ONCE, len(self._dead) - self._dead_kept)):
            dropped = self._credentials.pop(self._dead.popleft(), None)
            # None where it was spent although it had expired, and so died twice.
            if dropped is not None:
                self._drop(dropped.grant_id)
        for _ in range(min(SWEPT_AT_ONCE, len(self._finished) - self._finished_kept)):
            number, _ = self._finished.popitem(last=False)
            del self._notifications[number]

    def _drop(self, grant_id: str) -> None:
        left = self._members[grant_id] - 1
        if left:
            self._members[grant_id] = left
        else:
            del self._members[grant_id]
            self._grants.pop(grant_id, None)
