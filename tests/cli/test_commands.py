"""Each command against a live sandbox."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mp_oauth_sandbox import Sandbox, Webhook
from mp_oauth_sandbox.cli.durations import seconds_of
from mp_oauth_sandbox.faults import KINDS
from mp_oauth_sandbox.first_run import CLIENT_ID, CLIENT_SECRET
from tests.webhooks.receiver import Receiver, status


def test_the_clock_moves_by_words_and_by_options(run, sandbox: Sandbox):
    sandbox.clock.freeze()
    before = sandbox.clock()

    done = run("clock", "advance", "180 days")
    again = run("clock", "advance", "--hours", "1", "--minutes", "1", "--settle")

    assert (done.exit_code, again.exit_code) == (0, 0)
    assert (sandbox.clock() - before).total_seconds() == 180 * 86400 + 3660
    assert "frozen" in run("clock").stdout


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1h 30m", 5400), ("180 days", 15552000), ("1.5 min", 90)]
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 lightyears", "-1 day", "1 month"])
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(ValueError, match="180 days"):
        seconds_of(text)


def test_secrets_are_shown_by_show_and_add_alone(run):
    assert CLIENT_SECRET in run("apps", "show", CLIENT_ID).stdout
    assert "client_secret" in run("apps", "add", "--redirect-uri", "http://localhost/cb").stdout
    assert CLIENT_SECRET not in run("apps").stdout
    assert CLIENT_SECRET not in run("apps", "edit", CLIENT_ID, "--name", "Shop").stdout


def test_an_edited_lifetime_is_the_applications(run, sandbox: Sandbox):
    done = run("apps", "edit", CLIENT_ID, "--lifetime", "access_token=10m")

    application = sandbox.application(CLIENT_ID)
    assert done.exit_code == 0
    assert application is not None
    assert application.lifetimes.access_token.total_seconds() == 600


def test_the_type_of_an_application_is_chosen_among_those_there_are(run, sandbox: Sandbox):
    done = run("apps", "edit", CLIENT_ID, "--application-type", "online")
    refused = run("apps", "edit", CLIENT_ID, "--application-type", "in-person")

    application = sandbox.application(CLIENT_ID)
    assert application is not None
    assert application.application_type == "online"
    assert "type          online" in done.stdout
    assert refused.exit_code == 2
    assert "must be any|online" in refused.stderr


def test_production_credentials_are_activated_or_not(run, sandbox: Sandbox):
    done = run("apps", "edit", CLIENT_ID, "--not-activated")

    application = sandbox.application(CLIENT_ID)
    assert application is not None
    assert not application.activated
    assert "active, not activated" in done.stdout
    assert "not activated" not in run("apps", "edit", CLIENT_ID, "--activated").stdout


def test_sellers_are_created_and_listed(run):
    added = json.loads(run("sellers", "add", "--country", "BR", "--json").stdout)

    assert str(added["user_id"]) in run("sellers").stdout


def test_consent_is_chosen(run, sandbox: Sandbox):
    assert run("consent", "deny").exit_code == 0
    assert sandbox.consent.mode == "deny"
    assert run("consent", "auto", "--seller", "200000002").exit_code == 0
    assert sandbox.consent.seller == 200000002


def test_a_revocation_asks_which_seller_when_there_are_two(run):
    unclear = run("revoke", "password_changed")
    clear = run("revoke", "password_changed", "--seller", "200000001")

    assert unclear.exit_code == 2
    assert "200000001, 200000002" in unclear.output
    assert clear.exit_code == 0


def test_the_only_application_need_not_be_named(run, sandbox: Sandbox):
    done = run("revoke", "application_deleted")

    application = sandbox.application(CLIENT_ID)
    assert done.exit_code == 0
    assert application is not None
    assert application.status == "deleted"


def test_a_fault_is_armed_listed_and_removed(run, sandbox: Sandbox):
    added = run("fault", "add", "lose-response", "--on", "refresh", "--times", "1")

    assert added.exit_code == 0
    assert [one.fault.kind for one in sandbox.faults] == ["lose-response"]
    assert "f1 lose-response on refresh" in run("fault", "list").stdout
    assert run("fault", "remove", "f1").exit_code == 0
    assert len(sandbox.faults) == 0


def test_a_sequence_arms_one_fault_for_each_step(run, sandbox: Sandbox):
    done = run("fault", "sequence", "--on", "refresh", "503", "503", "fine", "lose-response")

    assert done.exit_code == 0
    assert [(one.fault.kind, one.fault.first) for one in sandbox.faults] == [
        ("refuse", 1),
        ("refuse", 2),
        ("lose-response", 4),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_fault_teaches_itself(kind: str, run):
    done = run("fault", "add", kind, "--help")

    assert done.exit_code == 0
    assert f"mp-oauth-sandbox fault add {kind} --on" in done.stdout


def test_an_impossible_value_is_a_usage_error_that_lists_what_is_possible(run):
    done = run("fault", "add", "refuse", "--cause", "nope")

    assert done.exit_code == 2
    assert "code_expired" in done.output


def test_profile_marks_what_is_changed_with_its_evidence(run):
    assert run("profile", "set", "token_type=bearer", "retry_after=30").exit_code == 0

    shown = run("profile", "show", "--changed").stdout

    assert '* token_type = "bearer"' in shown
    assert "* retry_after = 30" in shown
    assert "captures since 2023" in shown
    assert "0 changed" in run("profile", "preset", "strict").stdout


def test_the_journal_is_told_in_text_and_in_json_lines(run):
    run("clock", "freeze")
    run("clock", "resume")

    lines = run("journal", "--json", "--last", "2").stdout.splitlines()

    assert len(lines) == 2
    assert [json.loads(line)["kind"] for line in lines] == ["control", "control"]
    assert run("journal", "--last", "0").stdout == ""


def test_an_accepted_forgery_is_red_and_found_by_its_word_a_refused_one_is_green(
    run, sandbox: Sandbox
):
    with Receiver() as receiver:
        seller, hook = sandbox.sellers()[0], Webhook(url=receiver.url, secret="s")
        sandbox.update_application(CLIENT_ID, lambda one: replace(one, webhook=hook))
        sandbox.faults.add("webhook", how="unsigned", times=2)
        for number in (200, 401):
            receiver.answer = lambda _, number=number: status(number)
            sandbox.webhooks.simulate(CLIENT_ID, seller)
            sandbox.webhooks.settle()

        accepted = run("journal", "--cause", "forgery_accepted", color=True).stdout
        refused = run("journal", "--cause", "forgery_refused", color=True).stdout

    assert " \x1b[31m" in accepted
    assert "why: forgery_accepted. The receiver answered 200" in accepted
    assert " \x1b[32m" in refused
    assert "as it should" in refused


def test_what_is_not_as_at_the_start_is_told_by_health_and_first_by_the_journal(run):
    assert "not as at the start" not in run("health").stdout + run("journal").stdout
    run("consent", "deny")
    run("clock", "freeze")
    told = "not as at the start: consent deny (every seller refuses at once, without a page)"

    assert run("health").stdout.splitlines()[1] == f"{told} | clock frozen"
    assert run("journal", "--last", "1").stdout.splitlines()[0] == f"{told} | clock frozen"
    assert all(json.loads(line)["seq"] for line in run("journal", "--json").stdout.splitlines())


def test_entries_of_other_days_have_another_date(run, sandbox: Sandbox):
    sandbox.clock.travel(datetime(2100, 1, 1, 12, tzinfo=UTC))
    sandbox.clock.travel(datetime(2100, 7, 1, 12, tzinfo=UTC))

    _, first, second = run("journal").stdout.splitlines()

    assert first.startswith("2100-01-01 12:00:00 clock: 2100-01-01")
    assert second.startswith("2100-07-01 12:00:00 clock: 2100-07-01")


def test_a_full_journal_is_read_to_its_end(run, sandbox: Sandbox):
    for _ in range(10_000):
        sandbox.clock.advance(seconds=1)

    numbers = [json.loads(line)["seq"] for line in run("journal", "--json").stdout.splitlines()]

    assert len(numbers) == 10_000
    assert numbers == sorted(numbers)


def test_the_secret_that_a_save_makes_is_shown_by_it(run, sandbox: Sandbox):
    hook = ("--webhook-url", "http://127.0.0.1:9/hook", "--webhook-secret", "given")
    kept = run("apps", "edit", CLIENT_ID, *hook).stdout
    sandbox.change_profile(webhook_save="new_secret")
    renewed = run("apps", "edit", CLIENT_ID, *hook).stdout

    application = sandbox.application(CLIENT_ID)
    assert application is not None
    assert application.webhook is not None
    assert "webhook_secret" not in kept
    assert f"webhook_secret  {application.webhook.secret}" in renewed


def test_webhooks_are_simulated_settled_and_listed(run):
    refused = run("webhooks", "simulate", "--seller", "200000001")

    assert refused.exit_code == 1
    assert "client_id" in refused.output
    assert run("webhooks").stdout == "no notifications\n"
    assert run("webhooks", "settle", "--timeout", "1").stdout == "settled\n"
    assert run("webhooks", "resend", "7").exit_code == 1


def test_reset_and_health(run, sandbox: Sandbox):
    sandbox.faults.add("slow")

    assert run("reset").stdout == "reset\n"
    assert len(sandbox.faults) == 0
    assert json.loads(run("health", "--json").stdout)["status"] == "ok"
