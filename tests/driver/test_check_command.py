"""`mp-oauth-sandbox check` over HTTP: it catches each broken integration and no correct one."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner

from mp_oauth_sandbox.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

SCENARIOS = ["code-expired", "consent-denied", "state-attacker-code-into-victim"]


@pytest.fixture
def check(tmp_path: Path) -> "Callable[..., Result]":
    """Run the command with a configuration."""

    def run(*arguments: str, toml: str) -> "Result":
        config = tmp_path / "mp-sandbox.toml"
        config.write_text(toml, encoding="utf-8")
        return CliRunner().invoke(main, ["check", "--config", str(config), *arguments])

    return run


def test_the_correct_integration_is_clean(
    run_shop: Callable[[str], Any], check: "Callable[..., Result]"
):
    done = check("--strict", toml=run_shop("Shop").toml())

    assert done.output.splitlines()[:3] == [
        "held         code-expired  (medium)",
        "held         consent-denied  (medium)",
        "held         state-attacker-code-into-victim  (critical)",
    ]
    assert done.output.endswith("3 held\n")
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("shop", "scenario", "check_name"),
    [
        ("AnyGenuineStateShop", "state-attacker-code-into-victim", "P1"),
        ("LinkedAnywayShop", "code-expired", "St"),
        ("IgnoresErrorShop", "consent-denied", "J"),
        ("StackTraceShop", "consent-denied", "P"),
    ],
)
def test_a_broken_integration_is_caught_by_its_scenario_and_by_no_other(
    shop: str,
    scenario: str,
    check_name: str,
    run_shop: Callable[[str], Any],
    check: "Callable[..., Result]",
):
    done = check("--json", toml=run_shop(shop).toml())

    results = {one["scenario"]: one for one in json.loads(done.stdout)["results"]}
    assert {name for name, one in results.items() if one["verdict"] == "violated"} == {scenario}
    assert results[scenario]["findings"][0]["check"] == check_name
    assert done.exit_code == 1


def test_a_violation_is_told_as_a_sequence_diagram_with_a_remedy(
    run_shop: Callable[[str], Any], check: "Callable[..., Result]"
):
    done = check("state-attacker-code-into-victim", toml=run_shop("AnyGenuineStateShop").toml())

    assert done.output.splitlines()[:2] == [
        "violated     state-attacker-code-into-victim  (critical)",
        "  Login CSRF with the attacker's genuine state. "
        "The victim's account is never linked to the attacker's seller.",
    ]
    assert "\n".join(done.output.splitlines()[-11:]) == (
        """\
    A       -> app      logs in as account A
    X       -> app      logs in as account X
    X       -> app      starts linking, and is sent to authorize with state1
    X       -> sandbox  approves as seller SX
    sandbox -> X        to /callback?code=code1&state=state1 (held)
    A       -> app      opens /callback?code=code1&state=state1
    app     -> sandbox  POST /oauth/token authorization_code (code1) -> 200 tokens issued   <-- here
    app     -> A        200 /status


