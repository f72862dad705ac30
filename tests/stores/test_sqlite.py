"""The store in a file: who may open it, what it survives, and what it says when it cannot."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mp_oauth_sandbox.core.records import (
    NOTHING,
    Change,
    Credential,
    CredentialKind,
    Epochs,
    Grant,
    Keys,
    Record,
    Seller,
    View,
)
from mp_oauth_sandbox.stores.protocol import StoreError
from mp_oauth_sandbox.stores.sqlite import JOURNAL_KEPT, SQLiteStore
from mp_oauth_sandbox.stores.sqlite_log import APPLICATION_ID

from . import kinds

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
SELLER = Seller(user_id=1, nickname="TESTUSER1", country="AR", registered_at=START)
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions, signals and limits")


def put(store: SQLiteStore, *records: Record, now: datetime = START) -> None:
    store.transact(Keys(), lambda _: (Change(put=records), None), now=now)


def refusal(path: Path) -> str:
    """What opening this file is refused with, which always begins with the file's name."""
    with pytest.raises(StoreError) as caught:
        SQLiteStore(path).close()
    name, _, reason = str(caught.value).partition(f"{path}: ")
    assert name == ""
    return reason


@contextmanager
def ordinary_user() -> Iterator[Path]:
    """A folder, and no more rights than anybody has: the superuser is never refused."""
    with tempfile.TemporaryDirectory() as folder:
        superuser = os.geteuid() == 0
        if superuser:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            Path(folder).chmod(0o700)
            if superuser:
                os.seteuid(0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store #1?.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(path)) as store:
        yield store


def test_everything_is_there_after_reopening(path: Path):
    with closing(SQLiteStore(path)) as store:
        put(store, SELLER)
        store.save_settings({"clock": "5"})
        store.append_journal([b"{}"])

    with closing(SQLiteStore(path, sync="full")) as store:
        assert store.snapshot() == [SELLER]
        assert store.settings() == {"clock": "5"}
        assert store.journal(10) == [b"{}"]


def test_the_journal_keeps_a_bounded_number_of_entries(store: SQLiteStore):
    entries = [b"%d" % number for number in range(JOURNAL_KEPT + 5)]
    store.append_journal(entries[:-2])
    store.append_journal(entries[-2:])

    assert store.journal(JOURNAL_KEPT * 2) == entries[5:]


@posix
def test_only_its_owner_can_read_a_new_file(path: Path):
    before = os.umask(0)
    try:
        with closing(SQLiteStore(path)) as store:
            put(store, SELLER)
            modes = {file.name: file.stat().st_mode for file in path.parent.iterdir()}
    finally:
        os.umask(before)

    assert {path.name, f"{path.name}-wal"} <= modes.keys()
    assert {stat.S_IMODE(mode) for mode in modes.values()} == {0o600}


def test_closing_leaves_one_file_and_can_be_repeated(path: Path):
    store = SQLiteStore(path)
    put(store, SELLER)

    store.close()
    store.close()

    assert list(path.parent.iterdir()) == [path]


def test_a_closed_store_says_so(path: Path):
    store = SQLiteStore(path)
    store.close()

    for use in (
        lambda: put(store, SELLER),
        lambda: store.read(Keys()),
        lambda: store.page(Seller),
        store.next_notification,
        store.snapshot,
        lambda: store.reset([], {}),
        store.settings,
        lambda: store.append_journal([b""]),
    ):
        with pytest.raises(StoreError, match=r"this store is closed; open it again"):
            use()


def test_a_second_store_is_refused_at_once_and_the_first_goes_on(store: SQLiteStore, path: Path):
    assert "it is in use by another sandbox; stop that one, or choose another" in refusal(path)

    put(store, SELLER)
    # And still: the refused one has not taken the first one's lock away with it.
    assert "in use" in refusal(path)
    assert store.snapshot() == [SELLER]


def test_another_process_is_refused_at_once(store: SQLiteStore, path: Path):
    put(store, SELLER)
    program = (
        "import sys; from mp_oauth_sandbox.stores.sqlite import SQLiteStore as S; S(*sys.argv[1:])"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "StoreError" in done.stderr.splitlines()[-1]
    assert "it is in use by another sandbox" in done.stderr.splitlines()[-1]


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(path: Path):
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 4")
    before = path.read_bytes()

    assert refusal(path) == (
        "it was written by a newer version (its format is 4, this version knows up to 3); "
        "upgrade, or choose another file"
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [0, -1])
def test_a_file_of_a_version_that_never_was_is_refused_and_left_as_it_is(path: Path, version: int):
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()

    assert f"its format is {version}, which no version has written" in refusal(path)
    assert path.read_bytes() == before


def earlier(path: Path, version: int) -> None:
    """Make a file as an earlier version left it: two approvals, one of them redeemed, and a hook.

    The code that was redeemed died first, then the other one expired.
    """
    script = Path(__file__).with_name("version_2.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(script)
        if version == 1:
            db.execute("DROP TABLE notifications")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_an_earlier_version_is_taken_up_with_all_it_holds(path: Path, version: int):
    earlier(path, version)
    ana = replace(kinds.SELLER, nickname="ANA Ñandú")
    at = START + timedelta(minutes=1)
    second = replace(
        kinds.CODE, secret="TG-second", grant_id="g2", expires_at=at + 4 * (at - START)
    )
    records = [
        *(kinds.APPLICATION, ana, kinds.LINK, kinds.GRANT, replace(kinds.GRANT, grant_id="g2")),
        *(replace(kinds.CODE, spent_at=at), second, kinds.token(1, lives=timedelta(days=180))),
    ]
    waiting = None
    if version == 2:
        waiting = replace(kinds.NOTIFICATION, notification_id=9, due_at=START + timedelta(hours=1))
        records += [replace(kinds.NOTIFICATION, status="accepted", attempts=1), waiting]

    for _ in range(2):  # As it was, and as it has been since.
        with closing(SQLiteStore(path)) as store:
            assert store.snapshot() == records
            assert store.next_notification() == waiting
            assert store.settings() == {"clock": "[5,null]"}
            assert store.journal(5) == [b'{"n":1}', b'{"n":2}']
    with closing(SQLiteStore(path, dead_kept=1)) as store:
        put(store, ana)
        left = [one.secret for one in store.page(Credential)]
    assert left == ["TG-second", "token-1"]


def test_an_application_written_before_there_were_types_may_ask_for_all(path: Path):
    online = replace(kinds.APPLICATION, application_type="online")
    with closing(SQLiteStore(path)) as store:
        put(store, online)
    with closing(sqlite3.connect(path)) as db, db:
        typed = db.execute("SELECT count(*) FROM log WHERE instr(row, 'application_type')")
        assert typed.fetchone() == (1,)
        db.execute(
            "UPDATE log SET row = CAST(replace(CAST(row AS TEXT), ?, '') AS BLOB)",
            ('"application_type":"online",',),
        )

    with closing(SQLiteStore(path)) as store:
        assert store.snapshot() == [replace(online, application_type="any")]


def test_a_file_of_an_earlier_version_that_cannot_be_read_is_left_as_it_is(path: Path):
    earlier(path, 2)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE sellers SET record = '{}'")
    before = path.read_bytes()

    assert refusal(path).startswith("row 1 of its table sellers cannot be understood: ")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"1", b"MP_CLIENT_ID=1\n", b"x" * 99, b"x" * 100, b"x" * 5000],
    ids=lambda content: f"{len(content)} bytes",
)
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path, content: bytes):
    path.write_bytes(content)

    assert "it is not a database, and was left as it is; choose another file" in refusal(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE customers (id)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"],
)
def test_a_database_of_another_program_is_refused_and_left_as_it_is(path: Path, statement: str):
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)
    before = path.read_bytes()

    assert "it is a database of another program, and was left as it is" in refusal(path)
    assert path.read_bytes() == before


