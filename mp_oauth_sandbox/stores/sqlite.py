"""The store in a file, on the standard library's SQLite: it survives the process.

Records are JSON, each in the table of its kind, in order of first insertion. Everything
around them exists to keep one exchange at a constant price: `expiries` holds what is still
to expire, the column `dead` numbers credentials in the order they died, and `members`
counts the credentials that keep a grant.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, Literal

import msgspec

from mp_oauth_sandbox.core.records import (
    Application,
    Change,
    Credential,
    Grant,
    Keys,
    Link,
    Record,
    Seller,
    View,
)
from mp_oauth_sandbox.stores.protocol import (
    DEAD_KEPT,
    SWEPT_AT_ONCE,
    Decide,
    Outcome,
    R,
    StoreError,
    key_of,
)

#: How many journal entries stay in the file; the oldest go first.
JOURNAL_KEPT = 10_000

_APPLICATION_ID = int.from_bytes(b"mpos")
_SCHEMA_VERSION = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE applications (n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record BLOB NOT NULL);
CREATE TABLE sellers (n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record BLOB NOT NULL);
CREATE TABLE links (n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record BLOB NOT NULL);
CREATE TABLE grants (n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record BLOB NOT NULL,
    members INTEGER NOT NULL DEFAULT 0);
CREATE TABLE credentials (n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record BLOB NOT NULL,
    dead INTEGER);
CREATE INDEX credentials_dead ON credentials (dead) WHERE dead IS NOT NULL;
CREATE TABLE expiries (at INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (at, key)) WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (n INTEGER PRIMARY KEY, entry BLOB NOT NULL);
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_SCHEMA_VERSION};
COMMIT;
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

#: What to do, by SQLite's primary result code.
_ADVICE = {
    sqlite3.SQLITE_BUSY: "it is in use by another sandbox; stop that one, or choose another file",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the permissions of file and folder",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a copy, or choose another file",
    sqlite3.SQLITE_FULL: "the disk is full; make room and try again",
    sqlite3.SQLITE_IOERR: "the disk refused to read or write; check its space and its health",
    sqlite3.SQLITE_NOTADB: "it is not a database, and was left as it is; choose another file",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the permissions of file and folder",
}


class _Table(Generic[R]):
    """The statements and the decoder for one kind of record."""

    def __init__(self, name: str, kind: type[R]) -> None:
        # The names are those of the schema above: nothing from outside reaches these texts.
        self.name = name
        self._decoder = msgspec.json.Decoder(kind)
        self.get = f"SELECT record FROM {name} WHERE key = ?"  # noqa: S608 - see above
        self.put = (
            f"INSERT INTO {name} (key, record) VALUES (?, ?) "  # noqa: S608 - see above
            "ON CONFLICT (key) DO UPDATE SET record = excluded.record"
        )
        self.all = f"SELECT record FROM {name} ORDER BY n"  # noqa: S608 - see above
        self.first = f"SELECT record FROM {name} ORDER BY n LIMIT ?"  # noqa: S608 - see above
        self.following = (
            f"SELECT record FROM {name} "  # noqa: S608 - see above
            f"WHERE n > (SELECT n FROM {name} WHERE key = ?) ORDER BY n LIMIT ?"
        )
        self.clear = f"DELETE FROM {name}"  # noqa: S608 - see above

    def decode(self, body: bytes) -> R:
        try:
            return self._decoder.decode(body)
        except msgspec.DecodeError as error:
            message = f"a record in its table {self.name} cannot be understood: {error}"
            raise sqlite3.DatabaseError(message) from error


_APPLICATIONS = _Table("applications", Application)
_SELLERS = _Table("sellers", Seller)
_LINKS = _Table("links", Link)
_GRANTS = _Table("grants", Grant)
_CREDENTIALS = _Table("credentials", Credential)
_TABLES: tuple[_Table[Record], ...] = (_APPLICATIONS, _SELLERS, _LINKS, _GRANTS, _CREDENTIALS)


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
    ) -> None:
        """Open the file, or create it readable by its owner alone: it holds secrets.

        Raises:
            StoreError: The file cannot be used; the message says why and what to do.
        """
        self._path = Path(path).absolute()
        self._dead_kept = dead_kept
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        _create(self._path)
        with self._explained():
            self._connection = sqlite3.connect(
                f"{self._path.as_uri()}?mode=rw",
                uri=True,
                timeout=0,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with self._explained():
                self._prepare(self._connection, sync)
        except BaseException:
            self._connection.close()
            raise

    def transact(self, keys: Keys, decide: Decide[Outcome], *, now: datetime) -> Outcome:
        """See Store.transact."""
        with self._transaction() as db:
            change, outcome = decide(_view(db, keys))
            self._apply(db, change, now)
        return outcome

    def read(self, keys: Keys) -> View:
        """See Store.read."""
        with self._held() as db:
            return _view(db, keys)

    def page(self, kind: type[R], *, after: str = "", limit: int = 100) -> Sequence[R]:
        """See Store.page."""
        table = _table(kind)
        with self._held() as db:
            if after:
                rows = db.execute(table.following, (after, limit))
            else:
                rows = db.execute(table.first, (limit,))
            return [table.decode(body) for (body,) in rows]

    def snapshot(self) -> Sequence[Record]:
        """See Store.snapshot."""
        with self._held() as db:
            return [table.decode(body) for table in _TABLES for (body,) in db.execute(table.all)]

    def reset(self, records: Iterable[Record]) -> None:
        """See Store.reset. The kept journal goes too; settings stay."""
        change = Change(put=tuple(records))
        with self._transaction() as db:
            for table in _TABLES:
                db.execute(table.clear)
            db.execute("DELETE FROM expiries")
            db.execute("DELETE FROM journal")
            self._dead = 0
            self._put(db, change)

    def save_settings(self, settings: Mapping[str, str]) -> None:
        """See Store.save_settings."""
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", settings.items())

    def settings(self) -> Mapping[str, str]:
        """See Store.settings."""
        with self._held() as db:
            return dict(db.execute("SELECT name, value FROM settings"))

    def append_journal(self, entries: Sequence[bytes]) -> None:
        """See Store.append_journal. The newest JOURNAL_KEPT stay."""
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO journal (entry) VALUES (?)", ((entry,) for entry in entries)
            )
            db.execute(
                "DELETE FROM journal WHERE n <= (SELECT max(n) FROM journal) - ?", (JOURNAL_KEPT,)
            )

    def journal(self, limit: int) -> Sequence[bytes]:
        """See Store.journal."""
        with self._held() as db:
            newest = db.execute("SELECT entry FROM journal ORDER BY n DESC LIMIT ?", (limit,))
            return [entry for (entry,) in newest][::-1]

    def close(self) -> None:
        """Give the file free for others. Closing twice does nothing."""
        with self._lock, self._explained():
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def _prepare(self, db: sqlite3.Connection, sync: str) -> None:
        # First of all, so that no other process ever sees the file, not even for reading.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        (owner,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        empty = owner == 0 and version == 0 and tables == 0
        # Before anything is written: another program's database is left as it is.
        if not empty and owner != _APPLICATION_ID:
            raise StoreError(
                f"{self._path}: it is a database of another program, and was left as it is; "
                "choose another file"
            )
        if version > _SCHEMA_VERSION:
            raise StoreError(
                f"{self._path}: it was written by a newer version (its format is {version}, this "
                f"version knows up to {_SCHEMA_VERSION}); upgrade, or choose another file"
            )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL" if sync == "full" else "PRAGMA synchronous = NORMAL")
        if empty:
            db.executescript(_SCHEMA)
        # Takes the writer's lock, and fails now rather than later if nothing can be written.
        db.execute("BEGIN IMMEDIATE")
        died = "FROM credentials WHERE dead IS NOT NULL"
        (self._dead,) = db.execute(f"SELECT count(*) {died}").fetchone()
        (last,) = db.execute(f"SELECT max(dead) {died}").fetchone()
        self._last_dead: int = last or 0
        db.execute("COMMIT")

    @contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            if self._connection is None:
                raise StoreError(f"{self._path}: this store is closed; open it again to use it")
            yield self._connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._held() as db:
            dead = self._dead
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except BaseException:
                self._dead = dead
                # SQLite itself rolls back after some errors, and would refuse a second time.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            advice = f"{_ADVICE[code]} (SQLite: {error})" if code in _ADVICE else str(error)
            raise StoreError(f"{self._path}: {advice}") from error

    def _apply(self, db: sqlite3.Connection, change: Change, now: datetime) -> None:
        if change.put:
            self._put(db, change)
            self._sweep(db, now)

    def _put(self, db: sqlite3.Connection, change: Change) -> None:
        # Credentials last: their grants count them.
        for record in change.put:
            if not isinstance(record, Credential):
                body = msgspec.json.encode(record)
                db.execute(_table(type(record)).put, (key_of(record), body))
        for record in change.put:
            if isinstance(record, Credential):
                self._put_credential(db, record)

    def _put_credential(self, db: sqlite3.Connection, record: Credential) -> None:
        key, body = record.secret, msgspec.json.encode(record)
        added = db.execute(
            "INSERT OR IGNORE INTO credentials (key, record) VALUES (?, ?)", (key, body)
        )
        if added.rowcount:
            db.execute("UPDATE grants SET members = members + 1 WHERE key = ?", (record.grant_id,))
            if record.expires_at is not None:
                at = _microseconds(record.expires_at)
                db.execute("INSERT OR IGNORE INTO expiries VALUES (?, ?)", (at, key))
        else:
            db.execute("UPDATE credentials SET record = ? WHERE key = ?", (body, key))
        if record.spent_at is not None:
            self._bury(db, key)

    def _bury(self, db: sqlite3.Connection, key: str) -> None:
        self._last_dead += 1
        died = db.execute(
            "UPDATE credentials SET dead = ? WHERE key = ? AND dead IS NULL", (self._last_dead, key)
        )
        self._dead += died.rowcount

    def _sweep(self, db: sqlite3.Connection, now: datetime) -> None:
        """Move a few expired credentials to the dead, and drop a few of the oldest dead."""
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

    def _drop_oldest(self, db: sqlite3.Connection, count: int) -> None:
        oldest = db.execute(
            "SELECT n, record FROM credentials WHERE dead IS NOT NULL ORDER BY dead LIMIT ?",
            (count,),
        ).fetchall()
        for n, body in oldest:
            grant = (_CREDENTIALS.decode(body).grant_id,)
            db.execute("DELETE FROM credentials WHERE n = ?", (n,))
            db.execute("UPDATE grants SET members = members - 1 WHERE key = ?", grant)
            db.execute("DELETE FROM grants WHERE key = ? AND members = 0", grant)
        self._dead -= len(oldest)


def _create(path: Path) -> None:
    if path.is_dir():
        raise StoreError(f"{path}: it is a folder; name a file in it, such as {path / 'mp.db'}")
    if not path.parent.is_dir():
        raise StoreError(f"{path}: its folder does not exist; create {path.parent} first")
    try:
        # Never opened when it exists: closing it again would release the locks that another
        # store in this process holds on it (POSIX locks belong to the process).
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(
            f"{path}: it cannot be created ({error.strerror}); check the permissions of its folder"
        ) from error


def _table(kind: type[R]) -> _Table[R]:
    raise NotImplementedError


def _view(db: sqlite3.Connection, keys: Keys) -> View:
    raise NotImplementedError


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
