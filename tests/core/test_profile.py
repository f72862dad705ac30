"""A profile holds only values that a server could mean."""

from dataclasses import fields, replace

import pytest

from mp_oauth_sandbox.core.profile import DEFAULT, EVIDENCE, PRESETS, Profile


@pytest.mark.parametrize("name", ["retry_after", "token_requests_per_minute"])
def test_a_negative_number_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be 0 or more"):
        replace(DEFAULT, **{name: -1})


def test_an_unknown_default_scope_is_refused_by_name():
    with pytest.raises(ValueError, match="default_scopes: 'admin' is not one of offline_access"):
        Profile(default_scopes=("read", "admin"))


def test_presets_are_found_by_their_own_names():
    assert all(profile.name == name for name, profile in PRESETS.items())
    assert set(PRESETS) == {"default", "strict", "legacy"}


def test_every_switch_gives_its_evidence():
    evidence = {field.name: field.metadata.get(EVIDENCE, "") for field in fields(Profile)}

    assert evidence.pop("name") == "", "a name is no switch"
    assert [name for name, text in evidence.items() if len(text) < len("Guess: as above.")] == []
