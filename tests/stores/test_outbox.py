"""What every store promises of the outbox, in the same words for each of them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from mp_oauth_sandbox.stores.protocol import DEAD_KEPT, Store

from .kinds import LINKED, NOTIFICATION, START, Maker, every_store, put


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


def test_a_reset_leaves_nothing_to_be_sent(store: Store):
    put(store, *LINKED, NOTIFICATION)

    store.reset(LINKED, {})

    assert store.next_notification() is None


@every_store
def test_what_waits_is_there_after_a_restart_where_the_store_survives_one(
    maker: Maker, tmp_path: Path
):
    store = maker.open(tmp_path, DEAD_KEPT)
    put(store, *LINKED, NOTIFICATION)
    store.close()

    again = maker.open(tmp_path, DEAD_KEPT)

    assert again.next_notification() == (NOTIFICATION if maker.durable else None)
    again.close()
