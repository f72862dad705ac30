"""What a delivery tells of its receiver."""

from typing import get_args

import pytest

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.reception import (
    AS_IT_SHOULD_BE,
    GENUINE,
    ROWS,
    Flaws,
    Judgement,
    Received,
    Reception,
    judge,
)
from mp_oauth_sandbox.core.records import WebhookAction

FORGED = Flaws(signature="it had no x-signature")
OLD = Flaws(timestamp="its ts lay 10 min in the past")


def judged(
    status: int,
    flaws: Flaws = GENUINE,
    *,
    failure: Reception | None = None,
    action: WebhookAction = "application.deauthorized",
) -> Judgement | None:
    return judge(
        Received(
            action=action,
            status=status,
            failure=failure,
            problem="the problem",
            follows="Something follows.",
            flaws=flaws,
        )
    )


def reception(status: int, flaws: Flaws = GENUINE) -> Reception | None:
    told = judged(status, flaws)
    return None if told is None else told.reception


def test_every_reception_has_its_row_and_no_word_is_a_cause_too():
    assert set(ROWS) == set(Reception)
    assert not {*Reception} & {*Cause}


@pytest.mark.parametrize("status", [200, 201])
def test_there_is_nothing_to_say_of_what_is_genuine_and_confirmed(status: int):
    assert judged(status) is None
    assert judged(status, Flaws(request_id="It had no x-request-id.")) is None


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_success_accepts_what_must_not_be_believed(status: int):
    assert reception(status, FORGED) is Reception.FORGERY_ACCEPTED
    assert reception(status, OLD) is Reception.REPLAY_ACCEPTED


@pytest.mark.parametrize("status", [400, 401, 403, 409, 422])
def test_only_what_must_not_be_believed_is_rightly_refused(status: int):
    assert reception(status, FORGED) is Reception.FORGERY_REFUSED
    assert reception(status, OLD) is Reception.FORGERY_REFUSED
    assert reception(status) is Reception.NOTIFICATION_REFUSED
    assert frozenset({Reception.FORGERY_REFUSED}) == AS_IT_SHOULD_BE


@pytest.mark.parametrize("status", [404, 405, 408, 411, 413, 415, 429])
def test_who_does_not_look_at_a_forgery_has_not_refused_it(status: int):
    told = judged(status, FORGED)

    assert told is not None
    assert told.reception is Reception.NOTIFICATION_REFUSED
    assert "not genuine (it had no x-signature): the answer to that is 401" in told.explanation
    assert "HMAC" not in told.remedy


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (202, Reception.NOTIFICATION_UNCONFIRMED),
        (204, Reception.NOTIFICATION_UNCONFIRMED),
        (301, Reception.RECEIVER_REDIRECTED),
        (307, Reception.RECEIVER_REDIRECTED),
        (500, Reception.RECEIVER_FAILED),
        (503, Reception.RECEIVER_FAILED),
        (700, Reception.NOTIFICATION_UNCONFIRMED),
    ],
)
def test_what_does_not_confirm_is_told_apart(status: int, expected: Reception):
    assert reception(status) is expected


@pytest.mark.parametrize("action", get_args(WebhookAction))
@pytest.mark.parametrize("flaws", [GENUINE, FORGED, OLD])
@pytest.mark.parametrize("one", Reception)
def test_every_judgement_is_whole_sentences(one: Reception, flaws: Flaws, action: WebhookAction):
    told = judged(418, flaws, failure=one, action=action)

    assert told is not None
    assert told.reception is one
    for text in (told.explanation, told.remedy, told.source):
        assert text
        assert not set("{}\n") & set(text)
    assert told.explanation.endswith(".")
    assert told.remedy.endswith((".", ")", "?"))


@pytest.mark.parametrize(
    "one",
    sorted(set(Reception) - {Reception.FORGERY_ACCEPTED, Reception.REPLAY_ACCEPTED}),
)
def test_whatever_is_not_confirmed_says_what_mercado_pago_does_next(one: Reception):
    told = judged(418, failure=one)

    assert told is not None
    assert "Something follows." in told.explanation


def test_what_a_forger_can_do_depends_on_what_was_told():
    unlinked = judged(200, FORGED)
    linked = judged(200, FORGED, action="application.authorized")

    assert unlinked is not None
    assert linked is not None
    assert "believe that a seller has unlinked" in unlinked.explanation
    assert "believe that a seller has linked" in linked.explanation


def test_what_to_check_is_what_was_wrong():
    stranger = Flaws(signature="signed by another", user="of seller 7", timestamp="long ago")

    told, signed = judged(200, stranger), judged(200, FORGED)

    assert told is not None
    assert signed is not None
    assert "signed by another and of seller 7 and long ago" in told.explanation
    assert "id:<data.id of the query>;request-id:<x-request-id>;ts:<ts>;" in told.remedy
    assert "Check the user too" in told.remedy
    assert "Check the timestamp too" in told.remedy
    assert "too:" not in signed.remedy
