"""The store in a file, on the standard library's SQLite: it survives the process."""

import os
import sqlite3
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from mp_oauth_sandbox.core.records import (
    Change,
    Credential,
    Keys,
    Notification,
    Record,
    View,
)
from mp_oauth_sandbox.stores.protocol import (
    DEAD_KEPT,
    FINISHED_KEPT,
    SWEPT_AT_ONCE,
    Decide,
    Outcome,
    R,
    StoreError,
    key_of,
)
from mp_oauth_sandbox.stores.sqlite_file import explained, open_database
from mp_oauth_sandbox.stores.sqlite_tables import (
    CREDENTIALS,
    NOTIFICATIONS,
    TABLES,
    lookup_in,
    table_of,
)
from mp_oauth_sandbox.stores.view import view_of

#: How many journal entries stay in the file; the oldest go first.
JOURNAL_KEPT = 10_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class SQLiteStore:
    """Everything in one file, held by this store alone until it is closed.

    With `sync="normal"` an acknowledged exchange survives `kill -9`, but the last ones may
    be lost in a power cut; `sync="full"` waits for the disk each time.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sync: Literal["normal", "full"] = "normal",
        dead_kept: int = DEAD_KEPT,
        finished_kept: int = FINISHED_KEPT,
    ) -> None:
        """Open the file, or create it readable by its owner alone: it holds secrets.

        Raises:
            StoreError: The file cannot be used; the message says why and what to do.
        """
        self._path = Path(path).absolute()
        self._dead_kept = dead_kept
        self._finished_kept = finished_kept
        self._lock = threading.Lock()
        self._problem: str | None = None
        self._connection: sqlite3.Connection | None = open_database(self._path, sync=sync)
        try:
            with self._held() as db:
                self._lookup = lookup_in(db)
                self._dead, self._last_dead = db.execute(
                    "SELECT count(*), coalesce(max(dead), 0) FROM credentials "
                    "WHERE dead IS NOT NULL"
                ).fetchone()
                self._finished, self._last_finished = db.execute(
                    "SELECT count(*), coalesce(max(finished), 0) FROM notifications "
                    "WHERE finished IS NOT NULL"
                ).fetchone()
        except StoreError:
            self.close()
            raise

    def transact(
        self, keys: Keys, decide: Decide[Outcome], *, now: datetime
    ) -> tuple[Change, Outcome]:
        """See RecordStore.transact."""
        with self._transaction() as db:
            view = view_of(self._lookup, keys)
            change, outcome = decide(view)
            if change.put:
                self._put(db, change.put, view)
                self._sweep(db, now)
        return change, outcome

    def read(self, keys: Keys) -> View:
        """See RecordStore.read."""
        with self._held():
            return view_of(self._lookup, keys)

    def page(self, kind: type[R], *, after: str = "", limit: int = 100) -> Sequence[R]:
        """See RecordStore.page."""
        table = table_of(kind)
        with self._held() as db:
            if after:
                rows = db.execute(table.following, (after, limit))
            else:
                rows = db.execute(table.first, (limit,))
            return [table.decode(body) for (body,) in rows]

    def next_notification(self) -> Notification | None:
        """See Outbox.next_notification."""
        with self._held() as db:
            row = db.execute(
                "SELECT record FROM notifications WHERE due IS NOT NULL "
                "ORDER BY due, CAST(key AS INTEGER) LIMIT 1"
            ).fetchone()
            return NOTIFICATIONS.decode(row[0]) if row else None

    def snapshot(self) -> Sequence[Record]:
        """See RecordStore.snapshot."""
        with self._held() as db:
            return [table.decode(body) for table in TABLES for (body,) in db.execute(table.all)]

    def reset(self, records: Iterable[Record], settings: Mapping[str, str]) -> None:
        """See Store.reset."""
        kept = tuple(records)
        with self._transaction() as db:
            for table in TABLES:
                db.execute(table.clear)
            db.execute("DELETE FROM expiries")
            db.execute("DELETE FROM journal")
            self._dead = self._finished = 0
            self._put(db, kept, View())
            _save(db, settings)

    def save_settings(self, settings: Mapping[str, str]) -> None:
        """See SettingsStore.save_settings."""
        with self._transaction() as db:
            _save(db, settings)

    def settings(self) -> Mapping[str, str]:
        """See SettingsStore.settings."""
        with self._held() as db:
            return dict(db.execute("SELECT name, value FROM settings"))

    def append_journal(self, entries: Sequence[bytes]) -> None:
        """See JournalLog.append_journal. The newest JOURNAL_KEPT stay."""
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO journal (entry) VALUES (?)", ((entry,) for entry in entries)
            )
            db.execute(
                "DELETE FROM journal WHERE n <= (SELECT max(n) FROM journal) - ?", (JOURNAL_KEPT,)
            )

    def journal(self, limit: int) -> Sequence[bytes]:
        """See JournalLog.journal."""
        with self._held() as db:
            newest = db.execute("SELECT entry FROM journal ORDER BY n DESC LIMIT ?", (limit,))
            return [entry for (entry,) in newest][::-1]

    @property
    def problem(self) -> str | None:
        """See Store.problem."""
        return self._problem

    def close(self) -> None:
        """Give the file free for others. Closing twice does nothing."""
        with self._lock, explained(self._path):
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    @contextmanager
    def _held(self) -> Generator[sqlite3.Connection]:
        with self._lock, explained(self._path):
            yield self._opened()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self._path}: this store is closed; open it again to use it")
        return self._connection

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            try:
                with explained(self._path):
                    db = self._opened()
                    changes = db.total_changes
                    with self._atomic(db):
                        yield db
            except StoreError as error:
                self._problem = str(error)
                raise
            # A decision that changes nothing succeeds on a full disk too.
            if db.total_changes != changes:
                self._problem = None

    @contextmanager
    def _atomic(self, db: sqlite3.Connection) -> Generator[None]:
        dead, finished = self._dead, self._finished
        try:
            db.execute("BEGIN IMMEDIATE")
            yield
            db.execute("COMMIT")
        except BaseException:
            self._dead, self._finished = dead, finished
            # SQLite itself rolls back after some errors, and would refuse a second time.
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _put(self, db: sqlite3.Connection, put: Sequence[Record], view: View) -> None:
        """Write records. `view` is what has just been read: some of it needs no writing."""
        found = {id(view.application), id(view.link), id(view.grant), id(view.seller)}
        for record in put:
            if isinstance(record, Notification):
                self._put_notification(db, record)
            elif not isinstance(record, Credential) and id(record) not in found:
                body = msgspec.json.encode(record)
                db.execute(table_of(type(record)).put, (key_of(record), body))
        # Credentials last: their grants count them.
        known = view.credential.secret if view.credential else None
        for record in put:
            if isinstance(record, Credential):
                self._put_credential(db, record, known=record.secret == known)

    def _put_notification(self, db: sqlite3.Connection, record: Notification) -> None:
        key, due, finished = key_of(record), None, None
        known = db.execute("SELECT finished FROM notifications WHERE key = ?", (key,)).fetchone()
        before = known[0] if known else None
        if record.status == "pending":
            due = _microseconds(record.due_at)
        elif before is None:
            finished = self._last_finished = self._last_finished + 1
        else:
            finished = before
        self._finished += (finished is not None) - (before is not None)
        db.execute(
            "INSERT INTO notifications (key, record, due, finished) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET record = excluded.record, due = excluded.due, "
            "finished = excluded.finished",
            (key, msgspec.json.encode(record), due, finished),
        )

    def _put_credential(self, db: sqlite3.Connection, record: Credential, *, known: bool) -> None:
        key, body = record.secret, msgspec.json.encode(record)
        if known or not self._added(db, record, body):
            db.execute("UPDATE credentials SET record = ? WHERE key = ?", (body, key))
        if record.spent_at is not None:
            self._bury(db, key)

    def _added(self, db: sqlite3.Connection, record: Credential, body: bytes) -> bool:
        key = record.secret
        added = db.execute(
            "INSERT OR IGNORE INTO credentials (key, record) VALUES (?, ?)", (key, body)
        )
        if not added.rowcount:
            return False
        db.execute("UPDATE grants SET members = members + 1 WHERE key = ?", (record.grant_id,))
        if record.expires_at is not None:
            at = _microseconds(record.expires_at)
            db.execute("INSERT OR IGNORE INTO expiries VALUES (?, ?)", (at, key))
        return True

    def _bury(self, db: sqlite3.Connection, key: str) -> None:
        self._last_dead += 1
        died = db.execute(
            "UPDATE credentials SET dead = ? WHERE key = ? AND dead IS NULL", (self._last_dead, key)
        )
        self._dead += died.rowcount

    def _sweep(self, db: sqlite3.Connection, now: datetime) -> None:
        """Move a few expired credentials to the dead, and drop a few of the oldest dead.

        A few notifications too, of those that ended first.
        """
        due = db.execute(
            "SELECT at, key FROM expiries WHERE at <= ? ORDER BY at, key LIMIT ?",
            (_microseconds(now), SWEPT_AT_ONCE),
        ).fetchall()
        for at, key in due:
            db.execute("DELETE FROM expiries WHERE at = ? AND key = ?", (at, key))
            self._bury(db, key)
        surplus = min(SWEPT_AT_ONCE, self._dead - self._dead_kept)
        if surplus > 0:
            self._drop_oldest(db, surplus)
        surplus = min(SWEPT_AT_ONCE, self._finished - self._finished_kept)
        if surplus > 0:
            dropped = db.execute(
                "DELETE FROM notifications WHERE n IN (SELECT n FROM notifications "
                "WHERE finished IS NOT NULL ORDER BY finished LIMIT ?)",
                (surplus,),
            )
            self._finished -= dropped.rowcount

    def _drop_oldest(self, db: sqlite3.Connection, count: int) -> None:
        oldest = db.execute(
            "SELECT n, record FROM credentials WHERE dead IS NOT NULL ORDER BY dead LIMIT ?",
            (count,),
        ).fetchall()
        for n, body in oldest:
            grant = (CREDENTIALS.decode(body).grant_id,)
            db.execute("DELETE FROM credentials WHERE n = ?", (n,))
            db.execute("UPDATE grants SET members = members - 1 WHERE key = ?", grant)
            db.execute("DELETE FROM grants WHERE key = ? AND members = 0", grant)
        self._dead -= len(oldest)


def _save(db: sqlite3.Connection, settings: Mapping[str, str]) -> None:
    db.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", settings.items())


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
