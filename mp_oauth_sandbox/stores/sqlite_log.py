"""What a SQLite store's file holds: a log of all changes, settings, and the journal.

A row of the log is a `Transacted`, one step of the store. When many have gathered, the log is
written anew: as `Kept`, the records there are by then, and an `Orders`, which ends them. Rows are
JSON, read back from the first to the last, once, when the file is opened.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from mp_oauth_sandbox.core.records import (
    Application,
    Credential,
    Grant,
    Link,
    Notification,
    Record,
    Seller,
)
from mp_oauth_sandbox.stores.memory import Expiry

APPLICATION_ID = int.from_bytes(b"mpos")
SCHEMA_VERSION = 3
_LOG = "CREATE TABLE log (n INTEGER PRIMARY KEY, row BLOB NOT NULL);"
SCHEMA = f"""
BEGIN IMMEDIATE;
{_LOG}
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (n INTEGER PRIMARY KEY, entry BLOB NOT NULL);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""

#: How many records one row holds where the log is written anew.
_TOGETHER = 500


class Transacted(Struct, tag="transacted", gc=False):
    """One transaction: what it put, and its instant, after which some records go."""

    at: datetime
    put: tuple[Record, ...]


class Kept(Struct, tag="kept", gc=False):
    """Some records, in the order in which they came."""

    put: tuple[Record, ...]


class Orders(Struct, tag="orders", gc=False):
    """What the records do not tell of themselves: who goes first.

    The dead and the finished are in the order in which they became so; `expiries` is the heap
    of what is yet to expire.
    """

    dead: list[str]
    finished: list[int]
    expiries: list[Expiry]


Row = Transacted | Kept | Orders

_Decoded = TypeVar("_Decoded", covariant=True)
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Row] = msgspec.json.Decoder(Row)


class UnreadableRowError(Exception):
    """A row that no version of the sandbox has written; the message says which."""


def append(db: sqlite3.Connection, row: Row) -> None:
    """Write one row at the end."""
    db.execute("INSERT INTO log (row) VALUES (?)", (_ENCODER.encode(row),))


def rows(db: sqlite3.Connection) -> Iterator[Row]:
    """Every row from the first on. Raises UnreadableRowError for what is none."""
    for number, row in db.execute("SELECT n, row FROM log ORDER BY n"):
        yield _read(_DECODER, row, f"row {number} of its log")


def write_anew(db: sqlite3.Connection, records: Iterable[Record], orders: Orders) -> None:
    """Write, in place of the log, one that leads to just this state; inside a transaction."""
    db.execute("DELETE FROM log")
    left = iter(records)
    while together := tuple(islice(left, _TOGETHER)):
        append(db, Kept(together))
    append(db, orders)


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None]:
    """All of it or nothing, also where the process is killed meanwhile."""
    try:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("COMMIT")
    except BaseException:
        # SQLite itself rolls back after some errors, and would refuse a second time.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


class _Decoder(Protocol[_Decoded]):
    def decode(self, buf: bytes, /) -> _Decoded: ...


def _read(decoder: _Decoder[_Decoded], row: bytes, where: str) -> _Decoded:
    try:
        return decoder.decode(row)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise UnreadableRowError(f"{where} cannot be understood: {error}") from error


# ---- files of earlier versions ----

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS: dict[str, type[Any]] = {
    "applications": Application,
    "sellers": Seller,
    "links": Link,
    "grants": Grant,
    "credentials": Credential,
    "notifications": Notification,
}


def upgrade(db: sqlite3.Connection, version: int) -> None:
    """Bring a file of version 1 or 2 to this one: a table for each kind of record, read once.

    Raises UnreadableRowError for a record that cannot be understood; the file is as it was.
    """
    # Version 1 had no notifications.
    tables = [table for table in _KINDS if version > 1 or table != "notifications"]
    with transaction(db):
        records = [record for table in tables for record in _records(db, table)]
        dead = db.execute("SELECT key FROM credentials WHERE dead IS NOT NULL ORDER BY dead")
        expiries = db.execute("SELECT at, key FROM expiries ORDER BY at, key")
        orders = Orders(
            dead=[key for (key,) in dead],
            expiries=[Expiry(_EPOCH + timedelta(microseconds=at), key) for at, key in expiries],
            finished=[],
        )
        if "notifications" in tables:
            finished = db.execute(
                "SELECT key FROM notifications WHERE finished IS NOT NULL ORDER BY finished"
            )
            orders.finished = [int(key) for (key,) in finished]
        db.execute(_LOG)
        write_anew(db, records, orders)
        for table in (*tables, "expiries"):
            db.execute(f"DROP TABLE {table}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _records(db: sqlite3.Connection, table: str) -> Iterator[Record]:
    decoder = msgspec.json.Decoder(_KINDS[table])
    # The name is one of those above.
    for number, body in db.execute(f"SELECT n, record FROM {table} ORDER BY n"):  # noqa: S608
        yield _read(decoder, body, f"row {number} of its table {table}")
