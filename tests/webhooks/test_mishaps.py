"""What each fault makes of a delivery, as a receiver sees it."""

from collections.abc import Callable, Sequence

import httpx
import pytest
from mercadopago.webhook import (
    InvalidWebhookSignatureError,
    SignatureFailureReason,
    WebhookSignatureValidator,
)

from mp_oauth_sandbox import Application, Notification, Sandbox, Seller, StoreError
from mp_oauth_sandbox.faults.webhook import WebhookFault, WebhookHow
from mp_oauth_sandbox.webhooks.public import Webhooks

from .conftest import SECRET, START, register
from .receiver import Received, Receiver, status

Befall = Callable[..., None]


@pytest.fixture(params=["python", "http"])
def befall(request: pytest.FixtureRequest, sandbox: Sandbox) -> Befall:
    """Let a fault befall the next notifications, `times` of them, by either door."""

    def befall(how: WebhookHow, *, seconds: int = 600, times: int = 1) -> None:
        if request.param == "python":
            sandbox.faults.add(WebhookFault(how=how, seconds=seconds, times=times))
            return
        with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as http:
            body = {"kind": "webhook", "how": how, "seconds": seconds, "times": times}
            assert http.post("/_sandbox/faults", json=body).status_code == 201

    return befall


def told(sandbox: Sandbox, application: Application, seller: Seller) -> Notification:
    """The state of one more notification, after whatever was due has been delivered."""
    number = sandbox.webhooks.simulate(application, seller).notification_id
    sandbox.webhooks.settle()
    return next(one for one in sandbox.webhooks.list() if one.notification_id == number)


def verdict(received: Received, secret: str = SECRET) -> SignatureFailureReason | None:
    """What the official validator finds wrong, with ten minutes of tolerance."""
    headers = received.headers
    try:
        WebhookSignatureValidator.validate(
            headers.get("X-Signature"),
            headers.get("X-Request-Id"),
            received.data_id,
            secret,
            tolerance_seconds=300,
            now=lambda: START.timestamp() * 1000,
        )
    except InvalidWebhookSignatureError as error:
        return error.reason
    return None


def test_without_a_fault_the_official_validator_is_content(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    told(sandbox, application, seller)

    assert verdict(receiver.received[0]) is None
    assert verdict(receiver.received[0], "another") is SignatureFailureReason.SIGNATURE_MISMATCH


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("unsigned", SignatureFailureReason.MISSING_SIGNATURE_HEADER),
        ("wrong-secret", SignatureFailureReason.SIGNATURE_MISMATCH),
        ("old-timestamp", SignatureFailureReason.TIMESTAMP_OUT_OF_TOLERANCE),
        ("other-application", SignatureFailureReason.SIGNATURE_MISMATCH),
        ("without-request-id", None),
    ],
)
def test_a_receiver_that_checks_finds_out_and_gets_the_right_one_later(
    how: WebhookHow,
    reason: SignatureFailureReason | None,
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
    befall: Befall,
):
    receiver.answer = lambda received: status(401 if received.headers["X-Retry"] == "0" else 200)
    befall(how)

    first = told(sandbox, application, seller)
    sandbox.clock.advance(minutes=15)
    sandbox.webhooks.settle()

    wrong, right = receiver.received
    assert first.status == "pending"
    assert verdict(wrong) is reason
    assert right.headers.keys() >= {"X-Signature", "X-Request-Id"}
    assert right.body["user_id"] == seller.user_id
    faults = [entry.faults for entry in sandbox.journal if entry.kind == "webhook"]
    assert faults == [(f"webhook {how}",), ()]


def test_an_old_timestamp_is_as_old_as_asked_and_signed_correctly(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver, befall: Befall
):
    befall("old-timestamp", seconds=3600)

    told(sandbox, application, seller)

    (received,) = receiver.received
    assert received.ts == int(START.timestamp()) - 3600
    assert verdict(received) is SignatureFailureReason.TIMESTAMP_OUT_OF_TOLERANCE


def test_without_a_request_id_its_pair_is_not_signed_either(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver, befall: Befall
):
    befall("without-request-id")

    told(sandbox, application, seller)

    assert "X-Request-Id" not in receiver.received[0].headers
    assert verdict(receiver.received[0]) is None


def test_another_applications_notification_is_about_a_stranger_and_rightly_signed(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver, befall: Befall
):
    register(sandbox, receiver.url, secret="of-the-other")
    befall("other-application")

    told(sandbox, application, seller)

    (received,) = receiver.received
    assert verdict(received, "of-the-other") is None
    stranger = received.body["user_id"]
    assert received.data_id == received.body["data"]["id"] == str(stranger)
    assert sandbox.seller(stranger) is None


def test_another_application_that_shares_the_secret_does_not_make_a_forgery_genuine(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver, befall: Befall
):
    register(sandbox, receiver.url, secret=SECRET)
    befall("other-application")

    told(sandbox, application, seller)

    assert verdict(receiver.received[0]) is SignatureFailureReason.SIGNATURE_MISMATCH


