"""Profiles as a list of switches, for whoever shows them."""

import pytest

from mp_oauth_sandbox import InvalidInputError
from mp_oauth_sandbox.core.profile import DEFAULT
from mp_oauth_sandbox.engine.profiles import changed_profile, switches


def test_every_switch_comes_with_its_type_default_and_evidence():
    found = {switch.name: switch for switch in switches()}

    assert found["token_type"].type == "Literal['Bearer', 'bearer']"
    assert found["token_type"].default == "Bearer"
    assert found["token_type"].evidence == (
        "`bearer` in the documents and captures up to 2022, `Bearer` in captures since 2023."
    )
    assert found["retry_after"].type == "int | None"
    assert found["retry_after"].default == 1
    assert found["default_scopes"].type == "tuple[str, ...]"
    assert found["refresh_reusable"].type == "bool"
    assert "name" not in found
    assert all("\n" not in switch.evidence for switch in found.values())


@pytest.mark.parametrize(
    ("switch", "value", "said"),
    [
        ("tokentype", "bearer", "no such switch in a profile; did you mean token_type?"),
        ("error_body", "MESSAGE", "allowed are message, error_description, two_keys; did you mean"),
    ],
)
def test_a_misspelt_switch_or_word_is_told_with_the_one_that_was_meant(
    switch: str, value: str, said: str
):
    with pytest.raises(InvalidInputError) as caught:
        changed_profile(DEFAULT, {switch: value})

    assert caught.value.field == switch
    assert said in caught.value.problem
