"""What the journal can be asked, by record or by id, and that a misspelt word is said."""

from datetime import datetime, timedelta

import pytest

from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.journal import Happened, Journal


def numbers(entries) -> list[int]:
    return [entry.seq for entry in entries]


@pytest.fixture
def story(shop):
    """Ana is linked (2, 3), Bea too (5, 6); Ana's code comes again (7), her token late (9)."""
    code = shop.code(shop.ana)
    token = shop.redeem(code)["access_token"]
    shop.redeem(shop.code(shop.bea))
    shop.redeem(code)
    shop.sandbox.clock.advance(days=181)
    shop.use(token)
    return shop


def test_entries_are_found_by_what_they_are(story):
    journal = story.sandbox.journal

    assert numbers(journal.query()) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert numbers(journal.query(kind="authorization")) == [2, 5]
    assert numbers(journal.query(grant_type="authorization_code")) == [3, 6, 7]
    assert numbers(journal.query(cause="token_expired")) == [9]
    assert numbers(journal.query(kind="token", cause="token_expired")) == []


def test_an_application_and_a_seller_are_named_by_record_or_by_id(story):
    journal = story.sandbox.journal
    assert numbers(journal.query(seller=story.bea)) == numbers(journal.query(seller=200000002))

    assert numbers(journal.query(seller=story.bea)) == [5, 6]
    assert numbers(journal.query(application=story.application)) == [2, 3, 5, 6, 7, 9]
    assert numbers(journal.query(application="1")) == []


def test_a_refused_credential_is_its_sellers_though_the_answer_does_not_say_so(story):
    assert numbers(story.sandbox.journal.query(seller=story.ana)) == [2, 3, 7, 9]
    assert numbers(story.sandbox.journal.query(seller=story.ana, since=4)) == [7, 9]


def test_since_is_an_entry_or_an_instant_of_the_sandboxs_clock(story):
    journal = story.sandbox.journal
    late = story.sandbox.clock() - timedelta(days=1)

    assert numbers(journal.query(since=7)) == [8, 9]
    assert numbers(journal.query(since=late)) == [8, 9]
    assert numbers(journal.query(since=late, seller=story.ana)) == [9]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"kind": "tokens"}, "kind: there is no 'tokens'; did you mean token?"),
        (
            {"cause": "code_expird"},
            "cause: there is no 'code_expird'; did you mean code_expired, token_expired",
        ),
        ({"grant_type": "refresh"}, "grant_type: there is no 'refresh'; did you mean"),
        ({"since": datetime(2026, 3, 1)}, "since: the instant must have a zone"),  # noqa: DTZ001
    ],
)
def test_a_word_that_no_entry_has_is_said(journal: Journal, wanted, said: str):
    with pytest.raises(InvalidInputError) as refused:
        journal.query(**wanted)

    assert str(refused.value).startswith(said)


def test_a_filter_that_does_not_exist_is_said(journal: Journal):
    with pytest.raises(TypeError, match="'sellers' is not one of kind, application, seller"):
        journal.query(sellers=5)  # pyright: ignore[reportCallIssue]


def test_the_last_exchange_is_neither_the_tests_own_act_nor_a_webhook(journal: Journal):
    journal.record(
        Happened(kind="token", request="POST /oauth/token", status=200, outcome="tokens issued")
    )
    journal.record(
        Happened(kind="webhook", request="POST http://x/", status=200, outcome="delivered")
    )
    journal.record(Happened(kind="control", request="sandbox", status=200, outcome="clock"))

    assert journal.last().seq == 1
    assert journal.last("webhook").seq == 2


def test_a_subscription_with_an_end_ends_with_a_clear_and_others_go_on(journal: Journal):
    heard: list[str] = []
    journal.subscribe(lambda entry: heard.append(f"stays {entry.seq}"))
    journal.subscribe(lambda _: heard.append("ends"), over=lambda: heard.append("over"))

    journal.clear()
    journal.record(Happened(kind="token", request="", status=200, outcome=""))

    assert heard == ["over", "stays 1"]
    assert journal.listeners == 1


def test_who_listens_to_a_closed_journal_hears_at_once_that_it_is_over(journal: Journal):
    heard: list[str] = []
    journal.close()

    journal.subscribe(lambda _: None, over=lambda: heard.append("over"))()

    assert heard == ["over"]
    assert journal.listeners == 0