def test_an_empty_file_is_a_new_store(path: Path):
    path.touch()

    with closing(SQLiteStore(path)) as store:
        assert store.snapshot() == []


def test_a_folder_is_refused(tmp_path: Path):
    assert refusal(tmp_path).startswith("it is a folder; name a file in it, such as ")


def test_a_missing_folder_is_named(tmp_path: Path):
    missing = tmp_path / "data"

    assert refusal(missing / "mp.db") == f"its folder does not exist; create {missing} first"
    assert not missing.exists()


@posix
def test_a_folder_that_cannot_be_written_is_refused():
    with ordinary_user() as folder:
        folder.chmod(0o500)

        assert "it cannot be created or found (Permission denied)" in refusal(folder / "mp.db")


@posix
def test_a_file_that_cannot_be_written_is_refused():
    with ordinary_user() as folder:
        path = folder / "mp.db"
        SQLiteStore(path).close()
        path.chmod(0o400)

        assert "it cannot be locked; check that you may write it" in refusal(path)


@posix
def test_a_folder_that_became_read_only_is_refused():
    with ordinary_user() as folder:
        path = folder / "mp.db"
        SQLiteStore(path).close()
        folder.chmod(0o500)

        assert "it cannot be written; check the permissions of file and folder" in refusal(path)