def test_a_duplicate_comes_twice_under_one_number_although_it_was_accepted(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver, befall: Befall
):
    befall("duplicate")
    receiver.answer = lambda received: status(200 if received.headers["X-Retry"] == "0" else 500)

    notification = told(sandbox, application, seller)

    first, second = receiver.received
    assert first.body == second.body
    assert (notification.status, notification.attempts) == ("accepted", 2)
    outcomes = [entry.outcome for entry in sandbox.journal if entry.kind == "webhook"]
    assert outcomes == ["accepted", "not accepted: 500"]


def test_a_lost_one_is_never_sent_and_kept_as_lost(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver, befall: Befall
):
    befall("lost")

    notification = told(sandbox, application, seller)

    assert (notification.status, notification.attempts) == ("lost", 0)
    assert sandbox.journal.last("webhook").outcome == "never sent: lost, by a fault"
    assert receiver.received == []
    sandbox.webhooks.resend(notification.notification_id)
    sandbox.webhooks.settle()
    assert len(receiver.received) == 1


def test_a_late_one_comes_so_many_seconds_later(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver, befall: Befall
):
    befall("late", seconds=90)

    told(sandbox, application, seller)
    sandbox.clock.advance(seconds=89)
    sandbox.webhooks.settle()
    assert receiver.received == []
    sandbox.clock.advance(seconds=1)
    sandbox.webhooks.settle()

    (received,) = receiver.received
    assert received.ts == int(START.timestamp()) + 90
    assert received.body["date_created"] == "2026-06-12T13:14:01.351Z"
    assert sandbox.journal.last("webhook").faults == ("webhook late",)


def test_one_out_of_order_follows_the_next_of_its_application(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver, befall: Befall
):
    other = register(sandbox, receiver.url)
    befall("out-of-order")

    held = told(sandbox, application, seller)
    elsewhere = told(sandbox, other, seller)
    sandbox.clock.advance(seconds=10)
    overtaking = told(sandbox, application, seller)

    assert [received.body["id"] for received in receiver.received] == [
        elsewhere.notification_id,
        overtaking.notification_id,
        held.notification_id,
    ]
    assert receiver.received[-1].ts == int(START.timestamp()) + 10


def test_one_out_of_order_that_nothing_follows_comes_after_an_hour(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver, befall: Befall
):
    befall("out-of-order")

    told(sandbox, application, seller)
    assert receiver.received == []
    sandbox.clock.advance(hours=1)
    sandbox.webhooks.settle()

    assert [received.ts for received in receiver.received] == [int(START.timestamp()) + 3600]


def test_a_reset_forgets_what_was_held_back(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver, befall: Befall
):
    sandbox.keep(application, seller)
    befall("out-of-order")
    told(sandbox, application, seller)

    sandbox.reset()

    told(sandbox, application, seller)
    assert len(receiver.received) == 1


def test_a_reset_that_cannot_be_saved_forgets_nothing(
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
    befall: Befall,
    monkeypatch: pytest.MonkeyPatch,
):
    def full(*_: object) -> None:
        raise StoreError("no room")

    befall("out-of-order")
    held = told(sandbox, application, seller)

    with monkeypatch.context() as patch:
        patch.setattr(sandbox._engine.store, "reset", full)
        with pytest.raises(StoreError, match="no room"):
            sandbox.reset()

    overtaking = told(sandbox, application, seller)
    sandbox.webhooks.settle()
    assert [received.body["id"] for received in receiver.received] == [
        overtaking.notification_id,
        held.notification_id,
    ]


def test_faults_that_fail_are_no_faults(
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
):
    def fail(_: Notification) -> Sequence[WebhookFault]:
        raise ZeroDivisionError

    sandbox._webhooks = Webhooks(sandbox._engine, faults=fail)

    notification = told(sandbox, application, seller)

    assert notification.status == "accepted"
    assert "could not be had" in caplog.text


@pytest.mark.parametrize(
    ("hows", "worked"),
    [
        (("lost", "unsigned"), "lost"),
        (("unsigned", "lost"), "lost"),
        (("wrong-secret", "unsigned"), "unsigned"),
        (("unsigned", "old-timestamp"), "unsigned"),
    ],
)
def test_a_fault_that_another_one_leaves_nothing_to_do_stays_armed(
    sandbox: Sandbox, application: Application, seller: Seller, hows: tuple[str, str], worked: str
):
    armed = [sandbox.faults.add("webhook", how=how, times=1) for how in hows]

    sandbox.webhooks.simulate(application.client_id, seller)
    sandbox.webhooks.settle()

    assert {how: one.used for how, one in zip(hows, armed, strict=True)} == {
        how: int(how == worked) for how in hows
    }
    assert len(sandbox.faults.never_reached()) == 1
