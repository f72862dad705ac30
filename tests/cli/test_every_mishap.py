"""Every fault, revocation and webhook fault, made to happen from the command line."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, get_args

import httpx
import pytest

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.core.revoke import REVOCATIONS, Reason
from mp_oauth_sandbox.faults import KINDS
from mp_oauth_sandbox.faults.garble import GarbleHow
from mp_oauth_sandbox.faults.tamper import TamperHow
from mp_oauth_sandbox.faults.webhook import WebhookHow
from mp_oauth_sandbox.first_run import CLIENT_ID, CLIENT_SECRET

from .conftest import Run

SELLER = "200000001"

MISHAPS = [
    *(["refuse", "--status", status] for status in ("429", "500", "502", "503", "504")),
    ["refuse", "--status", "429", "--retry-after", "3"],
    ["refuse", "--cause", "code_expired"],
    ["lose-response"],
    ["drop-before-commit"],
    ["slow", "--seconds", "0.001"],
    ["drip", "--seconds", "0.001"],
    *(["garble", "--how", how] for how in get_args(GarbleHow)),
    ["gate", "--waiting", "1", "--within", "5", "--order", "reverse"],
    *(["tamper", "--how", how] for how in get_args(TamperHow)),
]


def link(sandbox: Sandbox) -> dict[str, Any]:
    """What an integration has after it has linked the seller, as far as the fault let it."""
    sandbox.auto_consent(int(SELLER))
    app = sandbox.application(CLIENT_ID)
    assert app is not None
    with suppress(httpx.RemoteProtocolError):
        callback = httpx.get(sandbox.authorization_url(app, state="s1")).next_request
        assert callback is not None
        answer = exchange(sandbox, callback.url.params.get("code", "none"))
        with suppress(ValueError):
            return answer.json()
    return {}


def exchange(sandbox: Sandbox, code: str) -> httpx.Response:
    body = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "code": code,
        "redirect_uri": f"{sandbox.url}/callback",
    }
    return httpx.post(f"{sandbox.url}/oauth/token", json=body)


@pytest.mark.parametrize("mishap", MISHAPS, ids=" ".join)
def test_a_fault_is_armed_and_met(mishap: list[str], sandbox: Sandbox, run: Run):
    armed = run("fault", "add", *mishap, "--times", "1")
    link(sandbox)

    [one] = json.loads(run("fault", "list", "--json").output)["faults"]
    touched = [entry.faults for entry in sandbox.journal if entry.faults]
    assert armed.exit_code == 0, armed.output
    assert (one["used"], one["spent"]) == (1, True)
    assert len(touched) == 1
    assert touched[0][0].startswith(f"f1 {mishap[0]}")


def test_no_kind_is_forgotten():
    assert {mishap[0] for mishap in MISHAPS} | {"webhook"} == set(KINDS)


@pytest.mark.parametrize("reason", REVOCATIONS)
def test_a_revocation_ends_the_link(reason: Reason, sandbox: Sandbox, run: Run):
    refresh_token = link(sandbox)["refresh_token"]
    concerns = REVOCATIONS[reason].concerns
    named = [] if concerns == "seller" else ["--application", CLIENT_ID]
    named += [] if concerns == "application" else ["--seller", SELLER]

    revoked = run("revoke", reason, *named, "--json")

    secret = json.loads(revoked.output)["client_secret"] or CLIENT_SECRET
    refused = httpx.post(
        f"{sandbox.url}/oauth/token",
        json={
            "grant_type": "refresh_token",
            "client_id": CLIENT_ID,
            "client_secret": secret,
            "refresh_token": refresh_token,
        },
    )
    deleted = reason == "application_deleted"
    assert refused.status_code == 400
    assert sandbox.journal.last().cause == ("application_deleted" if deleted else "link_revoked")


@pytest.fixture
def hook() -> Iterator[str]:
    """The URL of a webhook whose receiver accepts everything."""

    class Accepting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Accepting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("how", get_args(WebhookHow))
def test_a_webhook_fault_is_met(how: str, sandbox: Sandbox, run: Run, hook: str):
    edited = run("apps", "edit", CLIENT_ID, "--webhook-url", hook, "--webhook-secret", "s3cret")
    armed = run("fault", "add", "webhook", "--how", how)
    told = run("webhooks", "simulate", "--application", CLIENT_ID, "--seller", SELLER)
    moved = run("clock", "advance", "--hours", "2", "--settle")

    assert [one.exit_code for one in (edited, armed, told, moved)] == [0, 0, 0, 0], armed.output
    entries = [entry for entry in sandbox.journal if entry.kind == "webhook"]
    assert entries[0].faults == (f"webhook {how}",)
    [notification] = json.loads(run("webhooks", "list", "--json").output)["notifications"]
    assert notification["status"] == ("lost" if how == "lost" else "accepted")


def test_a_notification_is_sent_again(sandbox: Sandbox, run: Run, hook: str):
    run("apps", "edit", CLIENT_ID, "--webhook-url", hook, "--webhook-secret", "s3cret")
    simulated = run(
        "webhooks", "simulate", "--application", CLIENT_ID, "--seller", SELLER, "--json"
    )
    number = str(json.loads(simulated.output)["id"])
    run("webhooks", "settle")

    again = run("webhooks", "resend", number)
    run("webhooks", "settle")

    assert again.exit_code == 0, again.output
    assert len([entry for entry in sandbox.journal if entry.kind == "webhook"]) == 2


def test_a_resource_is_added_and_removed(sandbox: Sandbox, run: Run):
    token = link(sandbox)["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}

    added = run("resources", "add", "GET", "/v1/orders/{id}", "--body", '{"id": "$path.id"}')
    answered = httpx.get(f"{sandbox.url}/v1/orders/7", headers=bearer).json()
    removed = run("resources", "remove", "GET", "/v1/orders/{id}")

    assert (added.exit_code, removed.exit_code) == (0, 0), added.output + removed.output
    assert answered == {"id": "7"}
    assert httpx.get(f"{sandbox.url}/v1/orders/7", headers=bearer).status_code == 404


def test_a_token_is_explained_from_standard_input(sandbox: Sandbox, run: Run):
    token = link(sandbox)["refresh_token"]

    explained = run("explain", input=f"{token}\n")

    assert explained.exit_code == 0
    assert explained.output.startswith("refresh token TG-...#")
    assert "now: would be accepted" in explained.output
    assert token not in explained.output
