"""What the journal says of an answer is what writing it did, on every event loop."""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mp_oauth_sandbox import Application, Sandbox
from mp_oauth_sandbox.faults import Drip, Fault, Gate, LoseResponse, Slow
from mp_oauth_sandbox.hosting.guard import CONNECTION
from mp_oauth_sandbox.hosting.protocol import HttpServer
from mp_oauth_sandbox.journal import Entry

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

NewLoop = Callable[[], asyncio.AbstractEventLoop]

# What the socket of a server and that of a client hold, asked for at least; and an answer that is
# more than both hold, but little enough for a loop's usual buffer.
HELD = 4096
LARGE = 50_000
PATIENCE = 10.0


@pytest.fixture(params=["uvloop", "asyncio"])
def new_loop(request: pytest.FixtureRequest) -> NewLoop:
    return pytest.importorskip(request.param).new_event_loop


@contextmanager
def serving(app: "ASGIApp", new_loop: NewLoop) -> Iterator[tuple[str, int]]:
    """The address of a server that runs on such a loop, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HELD)
    address = listener.getsockname()
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        server, over = HttpServer(app), asyncio.Event()
        await server.start(listener)
        started.set_result((asyncio.get_running_loop(), over))
        await over.wait()
        await server.close()

    def run() -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    loop, over = started.result(PATIENCE)
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


def wait_until(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE * 1000)):
        if true():
            return
        pause.wait(0.001)
    raise AssertionError("it did not come to that")


@dataclass(frozen=True, kw_only=True)
class Shop:
    sandbox: Sandbox
    application: Application
    address: tuple[str, int]

    def connect(self) -> socket.socket:
        sock = socket.socket()
        # Before it connects, or the window is the system's.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, HELD)
        sock.settimeout(PATIENCE)
        sock.connect(self.address)
        return sock

    def token_request(self, *fields: str, version: str = "1.1") -> bytes:
        body = {
            "client_id": self.application.client_id,
            "client_secret": self.application.client_secret,
            "grant_type": "client_credentials",
        }
        content = json.dumps(body)
        lines = (
            f"POST /oauth/token HTTP/{version}",
            "host: localhost",
            "content-type: application/json",
            f"content-length: {len(content)}",
            *fields,
        )
        return "\r\n".join((*lines, "", content)).encode()

    def resource_request(self, *fields: str, method: str = "GET") -> bytes:
        bearer = f"authorization: Bearer {self.application.access_token}"
        return "\r\n".join(
            (f"{method} /large HTTP/1.1", "host: x", bearer, *fields, "", "")
        ).encode()

    def entries(self, count: int = 1) -> list[Entry]:
        """That many exchanges, once all of them have ended."""

        def found() -> list[Entry]:
            return [one for one in self.sandbox.journal if one.kind in {"token", "resource"}]

        wait_until(lambda: len(found()) == count and all(entry.ended for entry in found()))
        return found()

    def deliveries(self, count: int = 1) -> list[str]:
        return [entry.delivery for entry in self.entries(count)]


@pytest.fixture
def shop(new_loop: NewLoop) -> Iterator[Shop]:
    with Sandbox(live=False) as sandbox, serving(sandbox.asgi, new_loop) as address:
        application = sandbox.register_application(redirect_uris=["https://shop.example/cb"])
        sandbox.resources.add("GET", "/large", body={"text": "x" * LARGE})
        yield Shop(sandbox=sandbox, application=application, address=address)


def answer(sock: socket.socket) -> bytes:
    """One whole answer of a connection that may go on: its body."""
    heard = bytearray()
    while b"\r\n\r\n" not in heard:
        heard += sock.recv(65536)
    head, _, body = bytes(heard).partition(b"\r\n\r\n")
    (length,) = (
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.startswith(b"content-length")
    )
    rest = bytearray(body)
    while len(rest) < length:
        rest += sock.recv(1 << 20)
    return bytes(rest)


def reset(sock: socket.socket) -> None:
    """Close it so that the other side hears of it at once, as when a process is killed."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# ---- heard ----


@pytest.mark.parametrize(
    ("fields", "version"),
    [((), "1.1"), (("connection: close",), "1.1"), ((), "1.0")],
    ids=["kept alive", "closed by wish", "HTTP/1.0"],
)
def test_whoever_gets_tokens_is_journalled_as_having_heard_them(
    shop: Shop, fields: tuple[str, ...], version: str
) -> None:
    with shop.connect() as sock:
        sock.sendall(shop.token_request(*fields, version=version))
        assert b"access_token" in answer(sock)

        (entry,) = shop.entries()

    assert entry.delivery == "delivered"
    assert "not heard" not in entry.explain()


@pytest.mark.parametrize("parts", [1, 2])
def test_a_client_that_stops_sending_still_hears_its_answer(shop: Shop, parts: int) -> None:
    request = shop.token_request()
    place = len(request) // parts

    with shop.connect() as sock:
        sock.sendall(request[:place])
        sock.sendall(request[place:])
        sock.shutdown(socket.SHUT_WR)
        assert b"access_token" in answer(sock)

    assert shop.deliveries() == ["delivered"]


def test_each_of_several_requests_on_one_connection_is_delivered(shop: Shop) -> None:
    with shop.connect() as sock:
        for _ in range(2):
            sock.sendall(shop.token_request())
            assert b"access_token" in answer(sock)

    assert shop.deliveries(2) == ["delivered"] * 2


