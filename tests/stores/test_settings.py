"""What every store promises of settings, in the same words for each of them."""

from pathlib import Path

from mp_oauth_sandbox.stores.protocol import DEAD_KEPT, Store

from .kinds import Maker, every_store


def test_settings_are_added_up_by_name(store: Store):
    store.save_settings({"clock": "1", "mint": "ñ"})
    store.save_settings({"clock": "2"})

    assert store.settings() == {"clock": "2", "mint": "ñ"}


def test_a_reset_remembers_the_settings_it_is_given_and_others_stay(store: Store):
    store.save_settings({"clock": "1", "mint": "m"})

    store.reset([], {"clock": "0"})

    assert store.settings() == {"clock": "0", "mint": "m"}


def test_settings_that_were_given_out_are_a_copy(store: Store):
    store.save_settings({"clock": "1"})
    before = store.settings()

    store.save_settings({"clock": "2"})

    assert before == {"clock": "1"}


@every_store
def test_settings_are_there_after_a_restart_where_the_store_survives_one(
    maker: Maker, tmp_path: Path
):
    store = maker.open(tmp_path, DEAD_KEPT)
    store.save_settings({"clock": "1"})
    store.close()

    again = maker.open(tmp_path, DEAD_KEPT)

    assert again.settings() == ({"clock": "1"} if maker.durable else {})
    again.close()
