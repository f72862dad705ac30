"""How fast is the sandbox? Ratios, each measured against something in the same run.

    python benchmarks/flows.py                     about a minute
    python benchmarks/flows.py --against REV       two, with another commit beside
    python benchmarks/flows.py --quick             rough, in seconds

A flow is an authorization request and a code exchange over kept-alive connections; a refresh is
one token request, and each connection goes on with a link of its own. What is measured is `serve`,
its output read by nobody. The yardstick ("bare") answers the same requests from Starlette on
uvicorn as that comes, and does no OAuth work: nothing built on Starlette can pass 1.00. Slices of
all alternate, because the speed of a machine drifts; the median of the ratios is printed with
their range, and beside it the processor time that the server took for each flow or refresh, in
microseconds. Where others use the machine, believe that rather.

Servers and load get a core each where the system lets programs choose (Linux) and there are two.
"""

import argparse
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self
from urllib.parse import quote
from urllib.request import Request, urlopen

from revisions import checked_out, importing_from

REDIRECT = "http://127.0.0.1:9/cb"
CLIENT = {"client_id": "1234567890123456", "client_secret": "SandboxOnlySecret000000000000000"}
QUERY = (
    f"client_id={CLIENT['client_id']}&response_type=code&platform_id=mp&state=0123456789abcdef"
    f"&redirect_uri={quote(REDIRECT, safe='')}"
)
# What is measured: the command, as people start it. Its lines go nowhere, but are written.
SERVE = """
import os, runpy, sys
said = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
def run(port):
    options = ["--auto-consent", "--redirect-uri", "http://127.0.0.1:9/cb", "--port", port]
    data = ["--data", sys.argv[2]] if sys.argv[2:] else []
    sys.argv = ["mp-oauth-sandbox", "serve", *options, *data]
    runpy.run_module("mp_oauth_sandbox", run_name="__main__")
"""
BARE = """
import sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
said = sys.stdout
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
def run(port):
    uvicorn.run(app, port=int(port), lifespan="off", log_level="warning", access_log=False)
"""
# For what is not asked over HTTP: starts and resets.
LIBRARY = """
import sys, threading, time
from mp_oauth_sandbox import Sandbox
try:
    from mp_oauth_sandbox.first_run import first_run
except ImportError:  # An older commit, which has it here.
    from mp_oauth_sandbox.presets import first_run
said = sys.stdout
def milliseconds(work):
    start = time.perf_counter()
    result = work()
    return (time.perf_counter() - start) * 1000, result
def sandbox():
    taken, started = milliseconds(Sandbox)
    started.close()
    return taken
def reset():
    return milliseconds(server.reset)[0]
def run(port):
    global server
    with Sandbox(port=int(port)) as server:
        first_run(server)
        threading.Event().wait()
"""
# It does what it is asked, a name of a function a line, and ends with whoever asks.
ANSWERING = """
import os, sys, threading, time
def cpu():
    return time.process_time()
def answer():
    for line in sys.stdin:
        print(globals()[line.strip()](), file=said, flush=True)
    os._exit(0)
threading.Thread(target=answer, daemon=True).start()
run(sys.argv[1])
"""


@dataclass(frozen=True)
class Cores:
    """Which core serves and which one asks."""

    server: int
    load: int


def two_cores() -> Cores | None:
    """The first and the last that this process may use; None if it can't choose, or has one."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[-1]) if len(allowed) > 1 else None


CORES = two_cores()


class Server:
    """A server in a process of its own, until the `with` block ends."""

    def __init__(self, program: str, tree: Path | None = None, *, data: Path | None = None) -> None:
        """Start it, importing from that tree, and wait until it listens."""
        self.port = free_port()
        self.sells = program == SERVE
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            # -P: this folder, or where we were started, is not to be imported from.
            [
                *(sys.executable, "-P", "-c", program + ANSWERING, str(self.port)),
                *([str(data)] if data else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=importing_from(tree),
            preexec_fn=partial(os.sched_setaffinity, 0, {CORES.server}) if CORES else None,
        )
        while not (redirects if self.sells else listens)(self.port):
            if self._process.poll() is not None:
                sys.exit("The server ended; what it said is above.")
            time.sleep(0.002)

    def __enter__(self) -> Self:
        """It runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def ask(self, what: str) -> str:
        """What the function of that name answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline().strip()
        if not line:
            sys.exit("The server ended; what it said is above.")
        return line


def free_port() -> int:
    """One that nobody listened on a moment ago: a command that says its own is not asked here."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def redirects(port: int) -> bool:
    """Whether sellers say yes there: it listens a moment before it is ready."""
    if not listens(port):
        return False
    connection = Connection(port)
    with connection.socket:
        connection.begin(flow())
        return connection.answer().startswith(b"HTTP/1.1 302")