def test_each_of_several_requests_sent_at_once_is_delivered(shop: Shop) -> None:
    last = shop.token_request("connection: close")

    with shop.connect() as sock:
        sock.sendall(shop.token_request() * 2 + last)
        heard = b"".join(iter(lambda: sock.recv(65536), b""))

    assert heard.count(b"HTTP/1.1 200 OK") == 3
    assert shop.deliveries(3) == ["delivered"] * 3


def test_a_head_without_its_body_is_a_whole_answer(shop: Shop) -> None:
    with shop.connect() as sock:
        sock.sendall(shop.resource_request("connection: close", method="HEAD"))
        heard = b"".join(iter(lambda: sock.recv(65536), b""))

    assert heard.startswith(b"HTTP/1.1 200 OK")
    assert shop.deliveries() == ["delivered"]


@pytest.mark.parametrize("fields", [(), ("connection: close",)], ids=["kept alive", "closed"])
def test_a_large_answer_is_delivered_once_the_client_has_taken_it_from_the_buffer(
    shop: Shop, fields: tuple[str, ...]
) -> None:
    with shop.connect() as sock:
        sock.sendall(shop.resource_request(*fields))
        sock.recv(1)
        assert shop.sandbox.journal.last("resource").delivery == "pending"
        # The first character was read above.
        assert len(answer(sock)) > LARGE

        assert shop.deliveries() == ["delivered"]


def test_a_reset_after_the_last_byte_takes_nothing_back(shop: Shop) -> None:
    sock = shop.connect()
    sock.sendall(shop.token_request())
    assert b"access_token" in answer(sock)
    reset(sock)

    assert shop.deliveries() == ["delivered"]


# ---- not heard ----


def test_a_fault_that_hangs_up_drops_the_answer(shop: Shop) -> None:
    shop.sandbox.faults.add(LoseResponse())

    with shop.connect() as sock:
        sock.sendall(shop.token_request("connection: close"))
        assert sock.recv(1) == b""

    assert shop.deliveries() == ["dropped"]


def left_by_closing(sock: socket.socket) -> None:
    sock.close()


def stopped_sending(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)


LEAVING = pytest.mark.parametrize("leave", [reset, left_by_closing, stopped_sending])


@LEAVING
@pytest.mark.parametrize("fault", [Slow(seconds=600), Gate(waiting=2, within=600)])
def test_who_leaves_before_the_first_byte_was_disconnected(
    shop: Shop, fault: Fault, leave: Callable[[socket.socket], None]
) -> None:
    armed = shop.sandbox.faults.add(fault)

    with shop.connect() as sock:
        sock.sendall(shop.token_request())
        wait_until(lambda: armed.used + armed.held == 1)
        leave(sock)
        if isinstance(fault, Gate):
            with shop.connect() as second:
                second.sendall(shop.token_request())
                answer(second)
            assert sorted(shop.deliveries(2)) == ["delivered", "disconnected"]
        else:
            assert shop.deliveries() == ["disconnected"]


@LEAVING
def test_who_leaves_between_two_drops_was_cut_off(
    shop: Shop, leave: Callable[[socket.socket], None]
) -> None:
    shop.sandbox.faults.add(Drip(seconds=600))

    with shop.connect() as sock:
        sock.sendall(shop.token_request())
        assert sock.recv(65536)
        leave(sock)

        (entry,) = shop.entries()

    assert entry.delivery == "cut_off"
    assert entry.explain().endswith("not heard: the connection ended in the middle of the answer")


@pytest.mark.parametrize("fields", [(), ("connection: close",)], ids=["kept alive", "closed"])
def test_who_leaves_in_the_middle_of_a_large_answer_was_cut_off(
    shop: Shop, fields: tuple[str, ...]
) -> None:
    sock = shop.connect()
    sock.sendall(shop.resource_request(*fields))
    assert sock.recv(1)
    reset(sock)

    assert shop.deliveries() == ["cut_off"]


@pytest.mark.parametrize("fields", ["", "connection: close\r\n"], ids=["kept alive", "closed"])
@pytest.mark.parametrize("written", ["nothing", "part"])
def test_a_write_that_fails_is_noted_although_nobody_knew_that_the_client_had_gone(
    new_loop: NewLoop, fields: str, written: str
) -> None:
    arrived, gone = threading.Event(), threading.Event()
    noted: Future[str] = Future()

    async def inattentive(scope: "Scope", receive: "Receive", send: "Send") -> None:
        async def write_head() -> None:
            headers = [(b"content-length", b"2")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})

        if written == "part":
            await write_head()
        arrived.set()
        gone.wait(PATIENCE)  # The loop sees and hears nothing meanwhile.
        if written == "nothing":
            await write_head()
        await send({"type": "http.response.body", "body": b"ok"})
        noted.set_result(scope["extensions"][CONNECTION]["written"])

    with serving(inattentive, new_loop) as address:
        sock = socket.create_connection(address)
        sock.sendall(f"GET / HTTP/1.1\r\nhost: x\r\n{fields}\r\n".encode())
        assert arrived.wait(PATIENCE)
        reset(sock)
        gone.set()

        assert noted.result(PATIENCE) == written