@posix
def test_a_file_that_cannot_be_read_is_refused():
    with ordinary_user() as folder:
        path = folder / "mp.db"
        SQLiteStore(path).close()
        path.chmod(0)

        assert "it cannot be opened; check the permissions" in refusal(path)


def test_a_change_that_fails_while_it_is_written_is_not_counted(path: Path):
    grant = Grant(
        grant_id="g",
        client_id="1",
        user_id=1,
        scopes=(),
        epochs=Epochs(application=0, seller=0, link=0),
    )
    code = Credential(
        secret="code",
        kind=CredentialKind.CODE,
        grant_id="g",
        generation=0,
        issued_at=START,
        expires_at=None,
    )
    spent = replace(code, spent_at=START)
    with closing(SQLiteStore(path, dead_kept=1)) as store:
        put(store, grant, code)
        before = store.snapshot()

        for _ in range(3):
            with pytest.raises(UnicodeEncodeError):
                put(store, spent, replace(code, secret="\ud800"))
        assert store.snapshot() == before

        put(store, spent)
        assert store.read(Keys(secret="code")).credential == spent


@pytest.mark.parametrize(
    "row",
    ["X'00'", "'{}'", "7", "'[' || char(0)", """'{"type":"kept","put":[{}]}' """],
)
def test_a_row_that_cannot_be_understood_is_refused_and_left_as_it_is(path: Path, row: str):
    with closing(SQLiteStore(path)) as store:
        put(store, SELLER)
        put(store, replace(SELLER, user_id=2))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE log SET row = {row} WHERE n = 2")  # noqa: S608 - see above
    before = path.read_bytes()

    said = refusal(path)
    assert said.startswith("row 2 of its log cannot be understood: ")
    assert said.endswith("it was left as it is; restore a copy, or choose another file")
    assert path.read_bytes() == before


@posix
def test_a_log_that_belongs_to_another_copy_is_named(path: Path):
    with closing(SQLiteStore(path)) as store:
        put(store, SELLER)
    copy = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE log SET row = '{}'")
        log = path.with_name(f"{path.name}-wal").read_bytes()
    path.write_bytes(copy)
    path.with_name(f"{path.name}-wal").write_bytes(log)

    said = refusal(path)
    assert "row 1 of its log cannot be understood" in said
    assert f"remove {path.name}-wal, which is not of that copy" in said