1 violated"""
    )
    assert "do: keep each state in the browser's session" in done.output
    assert "TG-" not in done.output


def test_what_is_missing_is_not_checked_and_only_strict_minds(
    run_shop: Callable[[str], Any], check: "Callable[..., Result]"
):
    toml = run_shop("Shop").toml()
    without_status = toml[: toml.index("[integration.status]")]

    lenient = check(toml=without_status)
    strict = check("--strict", toml=without_status)

    assert "not checked  code-expired  (medium)" in lenient.output
    assert "status: the integration offers no status" in lenient.output
    assert "do: add [integration.status]" in lenient.output
    assert lenient.output.endswith("1 held, 2 not checked\n")
    assert (lenient.exit_code, strict.exit_code) == (0, 3)


def test_without_a_url_it_starts_a_sandbox_of_its_own(
    serve_shop: Callable[..., tuple[Any, str]],
    toml_for: Callable[..., str],
    check: "Callable[..., Result]",
):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    _, base_url = serve_shop("Shop", mp_url=f"http://127.0.0.1:{port}")

    done = check(toml=toml_for(base_url, sandbox=f"port = {port}"))

    assert done.output.endswith("3 held\n")


def test_afterwards_a_running_sandbox_is_as_it_was_at_its_start(
    run_shop: Callable[[str], Any], check: "Callable[..., Result]"
):
    running = run_shop("Shop")
    running.sandbox.deny()

    check("code-expired", toml=running.toml())

    consent = httpx.get(f"{running.sandbox.url}/_sandbox/consent").json()
    assert consent["mode"] == "deny"
    assert not [entry for entry in running.sandbox.journal.entries() if entry.kind == "token"]
    assert running.sandbox.seller(200000001) is not None


def test_a_url_that_is_not_registered_is_said_before_anything_is_played(
    run_shop: Callable[[str], Any], check: "Callable[..., Result]"
):
    running = run_shop("Shop")

    done = check(toml=running.toml().replace('"/callback"', '"/back"'))

    assert f"Error: {running.base_url}/back is not registered" in done.output
    assert f"--redirect-uri {running.base_url}/back" in done.output
    assert done.exit_code == 2


def test_an_integration_that_links_nobody_makes_no_verdict(
    run_shop: Callable[[str], Any], check: "Callable[..., Result]"
):
    done = check(toml=run_shop("LinksNobodyShop").toml())

    assert "a plain link fails already, so no check would mean anything" in done.output
    assert "app -> " in done.output.replace("     ", " ")
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('start_url = "/start"\n', "", "integration.start_url: it is missing; add it"),
        ("start_url", "begin_url", "integration.begin_url: there is no such key; remove it"),
        ('"/start"', '"start"', "integration.start_url: give a path that begins with"),
        ('"/start"', "7", "integration.start_url: expected `str`, got `int`"),
        ("{account}", "ana", "integration.login: no value holds {account}"),
        ('url = "/login"\n', "", "integration.login: give `url` (with `form` or `json`)"),
        ("json = {", "form = {}\njson = {", "integration.login: give `form` or `json`, not both"),
        (
            '"/mp"',
            '"/mp"\nlinked = "("',
            "integration.status: `linked` is not a regular expression",
        ),
        (
            "[sandbox]",
            '[sandbox]\nclient_id = "1"',
            "has no application 1; it has 1234567890123456",
        ),
        ('"/mp"', '"mp"', 'integration.status.pointer: begin it with "/"'),
        ('"/callback"', '"/callback', "it is not valid TOML"),
        ('"/start"', '"/nowhere"', "integration.start_url does not lead to the sandbox"),
        ('"/login"', '"/nowhere"', "integration.login.url: it answers 404"),
        ('url = "http://127.0.0.1:', 'url = "http://127.0.0.1:1', "sandbox"),
    ],
)
def test_a_wrong_configuration_names_the_key_and_the_remedy(
    old: str,
    new: str,
    said: str,
    run_shop: Callable[[str], Any],
    check: "Callable[..., Result]",
):
    toml = run_shop("Shop").toml()
    assert old in toml

    done = check(toml=toml.replace(old, new, 1))

    assert done.output.startswith("Error: ")
    assert said in done.output
    assert done.exit_code == 2


def test_without_a_file_it_shows_how_to_begin(tmp_path: Path):
    done = CliRunner().invoke(main, ["check", "--config", str(tmp_path / "none.toml")])

    assert "there is no such file; begin with" in done.output
    assert 'form = { user = "{account}" }' in done.output
    assert done.exit_code == 2


def test_the_scenarios_can_be_listed_without_any_configuration():
    text = CliRunner().invoke(main, ["check", "--list"])
    machine = CliRunner().invoke(main, ["check", "--list", "--json"])

    assert [line.split()[0] for line in text.output.splitlines()] == SCENARIOS
    assert [one["name"] for one in json.loads(machine.output)["scenarios"]] == SCENARIOS
    assert (text.exit_code, machine.exit_code) == (0, 0)


def test_an_unknown_scenario_is_answered_with_the_known_ones():
    done = CliRunner().invoke(main, ["check", "consent-refused", "--list"])

    assert "no such scenario; there are code-expired, consent-denied, state-" in done.output
    assert done.exit_code == 2


def test_help_keeps_its_lines():
    done = CliRunner().invoke(main, ["check", "--help"])

    assert "  1  something is violated\n" in done.output
    assert '    base_url = "http://localhost:8000"\n' in done.output
    assert "\\b" not in done.output


STORY = """
title = "t"
severity = "low"
story = "s"
passes = "p"
[[steps]]
do = "deliver"
actor = "A"
"""


def test_a_script_that_cannot_be_played_to_its_end_is_not_checked(
    tmp_path: Path, run_shop: Callable[[str], Any], check: "Callable[..., Result]"
):
    story = tmp_path / "story.toml"
    story.write_text(STORY, encoding="utf-8")

    done = check(str(story), toml=run_shop("Shop").toml())

    assert "script: the script delivers a callback that A does not have" in done.output
    assert done.output.endswith("1 not checked\n")


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path):
    done = CliRunner().invoke(main, ["check", "--config", str(tmp_path)])

    assert "it cannot be read" in done.output
    assert done.exit_code == 2


def test_a_fixed_account_that_cannot_be_unlinked_is_not_checked(
    run_shop: Callable[[str], Any], check: "Callable[..., Result]"
):
    toml = run_shop("Shop").toml().replace("[integration.login]", "[integration.login]\n" + FIXED)

    done = check("code-expired", toml=toml)

    assert "unlink_url: the integration offers no unlink_url" in done.output
    assert done.output.endswith("1 not checked\n")


FIXED = 'accounts = ["ana"]'
