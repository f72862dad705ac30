"""What every store promises, and what the flows make of one that fails."""

import gc
import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mp_oauth_sandbox.client import (
    Link,
    Linked,
    MemoryPendingStore,
    MemoryTokenStore,
    NotLinked,
    NotLinkedError,
    Pending,
    Reason,
    SQLitePendingStore,
    SQLiteTokenStore,
    dump,
    load,
)
from mp_oauth_sandbox.client.steps import Answer

from .world import START, World, answer, granting, interleave, opened

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(microseconds=1), NOW + timedelta(microseconds=1)


def link(account: str = "shop-1", **values: Any) -> Link:
    usual: dict[str, Any] = {
        "generation": 1,
        "status": "linked",
        "seller_id": 77,
        "linked_at": START,
        "issued_at": START,
        "expires_at": START + timedelta(days=180),
        "access_token": "APP_USR-1",
        "refresh_token": "TG-1",
        "renew_at": NOW,
    }
    return Link(account=account, **(usual | values))


def pending(state_hash: str = "a" * 64, **values: Any) -> Pending:
    usual: dict[str, Any] = {"generation": 1, "owner": "o" * 64, "expires_at": NOW}
    return Pending(state_hash=state_hash, **(usual | values))


class Kept:
    """A kind of store, and ways to open it once more over what is kept."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.path = folder / "kept.db"
        self._sqlite = kind == "sqlite"
        self._memory = MemoryTokenStore(), MemoryPendingStore()

    def links(self) -> Any:
        return SQLiteTokenStore(self.path) if self._sqlite else self._memory[0]

    def pending(self) -> Any:
        return SQLitePendingStore(self.path) if self._sqlite else self._memory[1]


@pytest.fixture(params=["memory", "sqlite"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    return Kept(request.param, tmp_path)


@pytest.fixture(params=["links", "pending"])
def each(request: pytest.FixtureRequest, kept: Kept) -> tuple[Callable[[], Any], Any]:
    """How to open a store, and a record to keep in it."""
    if request.param == "links":
        return kept.links, link()
    return kept.pending, pending()


# ---- compare and swap ----


def test_a_record_is_kept_if_there_was_none(each: tuple[Callable[[], Any], Any]):
    opened, record = each
    assert opened().get(record.key) is None

    assert opened().replace(record, expected=0) is True
    assert opened().get(record.key) == record

    again = replace(record, generation=7)
    assert opened().replace(again, expected=0) is False
    assert opened().get(record.key) == record


def test_a_record_is_replaced_if_it_is_the_one_that_was_seen(
    each: tuple[Callable[[], Any], Any],
):
    opened, first = each
    second, third = replace(first, generation=2), replace(first, generation=3)
    opened().replace(first, expected=0)

    assert opened().replace(second, expected=1) is True
    assert opened().replace(third, expected=1) is False
    assert opened().replace(third, expected=3) is False
    assert opened().get(first.key) == second
    assert opened().replace(third, expected=2) is True


def test_nothing_is_replaced_where_there_is_nothing(each: tuple[Callable[[], Any], Any]):
    opened, record = each

    assert opened().replace(replace(record, generation=2), expected=1) is False
    assert opened().get(record.key) is None


@pytest.mark.parametrize("first", [True, False], ids=["insert", "update"])
@pytest.mark.parametrize("shared", [True, False], ids=["one store", "a store each"])
def test_of_sixteen_threads_exactly_one_wins(
    first: bool, shared: bool, each: tuple[Callable[[], Any], Any]
):
    opened, record = each
    one = opened()
    stores = [one if shared else opened() for _ in range(16)]
    barrier = Barrier(16)
    generation = 0
    if not first:
        one.replace(record, expected=0)
        generation = 1

    def swap(at: int, expected: int) -> bool:
        mine = replace(record, generation=expected + 1)
        barrier.wait(30)
        return stores[at].replace(mine, expected=expected)

    with ThreadPoolExecutor(16) as threads:
        for expected in range(generation, generation + 5):
            won = list(threads.map(lambda at, now=expected: swap(at, now), range(16)))
            assert won.count(True) == 1
            assert one.get(record.key).generation == expected + 1


def test_links_and_states_do_not_meet(kept: Kept):
    assert kept.links().replace(link("same"), expected=0)
    assert kept.pending().replace(pending("same"), expected=0)

    assert kept.links().get("same") == link("same")
    assert kept.pending().get("same") == pending("same")


# ---- found again ----


def test_what_is_due_comes_longest_due_first(kept: Kept):
    store = kept.links()
    due = {
        "third": link(renew_at=NOW),
        "first": link(renew_at=NOW - timedelta(days=9)),
        "second": link(renew_at=EARLIER),
        "later": link(renew_at=LATER),
        "never": link(renew_at=None),
        "held": link(renew_at=EARLIER, retry_at=LATER),
        "leased": link(renew_at=EARLIER, leased_until=LATER),
        "held no more": link(renew_at=NOW - timedelta(days=20), retry_at=NOW - timedelta(days=10)),
    }
    for account, one in due.items():
        store.replace(replace(one, account=account), expected=0)

    def found(at: datetime, limit: int = 100) -> list[str]:
        return [one.account for one in kept.links().due(at, limit)]

    assert found(NOW) == ["held no more", "first", "second", "third"]
    assert found(NOW, 2) == ["held no more", "first"]
    assert found(NOW, 0) == []
    assert found(NOW - timedelta(days=30)) == []
    assert len(found(NOW + timedelta(days=1))) == 7


def test_what_is_due_follows_a_change(kept: Kept):
    store = kept.links()
    store.replace(link(), expected=0)
    assert store.due(NOW, 1) == [link()]

    store.replace(link(generation=2, renew_at=LATER), expected=1)

    assert store.due(NOW, 1) == []


def test_every_link_of_a_seller_is_found(kept: Kept):
    store = kept.links()
    big = 10**18 - 1
    store.replace(link("a", seller_id=big), expected=0)
    store.replace(link("b", seller_id=big, status="unlinked"), expected=0)
    store.replace(link("c", seller_id=9), expected=0)

    assert {one.account for one in store.of_seller(big)} == {"a", "b"}
    assert [one.account for one in store.of_seller(9)] == ["c"]
    assert list(store.of_seller(99)) == []
    store.replace(link("a", seller_id=9, generation=2), expected=1)
    assert {one.account for one in store.of_seller(9)} == {"a", "c"}


def test_states_that_expired_before_are_forgotten(kept: Kept):
    store = kept.pending()
    for state, at in {"old": EARLIER, "now": NOW, "new": LATER}.items():
        store.replace(pending(state, expires_at=at), expected=0)

    store.purge(NOW)

    assert [state for state in ("old", "now", "new") if store.get(state)] == ["now", "new"]


def test_the_names_of_accounts_are_taken_as_they_are(kept: Kept):
    names = [
        "",
        " ",
        "shop",
        "SHOP",
        "sh\u00f6p",
        "sho\u0308p",
        "a'b",
        "%",
        "a\0b",
        "a",
        "\U0001f600",
    ]
    for name in names:
        assert kept.links().replace(link(name), expected=0), name

    assert [kept.links().get(name).account for name in names] == names


# ---- written down ----

INSTANTS = st.timedeltas(timedelta(days=-10_000), timedelta(days=10_000)).map(START.__add__)
MAYBE_INSTANTS = st.none() | INSTANTS
MAYBE_TEXTS = st.none() | st.text()
LINKS = st.builds(
    Link,
    account=st.text(),
    generation=st.integers(1, 2**62),
    status=st.sampled_from(["linked", "renewing", "needs_relink", "unlinked"]),
    seller_id=st.integers(1, 10**18 - 1),
    linked_at=INSTANTS,
    state_hash=MAYBE_TEXTS,
    issued_at=INSTANTS,
    expires_at=INSTANTS,
    access_token=MAYBE_TEXTS,
    refresh_token=MAYBE_TEXTS,
    renew_at=MAYBE_INSTANTS,
    scopes=st.lists(st.text(), max_size=4).map(tuple),
    live_mode=st.sampled_from([None, True, False]),
    public_key=MAYBE_TEXTS,
    leased_until=MAYBE_INSTANTS,
    retry_at=MAYBE_INSTANTS,
    failures=st.integers(0, 10**6),
    after_refusal=st.booleans(),
    reason=MAYBE_TEXTS,
)
PENDINGS = st.builds(
    Pending,
    state_hash=st.text(),
    generation=st.integers(1, 2**62),
    owner=st.text(),
    expires_at=INSTANTS,
    verifier=MAYBE_TEXTS,
    callback=MAYBE_TEXTS,
    leased_until=MAYBE_INSTANTS,
    ended=MAYBE_TEXTS,
)


@given(record=LINKS)
def test_a_link_is_the_same_after_dump_and_load(record: Link):
    assert load(Link, dump(record)) == record


@given(record=PENDINGS)
def test_a_pending_one_is_the_same_after_dump_and_load(record: Pending):
    assert load(Pending, dump(record)) == record


# Each example is a file of its own, which takes a disk its time.
@settings(max_examples=settings().max_examples // 5)
@given(records=st.lists(LINKS, max_size=9, unique_by=lambda one: one.account))
def test_links_are_the_same_after_a_file(
    records: list[Link], tmp_path_factory: pytest.TempPathFactory
):
    path = tmp_path_factory.mktemp("links") / "kept.db"
    with closing(SQLiteTokenStore(path)) as first, closing(SQLiteTokenStore(path)) as second:
        assert all(first.replace(record, expected=0) for record in records)

        assert [second.get(record.key) for record in records] == records


def test_every_field_is_written_down():
    assert set(json.loads(dump(link()))) == {one.name for one in fields(Link)}
    assert set(json.loads(dump(pending()))) == {one.name for one in fields(Pending)}


@pytest.mark.parametrize(("kind", "record"), [(Link, link()), (Pending, pending())])
def test_what_only_a_later_version_knows_is_dropped(kind: Any, record: Any):
    written = json.loads(dump(record))
    written |= {"colour": "red", "seen_at": "yesterday", "paused_until": 5, "tags": [1]}

    assert load(kind, json.dumps(written)) == record


def test_what_an_earlier_version_did_not_know_is_as_usual():
    written = json.loads(dump(link()))
    for later in ("reason", "after_refusal", "retry_at", "failures"):
        del written[later]

    assert load(Link, json.dumps(written)) == link()


# ---- the file ----


@pytest.mark.parametrize("kind", [SQLiteTokenStore, SQLitePendingStore])
def test_the_file_is_for_its_owner_alone(kind: Any, tmp_path: Path):
    path = tmp_path / "secret.db"
    mask = os.umask(0)
    try:
        store = kind(path)
        store.replace(link() if kind is SQLiteTokenStore else pending(), expected=0)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(mask)

    assert modes["secret.db"] == 0o600
    assert set(modes.values()) == {0o600}
    store.close()


def test_a_store_may_be_used_after_it_was_closed(tmp_path: Path):
    store = SQLiteTokenStore(tmp_path / "kept.db")
    store.close()

    assert store.replace(link(), expected=0)
    assert store.get("shop-1") == link()
    store.close()
    store.close()


def test_a_relative_path_means_where_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    store = SQLiteTokenStore("kept.db")
    store.close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    assert store.replace(link(), expected=0)

    assert SQLiteTokenStore(tmp_path / "kept.db").get("shop-1") == link()
    assert list(elsewhere.iterdir()) == []


def test_a_file_that_is_no_database_is_an_error_at_once(tmp_path: Path):
    path = tmp_path / "kept.db"
    path.write_bytes(b"not a database, " * 100)

    with pytest.raises(sqlite3.DatabaseError):
        SQLiteTokenStore(path)


FORKED = """
import os, sqlite3, sys
from datetime import UTC, datetime
from mp_oauth_sandbox.client import Pending, SQLitePendingStore

