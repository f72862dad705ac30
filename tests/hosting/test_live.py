"""A live server comes up at once and leaves nothing behind."""

import asyncio
import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import freezegun
import httpx
import pytest

from mp_oauth_sandbox.hosting import protocol
from mp_oauth_sandbox.hosting.live import LiveServer, PortUnavailableError
from mp_oauth_sandbox.support import loop_thread

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


async def hello(scope: "Scope", receive: "Receive", send: "Send") -> None:
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


def connected(server: LiveServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=10)


def heard_hello(sock: socket.socket) -> bool:
    heard = b""
    while not heard.endswith(b"hello") and (piece := sock.recv(4096)):
        heard += piece
    return heard.endswith(b"hello")


def own_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "sandbox" in thread.name]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_it_answers_as_soon_as_it_is_constructed() -> None:
    with LiveServer(hello) as server:
        assert server.host == "127.0.0.1"
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert httpx.get(server.url).text == "hello"


def test_closing_again_does_nothing() -> None:
    server = LiveServer(hello)
    server.close()
    server.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_many_threads_may_close_it_at_once() -> None:
    server = LiveServer(hello)
    with ThreadPoolExecutor(8) as pool:
        for closing in [pool.submit(server.close) for _ in range(8)]:
            closing.result()


@pytest.mark.skipif(sys.platform != "linux", reason="counts /proc/self/fd")
def test_two_hundred_in_a_row_leave_no_thread_no_socket_and_no_memory() -> None:
    def rounds(count: int) -> None:
        for _ in range(count):
            with LiveServer(hello) as server, connected(server) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                assert heard_hello(sock)
        gc.collect()

    def kept() -> Counter[str]:
        # By type, because a coverage tool keeps objects of its own for every thread.
        makers = ("mp_oauth_sandbox", "uvicorn", "uvloop", "asyncio", "_asyncio", "socket")
        types = [type(each) for each in gc.get_objects()]
        return Counter(each.__name__ for each in types if str(each.__module__).startswith(makers))

    rounds(20)
    threads, files, objects = own_threads(), open_files(), kept()
    rounds(200)
    assert own_threads() == threads
    assert open_files() == files
    assert kept() - objects == Counter()


