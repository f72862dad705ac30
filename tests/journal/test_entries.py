"""One text explains an entry, and it is the same wherever it is read."""

import pytest

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Whose
from mp_oauth_sandbox.core.refusals import refuse
from mp_oauth_sandbox.journal import Delivery, Happened, Journal

REFUSAL = """\
12:00:00 POST /oauth/token authorization_code -> 400 refused (invalid_grant)
  why: redirect_uri_mismatch. redirect_uri differs from the one of the authorization request.
       sent      https://a/x
       expected  https://a/y
                           ^
  do:  Send the same redirect_uri, byte for byte, in both steps; take it from configuration, \
never from the Host header.
  see: MP, POST /oauth/token reference: invalid_grant; RFC 6749 section 4.1.3"""


def test_a_refusal_says_why_what_to_do_and_where_that_is_written(journal: Journal):
    uris = {"sent": "https://a/x", "nearest": "https://a/y", "caret": " " * 10 + "^"}

    entry = journal.record(
        Happened(
            kind="token",
            request="POST /oauth/token",
            status=400,
            outcome="refused",
            refused=refuse(Cause.REDIRECT_URI_MISMATCH, **uris),
            error="invalid_grant",
            grant_type="authorization_code",
        )
    )

    assert entry.explain() == REFUSAL
    assert str(entry) == REFUSAL
    assert repr(entry) == REFUSAL


def test_faults_are_named_in_the_line_and_in_the_explanation(journal: Journal):
    fault = "f1 lose-response (1st match)"

    entry = journal.record(
        Happened(
            kind="token",
            request="POST /oauth/token",
            status=200,
            outcome="tokens issued",
            whose=Whose(user_id=5),
            faults=(fault, "f2 slow"),
        )
    )

    assert entry.faults == (fault, "f2 slow")
    assert entry.line == f"POST /oauth/token -> 200 tokens issued, fault {fault}, fault f2 slow"
    assert entry.explain() == f"12:00:00 {entry.line}  seller 5"


@pytest.mark.parametrize(
    ("delivery", "said"),
    [
        ("pending", ""),
        ("delivered", ""),
        ("cut_off", "\n  not heard: the connection ended in the middle of the answer"),
        ("dropped", "\n  not heard: a fault hung up instead of answering"),
        ("disconnected", "\n  not heard: the client had gone before the answer was sent"),
    ],
)
def test_an_answer_that_nobody_heard_is_said(journal: Journal, delivery: Delivery, said: str):
    entry = journal.record(Happened(kind="token", request="POST /x", status=200, outcome="done"))

    entry.delivery = delivery

    assert entry.explain() == f"12:00:00 POST /x -> 200 done{said}"


def test_a_webhook_that_nobody_answered_has_no_status(journal: Journal):
    entry = journal.record(
        Happened(
            kind="webhook",
            request="POST http://localhost:1/hook",
            status=0,
            outcome="nobody answered",
            delivery="disconnected",
        )
    )

    assert entry.explain() == "12:00:00 POST http://localhost:1/hook -> nobody answered"


def test_an_expired_token_tells_its_age_in_seconds(shop):
    token = shop.redeem(shop.code(shop.ana))["access_token"]
    assert shop.use(token) == 200
    shop.sandbox.clock.advance(days=180, seconds=7)

    assert shop.use(token) == 401

    facts = shop.sandbox.journal.last().facts
    assert (facts["age_seconds"], facts["expired_seconds"]) == ("15552007", "7")


def test_the_control_api_explains_in_the_same_words(shop):
    shop.redeem("TG-nonsense")

    (shown,) = shop.client.get("/_sandbox/journal?kind=token").json()["entries"]

    assert shown["explain"] == str(shop.sandbox.journal.last())
    assert shown["faults"] == []
