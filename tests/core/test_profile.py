"""A profile holds only values that a server could mean."""

import ast
import inspect
from dataclasses import fields, replace
from itertools import pairwise

import pytest

from mp_oauth_sandbox.core.profile import DEFAULT, PRESETS, Profile


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
    (switches,) = ast.parse(inspect.getsource(Profile)).body
    assert isinstance(switches, ast.ClassDef)
    evidence = {
        ast.unparse(switch.target): ast.unparse(said.value)
        for switch, said in pairwise(switches.body)
        if isinstance(switch, ast.AnnAssign) and isinstance(said, ast.Expr)
    }
    assert set(evidence) == {switch.name for switch in fields(Profile)}
    assert all(len(text) >= len("'Guess: as above.'") for text in evidence.values())
