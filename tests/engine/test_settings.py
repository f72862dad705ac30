"""Settings are saved and loaded in one place."""

import pytest

from mp_oauth_sandbox.core.consent import Consent
from mp_oauth_sandbox.core.profile import PRESETS
from mp_oauth_sandbox.engine.settings import Settings, load, save
from mp_oauth_sandbox.stores.memory import MemoryStore
from mp_oauth_sandbox.stores.protocol import StoreError

ALL = Settings(
    clock=(5, None),
    profile=PRESETS["legacy"],
    consent=Consent(mode="auto", seller=7),
    mint=("seed ñ", 3),
)


def test_a_new_store_remembers_nothing():
    assert load(MemoryStore()) == Settings()


def test_what_was_saved_is_loaded():
    store = MemoryStore()

    save(store, ALL)

    assert load(store) == ALL


def test_what_is_left_out_stays_as_it_is():
    store = MemoryStore()
    save(store, ALL)

    save(store, Settings(clock=(6, 7)))

    assert load(store) == Settings(
        clock=(6, 7), profile=ALL.profile, consent=ALL.consent, mint=ALL.mint
    )


@pytest.mark.parametrize("name", ["clock", "profile", "consent", "mint"])
def test_a_setting_that_cannot_be_read_is_an_error_with_a_remedy(name: str):
    store = MemoryStore()
    store.save_settings({name: '{"no such": 1'})

    with pytest.raises(StoreError, match=r"cannot read .* start with another file"):
        load(store)


def test_what_another_version_saved_beside_them_is_left_alone():
    store = MemoryStore()
    store.save_settings({"language": '"pt"'})

    save(store, ALL)

    assert load(store) == ALL
    assert store.settings()["language"] == '"pt"'
