"""Runs a page of docs/ from top to bottom, as its reader would.

- A `sh` block runs in one bash session for the page. One that begins with
  `mp-oauth-sandbox serve` is started and left running; what it printed can be compared. One of
  nothing but our other commands runs in this process, which saves a start of Python for each.
- A `python` block runs in one namespace for the page.
- A block whose first line is `# name.ext` alone is written into that file instead.
- A `text` or `json` block is what the block before it prints; `...` stands for anything.
- `<!-- not run: why -->` in front of a block excuses it.

The default port is replaced by one that the system chooses.
"""

import contextlib
import io
import os
import re
import selectors
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from click.testing import CliRunner

from mp_oauth_sandbox.cli.main import main
from mp_oauth_sandbox.first_run import CLIENT_ID, CLIENT_SECRET, PORT

DOCS = Path(__file__).parent.parent.parent / "docs"

_BLOCK = re.compile(
    r"(?P<excuse><!-- not run: .+? -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_FILE = re.compile(r"# (?P<name>[\w.-]+\.\w+)\n")
_BASH = shutil.which("bash") or "bash"
_END = "--- end of block:"


@dataclass(frozen=True, kw_only=True)
class Block:
    language: str
    text: str
    line: int
    excused: bool


def blocks(page: str) -> Iterator[Block]:
    text = (DOCS / page).read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        yield Block(
            language=found["language"],
            text=found["text"],
            line=text.count("\n", 0, found.start("text")),
            excused=found["excuse"] is not None,
        )


class Reader:
    """Somebody who does what a page says, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])
        scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        url = f"http://127.0.0.1:{self.port}"
        self._environment = os.environ | {
            "PATH": scripts,
            "MP_OAUTH_SANDBOX_URL": url,
            "NO_COLOR": "1",
            "PS1": "",
        }
        self._shell: subprocess.Popen[str] | None = None
        self._servers: list[subprocess.Popen[str]] = []
        self._names: dict[str, Any] = {"__name__": "__main__"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._shell, *self._servers):
            if process is not None:
                process.terminate()
                process.communicate(timeout=20)

    def read(self, page: str) -> int:
        """Do all that the page says; how many blocks were done or compared."""
        printed, done = None, 0
        for block in blocks(page):
            if block.excused:
                printed = None
                continue
            text = self._here(block.text)
            named = _FILE.match(text)
            if block.language in {"text", "json"}:
                assert printed is not None, f"{page}:{block.line}: nothing printed this"
                assert_printed(printed, text, where=f"{page}:{block.line}")
                printed = None
            elif named:
                (self._folder / named["name"]).write_text(text, encoding="utf-8")
            elif block.language == "python":
                printed = self._python(text, f"{page}:{block.line}")
            elif text.startswith("mp-oauth-sandbox serve"):
                printed = self._serve(text)
            elif block.language == "sh" and (commands := plain_commands(text)):
                printed = self._commands(commands, f"{page}:{block.line}")
            elif block.language == "sh":
                printed = self.run(text, f"{page}:{block.line}")
            else:
                raise AssertionError(f"{page}:{block.line}: what to do with {block.language}?")
            done += 1
        return done

    def serve_and_link(self) -> dict[str, Any]:
        """A sandbox at this reader's port, and the tokens of its first seller."""
        self._serve("mp-oauth-sandbox serve --auto-consent")
        url = f"http://127.0.0.1:{self.port}"
        asked = {"client_id": CLIENT_ID, "redirect_uri": f"{url}/callback"}
        query = {**asked, "response_type": "code"}
        callback = httpx.get(f"{url}/authorization", params=query).next_request
        assert callback is not None
        grant = {"grant_type": "authorization_code", "code": callback.url.params["code"]}
        body = {**asked, **grant, "client_secret": CLIENT_SECRET}
        return httpx.post(f"{url}/oauth/token", json=body).json()

    def _here(self, text: str) -> str:
        return text.replace(str(PORT), self.port)

    def _python(self, text: str, where: str) -> str:
        heard = io.StringIO()
        with contextlib.redirect_stdout(heard), contextlib.chdir(self._folder):
            exec(compile(text, where, "exec"), self._names)  # noqa: S102 - it is our own page
        return heard.getvalue()

    def _commands(self, commands: list[list[str]], where: str) -> str:
        heard = ""
        with contextlib.chdir(self._folder):
            for arguments in commands:
                done = CliRunner().invoke(main, arguments, env=self._environment)
                heard += done.output
                assert done.exit_code == 0, f"{where} ended with {done.exit_code}:\n{heard}"
        return heard

    def _serve(self, text: str) -> str:
        command = [_BASH, "-c", f"exec {text.strip()} --port {self.port}"]
        server = subprocess.Popen(
            command,
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._servers.append(server)
        assert server.stdout is not None
        heard: list[str] = []
        for line in server.stdout:
            heard.append(line)
            if line.startswith("Exchanges appear below"):
                return "".join(heard)
        raise AssertionError(f"{text.strip()} did not start: {''.join(heard)}")

    def run(self, text: str, where: str) -> str:
        if self._shell is None:
            self._shell = subprocess.Popen(
                [_BASH, "--noprofile", "--norc"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                bufsize=0,
            )
        shell = self._shell
        assert shell.stdin is not None
        assert shell.stdout is not None
        # Each block as one command, so that its exit status is that of its last line.
        shell.stdin.write(f"{{\n{text}\n}} </dev/null\nended=$?; echo; echo '{_END}' $ended\n")
        shell.stdin.flush()
        heard, deadline = "", time.monotonic() + 60
        with selectors.DefaultSelector() as ready:
            ready.register(shell.stdout, selectors.EVENT_READ)
            while not (ended := re.search(rf"\n{_END} (\d+)\n", heard)):
                assert time.monotonic() < deadline, f"{where} does not end: {heard}"
                if ready.select(timeout=1):
                    piece = os.read(shell.stdout.fileno(), 65536).decode()
                    assert piece, f"{where} ended the shell: {heard}"
                    heard += piece
        assert ended[1] == "0", f"{where} ended with {ended[1]}:\n{heard}"
        return heard[: ended.start()]


def plain_commands(text: str) -> list[list[str]]:
    """The arguments of our commands, if a block is nothing else and leaves nothing to a shell."""
    if not re.fullmatch(r"(mp-oauth-sandbox [^$`|&;<>*\\#\n]+\n)+", text):
        return []
    return [shlex.split(line)[1:] for line in text.splitlines()]


def assert_printed(printed: str, expected: str, *, where: str) -> None:
    wanted = ".*?".join(re.escape(part) for part in expected.strip().split("..."))
    found = re.fullmatch(wanted, printed.strip(), re.DOTALL)
    assert found, f"{where} should show\n{expected}\nbut it is\n{printed}"
