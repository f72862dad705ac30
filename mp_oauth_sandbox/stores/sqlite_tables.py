"""What a SQLite store's file holds: one table for each kind of record, and how it is read.

Records are JSON, in order of first insertion. Everything around them exists to keep one
exchange at a constant price: `expiries` holds what is still to expire, the column `dead`
numbers credentials in the order they died, and `members` counts the credentials that keep
a grant. A notification has `due` while it waits, and `finished`, in the order they ended, after.
"""

import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Generic, cast

import msgspec

from mp_oauth_sandbox.core.records import (
    Application,
    Credential,
    Grant,
    Link,
    Notification,
    Seller,
)
from mp_oauth_sandbox.stores.protocol import R
from mp_oauth_sandbox.stores.view import Lookup

APPLICATION_ID = int.from_bytes(b"mpos")
SCHEMA_VERSION = 2
_NOTIFICATIONS = """
CREATE TABLE notifications (n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record BLOB NOT NULL,
    due INTEGER, finished INTEGER);
CREATE INDEX notifications_due ON notifications (due, CAST(key AS INTEGER)) WHERE due IS NOT NULL;
CREATE INDEX notifications_finished ON notifications (finished) WHERE finished IS NOT NULL;
"""
#: From the version named to the one after it.
UPGRADES = {
    1: f"""
BEGIN IMMEDIATE;
{_NOTIFICATIONS}
PRAGMA user_version = 2;
COMMIT;
"""
}
SCHEMA = f"""
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
{_NOTIFICATIONS}
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""


class Table(Generic[R]):
    """The statements and the decoder for one kind of record."""

    def __init__(self, name: str, kind: type[R]) -> None:
        # The names are those of the schema above: nothing from outside reaches these texts.
        self.name = name
        self.kind = kind
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
        """The record that was encoded; sqlite3.DatabaseError if it cannot be one of ours."""
        try:
            return self._decoder.decode(body)
        except msgspec.DecodeError as error:
            message = f"a record in its table {self.name} cannot be understood: {error}"
            raise sqlite3.DatabaseError(message) from error


APPLICATIONS = Table("applications", Application)
SELLERS = Table("sellers", Seller)
LINKS = Table("links", Link)
GRANTS = Table("grants", Grant)
CREDENTIALS = Table("credentials", Credential)
NOTIFICATIONS = Table("notifications", Notification)
TABLES = (APPLICATIONS, SELLERS, LINKS, GRANTS, CREDENTIALS, NOTIFICATIONS)
_BY_KIND: Mapping[type[object], object] = {table.kind: table for table in TABLES}


def table_of(kind: type[R]) -> Table[R]:
    """The table that holds this kind of record."""
    return cast("Table[R]", _BY_KIND[kind])


def lookup_in(db: sqlite3.Connection) -> Lookup:
    """How records are found through this connection."""
    return Lookup(
        application=partial(_find, db, APPLICATIONS),
        seller=partial(_find, db, SELLERS),
        link=lambda key: _find(db, LINKS, f"{key[0]}/{key[1]}"),
        grant=partial(_find, db, GRANTS),
        credential=partial(_find, db, CREDENTIALS),
        notification=partial(_find, db, NOTIFICATIONS),
    )


def _find(db: sqlite3.Connection, table: Table[R], key: str | int) -> R | None:
    try:
        row = db.execute(table.get, (str(key),)).fetchone()
    except UnicodeEncodeError:
        # Half a surrogate pair: no record in the file can have such a key.
        return None
    return table.decode(row[0]) if row else None
