"""How fast is the sandbox? Ratios only, each measured against something in the same run.

    python benchmarks/flows.py            about a minute

A flow is an authorization request and a code exchange over kept-alive connections. The
yardstick ("bare") answers the same two requests from Starlette on the same host code and does
no OAuth work: nothing built on Starlette can pass 1.00. Slices of both alternate, because the
speed of a machine drifts; the median of the pairs is printed with its range.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from urllib.parse import quote

REDIRECT = "http://127.0.0.1:9/cb"
CLIENT = {"client_id": "1234567890123456", "client_secret": "SandboxOnlySecret000000000000000"}
QUERY = (
    f"client_id={CLIENT['client_id']}&response_type=code&platform_id=mp&state=0123456789abcdef"
    f"&redirect_uri={quote(REDIRECT, safe='')}"
)
SANDBOX = """
from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.first_run import first_run
sandbox = Sandbox()
start = first_run(sandbox, redirect_uris=["http://127.0.0.1:9/cb"])
sandbox.auto_consent(start.sellers[0])
print(sandbox.url, flush=True)
input()
"""
BARE = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from mp_oauth_sandbox.hosting.live import LiveServer
async def authorize(request):
    query = request.query_params
    location = f"{query['redirect_uri']}?code=TG-{'0' * 24}-1&state={query['state']}"
    return Response(status_code=302, headers={"location": location})
async def token(request):
    await request.json()
    return JSONResponse({"access_token": "APP_USR-" + "0" * 66, "token_type": "Bearer",
        "expires_in": 15552000, "scope": "offline_access read write", "user_id": 1,
        "refresh_token": "TG-" + "0" * 26, "public_key": "APP_USR-" + "0" * 36, "live_mode": True})
app = Starlette(routes=[
    Route("/authorization", authorize), Route("/oauth/token", token, methods=["POST"])])
server = LiveServer(app)
print(server.url, flush=True)
input()
"""


class Server:
    """A server in a process of its own."""

    def __init__(self, program: str) -> None:
        """Start it and wait for the address it prints."""
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        url = self._process.stdout.readline().strip()
        self.port = int(url.rpartition(":")[2])

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


class Connection:
    """One kept-alive connection that knows just enough HTTP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Made by `connect`."""
        self._reader = reader
        self._writer = writer

    async def ask(self, head: str, body: bytes = b"") -> tuple[bytes, bytes]:
        """One request; the head and the body of its answer."""
        more = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        self._writer.write(f"{head} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n".encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return answer, await self._reader.readexactly(length)

    async def flow(self) -> None:
        """Authorize, then exchange the code."""
        answer, _ = await self.ask(f"GET /authorization?{QUERY}")
        code = answer.partition(b"code=")[2].partition(b"&")[0].decode()
        fields = {**CLIENT, "grant_type": "authorization_code", "code": code}
        body = json.dumps({**fields, "redirect_uri": REDIRECT}).encode()
        answer, _ = await self.ask("POST /oauth/token", body)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode())


async def flows_per_second(port: int, *, connections: int, seconds: float) -> float:
    """Whole flows a second with so many connections at once."""
    opened = [
        Connection(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(connections)
    ]
    done = 0
    until = time.perf_counter() + seconds

    async def work(connection: Connection) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await connection.flow()
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(work(connection) for connection in opened))
    return done / (time.perf_counter() - start)


async def paired(
    ours: Callable[[], Awaitable[float]], theirs: Callable[[], Awaitable[float]], rounds: int = 5
) -> str:
    """The ratio ours/theirs of alternating slices: median (min to max)."""
    ratios: list[float] = []
    for _ in range(rounds):
        yardstick = await theirs()
        ratios.append(await ours() / yardstick)
    return f"{statistics.median(ratios):.2f}  ({min(ratios):.2f} to {max(ratios):.2f})"


async def throughput() -> None:
    """Flows a second against the bare server, and before against after growth."""
    sandbox, bare = Server(SANDBOX), Server(BARE)
    try:
        for connections in (1, 16):
            ratio = await paired(
                lambda n=connections: flows_per_second(sandbox.port, connections=n, seconds=1),
                lambda n=connections: flows_per_second(bare.port, connections=n, seconds=1),
            )
            print(f"flows/s, {connections:2} connections, sandbox / bare      {ratio}")
        fresh = Server(SANDBOX)
        try:
            await flows_per_second(sandbox.port, connections=16, seconds=10)
            ratio = await paired(
                lambda: flows_per_second(sandbox.port, connections=16, seconds=1),
                lambda: flows_per_second(fresh.port, connections=16, seconds=1),
            )
            print(f"flows/s after thousands of flows / on a fresh server  {ratio}")
        finally:
            fresh.stop()
    finally:
        sandbox.stop()
        bare.stop()


async def start_up() -> None:
    """Process start to listening, against the same for the bare server."""

    async def seconds(program: str) -> float:
        start = time.perf_counter()
        Server(program).stop()
        return time.perf_counter() - start

    ratio = await paired(lambda: seconds(SANDBOX), lambda: seconds(BARE))
    print(f"time to start, sandbox / bare (smaller is better)     {ratio}")


async def main() -> None:
    """Print every ratio."""
    await start_up()
    await throughput()


if __name__ == "__main__":
    asyncio.run(main())