@posix
@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture):
    path = Path(os.devnull)
    if kind == "pipe":
        path = tmp_path / "pipe"
        os.mkfifo(path)

    assert "it is a device, a pipe or a socket; choose a file" in refusal(path)
    assert caplog.records == []


@posix
@pytest.mark.parametrize("name", ["x" * 300, "dangling"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str):
    path = tmp_path / name
    if name == "dangling":
        path.symlink_to(tmp_path / "nowhere" / "file")

    assert "it cannot be created or found" in refusal(path)


def test_nobody_is_told_to_change_the_mode_of_a_foreign_file(
    path: Path, caplog: pytest.LogCaptureFixture
):
    path.write_bytes(b"#!/bin/sh\n" * 100)
    path.chmod(0o644)

    assert "it is not a database" in refusal(path)
    assert caplog.records == []


def test_a_file_without_its_log_is_refused(path: Path):
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE log")

    assert "it does not hold what a data file of this version holds" in refusal(path)


@posix
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o666, True)])
def test_a_file_that_others_may_read_is_warned_of(
    path: Path, mode: int, warned: bool, caplog: pytest.LogCaptureFixture
):
    SQLiteStore(path).close()
    path.chmod(mode)

    SQLiteStore(path).close()

    told = [f"{path}: others on this machine may read or write it (mode {mode:o}), and it holds"]
    assert [record.message[: len(told[0])] for record in caplog.records] == told[:warned]
    assert stat.S_IMODE(path.stat().st_mode) == mode


def deleted(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_suffix(".old"))


def replaced(path: Path) -> None:
    path.with_suffix(".new").write_bytes(path.read_bytes())
    path.with_suffix(".new").replace(path)


def moved_with_its_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_suffix(".old"))


def deleted_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


@posix
@pytest.mark.parametrize("lose", [deleted, moved, replaced, moved_with_its_folder, deleted_log])
def test_nothing_is_acknowledged_once_the_file_has_gone(
    tmp_path: Path, lose: Callable[[Path], None]
):
    path = tmp_path / "data" / "mp.db"
    path.parent.mkdir()
    with closing(SQLiteStore(path)) as store:
        put(store, SELLER)
        lose(path)

        for change in (
            lambda: put(store, replace(SELLER, user_id=2)),
            lambda: store.reset([], {}),
            lambda: store.save_settings({"clock": "1"}),
            lambda: store.append_journal([b"{}"]),
        ):
            with pytest.raises(StoreError, match="was deleted, moved or replaced while"):
                change()
        assert store.problem is not None
        assert store.snapshot() == [SELLER]


def test_damaged_pages_are_reported_with_the_remedy(path: Path):
    with closing(SQLiteStore(path)) as store:
        put(store, *(replace(SELLER, user_id=number) for number in range(500)))
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * len(content[8192:])
    path.write_bytes(content)

    assert "it is damaged; restore a copy, or choose another file" in refusal(path)


# Registers one seller after another and says so after each: an acknowledged exchange.
ACKNOWLEDGE = """
import resource, signal, sys
from datetime import UTC, datetime
from mp_oauth_sandbox.core.records import Change, Keys, Seller
from mp_oauth_sandbox.stores.protocol import StoreError
from mp_oauth_sandbox.stores.sqlite import SQLiteStore

path, limit, steps_kept = sys.argv[1:]
now = datetime(2026, 1, 1, tzinfo=UTC)
store = SQLiteStore(path, steps_kept=int(steps_kept))
if limit != "none":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
for number in range(1, 100_000):
    seller = Seller(user_id=number, nickname="x" * 900, country="AR", registered_at=now)
    try:
        store.transact(Keys(), lambda view: (Change(put=(seller,)), None), now=now)
    except StoreError as error:
        print(error, flush=True)
        break
    print(number, flush=True)
assert len(store.page(Seller, limit=100_000)) == number - 1
"""