def another_seller(port: int) -> None:
    """Let another seller approve from now on: a second link of one would displace the first."""
    base = f"http://127.0.0.1:{port}/_sandbox"
    seller = json.loads(called("POST", f"{base}/sellers", {"country": "AR"}))
    called("PUT", f"{base}/consent", {"mode": "auto", "seller": seller["user_id"]})


def called(method: str, url: str, body: object) -> bytes:
    """What a call of the control API answers."""
    headers = {"content-type": "application/json"}
    request = Request(url, json.dumps(body).encode(), headers, method=method)  # noqa: S310 - http
    with urlopen(request) as answer:  # noqa: S310 - http
        return bytes(answer.read())


Exchange = Generator[bytes, bytes, str]
"""Yields requests, is sent the answers, and returns the refresh token."""


def flow() -> Exchange:
    """Authorize, then exchange the code."""
    answer = yield f"GET /authorization?{QUERY} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    code = answer.partition(b"code=")[2].partition(b"&")[0].decode()
    return (yield from token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT))


def refresh(refresh_token: str) -> Exchange:
    """Exchange a refresh token for the next."""
    return (yield from token(grant_type="refresh_token", refresh_token=refresh_token))


def token(**fields: str) -> Exchange:
    """A token request."""
    body = json.dumps({**CLIENT, **fields})
    answer = yield (
        "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.decode())
    fresh: str = json.loads(answer.partition(b"\r\n\r\n")[2])["refresh_token"]
    return fresh


class Connection:
    """A kept-alive connection that knows just enough HTTP, and makes one exchange at a time.

    Plain sockets, as an event loop would be slower than the servers and hide what they do.
    """

    def __init__(self, port: int) -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.refresh_token = ""
        self._exchange = flow()

    def begin(self, exchange: Exchange) -> None:
        """Send its first request."""
        self._exchange = exchange
        self.socket.sendall(next(exchange))

    def goes_on(self) -> bool:
        """Read an answer and send the request that follows from it; False if that was the last."""
        try:
            self.socket.sendall(self._exchange.send(self.answer()))
        except StopIteration as end:
            self.refresh_token = end.value
            return False
        return True

    def answer(self) -> bytes:
        """Read the whole of one."""
        read = self.socket.recv(65536)
        while not complete(read):
            more = self.socket.recv(65536)
            if not more:
                raise RuntimeError(f"The server hung up after {read!r}.")
            read += more
        return read


def complete(answer: bytes) -> bool:
    """Whether the head and the whole body are there."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(end) and len(body) == int(length)


@dataclass(frozen=True)
class Slice:
    """What one server did in one slice of time."""

    per_second: float
    cpu: float
    """Processor time of the server for each flow or refresh, in microseconds."""


@dataclass(frozen=True)
class Load:
    """What is asked of a server: flows or refreshes, over so many connections at once."""

    connections: int
    refreshing: bool = False

    def on(self, server: Server, *, seconds: float) -> Slice:
        """Ask it of that server, for so long."""
        with ExitStack() as stack:
            connections = [Connection(server.port) for _ in range(self.connections)]
            for connection in connections:
                stack.enter_context(connection.socket)
            if self.refreshing:
                for connection in connections:
                    if server.sells:
                        another_seller(server.port)
                    connection.begin(flow())
                    while connection.goes_on():
                        pass
            cpu = float(server.ask("cpu"))
            start = time.perf_counter()
            done = self._until(start + seconds, connections)
            taken = time.perf_counter() - start
            cpu = float(server.ask("cpu")) - cpu
        return Slice(per_second=done / taken, cpu=cpu / done * 1e6)

    def _until(self, end: float, connections: list[Connection]) -> int:
        """How many exchanges were made by then, and a last one on each connection."""
        done = 0
        with selectors.DefaultSelector() as selector:
            for connection in connections:
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                connection.begin(self._next(connection))
            while selector.get_map():
                for key, _ in selector.select():
                    connection = key.data
                    if connection.goes_on():
                        continue
                    done += 1
                    if time.perf_counter() < end:
                        connection.begin(self._next(connection))
                    else:
                        selector.unregister(connection.socket)
        return done

    def _next(self, connection: Connection) -> Exchange:
        return refresh(connection.refresh_token) if self.refreshing else flow()


@dataclass(frozen=True)
class Effort:
    """How long it is measured."""

    rounds: int
    seconds: float
    """Of each slice of a round."""


USUAL, QUICK = Effort(rounds=5, seconds=1), Effort(rounds=3, seconds=0.05)


def compare(
    label: str, load: Load, servers: list[Server], yardstick: Server, effort: Effort
) -> None:
    """Print a row: of each server its ratio to the yardstick, and its processor time."""
    rounds: list[tuple[Slice, list[Slice]]] = []
    for _ in range(effort.rounds):
        by_yardstick = load.on(yardstick, seconds=effort.seconds)
        rounds.append((by_yardstick, [load.on(s, seconds=effort.seconds) for s in servers]))
    print(f"{label:<44}{statistics.median(bare.cpu for bare, _ in rounds):8.0f}", end="")
    for number in range(len(servers)):
        ratios = [ours[number].per_second / bare.per_second for bare, ours in rounds]
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        cpu = statistics.median(ours[number].cpu for _, ours in rounds)
        print(f"{ratio:>22}{cpu:8.0f}", end="")
    print(flush=True)


def throughput(trees: dict[str, Path | None], effort: Effort, folder: Path) -> None:
    """Flows and refreshes against the bare server, and after growth against a fresh one."""
    print(f"\n{'as many a second as the yardstick':<42}{'its us':>10}", end="")
    print("".join(f"{name:>22}{'us':>8}" for name in trees))
    with ExitStack() as stack:
        bare = stack.enter_context(Server(BARE))
        memory = [stack.enter_context(Server(SERVE, tree)) for tree in trees.values()]
        sqlite = [
            stack.enter_context(Server(SERVE, tree, data=folder / f"{number}.sqlite3"))
            for number, tree in enumerate(trees.values())
        ]
        for label, load, servers in (
            ("flows, 1 connection", Load(1), memory),
            ("flows, 16 connections", Load(16), memory),
            ("refreshes, 16 connections", Load(16, refreshing=True), memory),
            ("flows, 16 connections, SQLite", Load(16), sqlite),
        ):
            compare(label, load, servers, bare, effort)
        fresh = stack.enter_context(Server(SERVE))
        compare("flows, after all these / on a fresh server", Load(16), memory[:1], fresh, effort)


def cold_start(tree: Path | None) -> float:
    """Milliseconds from the start of the process until it listens."""
    start = time.perf_counter()
    with Server(SERVE, tree):
        return (time.perf_counter() - start) * 1000


def typical(server: Server, what: str) -> float:
    """The median of some milliseconds that the server tells."""
    return statistics.median(float(server.ask(what)) for _ in range(20))


def durations(label: str, measures: list[Callable[[], float]], effort: Effort) -> None:
    """Print a row: milliseconds of each, and how they compare."""
    for measure in measures:
        measure()  # The first compiles, or fills what is remembered.
    rounds = [[measure() for measure in measures] for _ in range(effort.rounds)]
    print(f"{label:<44}", end="")
    print(
        "".join(f"{statistics.median(column):14.3f}" for column in zip(*rounds, strict=True)),
        end="",
    )
    if len(measures) > 1:
        print(f"{statistics.median(other / ours for ours, other in rounds):20.2f}", end="")
    print(flush=True)


def start_up(trees: dict[str, Path | None], effort: Effort) -> None:
    """Cold starts, warm ones, and resets."""
    print(f"{'milliseconds':<44}", *(f"{name:>14}" for name in trees), sep="", end="")
    print(f"{'other / installed':>20}" if len(trees) > 1 else "")
    durations(
        "process start to listening", [partial(cold_start, tree) for tree in trees.values()], effort
    )
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(LIBRARY, tree)) for tree in trees.values()]
        for label, what in (("Sandbox(), warm", "sandbox"), ("reset", "reset")):
            durations(label, [partial(typical, server, what) for server in servers], effort)


def main() -> None:
    """Print what the command line asks for."""
    about, _, explained, where = (__doc__ or "").split("\n\n")
    parser = argparse.ArgumentParser(description=about, epilog=f"{explained} {where}")
    parser.add_argument("--against", metavar="REV", help="measure another commit beside")
    parser.add_argument("--quick", action="store_true", help="rough figures, in seconds")
    asked = parser.parse_args()
    effort = QUICK if asked.quick else USUAL
    if CORES:
        os.sched_setaffinity(0, {CORES.load})
        print(f"Servers run on core {CORES.server}, the load on core {CORES.load}.\n")
    else:
        print("Servers and load share their cores: the figures are rougher.\n")
    with ExitStack() as stack:
        trees: dict[str, Path | None] = {"installed": None}
        if asked.against:
            trees[asked.against] = stack.enter_context(checked_out(asked.against))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        start_up(trees, effort)
        throughput(trees, effort, folder)


if __name__ == "__main__":
    main()
