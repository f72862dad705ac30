"""What does it cost that much has happened? Memory, a data file, and the start over it.

    python benchmarks/growth.py                 a million flows over a data file: five minutes
    python benchmarks/growth.py --flows N       fewer

Memory: what a code that nobody redeems and a whole flow add to the process, and what a refusal
costs among all those codes. Data file: flows
over one, a virtual day after each hundred, so that tokens expire after 18,000 of them: from
then on nothing should grow. Now and then a second process starts over a copy of the file, and
tells how long that took. Requests reach the application without a socket, and the journal is full
before anything is counted. A lookup is GET /users/me with a token, a refusal an exchange of a code
that is cut off, for which what was meant is looked for; both in microseconds of the processor, and
both should cost the same whatever is stored.
"""

import argparse
import asyncio
import gc
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.types import ASGIApp, Message

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.first_run import first_run

REDIRECT = "http://127.0.0.1:9/cb"
START = """
import sys, time
from pathlib import Path
import mp_oauth_sandbox.sandbox
from mp_oauth_sandbox.stores.sqlite import SQLiteStore
start = time.perf_counter()
mp_oauth_sandbox.sandbox.Sandbox(data=Path(sys.argv[1]), live=False).close()
print(time.perf_counter() - start)
"""


class Shop:
    """An application with one seller, who says yes at once."""

    def __init__(self, data: Path | None) -> None:
        """Start a sandbox for it."""
        self.sandbox = Sandbox(live=False, data=data)
        start = first_run(self.sandbox, redirect_uris=[REDIRECT])
        self.sandbox.auto_consent(start.sellers[0])
        self.sandbox.keep(start.application, *start.sellers)
        application = start.application
        self._client = {
            "client_id": application.client_id,
            "client_secret": application.client_secret,
        }
        self._query = (
            f"client_id={application.client_id}&response_type=code&platform_id=mp"
            f"&state=0123456789abcdef&redirect_uri={quote(REDIRECT, safe='')}"
        ).encode()

    async def code(self) -> str:
        """Approve."""
        head, _ = await called(self.sandbox.asgi, "GET", "/authorization", query=self._query)
        location = dict(head["headers"])[b"location"].decode()
        return str(location.partition("code=")[2].partition("&")[0])

    async def flow(self) -> str:
        """Approve and exchange; the access token."""
        fields = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
        body = json.dumps({**self._client, **fields, "code": await self.code()}).encode()
        head, answer = await called(self.sandbox.asgi, "POST", "/oauth/token", body=body)
        assert head["status"] == 200, answer
        return str(json.loads(answer)["access_token"])

    async def look_up(self, token: str) -> None:
        """Use a token."""
        head, answer = await called(self.sandbox.asgi, "GET", "/users/me", token=token)
        assert head["status"] == 200, answer

    async def refused(self, _token: str) -> None:
        """Exchange a code that is none, but looks like one."""
        fields = {"grant_type": "authorization_code", "code": "TG-65f0c0de0000010001ab"}
        body = json.dumps({**self._client, **fields}).encode()
        head, answer = await called(self.sandbox.asgi, "POST", "/oauth/token", body=body)
        assert head["status"] == 400, answer


async def called(
    app: ASGIApp, method: str, path: str, *, query: bytes = b"", body: bytes = b"", token: str = ""
) -> tuple[Message, bytes]:
    """Head and body of what an ASGI application answers."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": headers,
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    return sent[0], sent[1]["body"]


def resident() -> float:
    """Megabytes of memory that this process holds (Linux)."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def memory(flows: int) -> None:
    """Print what a code and a flow add, and what a refusal costs among so many codes."""
    for label, what, count in (
        ("a code", Shop.code, flows),
        ("a flow", Shop.flow, min(flows, 50_000)),
    ):
        shop = Shop(None)

        async def some(times: int, shop: Shop = shop, what: Callable[[Shop], Any] = what) -> None:
            for _ in range(times):
                await what(shop)

        # The journal is full then, and so is the list of the dead.
        asyncio.run(some(min(count, 30_000)))
        before = resident()
        few = cost(shop.refused, "")
        asyncio.run(some(count))
        print(f"{label:<10}{(resident() - before) * 1e6 / count:8.0f} bytes", flush=True)
        if what is Shop.code:
            many = cost(shop.refused, "")
            print(f"a refusal {few:8.0f} us among the first, {many:.0f} among {count:,} more codes")
        shop.sandbox.close()


def cost(request: Callable[[str], Awaitable[None]], token: str) -> float:
    """Microseconds of processor time for one such request."""

    async def some(count: int) -> float:
        start = time.process_time()
        for _ in range(count):
            await request(token)
        return (time.process_time() - start) / count * 1e6

    return min(asyncio.run(some(200)) for _ in range(5))


def start_up(data: Path) -> float:
    """Seconds to open a copy of that file, as it is in the midst of things."""
    with tempfile.TemporaryDirectory() as folder:
        for file in data.parent.glob(f"{data.name}*"):
            shutil.copy(file, folder)
        times = [
            float(
                subprocess.run(  # noqa: S603 - our own program
                    [sys.executable, "-P", "-c", START, str(Path(folder) / data.name)],
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
        ]
    return statistics.median(times)


def data_file(flows: int, folder: Path) -> None:
    """Print, a tenth after the other, what a data file has come to."""
    data = folder / "sandbox.db"
    shop = Shop(data)
    print(f"{'flows':>10}{'us a flow':>12}{'file, MB':>12}{'memory, MB':>12}", end="")
    print(f"{'start, s':>12}{'lookup, us':>12}{'refusal, us':>12}")

    async def some(count: int) -> str:
        token = ""
        for number in range(count):
            token = await shop.flow()
            if number % 100 == 99:
                shop.sandbox.clock.advance(days=1)
        return token

    for tenth in range(1, 11):
        start = time.process_time()
        token = asyncio.run(some(flows // 10))
        taken = (time.process_time() - start) / (flows // 10) * 1e6
        size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
        print(f"{flows // 10 * tenth:10}{taken:12.0f}{size:12.1f}{resident():12.1f}", end="")
        print(f"{start_up(data):12.2f}{cost(shop.look_up, token):12.1f}", end="")
        print(f"{cost(shop.refused, token):12.1f}", flush=True)
    shop.sandbox.close()


def main() -> None:
    """Print what the command line asks for."""
    about, _, explained = (__doc__ or "").split("\n\n")
    parser = argparse.ArgumentParser(description=about, epilog=explained)
    parser.add_argument("--flows", type=int, default=1_000_000, metavar="N", help="how many")
    flows: int = parser.parse_args().flows
    memory(flows)
    with tempfile.TemporaryDirectory() as folder:
        data_file(flows, Path(folder))


if __name__ == "__main__":
    main()
