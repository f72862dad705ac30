"""What every store promises, in the same words for each of them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mp_oauth_sandbox.core.lifetimes import CalendarMonths, Lifetimes
from mp_oauth_sandbox.core.records import (
    NOTHING,
    Application,
    Attempt,
    Challenge,
    Change,
    Credential,
    CredentialKind,
    Epochs,
    Grant,
    Keys,
    Link,
    Notification,
    Record,
    Seller,
    View,
    Webhook,
)
from mp_oauth_sandbox.stores.memory import MemoryStore
from mp_oauth_sandbox.stores.protocol import DEAD_KEPT, SWEPT_AT_ONCE, Store
from mp_oauth_sandbox.stores.sqlite import SQLiteStore

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
KINDS: tuple[type[Any], ...] = (Application, Seller, Link, Grant, Credential, Notification)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """How to open one kind of store on a folder, and whether it is still there when reopened."""

    name: str
    open: Callable[[Path, int], Store]
    durable: bool


# A new store is one more line here.
MAKERS = (
    Maker(
        name="memory",
        open=lambda _, kept: MemoryStore(dead_kept=kept, finished_kept=kept),
        durable=False,
    ),
    Maker(
        name="sqlite",
        open=lambda folder, kept: SQLiteStore(
            folder / "store.db", dead_kept=kept, finished_kept=kept
        ),
        durable=True,
    ),
)
every_store = pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.name)


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.name)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = request.param.open(tmp_path, DEAD_KEPT)
    yield store
    store.close()


APPLICATION = Application(
    client_id="1001",
    client_secret="secret",
    name="Tienda",
    redirect_uris=("http://localhost:8000/callback",),
    owner=1,
    access_token="APP_USR-owner",
    public_key="APP_USR-public",
)
SELLER = Seller(user_id=2, nickname="TESTUSER2", country="AR", registered_at=START)
LINK = Link(client_id="1001", user_id=2, live_key="live", test_key="test")
GRANT = Grant(
    grant_id="g1",
    client_id="1001",
    user_id=2,
    scopes=("read",),
    epochs=Epochs(application=0, seller=0, link=0),
)
CODE = Credential(
    secret="TG-code",
    kind=CredentialKind.CODE,
    grant_id="g1",
    generation=0,
    issued_at=START,
    expires_at=START + timedelta(minutes=10),
)
NOTIFICATION = Notification(
    notification_id=7,
    client_id="1001",
    user_id=2,
    action="application.authorized",
    data_id="2",
    live_mode=True,
    created_at=START,
    due_at=START,
)
LINKED = (APPLICATION, SELLER, LINK, GRANT, CODE)


def put(store: Store, *records: Record, now: datetime = START) -> None:
    store.transact(Keys(), lambda _: (Change(put=records), None), now=now)


def find(store: Store, secret: str) -> Credential | None:
    return store.read(Keys(secret=secret)).credential


def spend(store: Store, secret: str, *, now: datetime = START) -> bool:
    """Redeem in miniature: True for the one who spends it."""

    def decide(view: View) -> tuple[Change, bool]:
        credential = view.credential
        if credential is None or credential.spent_at is not None:
            return NOTHING, False
        return Change(put=(replace(credential, spent_at=now),)), True

    return store.transact(Keys(secret=secret), decide, now=now)


def token(number: int, *, lives: timedelta | None = None) -> Credential:
    expires_at = None if lives is None else START + lives
    return replace(
        CODE, secret=f"token-{number}", kind=CredentialKind.ACCESS_TOKEN, expires_at=expires_at
    )


def test_a_credential_is_found_with_its_grant_its_link_its_seller_and_its_application(store: Store):
    put(store, *LINKED)

    assert store.read(Keys(secret="TG-code")) == View(
        application=APPLICATION,
        credential=CODE,
        grant=GRANT,
        issuer=APPLICATION,
        link=LINK,
        seller=SELLER,
    )


def test_another_application_that_presents_a_credential_is_told_from_its_issuer(store: Store):
    other = replace(APPLICATION, client_id="1002")
    put(store, *LINKED, other)

    view = store.read(Keys(client_id="1002", secret="TG-code"))

    assert (view.application, view.issuer, view.link) == (other, APPLICATION, LINK)


def test_an_application_alone_comes_with_its_owner_and_their_link(store: Store):
    owner = replace(SELLER, user_id=1)
    own = replace(LINK, user_id=1)
    put(store, *LINKED, owner, own)

    assert store.read(Keys(client_id="1001")) == View(
        application=APPLICATION, link=own, seller=owner
    )


@pytest.mark.parametrize(
    "keys",
    [
        Keys(),
        Keys(client_id="1003"),
        Keys(client_id=""),
        Keys(secret="TG-unknown"),
        Keys(secret="TG-code\0"),
        Keys(secret="\ud800"),
        Keys(client_id="\udfff", secret="\ud800"),
        Keys(user_id=10**40),
        Keys(client_id="1003", user_id=-1),
        Keys(secret="' OR 1=1 --"),
    ],
)
def test_keys_that_name_nothing_give_an_empty_view(store: Store, keys: Keys):
    put(store, *LINKED)

    assert store.read(keys) == View()


def test_an_unknown_secret_does_not_hide_the_application(store: Store):
    put(store, *LINKED)

    view = store.read(Keys(client_id="1001", secret="TG-unknown"))

    assert view == View(application=APPLICATION)


def test_a_decision_that_raises_leaves_nothing_behind(store: Store):
    put(store, *LINKED)
    before = store.snapshot()

    def decide(view: View) -> tuple[Change, None]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.transact(Keys(secret="TG-code"), decide, now=START)

    assert store.snapshot() == before
    assert spend(store, "TG-code")


def test_deciding_twice_changes_nothing(store: Store):
    put(store, *LINKED)

    put(store, *LINKED)

    assert store.snapshot() == list(LINKED)


def test_a_replaced_record_keeps_its_place(store: Store):
    sellers = [replace(SELLER, user_id=number) for number in (5, 3, 4)]
    put(store, *sellers)
    renamed = replace(sellers[0], nickname="renamed")

    put(store, renamed)

    assert store.page(Seller) == [renamed, *sellers[1:]]


def test_pages_follow_one_another_in_order_of_insertion(store: Store):
    sellers = [replace(SELLER, user_id=number) for number in (5, 30, 4, 1, 2)]
    put(store, *sellers)

    assert store.page(Seller, limit=2) == sellers[:2]
    assert store.page(Seller, after="30", limit=2) == sellers[2:4]
    assert store.page(Seller, after="1", limit=2) == sellers[4:]
    assert store.page(Seller, after="2") == []
    assert store.page(Seller, after="absent") == []
    assert store.page(Application) == []


def test_reset_holds_just_what_it_is_given_in_any_order(store: Store):
    put(store, *LINKED, token(1), replace(SELLER, user_id=9))

    store.reset(iter(reversed(LINKED)))

    assert store.snapshot() == list(LINKED)
    assert spend(store, "TG-code")


def test_a_reset_that_fails_halfway_changes_nothing(store: Store):
    put(store, *LINKED)

    def records() -> Iterator[Record]:
        yield SELLER
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.reset(records())

    assert store.snapshot() == list(LINKED)


def test_settings_are_added_up_and_outlive_a_reset(store: Store):
    store.save_settings({"clock": "1", "mint": "ñ"})
    store.save_settings({"clock": "2"})
    store.reset([])

    assert store.settings() == {"clock": "2", "mint": "ñ"}


@every_store
def test_the_oldest_dead_are_forgotten_and_the_living_never(maker: Maker, tmp_path: Path):
    store = maker.open(tmp_path, 3)
    put(store, APPLICATION, SELLER, LINK, GRANT, *map(token, range(10)))

    for number in (7, 1, 3, 5, 0):
        assert spend(store, f"token-{number}")

    assert [n for n in range(10) if find(store, f"token-{n}") is None] == [1, 7]
    store.close()


@every_store
def test_a_grant_goes_with_the_last_of_its_credentials(maker: Maker, tmp_path: Path):
    store = maker.open(tmp_path, 0)
    put(store, *LINKED, token(1))

    spend(store, "TG-code")
    assert store.page(Grant) == [GRANT]

    spend(store, "token-1")
    assert store.page(Grant) == []
    store.close()


@every_store
def test_the_expired_are_forgotten_a_few_at_a_time(maker: Maker, tmp_path: Path):
    store = maker.open(tmp_path, 0)
    tokens = [token(number, lives=timedelta(seconds=number)) for number in range(10)]
    put(store, *LINKED, *reversed(tokens), now=START - timedelta(seconds=1))
    later = START + timedelta(days=1)

    put(store, SELLER, now=later)

    assert [find(store, token.secret) for token in tokens[:SWEPT_AT_ONCE]] == [None] * SWEPT_AT_ONCE
    assert [find(store, token.secret) for token in tokens[SWEPT_AT_ONCE:]] == tokens[SWEPT_AT_ONCE:]
    store.close()


@every_store
def test_the_oldest_dead_are_dropped_a_few_at_a_time(maker: Maker, tmp_path: Path):
    store = maker.open(tmp_path, 0)
    spent = [replace(token(number), spent_at=START) for number in range(10)]

    put(store, *LINKED, *spent)

    assert [find(store, one.secret) for one in spent] == [None] * SWEPT_AT_ONCE + spent[
        SWEPT_AT_ONCE:
    ]
    store.close()


@every_store
def test_after_a_reset_nothing_earlier_waits_to_expire(maker: Maker, tmp_path: Path):
    store = maker.open(tmp_path, 0)
    put(store, *LINKED, *(token(number, lives=timedelta(seconds=1)) for number in range(10)))
    store.reset(LINKED)

    put(store, SELLER, now=START + timedelta(days=1))

    assert store.page(Credential) == []
    store.close()


def test_a_notification_is_found_with_its_application(store: Store):
    put(store, *LINKED, NOTIFICATION)

    view = store.read(Keys(notification_id=7))

    assert view == View(notification=NOTIFICATION, application=APPLICATION)
    assert store.read(Keys(notification_id=8)) == View()


def test_the_notification_due_first_comes_first_and_those_that_ended_never(store: Store):
    later = replace(NOTIFICATION, notification_id=1, due_at=START + timedelta(seconds=1))
    number_10, number_9 = (replace(NOTIFICATION, notification_id=number) for number in (10, 9))
    put(store, later, number_10, number_9)

    assert store.next_notification() == number_9
    put(store, replace(number_9, status="accepted"), replace(number_10, status="lost"))
    assert store.next_notification() == later
    put(store, replace(later, status="given_up"))
    assert store.next_notification() is None

    again = replace(number_10, due_at=START + timedelta(days=1))
    put(store, again)
    assert store.next_notification() == again


@every_store
def test_notifications_that_ended_first_are_forgotten_and_pending_ones_never(
    maker: Maker, tmp_path: Path
):
    store = maker.open(tmp_path, 3)
    waiting = [replace(NOTIFICATION, notification_id=number) for number in range(10)]
    put(store, *waiting)

    for number in (7, 1, 3, 5, 0):
        put(store, replace(waiting[number], status="accepted"))
    put(store, replace(waiting[3], status="pending"), replace(waiting[8], status="given_up"))

    left = {one.notification_id for one in store.page(Notification)}
    assert left == set(range(10)) - {7, 1}
    store.close()


@every_store
def test_notifications_that_ended_are_dropped_a_few_at_a_time(maker: Maker, tmp_path: Path):
    store = maker.open(tmp_path, 0)
    ended = [replace(NOTIFICATION, notification_id=n, status="accepted") for n in range(10)]

    put(store, *ended)

    assert store.page(Notification) == ended[SWEPT_AT_ONCE:]
    store.close()


def test_only_one_of_many_racers_spends_a_credential(store: Store):
    put(store, *LINKED)
    racers = 32
    line = threading.Barrier(racers)

    def race(_: int) -> bool:
        line.wait()
        return spend(store, "TG-code")

    with ThreadPoolExecutor(racers) as threads:
        outcomes = list(threads.map(race, range(racers)))

    assert outcomes.count(True) == 1


def test_no_change_of_any_thread_is_lost(store: Store):
    put(store, SELLER)

    def raise_epoch(_: int) -> int:
        def decide(view: View) -> tuple[Change, int]:
            assert view.seller is not None
            following = replace(view.seller, epoch=view.seller.epoch + 1)
            return Change(put=(following,)), following.epoch

        return store.transact(Keys(user_id=2), decide, now=START)

    with ThreadPoolExecutor(8) as threads:
        epochs = list(threads.map(raise_epoch, range(200)))

    assert sorted(epochs) == list(range(1, 201))


# Names as people type them: anything but half a surrogate pair, which no parser lets in.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
instants = st.datetimes(timezones=st.just(UTC))
durations = st.timedeltas()
applications = st.builds(
    Application,
    client_id=st.sampled_from(["1001", "1002", "1003"]),
    client_secret=texts,
    name=texts,
    redirect_uris=st.lists(texts, max_size=2).map(tuple),
    owner=st.integers(1, 4),
    access_token=texts,
    public_key=texts,
    pkce_required=st.booleans(),
    scopes=st.lists(texts, max_size=2).map(tuple),
    lifetimes=st.builds(
        Lifetimes,
        authorization_code=durations,
        access_token=durations,
        refresh_token=durations | st.builds(CalendarMonths, months=st.integers(0, 99)),
        client_credentials_token=durations,
    ),
    webhook=st.none() | st.builds(Webhook, url=texts, secret=texts, enabled=st.booleans()),
    status=st.sampled_from(["active", "blocked", "deleted"]),
    epoch=st.integers(0, 9),
    revoked_because=st.none() | texts,
)
sellers = st.builds(
    Seller,
    user_id=st.integers(1, 4),
    nickname=texts,
    country=texts,
    registered_at=instants,
    collaborator_of=st.none() | st.integers(1, 2**63),
    epoch=st.integers(0, 9),
    revoked_because=st.none() | texts,
)
links = st.builds(
    Link,
    client_id=st.sampled_from(["1001", "1002", "1003"]),
    user_id=st.integers(1, 4),
    live_key=texts,
    test_key=texts,
    consented=st.booleans(),
    newer_grants=st.integers(0, 9),
    epoch=st.integers(0, 9),
    revoked_because=st.none() | texts,
)
grants = st.builds(
    Grant,
    grant_id=st.sampled_from(["g1", "g2", "g3"]),
    client_id=st.sampled_from(["1001", "1002", "1003"]),
    user_id=st.integers(1, 4),
    scopes=st.lists(texts, max_size=2).map(tuple),
    epochs=st.builds(Epochs),
    redirect_uri=st.none() | texts,
    challenge=st.none() | st.builds(Challenge, value=texts),
    newer_grants=st.integers(0, 9),
    generation=st.integers(0, 9),
    revoked_because=st.none() | texts,
)
credentials = st.builds(
    Credential,
    secret=texts,
    kind=st.sampled_from(CredentialKind),
    grant_id=st.just("g1"),
    generation=st.integers(0, 9),
    issued_at=instants,
    expires_at=st.none() | instants,
    live_mode=st.booleans(),
    spent_at=st.none() | instants,
)
notifications = st.builds(
    Notification,
    notification_id=st.integers(1, 4),
    client_id=st.sampled_from(["1001", "1002", "1003"]),
    user_id=st.integers(1, 4),
    data_id=texts,
    live_mode=st.booleans(),
    created_at=instants,
    due_at=instants | st.just(START),
    attempts=st.integers(0, 9),
    status=st.sampled_from(["pending", "accepted", "given_up", "lost"]),
    latest=st.lists(
        st.builds(
            Attempt, at=instants, retry=st.integers(0, 9), status=st.integers(0), outcome=texts
        ),
        max_size=2,
    ).map(tuple),
)


@pytest.mark.hypothesis
@every_store
def test_every_record_comes_back_exactly_as_it_was_put(
    maker: Maker, tmp_path_factory: pytest.TempPathFactory
):
    store = maker.open(tmp_path_factory.mktemp("store"), DEAD_KEPT)

    @settings(deadline=None)
    @given(st.tuples(applications, sellers, links, credentials, notifications))
    def round_trip(records: tuple[Application, Seller, Link, Credential, Notification]) -> None:
        store.reset([])
        put(store, *records, GRANT)
        assert store.snapshot() == [*records[:3], GRANT, *records[3:]]

    round_trip()
    store.close()


secrets = st.integers(0, 30)


class Agreement(RuleBasedStateMachine):
    """A store beside the one in memory: whatever is done to both, they say the same."""

    maker: Maker

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.store = self.open()
        self.oracle = MemoryStore(dead_kept=3, finished_kept=3)
        self.now = START
        self.issued: list[str] = []

    def open(self) -> Store:
        return self.maker.open(Path(self.folder.name), 3)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def secret(self, number: int) -> str:
        return self.issued[number % len(self.issued)] if self.issued else "absent"

    def issue(self, tie: str, grant_id: str, lives: int | None) -> Credential:
        # The random beginning decides the order among those that expire at the same instant.
        self.issued.append(f"{tie}-{len(self.issued)}")
        return Credential(
            secret=self.issued[-1],
            kind=CredentialKind.REFRESH_TOKEN,
            grant_id=grant_id,
            generation=1,
            issued_at=self.now,
            expires_at=None if lives is None else self.now + timedelta(seconds=lives),
        )

    def both(self, keys: Keys, change: Callable[[View], Change]) -> None:
        def decide(view: View) -> tuple[Change, View]:
            return change(view), view

        said = self.store.transact(keys, decide, now=self.now)
        assert said == self.oracle.transact(keys, decide, now=self.now)

    @initialize()
    def begin(self) -> None:
        self.both(Keys(), lambda _: Change(put=LINKED))
        self.issued.append(CODE.secret)

    @rule(record=applications | sellers | links | notifications)
    def put_record(self, record: Record) -> None:
        self.both(Keys(), lambda _: Change(put=(record,)))

    @rule(grant=grants, lives=st.none() | st.integers(0, 40), tie=st.sampled_from("abc"))
    def approve(self, grant: Grant, lives: int | None, tie: str) -> None:
        code = self.issue(tie, grant.grant_id, lives)
        keys = Keys(client_id=grant.client_id, user_id=grant.user_id)
        self.both(keys, lambda _: Change(put=(code, grant)))

    @rule(number=secrets, lives=st.none() | st.integers(0, 40), ties=st.text("abc", min_size=2))
    def redeem(self, number: int, lives: int | None, ties: str) -> None:
        secret = self.secret(number)
        view = self.oracle.read(Keys(secret=secret))
        if view.credential is None or view.grant is None:
            return
        new = [self.issue(tie, view.grant.grant_id, lives) for tie in ties[:2]]
        generation = view.grant.generation + 1

        def change(view: View) -> Change:
            assert view.credential is not None
            assert view.grant is not None
            spent = replace(view.credential, spent_at=self.now)
            unchanged = (view.link,) if view.link else ()
            grant = replace(view.grant, generation=generation)
            return Change(put=(*unchanged, spent, grant, *new))

        self.both(Keys(secret=secret), change)

    @rule(numbers=st.lists(secrets, min_size=1, max_size=6))
    def spend_some(self, numbers: list[int]) -> None:
        found = [self.oracle.read(Keys(secret=self.secret(n))).credential for n in numbers]
        spent = tuple(replace(one, spent_at=self.now) for one in found if one is not None)
        self.both(Keys(), lambda _: Change(put=spent))

    @rule(seconds=st.sampled_from([0, 1, 5, 30, 10**7]))
    def advance(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(
        client_id=st.sampled_from([None, "1001", "1002", "1003", "absent"]),
        number=st.none() | secrets,
        user_id=st.none() | st.integers(1, 5),
        notification_id=st.none() | st.integers(1, 5),
    )
    def read(
        self,
        client_id: str | None,
        number: int | None,
        user_id: int | None,
        notification_id: int | None,
    ) -> None:
        secret = None if number is None else self.secret(number)
        keys = Keys(
            client_id=client_id, secret=secret, user_id=user_id, notification_id=notification_id
        )
        assert self.store.read(keys) == self.oracle.read(keys)

    @rule(
        kind=st.sampled_from(KINDS),
        after=st.sampled_from(["", "1001", "2", "1001/2", "g2", "absent"]),
        limit=st.integers(0, 4),
    )
    def page(self, kind: type[Any], after: str, limit: int) -> None:
        said = self.store.page(kind, after=after, limit=limit)
        assert said == self.oracle.page(kind, after=after, limit=limit)

    @rule(number=secrets)
    def fail(self, number: int) -> None:
        def change(view: View) -> Change:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            self.both(Keys(secret=self.secret(number)), change)

    @rule()
    def start_again_from_a_snapshot(self) -> None:
        records = self.store.snapshot()
        self.store.reset(records)
        self.oracle.reset(records)

    @precondition(lambda self: self.maker.durable)
    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.open()

    @rule(name=st.sampled_from("ab"), value=texts)
    def save_setting(self, name: str, value: str) -> None:
        self.store.save_settings({name: value})
        self.oracle.save_settings({name: value})
        assert self.store.settings() == self.oracle.settings()

    @invariant()
    def same_records_in_the_same_order(self) -> None:
        assert self.store.snapshot() == self.oracle.snapshot()
        assert self.store.next_notification() == self.oracle.next_notification()


@pytest.mark.hypothesis
@every_store
def test_whatever_happens_a_store_agrees_with_memory(maker: Maker):
    machine = type("Agreement", (Agreement,), {"maker": maker})

    run_state_machine_as_test(machine, settings=settings(deadline=None, stateful_step_count=40))
