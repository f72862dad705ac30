"""Which notifications there are, and when each is sent again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox.core.notify import (
    ATTEMPTS_KEPT,
    after_attempt,
    answer_within,
    retry_after,
    signed_id,
    what_follows,
)
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import Application, Attempt, Notification, Webhook
from mp_oauth_sandbox.core.revoke import REVOCATIONS

from .world import World

START = datetime(2026, 1, 1, tzinfo=UTC)
OLD = Profile(webhook_retries="2022")
HOOK = Webhook(url="http://localhost/", secret="s")
WAITING = Notification(
    notification_id=1,
    client_id="1",
    user_id=2,
    action="application.authorized",
    data_id="2",
    live_mode=True,
    created_at=START,
    due_at=START,
)


def answered(notification: Notification, status: int, profile: Profile = Profile()) -> Notification:
    attempt = Attempt(
        at=notification.due_at, retry=notification.attempts, status=status, outcome="so"
    )
    return after_attempt(notification, attempt, profile=profile)


def listening(world: World) -> Application:
    return world.edit(world.application(), webhook=HOOK)


def told(world: World) -> list[tuple[str, str, int, str]]:
    return [
        (one.action, one.client_id, one.user_id, one.data_id)
        for one in world.store.page(Notification)
    ]


# ---- which there are ----


def test_an_exchange_and_an_unlinking_are_told(world: World):
    app, seller = listening(world), world.seller()

    world.link(app, seller)
    world.revoke("unlinked", app, seller)

    number = seller.user_id
    assert told(world) == [
        ("application.authorized", app.client_id, number, str(number)),
        ("application.deauthorized", app.client_id, number, str(number)),
    ]


def test_a_refused_exchange_a_refresh_and_client_credentials_are_not_told(world: World):
    app, seller = listening(world), world.seller()
    tokens = world.link(app, seller)

    world.refresh(app, tokens)
    world.try_redeem(app, "TG-unknown")
    world.client_credentials(app)

    assert len(told(world)) == 1


def test_each_new_authorization_is_told_under_a_number_of_its_own(world: World):
    app, seller = listening(world), world.seller()

    world.link(app, seller)
    world.link(app, seller)

    numbers = [one.notification_id for one in world.store.page(Notification)]
    assert len(set(numbers)) == 2
    assert min(numbers) > 100_000_000_000


def test_unlinking_a_seller_who_never_consented_is_not_told(world: World):
    app = listening(world)

    assert world.revoke("unlinked", app)  # the owner, whose link there is from the start

    assert told(world) == []


@pytest.mark.parametrize("reason", sorted(set(REVOCATIONS) - {"unlinked"}))
def test_other_revocations_are_not_told(world: World, reason):
    app, seller = listening(world), world.seller()
    world.link(app, seller)

    world.revoke(reason, app, seller)

    assert len(told(world)) == 1


def test_nothing_is_told_where_no_webhook_is_on(world: World):
    app, seller = world.application(), world.seller()
    world.link(app, seller)
    app = world.edit(app, webhook=replace(HOOK, enabled=False))

    world.link(app, seller)
    world.revoke("unlinked", app, seller)

    assert told(world) == []


def test_the_profile_chooses_the_moment_and_what_data_id_names(world: World):
    world.switch(Profile(webhook_authorized_at="consent", webhook_data_id="client_id"))
    app, seller = listening(world), world.seller()

    code = world.approve(app, seller)
    assert told(world) == [("application.authorized", app.client_id, seller.user_id, app.client_id)]

    world.redeem(app, code)
    assert len(told(world)) == 1


# ---- when they are sent again ----


def test_the_intervals_grow_after_three_quarters_of_an_hour_up_to_four_days():
    minutes = [(retry_after(n, Profile()) or timedelta()) / timedelta(minutes=1) for n in range(20)]

    assert minutes[1:] == [15, 15, 15, 30, 60, 120, 240, 480, 960, 1920, 3840] + [5760] * 8


@given(st.integers(1, 10**9))
def test_every_retry_has_its_time_however_many_there_were(retry: int):
    assert retry_after(retry, Profile()) is not None
    assert (retry_after(retry, OLD) is None) is (retry > 5)


def test_only_the_plan_of_2022_hurries_its_later_answers():
    seconds = [answer_within(n, OLD).total_seconds() for n in range(3)]

    assert seconds == [22, 5, 5]
    assert answer_within(9, Profile()) == timedelta(seconds=22)


@pytest.mark.parametrize("status", [200, 201])
def test_two_statuses_confirm(status: int):
    assert answered(WAITING, status).status == "accepted"


@pytest.mark.parametrize("status", [0, 199, 202, 204, 301, 400, 500])
def test_any_other_answer_makes_it_due_again_from_when_it_was_due(status: int):
    after = answered(WAITING, status)

    assert (after.status, after.due_at) == ("pending", START + timedelta(minutes=15))
    assert after.latest == (Attempt(at=START, retry=0, status=status, outcome="so"),)


def test_what_was_accepted_stays_so():
    assert answered(answered(WAITING, 200), 500).status == "accepted"


def test_only_the_newest_attempts_are_remembered():
    one = WAITING
    for _ in range(ATTEMPTS_KEPT + 5):
        one = answered(one, 500)

    assert one.attempts == ATTEMPTS_KEPT + 5
    assert [attempt.retry for attempt in one.latest] == list(range(5, ATTEMPTS_KEPT + 5))


def test_the_plan_of_24_hours_grows_and_ends_with_the_day():
    profile = Profile(webhook_retries="24 hours")
    gaps = [gap for n in range(1, 20) if (gap := retry_after(n, profile)) is not None]

    minutes = [gap / timedelta(minutes=1) for gap in gaps]
    assert minutes == [15, 30, 60, 120, 240, 480, 495]
    assert sum(gaps, timedelta()) == timedelta(hours=24)
    assert answer_within(9, profile) == timedelta(seconds=22)

    one = WAITING
    for _ in gaps:
        one = answered(one, 500, profile)
    assert (one.status, one.due_at) == ("pending", START + timedelta(hours=24))
    assert answered(one, 500, profile).status == "given_up"


def test_an_id_is_signed_in_lower_case_or_as_it_was_sent():
    assert signed_id("ORD01JQ-x", Profile()) == "ord01jq-x"
    assert signed_id("ORD01JQ-x", Profile(webhook_signed_id="as_sent")) == "ORD01JQ-x"


def test_the_plan_of_2022_gives_up_after_five_retries():
    one = WAITING
    for _ in range(5):
        one = answered(one, 500, OLD)
    assert one.status == "pending"

    assert answered(one, 500, OLD).status == "given_up"


# ---- what is said of it ----


def test_what_follows_is_said_as_it_happens():
    assert what_follows(answered(WAITING, 500), Profile()) == (
        "Mercado Pago sends it again after 15 min, then at intervals that grow to 4 d, and never"
        " gives up."
    )
    assert what_follows(answered(WAITING, 500, OLD), OLD) == (
        "Mercado Pago sends it again after 5 min, and gives up after 6 attempts; this was number 1."
    )


def test_the_last_attempt_is_said_to_be_the_last():
    one = WAITING
    for _ in range(6):
        one = answered(one, 500, OLD)

    assert what_follows(one, OLD) == (
        "Mercado Pago gives up after 6 attempts, of which this was the last."
    )


def test_what_was_confirmed_before_is_said_not_to_be_sent_again():
    one = answered(answered(WAITING, 200), 500)

    assert what_follows(one, Profile()) == (
        "It was confirmed before, so Mercado Pago does not send it again."
    )
