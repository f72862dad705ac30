"""What a store can do: four concerns, each a protocol, and `Store`, which is all of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

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

Outcome = TypeVar("Outcome")
Decide = Callable[[View], tuple[Change, Outcome]]
R = TypeVar("R", bound=Record)

#: How many dead credentials (spent, replaced, expired) stay findable, so that a replay is
#: explained and not "unknown". The oldest dead go first; live ones are never dropped.
DEAD_KEPT = 50_000

#: How many notifications that no longer wait stay findable; the first to end go first.
FINISHED_KEPT = 1_000

#: How many dead ones, and how many such notifications, one transaction removes at most: cost
#: stays flat as state grows.
SWEPT_AT_ONCE = 4


class StoreError(Exception):
    """A store cannot be used; the message says why and what to do."""


class RecordStore(Protocol):
    """Records behind one atomic verb."""

    def transact(
        self, keys: Keys, decide: Decide[Outcome], *, now: datetime
    ) -> tuple[Change, Outcome]:
        """Load the view of `keys`, decide, apply the change: all in one atomic step.

        Returns what was decided: the change that was made, and the outcome. `decide` is pure and
        may be called more than once. If it raises, nothing changes.
        """
        ...

    def read(self, keys: Keys) -> View:
        """The view of `keys`, without changing anything."""
        ...

    def page(self, kind: type[R], *, after: str = "", limit: int = 100) -> Sequence[R]:
        """Records of one kind in order of first insertion, following the one keyed `after`.

        The key of an application is its client id, of a seller its user id as text, and so
        of a notification its number.
        """
        ...

    def newest(self, limit: int) -> Sequence[Credential]:
        """The credentials that came last, the newest first: for a look that no key helps."""
        ...

    def snapshot(self) -> Sequence[Record]:
        """Every record, in an order in which `reset` can put them back."""
        ...


class SettingsStore(Protocol):
    """Named values, each a text; `engine.settings` knows what they mean."""

    def save_settings(self, settings: Mapping[str, str]) -> None:
        """Remember these values by name, all or none; others stay."""
        ...

    def settings(self) -> Mapping[str, str]:
        """What was saved, after a restart too if the store survives one."""
        ...


class JournalLog(Protocol):
    """The journal's entries as they are kept over a restart, if the store survives one."""

    def append_journal(self, entries: Sequence[bytes]) -> None:
        """Keep journal entries (JSON), all or none."""
        ...

    def journal(self, limit: int) -> Sequence[bytes]:
        """The newest kept journal entries, oldest first."""
        ...


class Outbox(Protocol):
    """Notifications that wait to be sent. They are written by the step that they tell of."""

    def next_notification(self) -> Notification | None:
        """The pending notification that is due first, by its number among equals."""
        ...


class Store(RecordStore, SettingsStore, JournalLog, Outbox, Protocol):
    """All four in one place, and what concerns them together.

    Every method may be called from any thread. Whatever writes raises StoreError if that cannot
    be saved, and has changed nothing then.
    """

    @property
    def problem(self) -> str | None:
        """Why the last change could not be saved; None again once one was."""
        ...

    def reset(self, records: Iterable[Record], settings: Mapping[str, str]) -> None:
        """Hold just these records, and no journal; remember these settings, and others stay.

        All of it or nothing.
        """
        ...

    def close(self) -> None:
        """Release what the store holds. It cannot be used afterwards."""
        ...


def key_of(record: Record) -> str:
    """The key by which a record is found among its kind."""
    match record:
        case Application():
            return record.client_id
        case Seller():
            return str(record.user_id)
        case Link():
            return f"{record.client_id}/{record.user_id}"
        case Grant():
            return record.grant_id
        case Credential():
            return record.secret
        case Notification():
            return str(record.notification_id)
