"""The journal says of each notification how it was received, and what to do about it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from mp_oauth_sandbox import Application, Entry, Sandbox, Seller
from mp_oauth_sandbox.core.reception import Reception
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.faults.webhook import WebhookHow

from .conftest import register
from .receiver import OK, Receiver, status

ACCEPTED = """\
13:14:01 POST {url} application.deauthorized -> 200 accepted, although forged, fault\
 webhook wrong-secret\
  seller 123456789
  why: forgery_accepted. The receiver answered 200 to a forged notification, and so accepted it:\
 it was signed with a secret that is not this application's. Whoever knows the webhook's URL can\
 make the integration believe that a seller has unlinked, and drop a link that still stands.
  do:  Check the signature before anything else: compute the HMAC-SHA256, in hex, of\
 id:<data.id of the query>;request-id:<x-request-id>;ts:<ts>; (without the pair of what is\
 absent) with the secret of this application's webhook, and compare it with v1; answer 401 if it\
 differs or is missing. (A receiver that answers 200 and does nothing looks the same from here:\
 401 tells them apart.)
  see: MP, Configure optional notifications: x-signature; the validators of seven official SDKs"""


def told(
    sandbox: Sandbox, application: Application, seller: Seller, how: WebhookHow | None = None
) -> Entry:
    """The entry of one more notification, an unlinking."""
    if how is not None:
        sandbox.faults.add("webhook", how=how)
    sandbox.webhooks.simulate(application, seller, action="application.deauthorized")
    sandbox.webhooks.settle(20)
    return sandbox.journal.last("webhook")


# ---- what must not be believed ----


def test_a_forgery_that_is_accepted_says_what_an_attacker_can_do_and_what_to_check(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    entry = told(sandbox, application, seller, "wrong-secret")

    assert entry.reception is Reception.FORGERY_ACCEPTED
    assert entry.explain() == ACCEPTED.format(url=receiver.url)


@pytest.mark.parametrize(
    ("how", "reception", "flaw"),
    [
        ("unsigned", "forgery_accepted", "it had no x-signature."),
        ("other-application", "forgery_accepted", "whom this application never linked."),
        ("old-timestamp", "replay_accepted", "its ts lay 10 min in the past."),
    ],
)
def test_each_way_to_be_false_is_named(
    how: WebhookHow,
    reception: str,
    flaw: str,
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
):
    accepted = told(sandbox, application, seller, how)
    receiver.answer = lambda _: status(401)
    refused = told(sandbox, application, seller, how)

    assert accepted.reception == reception
    said = "accepted, although old" if how == "old-timestamp" else "accepted, although forged"
    assert (accepted.outcome, sandbox.webhooks.list()[0].latest[-1].outcome) == (said, said)
    assert flaw in (accepted.explanation or "")
    assert refused.reception == "forgery_refused"
    assert "as it should" in (refused.explanation or "")
    assert refused.remedy == "Nothing: this is how it should be."


def test_what_is_told_of_a_stranger_names_the_stranger(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    entry = told(sandbox, application, seller, "other-application")

    stranger = receiver.received[0].body["user_id"]
    assert f"it told of seller {stranger}, whom" in (entry.explanation or "")
    assert "act on no user_id that this application has not linked" in (entry.remedy or "")


@pytest.mark.parametrize("how", ["duplicate", "without-request-id", "late", "out-of-order"])
def test_what_is_genuine_and_confirmed_says_nothing(
    how: WebhookHow, sandbox: Sandbox, application: Application, seller: Seller
):
    sandbox.faults.add("webhook", how=how)
    sandbox.webhooks.simulate(application, seller)
    sandbox.webhooks.settle()
    sandbox.clock.advance(hours=1)
    sandbox.webhooks.settle()

    entries = sandbox.journal.query(kind="webhook")
    assert entries
    assert {(entry.outcome, entry.reception) for entry in entries} == {("accepted", None)}


# ---- what is genuine, and not confirmed ----


@pytest.mark.parametrize(
    ("answer", "reception", "remedy"),
    [
        (status(401), "notification_refused", "compute the HMAC-SHA256"),
        (status(403), "notification_refused", "CSRF"),
        (status(404), "notification_refused", "path"),
        (status(500), "receiver_failed", "exception"),
        (status(204), "notification_unconfirmed", "Answer 200"),
        (status(302), "receiver_redirected", "the URL to which the redirect leads"),
        (b"", "answer_cut_off", "log"),
        (b"HTTP/1.1 20", "answer_cut_off", "log"),
        (b"220 smtp ready\r\n", "answer_unreadable", "port"),
    ],
)
def test_an_answer_that_does_not_confirm_says_what_follows_and_where_to_look(
    answer: bytes,
    reception: str,
    remedy: str,
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
):
    receiver.answer = lambda _: answer

    entry = told(sandbox, application, seller)

    assert entry.reception == reception
    assert "Mercado Pago sends it again after 15 min" in (entry.explanation or "")
    assert remedy in (entry.remedy or "")
    assert f"  why: {reception}. " in str(entry)
    assert (entry.source or "").startswith("MP, Configure optional notifications")


def test_nobody_listening_says_what_follows_and_where_to_look(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    receiver.stop_listening()
    sandbox.change_profile(webhook_retries="2022")

    entry = told(sandbox, application, seller)

    assert entry.reception == "receiver_unreachable"
    assert entry.explanation == (
        "There is no connection to the receiver: connection refused. Mercado Pago sends it again"
        " after 5 min, and gives up after 6 attempts; this was number 1."
    )


def test_an_answer_that_does_not_come_says_what_may_hold_it_up(
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
):
    short = timedelta(milliseconds=100)
    monkeypatch.setattr("mp_oauth_sandbox.webhooks.attempt.answer_within", lambda *_: short)
    receiver.answer = lambda _: None

    entry = told(sandbox, application, seller)

    assert entry.reception == "receiver_silent"
    assert "await sandbox.webhooks.asettle()" in (entry.remedy or "")


@contextmanager
def plain_text(answer: bytes) -> Iterator[int]:
    """The port of a listener that takes one connection and speaks no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take_one() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        taking = threading.Thread(target=take_one)
        taking.start()
        yield listener.getsockname()[1]
        taking.join()


