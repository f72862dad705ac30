"""The shapes of codes, tokens and keys. Source: public captures, 2018 to 2026."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.profile import Profile

NOW = datetime(2026, 5, 18, 2, 30, 59, 999_999, tzinfo=UTC)
CLIENT_ID = "1234567890123456"
FRESH = Fresh(
    randomness=bytes(range(64)), machine=bytes.fromhex("0a1b2c"), counter=0xFFFFFE, serial=3
)
draws = st.builds(
    Fresh,
    randomness=st.binary(min_size=64, max_size=64),
    machine=st.binary(min_size=3, max_size=3),
    counter=st.integers(0, 2**40),
    serial=st.integers(1, 2**60),
)
user_ids = st.integers(1, 2**63 - 1)
moments = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(9989, 1, 1),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)


def access_token(fresh: Fresh, now: datetime = NOW, *, live: bool = True, **profile: str) -> str:
    return fresh.access_token(CLIENT_ID, 123456789, now, live_mode=live, profile=Profile(**profile))  # type: ignore[arg-type]  # names of switches


def test_a_code_is_tg_an_object_id_and_the_sellers_number():
    # MongoDB ObjectId: seconds (4 bytes), machine (3), process (2), counter (3).
    seconds = int(NOW.timestamp())
    assert FRESH.code(123456789, NOW) == f"TG-{seconds:08x}0a1b2c0001fffffe-123456789"
    assert FRESH.refresh_token(123456789, NOW) == f"TG-{seconds:08x}0a1b2c0001ffffff-123456789"


def test_the_counter_wraps_within_its_three_bytes():
    assert replace(FRESH, counter=0xFFFFFF).refresh_token(1, NOW).endswith("0001000000-1")


@given(draws, user_ids, moments)
def test_code_and_refresh_token_of_one_draw_are_neighbours(
    fresh: Fresh, user_id: int, now: datetime
):
    code, token = fresh.code(user_id, now), fresh.refresh_token(user_id, now)
    for text in (code, token):
        assert re.fullmatch(rf"TG-[0-9a-f]{{24}}-{user_id}", text)
    one, other = (bytes.fromhex(text.split("-")[1]) for text in (code, token))
    assert one[:9] == other[:9]
    assert int.from_bytes(one[:4]) == int(now.timestamp()) & 0xFFFFFFFF
    assert one[4:7] == fresh.machine
    assert one[7:9] == b"\x00\x01"
    assert (int.from_bytes(other[9:]) - int.from_bytes(one[9:])) % 2**24 == 1


@given(draws, moments)
def test_an_access_token_has_five_parts(fresh: Fresh, now: datetime):
    token = access_token(fresh, now)
    assert re.fullmatch(rf"APP_USR-{CLIENT_ID}-\d{{6}}-[0-9a-f]{{32}}-123456789", token)


@pytest.mark.parametrize(("user_id", "lengths"), [(123456789, (74, 71)), (3600000000, (75, 72))])
def test_tokens_have_the_lengths_of_the_captures(user_id: int, lengths: tuple[int, int]):
    profile = Profile()
    assert lengths == tuple(
        len(FRESH.access_token(CLIENT_ID, user_id, NOW, live_mode=live, profile=profile))
        for live in (True, False)
    )


def test_the_hour_of_a_token_is_that_of_utc_minus_4():
    # 9 of 9 pairs since 2023; 02:30 UTC is still the evening before.
    assert access_token(FRESH).split("-")[2] == "051722"
    new_year = datetime(2027, 1, 1, 3, 59, 59, tzinfo=UTC)
    assert access_token(FRESH, new_year).split("-")[2] == "123123"
    assert access_token(FRESH, new_year.replace(hour=4)).split("-")[2] == "010100"


def test_the_hour_of_a_token_is_that_of_utc_under_that_profile():
    # Two pairs of 2021 and 2022.
    assert access_token(FRESH, token_hour_zone="UTC").split("-")[2] == "051802"


def test_test_tokens_start_with_test_or_as_the_profile_says():
    assert access_token(FRESH, live=False).startswith("TEST-")
    assert access_token(FRESH, live=False, test_token_prefix="APP_USR").startswith("APP_USR-")
    assert access_token(FRESH, test_token_prefix="TEST").startswith("APP_USR-")


@given(draws)
def test_public_keys_are_two_different_version_4_uuids(fresh: Fresh):
    keys = fresh.public_keys()
    for key in keys:
        assert UUID(key).version == 4
        assert str(UUID(key)) == key


@given(draws)
def test_numbers_and_secrets_have_the_shapes_of_the_captures(fresh: Fresh):
    assert re.fullmatch(r"[1-9]\d{15}", fresh.client_id())
    assert re.fullmatch(r"[A-Za-z0-9]{32}", fresh.client_secret())
    assert 100_000_000 <= fresh.user_id() < 3_600_000_000


def test_a_client_secret_does_not_follow_from_what_the_same_draw_shows():
    # Access token, public keys and client id show bytes 0 to 55.
    hidden = replace(FRESH, randomness=FRESH.randomness[:56] + b"\x00" * 8)
    assert access_token(hidden) == access_token(FRESH)
    assert (hidden.public_keys(), hidden.client_id()) == (FRESH.public_keys(), FRESH.client_id())
    assert hidden.client_secret() != FRESH.client_secret()
