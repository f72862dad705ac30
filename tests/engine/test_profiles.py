"""Profiles as a list of switches, for whoever shows them."""

from mp_oauth_sandbox.engine.profiles import switches


def test_every_switch_comes_with_its_type_default_and_evidence():
    found = {switch.name: switch for switch in switches()}

    assert found["token_type"].type == "Literal['Bearer', 'bearer']"
    assert found["token_type"].default == "Bearer"
    assert found["token_type"].evidence == (
        "`bearer` in the documents and captures up to 2022, `Bearer` in captures since 2023."
    )
    assert found["retry_after"].type == "int | None"
    assert found["retry_after"].default is None
    assert found["default_scopes"].type == "tuple[str, ...]"
    assert found["refresh_reusable"].type == "bool"
    assert "name" not in found
    assert all("\n" not in switch.evidence for switch in found.values())