def test_a_receiver_without_tls_says_so(sandbox: Sandbox, seller: Seller):
    with plain_text(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        entry = told(sandbox, register(sandbox, f"https://localhost:{port}/"), seller)

    assert entry.reception == "receiver_untrusted"
    assert "http:// URL" in (entry.remedy or "")


def test_a_name_without_an_address_says_so():
    with Sandbox(live=False, frozen=True, allow_webhook_hosts=["shop.invalid"]) as sandbox:
        seller = sandbox.create_seller()
        entry = told(sandbox, register(sandbox, "http://shop.invalid/"), seller)

    assert entry.reception == "receiver_unresolved"


# ---- found, counted, asserted ----


def test_an_accepted_forgery_is_found_by_the_word_that_says_why(
    sandbox: Sandbox, application: Application, seller: Seller
):
    told(sandbox, application, seller)
    entry = told(sandbox, application, seller, "unsigned")

    assert sandbox.journal.query(cause="forgery_accepted") == [entry]
    assert sandbox.journal.assert_count(1, cause=Reception.FORGERY_ACCEPTED) == [entry]
    assert sandbox.journal.assert_last(kind="webhook", cause="forgery_accepted") is entry
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as http:
        page = http.get("/_sandbox/journal?cause=forgery_accepted").json()
    (found,) = page["entries"]
    assert (found["seq"], found["reception"], found["cause"]) == (
        entry.seq,
        "forgery_accepted",
        None,
    )
    assert found["explain"] == str(entry)


def test_how_a_notification_was_received_is_no_refusal_of_the_sandbox(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    told(sandbox, application, seller, "unsigned")
    receiver.answer = lambda _: status(401)
    told(sandbox, application, seller, "unsigned")
    told(sandbox, application, seller)

    assert sandbox.journal.refusals() == []
    sandbox.journal.assert_no_refusals()
    with pytest.raises(InvalidInputError, match=r"assert_count\(1, cause='forgery_refused'\)"):
        sandbox.journal.assert_refused("forgery_refused")


def test_a_failed_assertion_draws_and_explains_an_accepted_forgery(
    sandbox: Sandbox, application: Application, seller: Seller
):
    told(sandbox, application, seller, "unsigned")

    with pytest.raises(AssertionError) as failed:
        sandbox.journal.assert_last(kind="webhook", status=401)

    assert "-> 200 accepted, although forged: forgery_accepted, fault webhook unsigned" in str(
        failed.value
    )
    assert "  why: forgery_accepted. The receiver answered 200" in str(failed.value)


def test_it_is_still_known_after_a_restart(tmp_path, seller: Seller, receiver: Receiver):
    data = tmp_path / "sandbox.db"
    with Sandbox(live=False, data=data) as sandbox:
        entry = told(sandbox, register(sandbox, receiver.url), sandbox.create_seller(), "unsigned")

    with Sandbox(live=False, data=data) as sandbox:
        (kept,) = sandbox.journal.query(cause="forgery_accepted")
    assert str(kept) == str(entry)


def test_whoever_confirms_late_is_told_that_it_is_not_sent_again(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    receiver.answer = lambda one: OK if one.headers["X-Retry"] == "0" else status(500)

    entry = told(sandbox, application, seller, "duplicate")

    assert entry.reception == "receiver_failed"
    assert "It was confirmed before" in (entry.explanation or "")
