"""The file of a SQLite store: opened for one process alone, or refused with the reason."""

import logging
import os
import sqlite3
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from mp_oauth_sandbox.stores.protocol import StoreError
from mp_oauth_sandbox.stores.sqlite_log import (
    APPLICATION_ID,
    SCHEMA,
    SCHEMA_VERSION,
    UnreadableRowError,
    transaction,
    upgrade,
)

_logger = logging.getLogger("mp_oauth_sandbox")

#: What every SQLite database begins with.
_HEADER_BYTES = 100

_PAGE_BYTES = 4096

#: Pages between two checkpoints, each of which waits for the disk: SQLite's own 1000
#: would be about one in a hundred exchanges.
_CHECKPOINT_EVERY = 4000

#: What to do, by SQLite's result code: the exact one if it is here, else the primary one.
_ADVICE = {
    sqlite3.SQLITE_ERROR: "it does not hold what a data file of this version holds; restore a copy,"
    " or choose another file",
    sqlite3.SQLITE_BUSY: "it is in use by another sandbox; stop that one, or choose another file",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the permissions of file and folder",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a copy, or choose another file",
    sqlite3.SQLITE_FULL: "the disk is full; make room and try again",
    sqlite3.SQLITE_IOERR: "the disk refused to read or write; check its space and its health",
    # What a file without write permission comes to when it is to be held exclusively.
    sqlite3.SQLITE_IOERR_LOCK: "it cannot be locked; check that you may write it, and that its "
    "disk is a local one",
    sqlite3.SQLITE_NOTADB: "it is not a database, and was left as it is; choose another file",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the permissions of file and folder",
}


def open_database(path: Path, *, sync: Literal["normal", "full"]) -> sqlite3.Connection:
    """A connection that holds the file exclusively; a new file is readable by its owner alone.

    Raises:
        StoreError: The file cannot be used; the message says why and what to do.
    """
    _create(path)
    with explained(path, log_left=has_log(path)):
        db = sqlite3.connect(
            f"{path.as_uri()}?mode=rw",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # First of all: from here on no other process can even read the file.
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            version = _recognized(db, path)
            _warn_of_readers(path)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"PRAGMA synchronous = {sync}")
            db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_EVERY}")
            # As long as it gets between two; a log written anew would leave a longer one for good.
            db.execute(f"PRAGMA journal_size_limit = {_CHECKPOINT_EVERY * _PAGE_BYTES}")
            if version is None:
                db.executescript(SCHEMA)
            elif version < SCHEMA_VERSION:
                upgrade(db, version)
            # The writer's lock: what cannot be written fails now rather than later.
            with transaction(db):
                pass
        except BaseException:
            db.close()
            raise
    return db


def has_log(path: Path) -> bool:
    """Whether a run that did not end well has left its log beside the file."""
    with suppress(OSError):
        return Path(f"{path}-wal").exists()
    return False


@contextmanager
def explained(path: Path, *, log_left: bool = False) -> Generator[None]:
    """What is wrong with the file inside, as a StoreError that names it and the remedy.

    `log_left` says that a -wal file lay beside it: it belongs to the file it was made with.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise explanation(path, error) from error
    except UnicodeDecodeError as error:
        # What a name in the schema comes to, of which SQLite does not complain.
        raise StoreError(f"{path}: {_ADVICE[sqlite3.SQLITE_CORRUPT]} ({error})") from error
    except UnreadableRowError as error:
        remedy = "it was left as it is; restore a copy, or choose another file"
        if log_left:
            log = f"{path.name}-wal"
            remedy = f"restore a copy and remove {log}, which is not of that copy"
        raise StoreError(f"{path}: {error}; {remedy}") from error


def explanation(path: Path, error: sqlite3.Error) -> StoreError:
    """What SQLite complains of, with the file and the remedy."""
    # Errors of Python's own module have no code.
    code: int = getattr(error, "sqlite_errorcode", 0)
    advice = _ADVICE.get(code) or _ADVICE.get(code & 0xFF)
    return StoreError(f"{path}: {advice} (SQLite: {error})" if advice else f"{path}: {error}")


def _create(path: Path) -> None:
    """Make a file that is not there yet; look at one that is, without opening it."""
    try:
        if path.is_dir():
            raise StoreError(f"{path}: it is a folder; name a file in it, such as {path / 'mp.db'}")
        if not path.parent.is_dir():
            raise StoreError(f"{path}: its folder does not exist; create {path.parent} first")
        # Never opened when it exists: closing it again would release the locks that another
        # store in this process holds on it (POSIX locks belong to the process).
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            return
        found = path.stat()
    except OSError as error:
        raise StoreError(
            f"{path}: it cannot be created or found ({error.strerror}); check its name and the"
            " permissions of its folder"
        ) from error
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(f"{path}: it is a device, a pipe or a socket; choose a file")
    # SQLite takes what is shorter than its header for an empty database, and writes over it.
    if 0 < found.st_size < _HEADER_BYTES:
        raise StoreError(f"{path}: {_ADVICE[sqlite3.SQLITE_NOTADB]}")


def _warn_of_readers(path: Path) -> None:
    """Say so if others on this machine may read a file that holds secrets."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        _logger.warning(
            "%s: others on this machine may read or write it (mode %o), and it holds secrets: "
            "chmod 600 %s",
            path,
            mode,
            path,
        )


def _recognized(db: sqlite3.Connection, path: Path) -> int | None:
    """The version of its format, None while it is empty. Nothing is written, whatever it is."""
    (owner,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if owner == version == tables == 0:
        return None
    if owner != APPLICATION_ID:
        raise StoreError(
            f"{path}: it is a database of another program, and was left as it is; "
            "choose another file"
        )
    if version < 1:
        raise StoreError(
            f"{path}: its format is {version}, which no version has written, and it was left as it"
            " is; restore a copy, or choose another file"
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: it was written by a newer version (its format is {version}, this version "
            f"knows up to {SCHEMA_VERSION}); upgrade, or choose another file"
        )
    return int(version)
