"""What is made is recognised, found wherever it stands, and told apart from all else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox.core import shapes
from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.profile import Profile

NOW = datetime(2026, 5, 18, 2, 30, 59, tzinfo=UTC)
CLIENT_ID = "1234567890123456"

draws = st.builds(
    Fresh,
    randomness=st.binary(min_size=64, max_size=64),
    machine=st.binary(min_size=3, max_size=3),
    counter=st.integers(0, 2**40),
    serial=st.integers(1, 2**60),
)
user_ids = st.integers(1, 2**63 - 1)


def access_token(fresh: Fresh, user_id: int, *, live: bool) -> str:
    return fresh.access_token(CLIENT_ID, user_id, NOW, live_mode=live, profile=Profile())


@given(draws, user_ids, st.booleans())
def test_what_is_made_is_recognised_with_its_parts(fresh: Fresh, user_id: int, live: bool):
    token = access_token(fresh, user_id, live=live)
    for code in (fresh.code(user_id, NOW), fresh.refresh_token(user_id, NOW)):
        made_at = int(NOW.timestamp())
        assert shapes.parts_of_code(code) == shapes.CodeParts(made_at=made_at, user_id=user_id)
        assert shapes.starts_like_code(code)
        assert not shapes.looks_like_access_token(code)

    assert shapes.parts_of_access_token(token) == shapes.TokenParts(
        client_id=CLIENT_ID, user_id=user_id
    )
    assert shapes.parts_of_code(token) is None
    assert shapes.is_client_id(fresh.client_id())
    assert shapes.is_client_secret(fresh.client_secret())
    for key in fresh.public_keys():
        assert shapes.is_public_key(shapes.PUBLIC_KEY.format(prefix=shapes.LIVE, uuid=key))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TG-0123456789abcdef01234567-0",
        f"TG-0123456789abcdef01234567-{2**63}",
        "TG-0123456789ABCDEF01234567-1",
        "TG-0123456789abcdef01234567-1 ",
        f"APP_USR-{'1' * 21}-010203-{'0' * 32}-5",
        f"APP_USR-1-010203-{'0' * 32}-{'9' * 19}",
        f"APP_USR-1-010203-{'0' * 31}-5",
        f"PROD-1-010203-{'0' * 32}-5",
    ],
)
def test_what_no_seller_or_application_can_have_is_neither_code_nor_token(text: str):
    assert shapes.parts_of_code(text) is None
    assert shapes.parts_of_access_token(text) is None


def test_the_random_part_is_what_nobody_can_know_without_the_secret():
    assert shapes.random_part(f"TG-{'0a' * 12}-5") == "0a" * 12
    assert shapes.random_part(f"TEST-1-010203-{'0a' * 16}-5") == "0a" * 16
    assert shapes.random_part("s" * 32) == "s" * 32


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"/TG-{'0a' * 12}-5/x", "/TG-.../x"),
        (f"keyAPP_USR-1-010203-{'0a' * 16}-5", "keyAPP_USR-..."),
        ("code=TG%2D0a%2D5&x=1", "code=TG-...&x=1"),
        ("code=TG%252d0a%252d5&x=1", "code=TG-...&x=1"),
        ("APP%5FUSR%2D1%2D0a", "APP%5FUSR-..."),
        ("TG-nonsense TEST-1", "TG-... TEST-..."),
        ("TG-...#0a1b2c", "TG-...#0a1b2c"),
        ("a TG, TEST or APP_USR", "a TG, TEST or APP_USR"),
        ("pay-as-you-go 100%", "pay-as-you-go 100%"),
    ],
)
def test_only_the_prefix_of_a_secret_is_left_wherever_it_stands(text: str, left: str):
    assert shapes.without_secrets(text) == left
    assert shapes.without_secrets(left) == left


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("=TG-0a1b-200000001", "=TG-0a10-200000001"),
        ("=TG-0a10-200000001", "=TG-0a11-200000001"),
        ("=s1", "=s0"),
        ("=s%3D%3D", "=s%3D%30"),
        ("=", "=x"),
    ],
)
def test_another_value_has_the_same_shape_and_is_not_the_same(text: str, other: str):
    assert shapes.another(text) == other
