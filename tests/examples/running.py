"""The programs of `examples/`, each in a process of its own, and what tests may do to them.

To add one, add a line to EXAMPLES: its folder, and the command that starts it there.
"""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

import httpx
import pytest

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.driver.endpoints import Endpoints, Login, StatusPage, Tolerances
from mp_oauth_sandbox.driver.integration import Integration

if os.name == "posix":
    import fcntl

FOLDER = Path(__file__).parents[2] / "examples"

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "express": ("node", "server.mjs"),
    **dict.fromkeys(("flask", "fastapi", "django"), (sys.executable, "app.py")),
}

#: The same, for tests of all of them: what needs another runtime than Python waits for the night.
EACH = [
    pytest.param(name, marks=() if program == sys.executable else pytest.mark.nightly)
    for name, (program, *_) in EXAMPLES.items()
]

CLIENT_ID = "1234567890123456"
CLIENT_SECRET = "SecretOfTheExamples0000000000000"
WEBHOOK_SECRET = "webhook-secret-of-the-examples"
TEST_TOKEN = "test-token-of-the-examples"

#: Made once: loading certificates takes longer than most tests, and nothing here is encrypted.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

#: What must never leave an example other than to Mercado Pago: tokens and codes by their shape,
#: the two secrets as they are.
SECRETS = re.compile(rf"(?:APP_USR|TEST)-\d|TG-[0-9a-f]{{24}}|{CLIENT_SECRET}|{WEBHOOK_SECRET}")


class CannotRunError(Exception):
    """Something that an example needs is not on this machine; the message says what."""


@dataclass(kw_only=True)
class Running:
    """A live example. Its clock, jobs and saves are moved through its test endpoints."""

    name: str
    url: str
    process: "subprocess.Popen[str]"
    output: list[str]
    seen: list[str] = field(default_factory=list[str])
    """Every answer that a person got since the last reset."""

    def __post_init__(self) -> None:
        self._hooks = self.http(headers={"authorization": f"Bearer {TEST_TOKEN}"})

    @property
    def callback(self) -> str:
        """The redirect URI that it was started with."""
        return f"{self.url}/mp/callback"

    @property
    def webhook(self) -> str:
        """Where it hears notifications; by its number, for it listens on no other."""
        return self.url.replace("localhost", "127.0.0.1") + "/mp/webhook"

    @property
    def endpoints(self) -> Endpoints:
        """What the driver is told of it."""
        return Endpoints(
            base_url=self.url,
            start_url="/mp/link",
            start_method="POST",
            callback_path="/mp/callback",
            trigger_url="/sales",
            unlink_url="/mp/unlink",
            health_url="/health",
            login=Login(url="/login", form={"account": "{account}"}),
            status=StatusPage(url="/mp/status", pointer="/status", linked="linked|renewing"),
            tolerances=Tolerances(synchronous=True),
        )

    def integration(self) -> Integration:
        """It, as the driver uses it: fresh, and with a clock that can be moved."""
        self.reset()
        return Integration(self.endpoints, move_clock=self.advance)

    def http(self, **options: Any) -> httpx.Client:
        """A client that keeps cookies, and follows no redirect."""
        return httpx.Client(base_url=self.url, verify=NO_TLS, timeout=30, **options)

    # ---- the test endpoints ----

    def reset(self) -> None:
        """Forget everybody and everything, moves of the clock too."""
        self._call("reset")
        self.seen.clear()
        self.output.clear()

    def advance(self, duration: timedelta) -> None:
        """Move its clock ahead, and no other."""
        self._call("clock", {"advance_seconds": duration.total_seconds()})

    def run_jobs(self) -> None:
        """What it does every night, now; returns when it is done."""
        self._call("run-jobs")

    def fail_saves(self, point: Literal["before_save", "after_save"], *, times: int) -> None:
        """Let the next saves of tokens fail, before or after they are written."""
        self._call("fault", {"point": point, "times": times})

    def links(self) -> list[dict[str, Any]]:
        """Every link that it knows of: account, seller, status, expires_at, tokens (hashes)."""
        return self._hooks.get("/test/links").raise_for_status().json()

    def logs(self, since: int = 0) -> list[str]:
        """Its log lines since the reset, without the first so many."""
        answer = self._hooks.get("/test/logs", params={"since": since}).raise_for_status().json()
        assert answer["next"] == since + len(answer["lines"])
        return answer["lines"]

    def leaks(self) -> list[str]:
        """Whatever it has shown, logged or printed since the last reset with a secret in it."""
        shown = [*self.seen, *self.output, *self.logs(), json.dumps(self.links())]
        return [text for text in shown if SECRETS.search(text)]

    def stop(self) -> None:
        """End the process."""
        self._hooks.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _call(self, hook: str, body: dict[str, object] | None = None) -> None:
        self._hooks.post(f"/test/{hook}", json=body).raise_for_status()


