"""The store in a file: the one in memory, and a log of all that it is told, kept by SQLite."""

import logging
import os
import sqlite3
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, Never

from mp_oauth_sandbox.core.records import Change, Keys, Record
from mp_oauth_sandbox.stores.memory import MemoryStore
from mp_oauth_sandbox.stores.protocol import (
    DEAD_KEPT,
    FINISHED_KEPT,
    Decide,
    Outcome,
    StoreError,
)
from mp_oauth_sandbox.stores.sqlite_file import explained, explanation, has_log, open_database
from mp_oauth_sandbox.stores.sqlite_log import (
    Kept,
    Orders,
    Transacted,
    append,
    rows,
    transaction,
    write_anew,
)
from mp_oauth_sandbox.stores.view import view_of

#: How many journal entries stay in the file; the oldest go first.
JOURNAL_KEPT = 10_000

#: After how many steps at least the log is written anew, and not before there are half as many
#: as credentials: so it stays a fixed part of what each step costs.
STEPS_KEPT = 10_000

_logger = logging.getLogger("mp_oauth_sandbox")


class SQLiteStore(MemoryStore):
    """Everything in one file, held by this store alone until it is closed.

    Nobody else can change the file meanwhile, and so memory answers all that is asked; a
    change is written down before it is made. With `sync="normal"` an acknowledged exchange
    survives `kill -9`, but the last ones may be lost in a power cut; `sync="full"` waits for the
    disk each time.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sync: Literal["normal", "full"] = "normal",
        dead_kept: int = DEAD_KEPT,
        finished_kept: int = FINISHED_KEPT,
        steps_kept: int = STEPS_KEPT,
    ) -> None:
        """Open the file, or create it readable by its owner alone: it holds secrets.

        Raises:
            StoreError: The file cannot be used; the message says why and what to do.
        """
        super().__init__(dead_kept=dead_kept, finished_kept=finished_kept)
        self._path = Path(path).absolute()
        self._log = Path(f"{self._path}-wal")
        self._problem: str | None = None
        self._steps = 0
        self._steps_kept = steps_kept
        left = has_log(self._path)
        self._db = open_database(self._path, sync=sync)
        try:
            self._files = {self._path: self._path.stat().st_ino}
            with explained(self._path, log_left=left):
                self._replay()
                self._settings.update(self._db.execute("SELECT name, value FROM settings"))
        except BaseException:
            self.close()
            raise
        self._shorten()

    def transact(
        self, keys: Keys, decide: Decide[Outcome], *, now: datetime
    ) -> tuple[Change, Outcome]:
        """See RecordStore.transact."""
        with self._lock:
            decided = decide(view_of(self._lookup, keys))
            change = decided[0]
            if change.put:
                step = Transacted(now, change.put)
                self._save(lambda db: append(db, step))
                self._apply(change, now)
                self._steps += 1
                self._shorten()
            return decided

    def reset(self, records: Iterable[Record], settings: Mapping[str, str]) -> None:
        """See Store.reset."""
        kept = tuple(records)

        def write(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.execute("DELETE FROM log")
                db.execute("DELETE FROM journal")
                append(db, Kept(kept))
                _save_settings(db, settings)

        with self._lock:
            self._save(write)
            self._begin_with(kept, settings)
            self._steps = 0

    def save_settings(self, settings: Mapping[str, str]) -> None:
        """See SettingsStore.save_settings."""

        def write(db: sqlite3.Connection) -> None:
            with transaction(db):
                _save_settings(db, settings)

        with self._lock:
            self._save(write)
            self._settings.update(settings)

    def append_journal(self, entries: Sequence[bytes]) -> None:
        """See JournalLog.append_journal. The newest JOURNAL_KEPT stay."""

        def write(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.executemany(
                    "INSERT INTO journal (entry) VALUES (?)", ((entry,) for entry in entries)
                )
                db.execute(
                    "DELETE FROM journal WHERE n <= (SELECT max(n) FROM journal) - ?",
                    (JOURNAL_KEPT,),
                )

        with self._lock:
            self._save(write)

    def journal(self, limit: int) -> Sequence[bytes]:
        """See JournalLog.journal."""
        with self._lock, explained(self._path):
            newest = self._db.execute("SELECT entry FROM journal ORDER BY n DESC LIMIT ?", (limit,))
            return [entry for (entry,) in newest][::-1]

    @property
    def problem(self) -> str | None:
        """See Store.problem."""
        return self._problem

    def close(self) -> None:
        """Give the file free for others. Closing twice does nothing."""
        lock = self._lock
        if not isinstance(lock, _Closed):
            with lock, explained(self._path):
                self._lock = _Closed(self._path)
                self._db.close()

    def _save(self, write: Callable[[sqlite3.Connection], object]) -> None:
        """Let this be written, or raise StoreError: then the file is as it was."""
        try:
            self._check_they_are_there()
            write(self._db)
        except sqlite3.Error as error:
            refused = explanation(self._path, error)
            self._problem = str(refused)
            raise refused from error
        except StoreError as error:
            self._problem = str(error)
            raise
        self._problem = None
        if len(self._files) == 1:
            # SQLite makes it with the first change, and keeps it until the end.
            self._files[self._log] = self._log.stat().st_ino

    def _check_they_are_there(self) -> None:
        """Raise StoreError if the file or its log has gone: SQLite would write on, into nothing."""
        try:
            there = all(file.stat().st_ino == inode for file, inode in self._files.items())
        except OSError:
            there = False
        if not there:
            raise StoreError(
                f"{self._path}: it, or the -wal file beside it, was deleted, moved or replaced"
                " while it was in use, and nothing more can be saved; stop this sandbox, and put"
                " the file back or start a new one"
            )

    def _replay(self) -> None:
        """Do again all that was done."""
        for row in rows(self._db):
            match row:
                case Transacted():
                    self._apply(Change(put=row.put), row.at)
                    self._steps += 1
                case Kept():
                    for record in row.put:
                        self._put(record)
                case Orders():
                    self._dead = deque(row.dead)
                    self._finished = OrderedDict.fromkeys(row.finished)
                    self._expiries = row.expiries

    def _shorten(self) -> None:
        """Write the log anew if it is long enough."""
        if self._steps < max(self._steps_kept, len(self._credentials) // 2):
            return
        orders = Orders(list(self._dead), list(self._finished), self._expiries)
        try:
            with transaction(self._db):
                write_anew(self._db, self._records(), orders)
        except sqlite3.Error as error:
            # The log is whole, if long.
            _logger.warning("%s", explanation(self._path, error))
        self._steps = 0


class _Closed:
    """In place of a lock: whoever asks for it is told that the store is closed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Never:
        raise StoreError(f"{self._path}: this store is closed; open it again to use it")

    def __exit__(self, *_: object) -> None: ...


def _save_settings(db: sqlite3.Connection, settings: Mapping[str, str]) -> None:
    db.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", settings.items())
