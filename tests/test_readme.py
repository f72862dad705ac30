"""The README does what it says: its Python, its curl commands and its transcripts are run."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mp_oauth_sandbox.first_run import PORT

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEMPORARY = "/tmp/callback"  # noqa: S108 - as the README writes it
URL = f"http://127.0.0.1:{PORT}"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def serve(*options: str) -> Iterator[tuple[str, str]]:
    """A sandbox in a process of its own: its URL, and what it printed until it was ready."""
    command = [sys.executable, "-P", "-m", "mp_oauth_sandbox", "serve", "--port", "0", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"NO_COLOR": "1"}
    )
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith("Exchanges appear below."):
            break
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", printed)
        assert found is not None, printed
        yield found.group(), printed
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


@pytest.fixture
def printed_at_start():
    yield from serve()


@pytest.fixture
def approving():
    yield from serve("--auto-consent")


def test_the_first_command_prints_the_transcript(printed_at_start):
    url, printed = printed_at_start
    encoded = shlex.quote(url).replace(":", "%3A").replace("/", "%2F")
    shown = blocks("text")[0].replace(URL, url)
    shown = shown.replace("http%3A%2F%2F127.0.0.1%3A8970", encoded)
    assert printed.strip() == shown.strip()


def printed_by(lines: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What these lines of Python print; nothing of it is a complaint."""
    exec(compile(lines, "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102 - our own page
    printed, complaints = capsys.readouterr()
    assert complaints == ""
    return printed


def test_the_python_lines_link_a_seller_and_explain_a_replay(capsys):
    first, second = blocks("python")[:2]
    tokens, *explained = printed_by(first + second, capsys).splitlines()
    assert re.match(r"\{'access_token': 'APP_USR-.*'live_mode': True\}$", tokens)
    shown = blocks("text")[1].splitlines()
    assert [line[8:] for line in explained[:1]] == [line[8:] for line in shown[:1]]
    assert explained[1:] == shown[1:]


def test_the_eight_lines_are_eight():
    body = blocks("python")[0].split("with Sandbox()")[1]
    assert len(body.strip().splitlines()) == 8


def test_the_curl_commands_link_deny_travel_and_show_the_journal(approving, tmp_path):
    url, _ = approving
    encoded = url.replace(":", "%3A").replace("/", "%2F")
    script = blocks("sh")[1].replace(URL, url).replace(TEMPORARY, str(tmp_path / "callback"))
    script = script.replace("http%3A%2F%2F127.0.0.1%3A8970", encoded)
    result = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    printed = result.stdout
    assert re.search(
        rf"{re.escape(url)}/callback\?code=TG-[0-9a-f]{{24}}-200000001&state=s1", printed
    )
    assert '"token_type":"Bearer","expires_in":15552000' in printed
    assert '"mode":"deny"' in printed
    assert f"{url}/callback?error=access_denied&state=s2" in printed
    assert '"outcome":"tokens issued"' in printed


def test_the_table_of_calls_names_only_calls_that_exist():
    import httpx

    from mp_oauth_sandbox import Sandbox

    with (
        Sandbox(live=False) as sandbox,
        httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client,
    ):
        paths = client.get("/_sandbox/openapi.json").json()["paths"]
    page = (ROOT / "docs" / "any-language.md").read_text(encoding="utf-8")
    named = re.findall(r"`([A-Z]+) (?:/_sandbox)?(/[^`.]*)`", page)
    assert len(named) >= 12
    for method, path in named:
        assert method.lower() in paths[f"/_sandbox{path}"], (method, path)


def test_the_pytest_example_passes(pytester):
    pytester.makepyfile(blocks("python")[2])
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_the_lines_of_the_client_begin_to_link(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    printed = printed_by(blocks("python")[3] + "print(start.url)\n", capsys)
    assert printed.startswith(f"{URL}/authorization?client_id=1234567890123456&")


def test_there_are_exactly_two_set_up_commands():
    assert len(re.findall(r"^python3 -m venv", README, re.MULTILINE)) == 2