def record(key):
    return Pending(state_hash=key, generation=1, owner="o", expires_at=datetime.now(UTC))

connect, opened = sqlite3.connect, []
sqlite3.connect = lambda *args, **more: opened.append(os.getpid()) or connect(*args, **more)
store = SQLitePendingStore(sys.argv[1])
assert store.replace(record("parent"), expected=0)
children = []
for at in range(4):
    child = os.fork()
    if child == 0:
        mine = [store.replace(record(f"{at}-{n}"), expected=0) for n in range(50)]
        found = store.get("parent") is not None
        won = store.replace(record("all"), expected=0)
        own = opened.count(os.getpid()) == 1  # and none of the parent's
        os._exit((0 if all(mine) and found and own else 100) + won)
    children.append(child)
mine = [store.replace(record(f"parent-{n}"), expected=0) for n in range(50)]
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
assert all(mine)
assert sorted(codes) == [0, 0, 0, 1], codes
assert all(store.get(f"{at}-49") for at in range(4))
"""


DAEMON = """
import os, subprocess, sys
from datetime import UTC, datetime
from mp_oauth_sandbox.client import Pending, SQLitePendingStore

def record(key):
    return Pending(state_hash=key, generation=1, owner="o", expires_at=datetime.now(UTC))

def elsewhere(key):
    seen = (
        "import sys; from mp_oauth_sandbox.client import SQLitePendingStore;"
        "print(SQLitePendingStore(sys.argv[1]).get(sys.argv[2]) is not None)"
    )
    again = [sys.executable, "-P", "-c", seen, sys.argv[1], key]
    return subprocess.run(again, capture_output=True, text=True).stdout.strip() == "True"

