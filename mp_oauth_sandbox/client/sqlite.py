"""Links and pending authorizations in a SQLite file, for any number of threads and processes."""

import os
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Generic
from weakref import WeakMethod

from .records import Link, Pending, R, dump, load


class _SQLite(Generic[R]):
    blocking = True
    _table: ClassVar[str]
    _kind: type[R]

    def __init__(self, path: str | Path) -> None:
        """`path` is made if need be, readable by its owner alone: tokens are in it."""
        self._idle: list[sqlite3.Connection] = []
        self._path: Path = Path(path).absolute()
        # Carried over a fork, a connection would take this process's locks for its own.
        if hasattr(os, "register_at_fork"):
            close = WeakMethod(self.close)
            os.register_at_fork(before=lambda: (close() or bool)())
        # Not opened if it is there: closing it would drop the locks of this process's connections.
        self._path.touch(mode=0o600)
        with self._connection() as database:
            # Locked at once, without any waiting, if another process is just doing it.
            with suppress(sqlite3.OperationalError):
                database.execute("PRAGMA journal_mode = WAL")
            database.execute(
                f"CREATE TABLE IF NOT EXISTS {self._table} (generation INTEGER NOT NULL,"
                " seller INTEGER, due REAL, record TEXT NOT NULL, key TEXT PRIMARY KEY)"
            )
            for column in ("seller", "due"):
                index = f"{self._table}_{column} ON {self._table} ({column})"
                database.execute(f"CREATE INDEX IF NOT EXISTS {index}")

    def close(self) -> None:
        """Close its connections; the store opens new ones if it is used again."""
        idle, self._idle = self._idle, []
        for database in idle:
            database.close()

    def __del__(self) -> None:
        # A store that is forgotten leaves nothing open; SQLite itself would warn of it.
        self.close()

    def get(self, key: str, /) -> R | None:
        """The record kept under that key."""
        return next(iter(self._select("WHERE key = ?", key)), None)

    def replace(self, record: R, /, *, expected: int) -> bool:
        """Compare the generation and swap, in one statement."""
        due = record.due_at.timestamp() if record.due_at else None
        values = [record.generation, record.seller_id, due, dump(record), record.key]
        if expected:
            change = "UPDATE {} SET generation = ?, seller = ?, due = ?, record = ?"
            change += " WHERE key = ? AND generation = ?"
            values.append(expected)
        else:
            change = "INSERT INTO {} VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
        return self._execute(change, values)[1] == 1

    def _select(self, where: str, *values: object) -> Sequence[R]:
        rows, _ = self._execute(f"SELECT record FROM {{}} {where}", values)  # noqa: S608 - ours
        return [load(self._kind, text) for (text,) in rows]

    def _execute(self, statement: str, values: Sequence[object]) -> tuple[list[tuple[str]], int]:
        """Rows, and the number of those changed. Autocommit: a statement is a transaction."""
        with self._connection() as database:
            done = database.execute(statement.format(self._table), values)
            return done.fetchall(), done.rowcount

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection]:
        try:
            database = self._idle.pop()
        except IndexError:
            # Each statement waits its turn for up to 10 seconds.
            database = sqlite3.connect(
                self._path, timeout=10, isolation_level=None, check_same_thread=False
            )
        try:
            yield database
        finally:
            self._idle.append(database)


class SQLiteTokenStore(_SQLite[Link]):
    """Links in a SQLite file."""

    _table = "mp_links"
    _kind = Link

    def of_seller(self, seller_id: int, /) -> Sequence[Link]:
        """See TokenStore."""
        return self._select("WHERE seller = ?", seller_id)

    def due(self, now: datetime, limit: int, /) -> Sequence[Link]:
        """See TokenStore."""
        return self._select("WHERE due <= ? ORDER BY due LIMIT ?", now.timestamp(), limit)


class SQLitePendingStore(_SQLite[Pending]):
    """Pending authorizations in a SQLite file; the same one as the links', if you like."""

    _table = "mp_pending"
    _kind = Pending

    def purge(self, before: datetime, /) -> None:
        """See PendingStore."""
        self._execute("DELETE FROM {} WHERE due < ?", [before.timestamp()])
