"""Settings, and the test endpoints: without them none of the other tests would mean anything."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

from .person import Person
from .running import CLIENT_SECRET, TEST_TOKEN, WEBHOOK_SECRET, Examples, Running

HOOKS = (
    ("POST", "/test/reset"),
    ("POST", "/test/clock"),
    ("POST", "/test/run-jobs"),
    ("GET", "/test/links"),
    ("POST", "/test/fault"),
    ("GET", "/test/logs"),
)
FAR = timedelta(days=170)


def test_it_says_that_it_is_up(example: Running):
    with example.http() as anybody:
        assert anybody.get("/health").status_code == 200


@pytest.mark.parametrize("missing", ["MP_CLIENT_SECRET", "MP_REDIRECT_URI"])
def test_without_a_setting_it_ends_at_once_and_names_it(
    missing: str, example: Running, examples: Examples
):
    settings = {name: value for name, value in examples.settings(0).items() if name != missing}
    with examples.spawn(example.name, settings) as process:
        try:
            output, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

    assert process.returncode not in {0, None}
    assert missing in output
    assert CLIENT_SECRET not in output
    assert "listening" not in output


def test_without_a_test_token_there_are_no_test_endpoints(example: Running, examples: Examples):
    with examples.another(example.name, TEST_TOKEN=None) as untested, untested.http() as anybody:
        assert anybody.get("/health").status_code == 200
        # The last ones are what an absent token becomes where nobody looks.
        for token in ("", f"Bearer {TEST_TOKEN}", "Bearer", "Bearer undefined", "Bearer None"):
            for method, path in HOOKS:
                answer = anybody.request(method, path, headers={"authorization": token})
                assert answer.status_code == 404


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", TEST_TOKEN])
def test_with_another_token_there_are_no_test_endpoints(
    authorization: str, linked: Person, example: Running
):
    with example.http(headers={"authorization": authorization}) as stranger:
        assert [stranger.request(*hook).status_code for hook in HOOKS] == [404] * len(HOOKS)
    assert linked.status == "linked"


def test_a_reset_forgets_everybody_and_the_moves_of_the_clock(
    linked: Person, example: Running, mp_sandbox: Sandbox, seller: Seller
):
    example.advance(FAR)
    example.fail_saves("before_save", times=50)

    example.reset()

    assert example.links() == []
    assert example.logs() == []
    assert linked.get("/mp/status").status_code == 401
    linked.log_in()
    assert linked.status == "none"
    linked.link(seller)
    assert linked.sell().status_code == 200
    mp_sandbox.journal.assert_count(0, kind="token", grant_type="refresh_token")


def test_the_clock_moves_ahead_by_as_much_as_it_is_told(
    linked: Person, example: Running, mp_sandbox: Sandbox
):
    (before,) = example.links()
    example.advance(FAR)
    example.run_jobs()

    (after,) = example.links()
    moved = datetime.fromisoformat(after["expires_at"]) - datetime.fromisoformat(
        before["expires_at"]
    )
    assert FAR <= moved < FAR + timedelta(minutes=1)
    mp_sandbox.journal.assert_count(1, kind="token", grant_type="refresh_token")


def test_the_jobs_run_when_they_are_told_to_and_renew_what_is_due(
    linked: Person, example: Running, advance: Callable[..., None]
):
    (before,) = example.links()
    example.run_jobs()
    assert example.links() == [before]

    advance(days=170)
    assert example.links() == [before]
    example.run_jobs()

    (after,) = example.links()
    assert not set(after["tokens"]) & set(before["tokens"])
    assert linked.log_in().status == "linked"


def test_the_links_are_told_with_hashes_in_place_of_tokens(
    linked: Person, example: Running, mp_sandbox: Sandbox, seller: Seller
):
    (link,) = example.links()

    assert (link["account"], link["seller"], link["status"]) == ("ana", seller.user_id, "linked")
    lives = datetime.fromisoformat(link["expires_at"]) - mp_sandbox.clock()
    assert timedelta(days=179, hours=23) < lives <= timedelta(days=180)
    assert len(link["tokens"]) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", token) for token in link["tokens"])


def test_saves_fail_as_often_as_they_are_told_to(ana: Person, example: Running, seller: Seller):
    example.fail_saves("before_save", times=50)
    assert ana.get(ana.approve(ana.start(), seller)).status_code == 400
    assert ana.status == "none"

    example.fail_saves("before_save", times=0)
    ana.link(seller)
    assert ana.status == "linked"


def test_the_log_tells_of_trouble_and_can_be_read_on_from_a_line(
    ana: Person, example: Running, mp_sandbox: Sandbox, seller: Seller
):
    mp_sandbox.faults.add("refuse", on="exchange", status=503, times=2)
    ana.get(ana.approve(ana.start(), seller))
    lines = example.logs()
    assert lines

    ana.get(ana.approve(ana.start(), seller))

    assert example.logs()[: len(lines)] == lines
    assert example.logs(since=len(lines)) == example.logs()[len(lines) :] != []


def test_neither_pages_nor_logs_tell_the_state_the_code_or_the_session(
    ana: Person, example: Running, seller: Seller
):
    first, second = ana.approve(ana.start(), seller), ana.approve(ana.start(), seller)
    example.seen.clear()  # The way to Mercado Pago has the state in it.
    ana.get(first)
    ana.get(second)
    ana.get(second.replace("state=", "state=0"))
    ana.sell()
    ana.get("/")

    private = [httpx.URL(url).params[name] for url in (first, second) for name in ("state", "code")]
    private += ana.cookies.values()
    told = [*example.seen, *example.output, *example.logs(), json.dumps(example.links())]
    assert [text for text in told for secret in private if secret in text] == []


def test_the_search_for_secrets_finds_them(
    ana: Person, example: Running, application: Application, seller: Seller
):
    code = httpx.URL(ana.approve(ana.start(), seller)).params["code"]

    for secret in (code, application.access_token, CLIENT_SECRET, WEBHOOK_SECRET):
        example.seen.append(secret)
        assert example.leaks() == [secret]
        example.seen.remove(secret)
