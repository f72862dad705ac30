"""The mint: never the same twice, and with a seed always the same."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.engine.mint import Mint

NOW = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)


def everything(fresh: Fresh) -> list[str]:
    """All that can be made from one draw."""
    token = fresh.access_token("1234567890123456", 1, NOW, live_mode=True, profile=Profile())
    return [
        fresh.code(1, NOW),
        fresh.refresh_token(1, NOW),
        token,
        *fresh.public_keys(),
        fresh.client_id(),
        fresh.client_secret(),
        fresh.grant_id(),
    ]


def test_thousands_of_draws_share_nothing():
    mint = Mint()
    made = [text for _ in range(5_000) for text in everything(mint())]
    assert len(set(made)) == len(made)


def test_draws_of_many_threads_share_nothing():
    mint = Mint()
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda _: mint(), range(2_000)))
    assert len({fresh.randomness for fresh in drawn}) == 2_000
    assert len({fresh.serial for fresh in drawn}) == 2_000
    assert len({fresh.counter for fresh in drawn}) == 2_000


def test_a_seed_makes_the_same_sequence():
    one, other = Mint("seed"), Mint("seed")
    assert [one() for _ in range(20)] == [other() for _ in range(20)]
    assert [one.request_id() for _ in range(5)] == [other.request_id() for _ in range(5)]
    assert one.label("TG-x") == other.label("TG-x")
    assert Mint(7)() == Mint("7")()


def test_different_seeds_and_no_seed_make_different_sequences():
    firsts = [mint().randomness for mint in (Mint("a"), Mint("b"), Mint(), Mint())]
    assert len(set(firsts)) == 4


def test_a_restart_over_the_same_data_goes_on_with_other_draws():
    mints = [Mint("seed", restarts=restarts) for restarts in range(3)]
    draws = [mint() for mint in mints for _ in range(100)]
    assert len({fresh.randomness for fresh in draws}) == 300
    assert len({fresh.grant_id() for fresh in draws}) == 300
    assert len({text for fresh in draws for text in everything(fresh)}) == 300 * 8


def test_all_ids_of_one_run_come_from_one_machine_with_rising_counters():
    # A code and the refresh token made from it share the machine bytes: a public capture.
    mint = Mint("seed")
    draws = [mint() for _ in range(50)]
    assert len({fresh.machine for fresh in draws}) == 1
    assert [later.counter - earlier.counter for earlier, later in pairwise(draws)] == [2] * 49
    ids = [text.split("-")[1] for fresh in draws for text in everything(fresh)[:2]]
    assert len({text[:18] for text in ids}) == 1, "seconds, machine and process are the same"


def test_a_request_id_is_a_version_4_uuid():
    mint = Mint()
    ids = [mint.request_id() for _ in range(200)]
    assert len(set(ids)) == 200
    assert {UUID(text).version for text in ids} == {4}


def test_a_label_tells_what_a_secret_is_and_always_the_same_id_but_not_the_secret():
    mint = Mint("seed")
    secrets = {
        "TG-0123456789abcdef01234567-1": r"TG-\.\.\.#[0-9a-f]{6}",
        "APP_USR-1-010203-aa-1": r"APP_USR-\.\.\.#[0-9a-f]{6}",
        "TEST-1-010203-aa-1": r"TEST-\.\.\.#[0-9a-f]{6}",
        "anything else": r"\.\.\.#[0-9a-f]{6}",
    }
    for secret, shape in secrets.items():
        assert re.fullmatch(shape, mint.label(secret))
        assert mint.label(secret) == mint.label(secret)
        assert mint.label(secret).endswith(mint.short_id(secret))
    assert len({mint.label(secret) for secret in secrets}) == 4
    assert Mint("other").label("TG-x") != mint.label("TG-x"), "the hash is keyed"
