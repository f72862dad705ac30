"""Signed notifications, and those that only look like it."""

import hashlib
import hmac
from collections.abc import Callable

import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

from .person import Person
from .running import WEBHOOK_SECRET, Running


def deauthorize(sandbox: Sandbox, application: Application, seller: Seller) -> None:
    """Say that the seller has unlinked, whether it is so or not."""
    sandbox.webhooks.simulate(application, seller, action="application.deauthorized")
    sandbox.webhooks.settle()


def answers(sandbox: Sandbox) -> list[int]:
    """What the example has answered to notifications, oldest first."""
    return [entry.status for entry in sandbox.journal.query(kind="webhook") if entry.status]


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_a_seller_who_unlinks_on_the_other_side_is_unlinked_by_the_notification(
    unit: str, notified: Application, linked: Person, mp_sandbox: Sandbox, seller: Seller
):
    mp_sandbox.change_profile(webhook_ts=unit)

    mp_sandbox.unlink(notified, seller)
    mp_sandbox.webhooks.settle()

    assert set(answers(mp_sandbox)) == {200}
    assert linked.status == "unlinked"
    assert linked.sell().status_code == 409
    mp_sandbox.journal.assert_count(0, kind="resource")
    linked.link(seller)
    assert (linked.status, linked.sell().status_code) == ("linked", 200)


def test_a_notification_ends_the_link_of_its_seller_only(
    notified: Application,
    linked: Person,
    person: Callable[[str], Person],
    mp_sandbox: Sandbox,
    seller: Seller,
):
    beto = person("beto")
    beto.link(mp_sandbox.create_seller())

    deauthorize(mp_sandbox, notified, seller)

    assert (linked.status, beto.status) == ("unlinked", "linked")
    assert beto.sell().status_code == 200


@pytest.mark.parametrize("how", ["unsigned", "wrong-secret", "old-timestamp"])
def test_a_forged_or_replayed_notification_is_refused_and_unlinks_nobody(
    how: str, notified: Application, linked: Person, mp_sandbox: Sandbox, seller: Seller
):
    mp_sandbox.webhooks.settle()
    mp_sandbox.faults.add("webhook", how=how)

    deauthorize(mp_sandbox, notified, seller)

    assert answers(mp_sandbox) == [200, 401]
    assert (linked.status, linked.sell().status_code) == ("linked", 200)


def test_a_notification_signed_for_another_application_is_refused(
    notified: Application, linked: Person, mp_sandbox: Sandbox, seller: Seller
):
    mp_sandbox.webhooks.settle()
    mp_sandbox.faults.add("webhook", how="other-application")

    deauthorize(mp_sandbox, notified, seller)

    assert answers(mp_sandbox) == [200, 401]
    assert linked.status == "linked"


def test_a_notification_without_a_request_id_is_accepted_if_it_is_signed_so(
    notified: Application, linked: Person, mp_sandbox: Sandbox, seller: Seller
):
    mp_sandbox.webhooks.settle()
    mp_sandbox.faults.add("webhook", how="without-request-id")

    deauthorize(mp_sandbox, notified, seller)

    assert answers(mp_sandbox) == [200, 200]
    assert linked.status == "unlinked"


@pytest.mark.parametrize(
    "signature",
    ["", "ts=1", "v1=00", "ts=,v1=", "ts=1,v1=zz", "ts=1;v1=" + "0" * 64, "ts=1,v1=" + "0" * 64],
)
def test_a_signature_of_any_other_form_is_refused(signature: str, example: Running):
    with example.http() as anybody:
        answer = anybody.post(
            "/mp/webhook?data.id=1&type=mp-connect",
            json={"action": "application.deauthorized", "user_id": 1},
            headers={"x-signature": signature, "origin": "https://evil.example"},
        )

    assert answer.status_code == 401


def test_a_signature_is_good_for_its_own_seller_and_request_only(
    linked: Person, mp_sandbox: Sandbox, seller: Seller, example: Running
):
    ts = str(int(mp_sandbox.clock().timestamp()))
    manifest = f"id:{seller.user_id};request-id:r1;ts:{ts};"
    v1 = hmac.new(WEBHOOK_SECRET.encode(), manifest.encode(), hashlib.sha256).hexdigest()

    body = {
        "action": "application.deauthorized",
        "api_version": "v1",
        "data": {"id": str(seller.user_id)},
        "date_created": "2020-01-01T00:00:00.000Z",
        "id": 100000000000,
        "live_mode": True,
        "type": "mp-connect",
        "user_id": seller.user_id,
    }

    def answer(data_id: str, request_id: str, ts: str) -> int:
        with example.http() as sender:
            return sender.post(
                f"/mp/webhook?{data_id}type=mp-connect",
                json=body,
                headers={"x-signature": f"ts={ts},v1={v1}", "x-request-id": request_id},
            ).status_code

    assert answer("data.id=1&", "r1", ts) == 401
    assert answer("", "r1", ts) == 401
    assert answer(f"data.id={seller.user_id}&", "r2", ts) == 401
    assert answer(f"data.id={seller.user_id}&", "r1", str(int(ts) + 1)) == 401
    # The genuine one, about something that happened long before the link.
    assert answer(f"data.id={seller.user_id}&", "r1", ts) == 200
    assert linked.status == "linked"


def test_duplicates_change_nothing_also_after_the_seller_has_linked_again(
    notified: Application, linked: Person, mp_sandbox: Sandbox, seller: Seller
):
    mp_sandbox.webhooks.settle()
    mp_sandbox.faults.add("webhook", how="duplicate")
    deauthorize(mp_sandbox, notified, seller)
    assert answers(mp_sandbox) == [200, 200, 200]
    assert linked.status == "unlinked"

    linked.link(seller)
    for notification in mp_sandbox.webhooks.list():
        mp_sandbox.webhooks.resend(notification.notification_id)
    mp_sandbox.webhooks.settle()

    assert set(answers(mp_sandbox)) == {200}
    assert (linked.status, linked.sell().status_code) == ("linked", 200)


def test_a_late_notification_does_not_end_a_newer_link(
    notified: Application,
    linked: Person,
    mp_sandbox: Sandbox,
    seller: Seller,
    advance: Callable[..., None],
):
    mp_sandbox.webhooks.settle()
    mp_sandbox.faults.add("webhook", how="late", seconds=1200)
    mp_sandbox.unlink(notified, seller)
    advance(minutes=10)
    linked.log_in().link(seller)
    mp_sandbox.webhooks.settle()
    before = len(answers(mp_sandbox))

    advance(minutes=11)
    mp_sandbox.webhooks.settle()

    assert len(answers(mp_sandbox)) == before + 1
    assert set(answers(mp_sandbox)) == {200}
    assert (linked.log_in().status, linked.sell().status_code) == ("linked", 200)


def test_a_notification_that_a_seller_is_linked_links_nobody(
    notified: Application, ana: Person, mp_sandbox: Sandbox, seller: Seller, example: Running
):
    mp_sandbox.webhooks.simulate(notified, seller)
    mp_sandbox.webhooks.settle()

    assert answers(mp_sandbox) == [200]
    assert ana.status == "none"
    assert example.links() == []


def test_a_notification_about_a_seller_whom_nobody_has_linked_is_accepted(
    notified: Application, linked: Person, mp_sandbox: Sandbox
):
    deauthorize(mp_sandbox, notified, mp_sandbox.create_seller())

    assert set(answers(mp_sandbox)) == {200}
    assert linked.status == "linked"
