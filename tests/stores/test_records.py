"""What every store promises of records, in the same words for each of them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mp_oauth_sandbox.core.records import (
    Application,
    Change,
    Credential,
    Grant,
    Keys,
    Notification,
    Record,
    Seller,
    View,
)
from mp_oauth_sandbox.stores.protocol import SWEPT_AT_ONCE, Store

from .kinds import (
    APPLICATION,
    CODE,
    GRANT,
    LINK,
    LINKED,
    NOTIFICATION,
    SELLER,
    START,
    Maker,
    every_store,
    find,
    put,
    spend,
    token,
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


def test_a_step_tells_what_it_changed_and_what_came_of_it(store: Store):
    change = Change(put=(SELLER,))

    assert store.transact(Keys(), lambda _: (change, "made"), now=START) == (change, "made")


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

    store.reset(iter(reversed(LINKED)), {})

    assert store.snapshot() == list(LINKED)
    assert spend(store, "TG-code")


def test_a_reset_that_fails_halfway_changes_nothing(store: Store):
    put(store, *LINKED)

    def records() -> Iterator[Record]:
        yield SELLER
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.reset(records(), {})

    assert store.snapshot() == list(LINKED)


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
    store.reset(LINKED, {})

    put(store, SELLER, now=START + timedelta(days=1))

    assert store.page(Credential) == []
    store.close()


def test_a_notification_is_found_with_its_application(store: Store):
    put(store, *LINKED, NOTIFICATION)

    view = store.read(Keys(notification_id=7))

    assert view == View(notification=NOTIFICATION, application=APPLICATION)
    assert store.read(Keys(notification_id=8)) == View()


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

        return store.transact(Keys(user_id=2), decide, now=START)[1]

    with ThreadPoolExecutor(8) as threads:
        epochs = list(threads.map(raise_epoch, range(200)))

    assert sorted(epochs) == list(range(1, 201))


def test_the_newest_credentials_come_first(store: Store):
    for number in range(5):
        put(store, token(number))
    put(store, replace(token(1), spent_at=START))

    assert [one.secret for one in store.newest(3)] == ["token-4", "token-3", "token-2"]
    assert len(store.newest(100)) == 5