def test_closing_does_not_wait_for_hanging_requests_or_idle_connections() -> None:
    arrived = threading.Event()
    cancelled = threading.Event()

    async def hang(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["path"] == "/quick":
            await hello(scope, receive, send)
            return
        arrived.set()
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    server = LiveServer(hang)
    with ExitStack() as stack:
        _silent, partial, idle, hanging = (stack.enter_context(connected(server)) for _ in range(4))
        partial.sendall(b"GET / HTTP/1.1\r\n")
        idle.sendall(b"GET /quick HTTP/1.1\r\nhost: x\r\n\r\n")
        assert heard_hello(idle)
        hanging.sendall(b"GET /hang HTTP/1.1\r\nhost: x\r\n\r\n")
        assert arrived.wait(10)
        begun = time.monotonic()
        server.close()
        assert time.monotonic() - begun < 1
        assert cancelled.is_set()
        assert idle.recv(4096) == b""
        assert hanging.recv(4096) == b""


def test_a_request_about_to_end_is_answered_before_closing() -> None:
    arrived = threading.Event()

    async def soon(scope: "Scope", receive: "Receive", send: "Send") -> None:
        arrived.set()
        for _ in range(3):
            await asyncio.sleep(0)
        await hello(scope, receive, send)

    with LiveServer(soon) as server, connected(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert arrived.wait(10)
        server.close()
        assert heard_hello(sock)


def test_it_cannot_be_closed_from_its_own_thread() -> None:
    heard: list[str] = []

    async def close_itself(scope: "Scope", receive: "Receive", send: "Send") -> None:
        try:
            server.close()
        except RuntimeError as error:
            heard.append(str(error))
        await hello(scope, receive, send)

    with LiveServer(close_itself) as server:
        assert httpx.get(server.url).text == "hello"
    assert heard == ["A loop thread can't be closed from itself: it would wait forever."]


def test_a_taken_port_is_an_error_that_names_the_remedy() -> None:
    with LiveServer(hello) as server:
        threads = own_threads()
        with pytest.raises(PortUnavailableError) as raised:
            LiveServer(hello, port=server.port)
        assert str(raised.value).endswith(
            f"Can't listen on 127.0.0.1:{server.port} (Address already in use): "
            "choose another --port, or 0 to let the system choose."
        )
        assert isinstance(raised.value, OSError)
        assert own_threads() == threads


def test_an_address_of_another_machine_is_an_error_that_names_the_host() -> None:
    # RFC 5737 section 3: no machine has this address.
    with pytest.raises(PortUnavailableError, match=r"192\.0\.2\.1:0 .* choose another --host"):
        LiveServer(hello, host="192.0.2.1")


def test_a_port_out_of_range_is_an_error_that_names_it() -> None:
    with pytest.raises(PortUnavailableError, match=r"127\.0\.0\.1:70000 .* another --port"):
        LiveServer(hello, port=70_000)


@pytest.mark.parametrize("host", ["a..b", "::zz"])
def test_a_name_that_is_none_is_an_error_that_names_the_host(host: str) -> None:
    with pytest.raises(PortUnavailableError, match="choose another --host"):
        LiveServer(hello, host=host)


@pytest.mark.skipif(sys.platform != "linux", reason="counts /proc/self/fd")
@pytest.mark.parametrize("broken", ["loop", "server"])
def test_a_start_that_fails_leaves_nothing_behind(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError("too many open files")

    # The first loop of a process opens files for good.
    LiveServer(hello).close()
    if broken == "loop":
        monkeypatch.setattr(loop_thread, "new_event_loop", fail)
    else:
        monkeypatch.setattr(protocol.HttpServer, "start", fail)
    threads, files = own_threads(), open_files()
    with pytest.raises(OSError, match="too many open files"):
        LiveServer(hello)
    gc.collect()
    assert (own_threads(), open_files()) == (threads, files)


def test_a_port_is_free_again_at_once() -> None:
    with LiveServer(hello) as server:
        port = server.port
        with connected(server) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            sock.recv(4096)
            server.close()  # The server closes first: its side of the connection lingers.
    with LiveServer(hello, port=port) as again:
        assert again.port == port


def test_a_bound_socket_can_be_handed_over() -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    with LiveServer(hello, sock=sock) as server:
        assert server.url == f"http://127.0.0.1:{port}"
        assert httpx.get(server.url).text == "hello"
        assert sock.fileno() == -1


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_an_ipv6_address_is_bracketed() -> None:
    try:
        server = LiveServer(hello, host="::1")
    except PortUnavailableError:
        pytest.skip("no IPv6 loopback")
    with server:
        assert server.url == f"http://[::1]:{server.port}"
        assert httpx.get(server.url).text == "hello"


@pytest.mark.parametrize("own_socket", [False, True])
def test_small_answers_are_not_held_back(
    monkeypatch: pytest.MonkeyPatch, *, own_socket: bool
) -> None:
    listening: list[int] = []
    accepted: list[int] = []
    start = protocol.HttpServer.start
    made = protocol._BoundedProtocol.connection_made

    async def watched_start(self: protocol.HttpServer, sock: socket.socket) -> None:
        listening.append(sock.proto)
        await start(self, sock)

    def watched_made(self: protocol._BoundedProtocol, transport: asyncio.Transport) -> None:
        made(self, transport)
        sock = transport.get_extra_info("socket")
        accepted.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(protocol.HttpServer, "start", watched_start)
    monkeypatch.setattr(protocol._BoundedProtocol, "connection_made", watched_made)
    given = socket.create_server(("127.0.0.1", 0)) if own_socket else None
    with LiveServer(hello, sock=given) as server:
        httpx.get(server.url)
    assert listening == [socket.IPPROTO_TCP]
    assert accepted
    assert all(accepted)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_frozen_clock_does_not_stop_it(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unhurried(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await asyncio.sleep(0.001)
        await hello(scope, receive, send)

    if loop == "asyncio":
        monkeypatch.setitem(sys.modules, "uvloop", None)
    with freezegun.freeze_time("2001-01-01"), LiveServer(unhurried) as server:
        assert httpx.get(server.url).text == "hello"


def test_one_that_is_never_closed_does_not_hold_up_the_interpreter() -> None:
    program = (
        "from mp_oauth_sandbox.hosting.live import LiveServer\n"
        "async def app(scope, receive, send): ...\n"
        "print(LiveServer(app).url)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("http://127.0.0.1:")
    assert done.stderr == ""


def test_an_answered_request_leaves_nothing_to_the_collector_of_cycles() -> None:
    request = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"

    def ask(sock: socket.socket, times: int) -> None:
        for _ in range(times):
            sock.sendall(request)
            assert heard_hello(sock)

    with LiveServer(hello) as server, connected(server) as sock:
        ask(sock, 5)
        gc.collect()
        gc.disable()
        try:
            ask(sock, 100)
            unreachable = gc.collect()
        finally:
            gc.enable()

    assert unreachable < 100