class Examples:
    """All examples of this run, each started when it is first wanted. Close it at the end."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        """They call this sandbox; their files are copied below `folder`, and stay there."""
        self._sandbox = sandbox
        self._folder = folder
        self._running: dict[str, Running] = {}
        self._absent: dict[str, str] = {}
        self._broken: dict[str, str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def get(self, name: str) -> Running:
        """An example that runs, reset. Skips the test if it cannot run here."""
        if name in self._broken:
            pytest.fail(self._broken[name], pytrace=False)
        if name not in self._running and name not in self._absent:
            try:
                running = self._start(name)
            except CannotRunError as error:
                self._absent[name] = str(error)
            except AssertionError as error:
                self._broken[name] = str(error)
                raise
            else:
                self._stack.callback(running.stop)
                self._running[name] = running
        if name in self._absent:
            absent(self._absent[name])
        self._running[name].reset()
        return self._running[name]

    def settings(self, port: int) -> dict[str, str]:
        """What the environment of an example on this port must have."""
        return {
            "MP_AUTH_URL": f"{self._sandbox.url}/authorization",
            "MP_API_URL": self._sandbox.url,
            "MP_CLIENT_ID": CLIENT_ID,
            "MP_CLIENT_SECRET": CLIENT_SECRET,
            "MP_REDIRECT_URI": f"http://localhost:{port}/mp/callback",
            "MP_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "PORT": str(port),
            "TEST_TOKEN": TEST_TOKEN,
        }

    def spawn(self, name: str, settings: Mapping[str, str]) -> "subprocess.Popen[str]":
        """A process of an example with these settings and no others.

        Raises CannotRunError if a program or package is missing.
        """
        program, *arguments = EXAMPLES[name]
        found = shutil.which(program)
        if found is None:
            raise CannotRunError(f"examples/{name} needs {program}")
        ours = {"TEST_TOKEN", "PORT"}
        inherited = {
            key: value
            for key, value in os.environ.items()
            if key not in ours and not key.startswith("MP_")
        }
        return subprocess.Popen(
            [found, *arguments],
            cwd=self._installed(name),
            env={**inherited, "PYTHONUNBUFFERED": "1", **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    @contextmanager
    def another(self, name: str, **changed: str | None) -> Generator[Running]:
        """A second process of an example, with settings changed, or left out with None."""
        running = self._start(name, **changed)
        try:
            yield running
        finally:
            running.stop()

    def _start(self, name: str, **changed: str | None) -> Running:
        output: list[str] = []
        # The port was free a moment ago; if somebody has it now, there are others.
        for _ in range(3):
            port = _free_port()
            wanted = self.settings(port) | changed
            process = self.spawn(name, {k: v for k, v in wanted.items() if v is not None})
            output = []
            if _listens(process, output):
                return Running(
                    name=name, url=f"http://localhost:{port}", process=process, output=output
                )
            process.kill()
            process.wait()
            if not any("in use" in line or "EADDRINUSE" in line for line in output):
                break
        raise AssertionError(f"examples/{name} did not start:\n{''.join(output)}")

    def _installed(self, name: str) -> Path:
        """The folder of a copy of the example, with what npm installs; made once in a run."""
        copy = self._folder / name
        with _alone(self._folder / f"{name}.lock"):
            if not copy.is_dir():
                making = self._folder / f"{name}.making"
                shutil.rmtree(making, ignore_errors=True)
                making.mkdir()
                # Beside it lies what several share.
                for shared in FOLDER.glob("*.py"):
                    shutil.copy(shared, making)
                left_out = shutil.ignore_patterns("node_modules", "__pycache__")
                shutil.copytree(FOLDER / name, making / name, ignore=left_out)
                if (making / name / "package.json").exists():
                    _npm_install(making / name)
                making.rename(copy)
        return copy / name


def absent(reason: str) -> None:
    """Skip the test, or fail it where everything must be there."""
    if os.environ.get("MP_OAUTH_REQUIRE_NODE") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A temporary folder of this run, the same in every xdist worker."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "examples"
    folder.mkdir(exist_ok=True)
    return folder


def _npm_install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise CannotRunError("the examples for Node.js need npm, to install their packages")
    quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(
        [npm, "install", *quiet], cwd=folder, check=False, timeout=100, capture_output=True
    )
    if done.returncode != 0:
        raise CannotRunError(f"npm could not install what examples/{folder.name} needs")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _listens(process: "subprocess.Popen[str]", output: list[str]) -> bool:
    """Whether it comes to listen; what it prints is collected for as long as it runs."""
    ready, listening = threading.Event(), threading.Event()

    def collect() -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                output.append(line)
                if line.startswith("listening on http://localhost:"):
                    listening.set()
                    ready.set()
        ready.set()

    threading.Thread(target=collect, daemon=True).start()
    ready.wait(60)
    return listening.is_set()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process at a time; where the system has no such lock, each has its own folder."""
    if os.name != "posix":
        yield
        return
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
