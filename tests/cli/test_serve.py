"""`mp-oauth-sandbox serve`, as a process that people and programs start and stop."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from click.testing import CliRunner

from mp_oauth_sandbox.cli.main import main
from mp_oauth_sandbox.first_run import CLIENT_ID, CLIENT_SECRET

Refused = Callable[..., str]


def command(*options: str) -> list[str]:
    return [sys.executable, "-P", "-m", "mp_oauth_sandbox", "serve", *options]


@contextmanager
def serving(*options: str):
    """The process and its ready event, at a port of the system's choosing."""
    process = subprocess.Popen(
        command("--port", "0", "--log-format", "json", *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait(timeout=10)
        process.stdout.close()
        process.stderr.close()


@pytest.fixture
def refused() -> Iterator[Refused]:
    """What a start that cannot succeed says; it exits with 1 and no traceback.

    In this process, which gets its signal handlers back.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    usual = {number: signal.getsignal(number) for number in numbers}

    def start(*options: str) -> str:
        result = CliRunner().invoke(main, ["serve", "--port", "0", *options])
        assert result.exit_code == 1, result
        assert isinstance(result.exception, SystemExit), result
        return result.output

    yield start
    for number in numbers:
        signal.signal(number, usual[number])


def link(ready: dict[str, str]) -> str:
    return (
        f"{ready['url']}/authorization?client_id={ready['client_id']}&response_type=code"
        f"&redirect_uri={ready['redirect_uri']}&state=s"
    )


def test_the_first_json_line_is_the_ready_event():
    with serving() as (_, ready):
        assert list(ready) == [
            "event", "url", "client_id", "client_secret", "redirect_uri", "seller",
        ]  # fmt: skip
        assert ready["event"] == "ready"
        assert ready["client_id"] == CLIENT_ID
        assert ready["client_secret"] == CLIENT_SECRET
        assert ready["redirect_uri"] == f"{ready['url']}/callback"
        assert ready["seller"] == 200000001


def test_each_exchange_is_one_json_line_without_secrets():
    with serving("--auto-consent", "--redirect-uri", "http://localhost:1/cb") as (process, ready):
        assert process.stdout is not None
        location = httpx.get(link(ready)).headers["location"]
        line = process.stdout.readline()
        event = json.loads(line)
        assert event["event"] == "exchange"
        assert event["outcome"] == "code issued"
        assert httpx.URL(location).params["code"] not in line


def say_to(url: str, sent: bytes) -> None:
    """Say this to the server's port, and hear all of the answer."""
    parts = httpx.URL(url)
    with socket.create_connection((parts.host, parts.port or 0), timeout=10) as sock:
        sock.sendall(sent)
        while sock.recv(4096):
            pass


def test_somebody_who_speaks_tls_to_the_plain_port_is_one_json_line():
    with serving() as (process, ready):
        assert process.stdout is not None
        say_to(ready["url"], b"\x16\x03\x01\x02\x00\x01")

        assert json.loads(process.stdout.readline()) == {
            "event": "refused",
            "kind": "tls",
            "peer": "127.0.0.1",
            "count": 1,
            "problem": "spoke TLS here",
            "remedy": "use http://, not https://",
        }


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_what_was_refused_in_a_flood_is_counted_until_the_end():
    with serving() as (process, ready):
        assert process.stdout is not None
        for _ in range(30):
            say_to(ready["url"], b"SSH-2.0-scan\r\n")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
        events = [json.loads(line) for line in process.stdout]

    assert {event["kind"] for event in events} == {"ssh"}
    assert sum(event["count"] for event in events) == 30


def test_a_request_without_host_is_one_line_for_people_that_tells_no_secret():
    process = subprocess.Popen(
        command("--port", "0"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().split()[-1]
        while "Exchanges appear below" not in process.stdout.readline():
            pass
        say_to(url, b"GET /?code=TG-secret HTTP/1.1\r\n\r\n")
        process.stdout.readline()
        line = process.stdout.readline()
    finally:
        process.kill()
        process.wait(timeout=10)
        process.stdout.close()

    assert line == (
        "refused: 127.0.0.1 sent a request without Host: send one Host field, as HTTP/1.1"
        " requires\n"
    )


def test_the_given_client_and_redirect_uris_are_the_first_applications():
    options = ("--client-id", "42", "--client-secret", "s3cret", "--auto-consent")
    uris = ("--redirect-uri", "http://localhost:1/a", "--redirect-uri", "http://localhost:1/b")
    with serving(*options, *uris) as (_, ready):
        assert (ready["client_id"], ready["client_secret"]) == ("42", "s3cret")
        for path in "ab":
            ready["redirect_uri"] = f"http://localhost:1/{path}"
            location = httpx.get(link(ready)).headers["location"]
            assert location.startswith(ready["redirect_uri"] + "?code=TG-")


def test_a_reset_keeps_the_preset_application_and_consent_mode():
    with serving("--auto-consent") as (_, ready):
        httpx.post(f"{ready['url']}/_sandbox/reset")
        assert httpx.get(link(ready)).status_code == 302


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_on_ctrl_c_and_sigterm(number):
    with serving() as (process, _):
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_taken_port_is_said_with_the_remedy(refused: Refused):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = refused("--port", port)
    assert f"127.0.0.1:{port}" in message
    assert "--port" in message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--profile", "lax"), "default, strict, legacy"),
        (("--redirect-uri", "javascript:alert(1)"), "redirect_uris[0]"),
        (("--client-id", "abc"), "client_id"),
        (("--profile", "missing.toml"), "missing.toml"),
    ],
)
def test_bad_options_are_named_with_the_remedy(options, words, refused: Refused):
    assert words in refused(*options)


def test_a_data_file_keeps_tokens_and_clock_over_a_restart(tmp_path):
    options = ("--auto-consent", "--data", str(tmp_path / "data.sqlite"))
    redirect = ("--redirect-uri", "http://localhost:1/cb")
    with serving(*options, *redirect) as (process, ready):
        code = httpx.URL(httpx.get(link(ready)).headers["location"]).params["code"]
        httpx.post(f"{ready['url']}/_sandbox/clock/advance", json={"seconds": 500})
        process.terminate()
        process.wait(timeout=10)
    with serving(*options, *redirect) as (_, ready):
        body = {
            "grant_type": "authorization_code",
            "client_id": ready["client_id"],
            "client_secret": ready["client_secret"],
            "code": code,
            "redirect_uri": ready["redirect_uri"],
        }
        assert httpx.post(f"{ready['url']}/oauth/token", json=body).status_code == 200
        httpx.post(f"{ready['url']}/_sandbox/clock/advance", json={"seconds": 100})
        refusal = httpx.post(f"{ready['url']}/oauth/token", json=body).json()
        assert refusal["error"] == "invalid_grant"


def test_a_data_file_in_use_is_said_at_once(tmp_path, refused: Refused):
    data = str(tmp_path / "data.sqlite")
    with serving("--data", data):
        assert "data.sqlite" in refused("--data", data)


def test_a_data_file_that_is_no_database_is_said(tmp_path, refused: Refused):
    data = tmp_path / "notes.txt"
    data.write_text("dear diary\n" * 200)
    assert "notes.txt" in refused("--data", str(data))
    assert data.read_text().startswith("dear diary")


def test_a_profile_file_starts_from_a_preset_and_changes_switches(tmp_path):
    profile = tmp_path / "ours.toml"
    profile.write_text('base = "strict"\ntoken_type = "bearer"\n')
    with serving("--profile", str(profile)) as (_, ready):
        switches = httpx.get(f"{ready['url']}/_sandbox/profile").json()
    assert switches["name"] == "ours"
    assert switches["token_type"] == "bearer"
    assert switches["surplus_fields"] == "refuse"


def test_a_profile_file_with_an_unknown_switch_or_value_is_said(tmp_path, refused: Refused):
    profile = tmp_path / "ours.toml"
    profile.write_text("colour = 1\n")
    assert "colour" in refused("--profile", str(profile))
    profile.write_text('token_type = "Mac"\n')
    assert "token_type" in refused("--profile", str(profile))


def test_text_lines_explain_a_refusal_and_have_no_colour_codes_when_piped():
    process = subprocess.Popen(
        command("--port", "0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        printed = ""
        while "Exchanges appear below." not in printed:
            printed += process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", printed)
        assert url is not None
        body = {"grant_type": "refresh_token"}
        asked = f"{url.group()}/oauth/token"
        httpx.post(asked, json=body)
        assert process.stdout.readline() == "\n"
        lines = [process.stdout.readline() for _ in range(4)]
        assert re.match(
            r"[\d-]{10} [\d:]{8} POST /oauth/token -> 400 refused \(invalid_request\)$",
            lines[0].strip(),
        )
        assert lines[1] == (
            "  why: parameter_missing. The request lacks client_id, client_secret.\n"
        )
        assert lines[2].startswith("  do:  Send client_id, client_secret in the body")
        assert lines[3].startswith("  see: MP, POST /oauth/token reference")
        assert "\x1b" not in printed + "".join(lines)
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_a_program_that_never_reads_the_output_is_answered_all_the_same():
    with serving() as (process, ready), httpx.Client() as http:
        # A pipe holds some 64 KiB, about fifty of these lines.
        for _ in range(300):
            assert http.post(f"{ready['url']}/oauth/token", json={}).status_code == 400

        process.terminate()
        assert process.wait(timeout=10) == 0


def test_output_that_cannot_be_written_any_more_ends_it_with_a_word():
    with serving() as (process, ready):
        assert process.stdout is not None
        assert process.stderr is not None
        httpx.post(f"{ready['url']}/oauth/token", json={})
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        httpx.post(f"{ready['url']}/oauth/token", json={})

        assert process.wait(timeout=10) == 1
        assert "Error: the output cannot be written any more: " in process.stderr.read()


@pytest.mark.parametrize("pause", [0, 0.02, 0.1])
def test_a_second_signal_changes_nothing(pause):
    with serving() as (process, _):
        for _ in range(2):
            process.terminate()
            time.sleep(pause)

        assert process.wait(timeout=10) == 0


def test_listening_beyond_loopback_asks_control_calls_for_a_token():
    with serving("--host", "0.0.0.0", "--control-token", "t0ken") as (_, ready):  # noqa: S104
        url = ready["url"].replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx.get(f"{url}/_sandbox/health").status_code == 200
        assert httpx.get(f"{url}/_sandbox/journal").status_code == 401
        known = httpx.get(f"{url}/_sandbox/journal", headers={"Authorization": "Bearer t0ken"})
        assert known.status_code == 200


def test_help_teaches_with_examples():
    result = CliRunner().invoke(main, ["serve", "--help"])
    assert result.exit_code == 0
    assert (
        "mp-oauth-sandbox serve --redirect-uri http://localhost:8000/mp/callback" in result.output
    )


def test_faults_and_resources_of_files_are_there_at_the_start(tmp_path):
    faults, resources = tmp_path / "faults.toml", tmp_path / "resources.toml"
    faults.write_text(
        '[[fault]]\nkind = "refuse"\nstatus = 429\nretry_after = 2\non = "exchange"\n'
        '[[sequence]]\non = "refresh"\nsteps = ["fine", "503"]\n'
    )
    resources.write_text('[[resource]]\nmethod = "GET"\npath = "/a"\nbody = { id = "$user_id" }\n')
    options = ("--auto-consent", "--faults", str(faults), "--resources", str(resources))

    with serving(*options) as (process, ready):
        location = httpx.get(link(ready)).headers["location"]
        body = {
            "grant_type": "authorization_code",
            "client_id": ready["client_id"],
            "client_secret": ready["client_secret"],
            "code": httpx.URL(location).params["code"],
            "redirect_uri": ready["redirect_uri"],
        }
        late, tokens = (httpx.post(f"{ready['url']}/oauth/token", json=body) for _ in range(2))
        bearer = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
        resource = httpx.get(f"{ready['url']}/a", headers=bearer)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=10)

    assert (late.status_code, late.headers["retry-after"]) == (429, "2")
    assert resource.json() == {"id": ready["seller"]}
    assert complaints == "never reached: f2 refuse on refresh (match 2)\n"


def test_the_journal_is_followed_until_ctrl_c():
    with serving() as (_, ready):
        follower = subprocess.Popen(
            [*command()[:-1], "journal", "--follow", "--url", ready["url"]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert follower.stdout is not None
        httpx.post(f"{ready['url']}/oauth/token", json={})

        told = follower.stdout.readline()
        follower.send_signal(signal.SIGINT)
        _, complaints = follower.communicate(timeout=10)

    assert "POST /oauth/token -> 400 refused (invalid_request)" in told
    assert follower.returncode == 0
    assert "Traceback" not in complaints
