"""Where links and pending authorizations are kept: two protocols, and memory for both.

Everything rests on one verb, `replace`: compare the generation and swap, atomically. Leases,
single use and "unlink wins" are built on it, so any database with `UPDATE ... WHERE` will do.
All workers must share one store. Async callers call it in a thread, unless it has an
attribute `blocking` that is False.
"""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Generic, Protocol

from .records import Link, Pending, R


class _Store(Protocol[R]):
    def get(self, key: str, /) -> R | None:
        """What was last kept under that key."""
        ...

    def replace(self, record: R, /, *, expected: int) -> bool:
        """Keep it if the kept one has generation `expected` (0: there is none), and say whether.

        Must be atomic, and durable when it returns True.
        """
        ...


class TokenStore(_Store[Link], Protocol):
    """Links by account."""

    def of_seller(self, seller_id: int, /) -> Sequence[Link]:
        """Every link to that seller, unlinked ones too."""
        ...

    def due(self, now: datetime, limit: int, /) -> Sequence[Link]:
        """The links whose `due_at` has come, the longest due first."""
        ...


class PendingStore(_Store[Pending], Protocol):
    """Pending authorizations by the hash of their state."""

    def purge(self, before: datetime, /) -> None:
        """Forget those that expired before that."""
        ...


class _Memory(Generic[R]):
    blocking = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, R] = {}

    def get(self, key: str, /) -> R | None:
        """The record kept under that key."""
        return self._records.get(key)

    def replace(self, record: R, /, *, expected: int) -> bool:
        """Compare the generation and swap."""
        with self._lock:
            current = self._records.get(record.key)
            if (current.generation if current else 0) != expected:
                return False
            self._records[record.key] = record
            return True


class MemoryTokenStore(_Memory[Link]):
    """Links of one process, gone with it: for tests."""

    def of_seller(self, seller_id: int, /) -> Sequence[Link]:
        """See TokenStore."""
        return [link for link in list(self._records.values()) if link.seller_id == seller_id]

    def due(self, now: datetime, limit: int, /) -> Sequence[Link]:
        """See TokenStore."""
        dated = [(link.due_at or now, link.account, link) for link in list(self._records.values())]
        return [link for at, _, link in sorted(dated) if link.due_at and at <= now][:limit]


class MemoryPendingStore(_Memory[Pending]):
    """Pending authorizations of one process, gone with it: for tests."""

    def purge(self, before: datetime, /) -> None:
        """See PendingStore. The oldest lie first."""
        with self._lock:
            while (oldest := next(iter(self._records.values()), None)) is not None:
                if oldest.expires_at >= before:
                    break
                del self._records[oldest.key]
