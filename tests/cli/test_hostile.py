"""No sandbox, something else, a wrong token, a reader who leaves, bytes that are no text."""

import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.cli.main import _COMMANDS, _SECTIONS, main


def command(*arguments: str | bytes) -> list[str | bytes]:
    return [sys.executable, "-P", "-m", "mp_oauth_sandbox", *arguments]


def test_where_nothing_listens_it_says_how_to_start_one():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    done = CliRunner().invoke(main, ["clock", "--url", f"http://127.0.0.1:{port}"])

    assert done.exit_code == 3
    assert "mp-oauth-sandbox serve" in done.output


class Other(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello\x1b[31m")

    def log_message(self, format: str, *args: object) -> None: ...


def test_something_else_on_that_port_is_no_sandbox():
    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        done = CliRunner().invoke(
            main, ["clock", "--url", f"http://127.0.0.1:{server.server_port}"]
        )
        server.shutdown()
        thread.join()

    assert done.exit_code == 3
    assert "no sandbox of this version" in done.output


@pytest.mark.parametrize(
    "url", ["nowhere", "ftp://x", "http://", "http://127.0.0.1:99999", "http://[::"]
)
def test_an_address_that_is_none_is_a_usage_error(url: str):
    assert CliRunner().invoke(main, ["clock", "--url", url]).exit_code == 2


def test_a_wrong_token_is_a_no_that_says_where_to_give_it():
    with Sandbox(control_token="right") as sandbox:
        wrong = CliRunner().invoke(main, ["clock", "--url", sandbox.url, "--token", "wrong"])
        right = CliRunner().invoke(main, ["clock", "--url", sandbox.url, "--token", "right"])

    assert wrong.exit_code == 1
    assert "--token" in wrong.output
    assert right.exit_code == 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_reader_who_leaves_early_is_no_error(sandbox: Sandbox):
    for _ in range(2000):
        sandbox.clock.advance(seconds=1)

    process = subprocess.Popen(
        command("journal", "--url", sandbox.url), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()

    assert process.wait(timeout=30) == 0
    assert said == b""


@pytest.mark.skipif(os.name == "nt", reason="POSIX arguments are bytes")
def test_bytes_that_are_no_text_are_a_usage_error(sandbox: Sandbox):
    done = subprocess.run(
        command("sellers", "add", "--country", b"\xff", "--url", sandbox.url),
        capture_output=True,
        check=False,
    )

    assert done.returncode == 2
    assert b"UTF-8" in done.stderr


def test_a_no_names_the_field(run):
    done = run("sellers", "add", "--country", "XX")

    assert done.exit_code == 1
    assert "country" in done.output


def test_help_loads_neither_httpx_nor_starlette_and_groups_every_command():
    script = (
        "import sys\nfrom mp_oauth_sandbox.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "assert not {'httpx', 'starlette', 'msgspec'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-P", "-c", script], check=True, capture_output=True)

    assert sorted(name for names in _SECTIONS.values() for name in names) == sorted(_COMMANDS)


@pytest.mark.parametrize("name", sorted(set(_COMMANDS) - {"serve", "check"}))
def test_every_command_has_an_example(name: str):
    done = CliRunner().invoke(main, [name, "--help"])

    assert done.exit_code == 0
    assert f"mp-oauth-sandbox {name}" in done.output
