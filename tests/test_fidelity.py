"""The table of behaviours: complete, held by tests that exist, and shown on its page."""

import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.fidelity import (
    SWITCHES,
    UnknownSwitchError,
    behaviours,
    evidence_of,
    switch_behaviours,
)

ROOT = Path(__file__).resolve().parent.parent
RULES = tomllib.loads((ROOT / "tests" / "fidelity.toml").read_text(encoding="utf-8"))

ENTRY = """
[{id}]
test = 'tests/...::test_...'            # what holds it: {what}
file = 'mp_oauth_sandbox/...'
old = '...'                             # occurs once in that file
new = '...'                             # with this in its place the test fails
"""


def installed(file: str) -> Path:
    """A file of the library, wherever that is installed."""
    package, _, inside = file.partition("/")
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / inside


def script(name: str) -> ModuleType:
    """One of the checks of .ci, as a module."""
    spec = spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- the table ----


def test_every_row_says_who_says_what():
    rows = behaviours()

    assert len({row.id for row in rows}) == len(rows)
    for row in rows:
        assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", row.id)
        assert row.what.endswith("."), row.id
        assert row.source.endswith("."), row.id
        assert "\n" not in row.what + row.source
        assert "://" not in row.source, "third-party projects are counted, not named"


def test_every_refusal_slip_and_switch_has_its_row():
    ids = {row.id for row in behaviours()}
    switches = {field.name for field in fields(Profile)} - {"name"}

    wanted = [
        *(f"refusal-{cause}" for cause in Cause),
        *(f"slip-{mistake}" for mistake in Mistake),
        *(f"switch-{name}" for name in switches),
    ]

    assert {name.replace("_", "-") for name in wanted} <= ids
    assert set(SWITCHES) == switches, "a switch that is gone still has its line"
    assert {row.switch for row in behaviours()} - {None} == switches


def test_a_switch_without_a_line_is_an_error_that_gives_the_line():
    known = {name: line for name, line in SWITCHES.items() if name != "token_type"}

    with pytest.raises(UnknownSwitchError, match=r'Profile.token_type; add: "token_type": \('):
        list(switch_behaviours(known))


@pytest.mark.parametrize(
    ("source", "evidence"),
    [
        ("MP, OAuth overview: 6 months", "documented"),
        ("MP reference: forbidden; the sentence is a guess", "guess"),
        ("seen in 8 public projects (ML); MP, Get Access Token", "observed"),
        ("ML, Authentication and Authorization; seen in 6 public projects", "documented"),
        ("RFC 7636 section 4.1", "guess"),
        ("unknown for Mercado Pago: profile field reauthorization", "guess"),
        ("the sandbox's own limit", "guess"),
    ],
)
def test_a_part_that_is_a_guess_makes_all_of_it_one(source: str, evidence: str):
    assert evidence_of(source) == evidence


# ---- what holds each row ----


def test_every_row_has_a_test_and_a_mutation():
    rows = {row.id: row for row in behaviours()}

    lacking = "".join(ENTRY.format(id=name, what=rows[name].what) for name in rows.keys() - RULES)

    assert not lacking, f"add to tests/fidelity.toml, then run .ci/make_fidelity.py:\n{lacking}"
    assert RULES.keys() <= rows.keys(), "take these out of tests/fidelity.toml: no such row"
    assert all(set(rule) == {"test", "file", "old", "new"} for rule in RULES.values())


def test_every_mutation_has_one_place():
    places = {
        name: installed(rule["file"]).read_text(encoding="utf-8").count(rule["old"])
        for name, rule in RULES.items()
    }

    assert {name: count for name, count in places.items() if count != 1} == {}, (
        "`old` of these entries of tests/fidelity.toml must occur exactly once in `file`"
    )
    assert [name for name, rule in RULES.items() if rule["old"] == rule["new"]] == []


def test_every_named_test_exists():
    named = {rule["test"] for rule in RULES.values()}
    files = sorted({test.partition("::")[0] for test in named})

    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "--collect-only", "-q", "-p", "no:xdist", *files],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    cases = set(done.stdout.splitlines())
    found = cases | {case.partition("[")[0] for case in cases}
    assert done.returncode == 0, done.stdout
    assert sorted(named - found) == []


@pytest.mark.parametrize(
    ("ended", "problem"),
    [
        ({"test_a": "failed"}, None),
        ({"test_a[1]": "passed", "test_a[2]": "failed"}, None),
        ({"test_a": "passed"}, "still passes"),
        ({"test_a": "TypeError: no (call)"}, "it breaks: test_a: TypeError"),
        ({"test_a": "AssertionError (setup)"}, "it breaks"),
        ({"pytest": "ended with exit code 4"}, "it breaks"),
        ({}, "no such test"),
    ],
)
def test_only_a_failed_assertion_shows_that_a_rule_is_held(
    ended: dict[str, str], problem: str | None
):
    found = script("remove_rules").complaint({"test": "test_a"}, ended)

    assert (found is None) if problem is None else (problem in found)


def test_the_same_seed_draws_the_same_rules():
    remove_rules = script("remove_rules")

    def drawn(seed: str) -> list[str]:
        asked = remove_rules.argparse.Namespace(ids=[], all=False, draw=20, seed=seed)
        return remove_rules.chosen(RULES, asked)

    assert drawn("one") == drawn("one") != drawn("other")
    assert len(set(drawn("one"))) == 20


# ---- the page ----


def test_the_page_is_the_one_made_from_the_table():
    # From elsewhere than the checkout, so that the installed copy is the one shown.
    done = subprocess.run(
        [sys.executable, "-P", str(ROOT / ".ci" / "make_fidelity.py"), "--check"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_shows_every_row_and_switch():
    page = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")

    for row in behaviours():
        assert f"| {row.what.replace('|', chr(92) + '|')} | {row.evidence} |" in page, row.id
        assert row.switch is None or f"`{row.switch}`" in page
