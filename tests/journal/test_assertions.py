"""Assertions over the journal. What they say when they fail is held here word for word."""

import pytest

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.refusals import refuse
from mp_oauth_sandbox.journal import Happened, Journal

SAID = """\
  sandbox                 #1 consent: auto (seller 200000001 approves at once, without a page)
"""

LINKED = """\
  browser     -> sandbox  #2 GET /authorization (state ...#6c3113) -> 302 code issued \
(code TG-...#009414)
  integration -> sandbox  #3 POST /oauth/token authorization_code (code TG-...#009414) -> 200 \
tokens issued (access token APP_USR-...#2be089, refresh token TG-...#b7b914)
"""

AGAIN = """\
  integration -> sandbox  #4 POST /oauth/token authorization_code (code TG-...#009414) -> 400 \
refused: code_already_redeemed"""

WHY = """
12:00:00 POST /oauth/token authorization_code -> 400 refused (invalid_grant)
  why: code_already_redeemed. The code was already redeemed, 0 s ago; a code works once.
  do:  Find the second request: a reloaded callback, a retry after a lost answer, or two workers. \
If the first answer was lost, start the linking again.
  see: MP, POST /oauth/token reference: single use; RFC 6749 section 4.1.2"""

HERE = "   <-- here"


def failing(check, *args, **wanted) -> str:
    with pytest.raises(AssertionError) as failed:
        check(*args, **wanted)
    return str(failed.value)


@pytest.fixture
def story(shop):
    """Ana is linked (2, 3), and her code comes again (4)."""
    code = shop.code(shop.ana)
    shop.redeem(code)
    shop.redeem(code)
    return shop


@pytest.fixture
def told(story) -> Journal:
    return story.sandbox.journal


def test_what_holds_passes_and_gives_the_entry(story, told: Journal):
    assert told.assert_refused("code_already_redeemed").seq == 4
    assert told.assert_refused("code_already_redeemed", seller=story.ana, kind="token").seq == 4
    assert [entry.seq for entry in told.assert_count(2, kind="token")] == [3, 4]
    assert told.assert_last(status=400, cause="code_already_redeemed").seq == 4
    assert told.assert_last(kind="authorization", outcome="code issued", status=302).seq == 2
    told.assert_no_refusals(seller=story.bea)
    told.assert_no_refusals(kind="authorization")


def test_a_refusal_that_did_not_come_shows_what_came_instead(told: Journal):
    assert failing(told.assert_refused, "code_expired") == (
        "expected a refusal (cause code_expired), but there is none. What happened:\n"
        f"{SAID}{LINKED}{AGAIN}"
    )


def test_a_refusal_that_came_is_pointed_at_and_explained(told: Journal):
    assert failing(told.assert_no_refusals, grant_type="authorization_code") == (
        "expected no refusal (grant_type authorization_code), but there is 1 refusal."
        f" What happened:\n{SAID}{LINKED}{AGAIN}{HERE}{WHY}"
    )


def test_a_wrong_number_points_at_those_there_are(story, told: Journal):
    assert failing(told.assert_count, 2, cause="code_already_redeemed") == (
        "expected 2 entries (cause code_already_redeemed), but there is 1 entry."
        f" What happened:\n{SAID}{LINKED}{AGAIN}{HERE}"
    )
    assert failing(told.assert_count, 1, seller=story.bea, since=1) == (
        "expected 1 entries (seller 200000002, after #1), but there are 0 entries."
        " What happened:\n  (nothing)"
    )


def test_another_last_exchange_is_shown_with_what_it_has(story, told: Journal):
    story.sandbox.clock.advance(days=1)

    said = failing(told.assert_last, status=200, outcome="tokens issued")

    assert said == (
        "expected the last exchange to have status 200, outcome tokens issued, but it has"
        f" status 400, outcome refused. What happened:\n{SAID}{LINKED}{AGAIN}{HERE}\n"
        f"  sandbox                 #5 clock: 2026-03-02T12:00:00.000Z{WHY}"
    )


def test_no_exchange_at_all_is_said(journal: Journal):
    assert failing(journal.assert_last, kind="resource", status=200) == (
        "expected an exchange (kind resource) with status 200. What happened:\n  (nothing)"
    )


def test_a_misspelt_cause_is_no_failed_test_but_a_mistake(journal: Journal):
    with pytest.raises(ValueError, match="there is no 'code_expird'"):
        journal.assert_refused("code_expird")
    with pytest.raises(ValueError, match="there is no 'code_expird'"):
        journal.assert_last(cause="code_expird")
    with pytest.raises(TypeError, match="'state' is not one of"):
        journal.assert_last(state=200)  # pyright: ignore[reportCallIssue]


def test_a_long_story_is_cut_down_but_not_what_it_is_about(journal: Journal):
    refused = refuse(Cause.TOKEN_UNKNOWN)
    journal.record(
        Happened(kind="resource", request="GET /x", status=401, outcome="no", refused=refused)
    )
    for _ in range(20):
        journal.record(Happened(kind="resource", request="GET /x", status=200, outcome="answered"))

    lines = failing(journal.assert_no_refusals).splitlines()

    assert lines[1] == "  (left out: 9 others)"
    assert lines[2].endswith("#1 GET /x -> 401 no: token_unknown   <-- here")
    assert [line.split()[3] for line in lines[2:14]] == ["#1", *(f"#{n}" for n in range(11, 22))]


def test_webhooks_faults_and_lost_answers_are_in_the_picture(journal: Journal):
    entry = journal.record(
        Happened(
            kind="token",
            request="POST /oauth/token",
            status=200,
            outcome="tokens issued",
            faults=("f1 lose-response (1st match)",),
        )
    )
    entry.delivery = "dropped"
    journal.record(
        Happened(kind="webhook", request="POST http://ñ/", status=0, outcome="nobody answered")
    )

    assert failing(journal.assert_count, 0, kind="token").splitlines()[1:] == [
        "  integration -> sandbox  #1 POST /oauth/token -> 200 tokens issued, dropped, fault f1"
        " lose-response (1st match)   <-- here",
        "  sandbox     -> webhook  #2 POST http://\\xf1/ -> nobody answered",
    ]