store = SQLitePendingStore(sys.argv[1])
assert store.replace(record("parent"), expected=0)
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.close(write)
    os.read(read, 1)  # until the parent has closed the store
    kept = store.replace(record("first"), expected=0) and elsewhere("first")
    # Whoever looked there was the last to leave, as far as it could know.
    kept = kept and store.replace(record("second"), expected=0) and elsewhere("second")
    os._exit(0 if kept else 1)
store.close()
os.close(write)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("program", [FORKED, DAEMON], ids=["beside its parent", "after its end"])
def test_a_store_may_be_carried_over_a_fork(program: str, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(tmp_path / "kept.db")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_a_store_that_cannot_be_made_says_so_alone(recwarn: pytest.WarningsRecorder):
    with pytest.raises(TypeError):
        SQLiteTokenStore(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    gc.collect()

    assert not recwarn.list


OPENING = """
import sys
from datetime import UTC, datetime
from mp_oauth_sandbox.client import Pending, SQLitePendingStore, SQLiteTokenStore

print("ready", flush=True)
for path in map(str.strip, sys.stdin):
    try:
        links = SQLiteTokenStore(path)
        store = SQLitePendingStore(path)
        record = Pending(state_hash="s", generation=1, owner="o", expires_at=datetime.now(UTC))
        print(store.replace(record, expected=0), flush=True)
        links.close()
        store.close()
    except BaseException as error:
        print(repr(error), flush=True)
"""


def test_processes_may_open_a_new_file_at_the_same_moment(tmp_path: Path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", OPENING],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for at in range(60):
            answers: list[str] = []
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{tmp_path / str(at)}.db\n")
                process.stdin.flush()
            for process in processes:
                assert process.stdout is not None
                answers.append(process.stdout.readline().strip())
            assert sorted(answers) == ["False", "False", "False", "True"]
    finally:
        for process in processes:
            process.communicate(timeout=30)


def test_a_file_that_another_process_is_just_making_is_waited_for(tmp_path: Path):
    """SQLite itself does not wait for a file to change its kind of journal."""
    path = tmp_path / "kept.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as threads,
    ):
        other.execute("BEGIN EXCLUSIVE")
        opening = threads.submit(SQLiteTokenStore, path)
        with pytest.raises(TimeoutError):
            opening.result(timeout=0.2)
        other.execute("COMMIT")

        assert opening.result(timeout=20).replace(link(), expected=0)


# ---- a store that fails ----


class Brittle(MemoryTokenStore):
    """Fails at chosen calls: before it does anything, or after it has done it."""

    def __init__(self, *, failing: Callable[[str, int], bool], after: bool = False) -> None:
        super().__init__()
        self.calls = 0
        self._failing, self._after = failing, after

    def _maybe(self, name: str) -> None:
        self.calls += 1
        if self._failing(name, self.calls):
            raise OSError("disk full: canary")

    def get(self, key: str, /) -> Link | None:
        self._maybe("get")
        return super().get(key)

    def of_seller(self, seller_id: int, /) -> Any:
        self._maybe("of_seller")
        return super().of_seller(seller_id)

    def replace(self, record: Link, /, *, expected: int) -> bool:
        if not self._after:
            self._maybe("replace")
        done = super().replace(record, expected=expected)
        if self._after:
            self._maybe("replace")
        return done


def exchange(world: World, came: Answer | None = None) -> Linked | NotLinked:
    """A callback whose exchange is answered well."""
    shop = world.worker(deliver=lambda _: came or granting())
    begun = shop.start("shop-1")
    query = f"code=c1&state={httpx.URL(begun.url).params['state']}"
    return shop.callback(query, account="shop-1", binding=begun.binding)


@pytest.mark.parametrize("name", ["get", "of_seller", "replace"])
def test_a_callback_whose_tokens_cannot_be_kept_says_so(name: str, world: World):
    world.links = Brittle(failing=lambda called, _: called == name)

    outcome = exchange(world)

    assert outcome == NotLinked(reason=Reason.NOT_SAVED)
    assert "canary" not in str(world.events)
    assert world.happened("store_failed")[0] == {"problem": "OSError"}


@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_callback_gets_over_one_failure_of_the_store(at: int, after: bool, world: World):
    world.links = Brittle(failing=lambda _, calls: calls == at, after=after)

    outcome = exchange(world)

    assert isinstance(outcome, Linked)
    assert world.kept() == outcome.link


def test_a_seller_who_links_again_is_linked_anew_even_with_the_same_token(world: World):
    """A server may answer with an access token that it has granted before."""
    exchange(world)
    world.clock.advance(days=170)
    refusing = world.worker(deliver=lambda _: answer(400, {"error": "invalid_grant"}))
    assert refusing.access("shop-1").status == "needs_relink"

    outcome = exchange(world, granting(refresh_token="TG-new"))

    assert isinstance(outcome, Linked)
    assert outcome.link == world.kept()
    assert (outcome.link.status, outcome.link.refresh_token) == ("linked", "TG-new")
    assert outcome.link.linked_at == world.clock()


@given(turns=st.lists(st.integers(0, 1), max_size=40), after=st.booleans())
@example(turns=[0] * 4 + [1] * 4 + [0] * 2 + [1] * 2 + [0] * 9, after=True)  # both look, then write
def test_a_store_that_fails_links_one_seller_to_one_account_all_the_same(
    turns: list[int], after: bool
):
    """The first swap of a link is reported as failed, made or not."""
    failed: list[str] = []

    def failing(name: str, _: int) -> bool:
        if name == "replace" and not failed:
            failed.append(name)
            return True
        return False

    with opened() as world:
        world.links = Brittle(failing=failing, after=after)
        workers = [world.worker(), world.worker()]
        flows = []
        for at, worker in enumerate(workers):
            begun = worker.start(f"shop-{at}")
            query = f"code=c{at}&state={httpx.URL(begun.url).params['state']}"
            flows.append(worker.flows.callback(query, account=f"shop-{at}", binding=begun.binding))

        tokens = (granting(access_token=f"APP_USR-{at}") for at in range(2))
        outcomes = interleave(flows, lambda _: next(tokens), world.clock, turns, tick=0.03)

        linked = [isinstance(outcome, Linked) for outcome in outcomes]
        assert linked.count(True) <= 1
        assert [workers[0].status(f"shop-{at}") == "linked" for at in range(2)] == linked


def test_a_state_that_cannot_be_kept_starts_nothing(world: World):
    class Full(MemoryPendingStore):
        def replace(self, record: Pending, /, *, expected: int) -> bool:
            raise OSError("disk full")

    world.pending = Full()

    with pytest.raises(OSError, match="disk full"):
        world.worker().start("shop-1")


def test_a_state_that_cannot_be_spent_is_not_exchanged(world: World):
    class Full(MemoryPendingStore):
        def replace(self, record: Pending, /, *, expected: int) -> bool:
            if expected:
                raise OSError("disk full")
            return super().replace(record, expected=expected)

    world.pending = Full()

    with pytest.raises(OSError, match="disk full"):
        exchange(world)

    assert world.exchanges() == 0


def failing_renewal(world: World, times: int) -> Brittle:
    """A link that is due, over a store that then fails so often to take a new pair."""
    swaps = {"left": times}

    def failing(name: str, _: int) -> bool:
        if name != "replace" or world.refreshes() == 0 or swaps["left"] == 0:
            return False
        swaps["left"] -= 1
        return True

    world.links = store = Brittle(failing=failing)
    world.link(world.worker())
    world.clock.advance(days=170)
    return store


def test_a_pair_that_was_not_kept_is_kept_by_the_next_run_of_the_scheduler(world: World):
    failing_renewal(world, times=4)
    shop = world.worker()
    assert shop.renew_due().postponed == 1
    before = world.kept().access_token
    world.clock.advance(minutes=10)

    assert shop.renew_due().renewed == 1

    assert world.kept().access_token != before
    assert world.refreshes() == 1


def test_a_pair_that_was_not_kept_does_not_undo_an_unlinking(world: World):
    failing_renewal(world, times=4)
    shop = world.worker()
    shop.renew_due()
    world.worker().unlink("shop-1")

    with pytest.raises(NotLinkedError):
        shop.access("shop-1")

    assert world.kept().status == "unlinked"
    assert world.kept().refresh_token is None


def test_a_pair_that_was_not_kept_does_not_undo_a_new_linking(world: World):
    failing_renewal(world, times=4)
    shop = world.worker()
    shop.renew_due()
    again = world.link(world.worker())

    assert shop.access("shop-1") == again


def test_a_renewal_that_was_kept_and_reported_as_failed_is_kept_once(world: World):
    failed = []

    def failing(name: str, _: int) -> bool:
        if name == "replace" and world.refreshes() == 1 and not failed:
            failed.append(name)
            return True
        return False

    world.links = Brittle(failing=failing, after=True)
    world.link(world.worker())
    world.clock.advance(days=170)

    renewed = world.worker().access("shop-1")

    assert failed == ["replace"]
    assert renewed == world.kept()
    assert world.calls(renewed) == 200
    assert world.refreshes() == 1


def test_opening_a_file_again_drops_no_lock_of_this_process(tmp_path: Path):
    """As closing any descriptor of it would: another process could then take the log away."""
    path = tmp_path / "links.sqlite3"
    links = SQLiteTokenStore(path)
    links.get("shop-1")
    pending = SQLitePendingStore(path)
    script = (
        "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA journal_mode=DELETE')"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=False
    )

    assert "database is locked" in done.stderr
    links.close()
    pending.close()