@posix
@pytest.mark.parametrize("steps_kept", [10_000, 7], ids=["", "the log written anew meanwhile"])
def test_every_acknowledged_exchange_survives_a_kill(path: Path, steps_kept: int):
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", ACKNOWLEDGE, str(path), "none", str(steps_kept)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        acknowledged = [int(next(child.stdout)) for _ in range(300)]
        child.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in child.stdout if line.endswith("\n")]
    assert child.returncode == -signal.SIGKILL

    with closing(SQLiteStore(path)) as store:
        kept = [seller.user_id for seller in store.page(Seller, limit=100_000)]

    assert kept[: len(acknowledged)] == acknowledged
    # At most one was written and not yet acknowledged.
    assert len(kept) <= len(acknowledged) + 1


@posix
def test_a_disk_that_takes_no_more_is_reported_and_what_was_acknowledged_stays(path: Path):
    done = subprocess.run(
        [sys.executable, "-P", "-c", ACKNOWLEDGE, str(path), "300000", "10000"],
        capture_output=True,
        text=True,
        check=True,
    )
    *acknowledged, last = done.stdout.splitlines()

    assert last.startswith(f"{path}: the disk ")
    assert len(acknowledged) > 5
    with closing(SQLiteStore(path)) as store:
        assert len(store.page(Seller, limit=100_000)) == len(acknowledged)


def test_a_full_file_is_a_problem_until_something_is_saved(store: SQLiteStore, path: Path):
    connection = store._db
    large = [replace(SELLER, user_id=n, nickname="x" * 5000) for n in range(10, 20)]
    # No page more than it has: SQLite's own answer to a full disk.
    connection.execute("PRAGMA max_page_count = 1")

    with pytest.raises(StoreError) as caught:
        put(store, *large)

    assert str(caught.value).startswith(f"{path}: the disk is full; make room and try again")
    assert store.snapshot() == []
    assert store.problem == str(caught.value)
    store.transact(Keys(), lambda _: (NOTHING, None), now=START)
    assert store.problem == str(caught.value)

    connection.execute("PRAGMA max_page_count = 1000")
    put(store, *large)

    assert store.problem is None


def test_an_exchange_does_the_same_work_however_much_is_stored(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    work: list[int] = []
    connect = sqlite3.connect

    def counting(*args: object, **kwargs: object) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(*args, **kwargs)  # type: ignore[arg-type]  # passed on
        # Called by SQLite's virtual machine after every so many of its instructions.
        db.set_progress_handler(lambda: work.append(1) and None, 10)
        return db

    monkeypatch.setattr(sqlite3, "connect", counting)
    epochs = Epochs(application=0, seller=0, link=0)

    def exchange(store: SQLiteStore, number: int) -> int:
        """Approve and redeem; how much work the redemption was."""
        grant = Grant(
            grant_id=f"g{number}", client_id="1", user_id=1, scopes=("read",), epochs=epochs
        )
        now = START + timedelta(seconds=number)
        code = Credential(
            secret=f"code-{number * 7919 % 100_003}",
            kind=CredentialKind.CODE,
            grant_id=grant.grant_id,
            generation=0,
            issued_at=now,
            expires_at=now + timedelta(minutes=10),
        )
        access_token = replace(code, secret=f"a{code.secret}", kind=CredentialKind.ACCESS_TOKEN)

        def decide(view: View) -> tuple[Change, None]:
            return Change(put=(replace(code, spent_at=now), access_token)), None

        put(store, grant, code, now=now)
        before = len(work)
        store.transact(Keys(secret=code.secret), decide, now=now)
        return len(work) - before

    with closing(SQLiteStore(path, dead_kept=100)) as store:
        price = [exchange(store, number) for number in range(4000)]

    # From 1000 on both sweeps run each time; the first expiry is due after 600.
    assert sum(price[1000:1500]) > 0
    assert sum(price[3500:]) <= sum(price[1000:1500]) * 1.1
