"""How far does a reader jump to follow one request? Walks it, and counts.

    python benchmarks/walk.py                       two lines, in a second
    python benchmarks/walk.py --list                every call too, in order
    python benchmarks/walk.py --against REV         the same of another commit below

Two requests that succeed go to the ASGI application directly, without sockets, after others like
them have warmed it: the exchange of a code, and an authorization request that automatic consent
answers with a code. Only code in files of `mp_oauth_sandbox` is seen: libraries are not, nor is
what they make for us (the `__init__` of a dataclass has no file).

A call is one that `sys.setprofile` reports. So lambdas count like functions; a generator counts
each time it is entered again for its next item; and so do comprehensions, up to Python 3.11 only:
later ones are no calls. Compare numbers of one Python.

A move is a call in another file than the call before it, in the order of time: what is read next
lies elsewhere. Coming back from a call is no move by itself; it is one as soon as the file that
was come back to calls something of its own.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import quote

from revisions import checked_out, importing_from

import mp_oauth_sandbox
from mp_oauth_sandbox import Sandbox

try:
    from mp_oauth_sandbox.first_run import CLIENT_ID, CLIENT_SECRET, first_run
except ImportError:  # An older commit, which has them here.
    from mp_oauth_sandbox.presets import CLIENT_ID, CLIENT_SECRET, first_run

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message

PACKAGE = str(Path(mp_oauth_sandbox.__file__).parent) + os.sep
REDIRECT = "http://127.0.0.1:9/cb"
AUTHORIZATION = (
    f"client_id={CLIENT_ID}&response_type=code&platform_id=mp&state=0123456789abcdef"
    f"&redirect_uri={quote(REDIRECT, safe='')}"
)
ROUNDS = 3  # The last of them is kept: it is warm.


@dataclass(frozen=True)
class Call:
    """One call of a function of the package."""

    depth: int
    file: str
    function: str


class Walk:
    """The calls of the package's functions in this thread, as long as the `with` block lasts."""

    def __init__(self) -> None:
        """Nothing is seen yet."""
        self.calls: list[Call] = []
        self._depth = 0

    def __enter__(self) -> "Walk":
        """Look from here on."""
        sys.setprofile(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            return
        if event == "call":
            file = code.co_filename.removeprefix(PACKAGE)
            self.calls.append(Call(self._depth, file, code.co_qualname))
            self._depth += 1
        elif event == "return":
            self._depth -= 1

    def __str__(self) -> str:
        """Its three numbers."""
        files = {call.file for call in self.calls}
        moves = sum(call.file != following.file for call, following in pairwise(self.calls))
        return f"{len(self.calls):4} calls {len(files):4} files {moves:4} moves"


async def answer(
    app: "ASGIApp", method: str, path: str, *, query: str = "", body: bytes = b""
) -> "list[Message]":
    """Everything that the application sends for one request: a head, then its body."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
    }
    sent: list[Message] = []

    async def receive() -> "Message":
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: "Message") -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def authorize(app: "ASGIApp") -> tuple[str, Walk]:
    """A code, and the walk to it."""
    with Walk() as walk:
        head, *_ = await answer(app, "GET", "/authorization", query=AUTHORIZATION)
    location: bytes = dict(head["headers"])[b"location"]
    return location.partition(b"code=")[2].partition(b"&")[0].decode(), walk


async def exchange(app: "ASGIApp", code: str) -> Walk:
    """The walk to the tokens."""
    fields = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
    }
    with Walk() as walk:
        head, *_ = await answer(app, "POST", "/oauth/token", body=json.dumps(fields).encode())
    assert head["status"] == 200, head
    return walk


async def walks(app: "ASGIApp") -> dict[str, Walk]:
    """The walk of each request."""
    for _ in range(ROUNDS):
        code, authorization = await authorize(app)
        token = await exchange(app, code)
    return {"POST /oauth/token": token, "GET /authorization": authorization}


def show(*, every_call: bool) -> None:
    """Print the walks through the package that this process imports."""
    with Sandbox(live=False) as sandbox:
        start = first_run(sandbox, redirect_uris=[REDIRECT])
        sandbox.auto_consent(start.sellers[0])
        for request, walk in asyncio.run(walks(sandbox.asgi)).items():
            print(f"{request:<20}{walk}", flush=True)
            if every_call:
                for call in walk.calls:
                    print(f"    {'  ' * call.depth}{call.file}  {call.function}")


def main() -> None:
    """Print what the command line asks for."""
    about, *_, moves = (__doc__ or "").split("\n\n")
    parser = argparse.ArgumentParser(description=about, epilog=moves)
    parser.add_argument("--list", action="store_true", help="print every call, indented")
    parser.add_argument("--against", metavar="REV", help="walk through another commit too")
    asked = parser.parse_args()
    show(every_call=asked.list)
    if asked.against:
        with checked_out(asked.against) as tree:
            print(f"\n{asked.against}", flush=True)
            command = [sys.executable, __file__, *(["--list"] if asked.list else [])]
            subprocess.run(command, env=importing_from(tree), check=True)  # noqa: S603 - this program


if __name__ == "__main__":
    main()
