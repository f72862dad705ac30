"""No entry shows a secret, whoever wrote it and wherever that had come to stand."""

from datetime import UTC, datetime
from string import Formatter
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.messages import Whose
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.refusals import RULES, refuse
from mp_oauth_sandbox.core.shapes import random_part
from mp_oauth_sandbox.engine.mint import Mint
from mp_oauth_sandbox.journal import Happened, Journal, sequence
from mp_oauth_sandbox.journal.masks import masked, masked_paste, masked_refusal

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def minted(fresh: Fresh) -> list[str]:
    """Every kind of code and token."""
    token = {
        live: fresh.access_token("1234567890123456", 5, NOON, live_mode=live, profile=Profile())
        for live in (True, False)
    }
    return [fresh.code(5, NOON), fresh.refresh_token(5, NOON), *token.values()]


def encoded(text: str) -> str:
    """Percent-encoded as by those who encode all but letters and digits."""
    return quote(text, safe="").replace("-", "%2D").replace("_", "%5F")


secrets = st.binary(min_size=64, max_size=64).flatmap(
    lambda drawn: st.sampled_from(
        minted(Fresh(randomness=drawn, machine=drawn[:3], counter=drawn[3], serial=1))
    )
)
spellings = st.sampled_from(
    [
        str,
        encoded,
        lambda text: encoded(encoded(text)),
        lambda text: encoded(text).replace("%2D", "%2d"),
    ]
)
around = st.sampled_from(["", "x", " ", "/", "key_", "?code=", "https://shop.example/cb?state=1&"])

KNOWN: dict[str, Any] = {"kind": "token", "request": "POST /x", "status": 400, "outcome": "refused"}
SAID = ("request", "outcome", "error", "grant_type", "client_id")


def saying(field: str, text: str, cause: Cause) -> Happened:
    """What happened, with that text in one of its fields."""
    match field:
        case "facts":
            return Happened(**KNOWN, facts={"redirect_uri": text})
        case "faults":
            return Happened(**KNOWN, faults=(text,))
        case "refused":
            rule = RULES[cause]
            told = f"{rule.explanation} {rule.remedy} {{age_seconds}}"
            names = {name for _, name, _, _ in Formatter().parse(told) if name}
            return Happened(**KNOWN, refused=refuse(cause, **dict.fromkeys(names, text)))
        case "client_id":
            return Happened(**KNOWN, whose=Whose(client_id=text))
        case _:
            return Happened(**{**KNOWN, field: text})


@given(
    st.sampled_from([*SAID, "facts", "faults", "refused"]),
    st.sampled_from(Cause),
    secrets,
    spellings,
    around,
    around,
)
def test_no_entry_holds_a_secret_whatever_field_it_was_put_into(
    field, cause, secret, spelt, before, after
):
    journal = Journal(clock=lambda: NOON, save=lambda _batch: None)
    happened = saying(field, f"{before}{spelt(secret)}{after}", cause)

    entry = journal.record(happened)

    shown = msgspec.json.encode(entry).decode() + str(entry) + repr(entry) + sequence([entry])
    assert random_part(secret) not in shown + repr(happened)
    assert random_part(secret).upper() not in shown


@pytest.mark.parametrize("client_id", ["s" * 32, "1234-5", "١٢٣", ""])
def test_a_client_id_that_is_no_number_may_be_a_secret(journal: Journal, client_id: str):
    assert journal.record(Happened(**KNOWN, whose=Whose(client_id=client_id))).client_id is None


def test_what_acts_on_a_terminal_is_written_out(journal: Journal):
    entry = journal.record(Happened(**{**KNOWN, "outcome": "\x1b[2J"}, facts={"x": "a\r\nb"}))

    assert entry.outcome == r"\x1b[2J"
    assert entry.facts == {"x": r"a\r\nb"}


@given(secrets)
def test_what_is_ours_comes_through_unchanged(secret: str):
    journal = Journal(clock=lambda: NOON, save=lambda _batch: None)
    facts = {
        "code": Mint("seed").label(secret),
        "state": "...#0a1b2c",
        "age_seconds": "15552007",
        "redirect_uri": "https://shop.example/mp/callback?next=1",
        "due": "2026-03-02T12:00:00.000Z",
    }

    entry = journal.record(
        Happened(**KNOWN, whose=Whose(client_id="1234567890123456"), facts=facts)
    )

    assert entry.facts == facts
    assert entry.client_id == "1234567890123456"


@given(st.lists(st.one_of(st.text(), secrets, around)).map("".join))
def test_masking_what_is_masked_changes_nothing(text: str):
    assert masked(masked(text)) == masked(text)


def test_what_was_put_in_a_wrong_place_is_not_shown_whatever_its_shape():
    refused = refuse(Cause.REDIRECT_URI_NOT_REGISTERED, sent="s" * 32, nearest="https://a/")
    surplus = refuse(Cause.SCOPE_INVALID, surplus=f"{'5' * 32} write", allowed="read")

    assert masked_paste(refused).facts["sent"] == "(a value of 32 characters)"
    assert masked_paste(surplus).facts["surplus"] == "(a value of 32 characters) write"
    assert masked_refusal(refused).facts["sent"] == "s" * 32
