"""The table of behaviours: complete, held by tests that exist, and shown on its page."""

import re
import subprocess
import sys
from dataclasses import fields
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.profile import Profile

from .behaviours import MissingRowError, behaviours, evidence_of, written

ROOT = Path(__file__).resolve().parent.parent.parent


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
        assert row.evidence in {"documented", "observed", "guess"}, row.id
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
    assert {row.switch for row in behaviours()} - {None} == switches


@pytest.mark.parametrize(
    ("lacking", "to_add"),
    [
        ("refusal-code-expired", ["[refusals.refusal-code-expired]", "at =", "replace =", "by ="]),
        ("slip-code-still-encoded", ["[own.slip-code-still-encoded]", "at =", "by ="]),
        ("switch-token-type", [".switch-token-type]", "what =", "evidence =", "test =", "by ="]),
    ],
)
def test_what_the_code_has_without_a_row_is_an_error_that_gives_the_row(
    lacking: str, to_add: list[str]
):
    rows = {
        subject: {name: fields for name, fields in about.items() if name != lacking}
        for subject, about in written().items()
    }

    with pytest.raises(MissingRowError) as told:
        behaviours(rows)

    assert [words for words in to_add if words not in str(told.value)] == []


def test_a_row_of_what_the_code_no_longer_has_is_an_error_that_names_it():
    gone = {"at": "judge", "replace": "True", "by": "False"}

    with pytest.raises(TypeError) as told:
        behaviours({**written(), "refusals": {**written()["refusals"], "refusal-gone": gone}})

    assert "refusal-gone" in told.value.__notes__[0]


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


def test_every_named_test_exists():
    named = {row.test for row in behaviours()}
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
    found = script("remove_rules").complaint("test_a", ended)

    assert (found is None) if problem is None else (problem in found)


def test_the_same_seed_draws_the_same_rules():
    remove_rules = script("remove_rules")
    ids = [row.id for row in behaviours()]

    def drawn(seed: str) -> list[str]:
        asked = remove_rules.argparse.Namespace(ids=[], all=False, draw=20, seed=seed)
        return remove_rules.chosen(ids, asked)

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
