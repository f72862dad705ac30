"""An application behind httpx without a socket behaves as it does behind one."""

import asyncio
import gc
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn

import httpx
import pytest

from mp_oauth_sandbox.hosting.guard import CONNECTION
from mp_oauth_sandbox.hosting.transport import InProcessTransport

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

BASE = "http://sandbox:8970"


def own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "transport" in thread.name]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Generator[None]:
    before = own_threads()
    yield
    assert own_threads() == before


async def answer(send: "Send", body: bytes, *, status: int = 200) -> None:
    headers = [(b"content-type", b"text/plain"), (b"x-twice", b"1"), (b"x-twice", b"2")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def mirror(scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Answers with what arrived."""
    async with asyncio.timeout(10):
        message = await receive()
    seen = {
        "method": scope["method"],
        "scheme": scope["scheme"],
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode("latin-1"),
        "query": scope["query_string"].decode("latin-1"),
        "host": dict(scope["headers"])[b"host"].decode(),
        "server": list(scope["server"]),
        "client": scope["client"][0],
        "body": message["body"].decode(),
    }
    await answer(send, json.dumps(seen).encode(), status=201)


def call(app: "ASGIApp", method: str = "GET", path: str = "/", **options: object) -> httpx.Response:
    with httpx.Client(transport=InProcessTransport(app), base_url=BASE) as client:
        return client.request(method, path, **options)  # type: ignore[arg-type] # httpx's own options


async def acall(
    app: "ASGIApp", method: str = "GET", path: str = "/", **options: object
) -> httpx.Response:
    async with httpx.AsyncClient(transport=InProcessTransport(app), base_url=BASE) as client:
        return await client.request(method, path, **options)  # type: ignore[arg-type] # as above


SEEN = {
    "method": "POST",
    "scheme": "http",
    "path": "/a b/\u00e9",
    "raw_path": "/a%20b/%C3%A9",
    "query": "state=%FF%00+x&state=2",
    "host": "sandbox:8970",
    "server": ["sandbox", 8970],
    "client": "127.0.0.1",
    "body": "code=1",
}
PATH = "/a%20b/%C3%A9?state=%FF%00+x&state=2"


def test_a_synchronous_client_gets_status_headers_and_body_as_given() -> None:
    response = call(mirror, "POST", PATH, data={"code": "1"})
    assert response.status_code == 201
    assert response.headers.get_list("x-twice") == ["1", "2"]
    assert response.json() == SEEN


@pytest.mark.anyio
async def test_an_asynchronous_client_gets_status_headers_and_body_as_given() -> None:
    response = await acall(mirror, "POST", PATH, data={"code": "1"})
    assert response.status_code == 201
    assert response.headers.get_list("x-twice") == ["1", "2"]
    assert response.json() == SEEN


@pytest.mark.anyio
async def test_a_synchronous_client_works_where_a_loop_already_runs() -> None:
    assert call(mirror, "POST", PATH, data={"code": "1"}).json() == SEEN


def test_a_target_of_ones_own_arrives_byte_for_byte() -> None:
    extensions = {"target": b"/%zz?state=%ff^"}
    seen = call(mirror, extensions=extensions).json()
    assert (seen["raw_path"], seen["query"]) == ("/%zz", "state=%ff^")


def test_the_default_port_is_that_of_the_scheme() -> None:
    assert call(mirror, path="https://sandbox/").json()["server"] == ["sandbox", 443]


def test_the_answer_to_head_has_no_body() -> None:
    assert call(mirror, "HEAD").content == b""


def test_threads_share_one_loop_and_can_wait_for_each_other() -> None:
    arrived: list[asyncio.AbstractEventLoop] = []
    everybody = asyncio.Event()

    async def meet(scope: "Scope", receive: "Receive", send: "Send") -> None:
        arrived.append(asyncio.get_running_loop())
        if len(arrived) == 20:
            everybody.set()
        await everybody.wait()
        await answer(send, b"met")

    transport = InProcessTransport(meet)

    def one() -> str:
        # Each closes the shared transport, and none the thread that others wait on.
        with httpx.Client(transport=transport, base_url=BASE, timeout=30) as client:
            return client.get("/").text

    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(one) for _ in range(20)]
        assert {each.result() for each in calls} == {"met"}
    assert len(set(arrived)) == 1


def test_a_closed_transport_can_be_used_again() -> None:
    transport = InProcessTransport(mirror)
    for _ in range(3):
        with httpx.Client(transport=transport, base_url=BASE) as client:
            assert client.get("/").status_code == 201
        assert own_threads() == []


@pytest.mark.anyio
async def test_one_transport_serves_both_kinds_of_client() -> None:
    transport = InProcessTransport(mirror)
    with httpx.Client(transport=transport, base_url=BASE) as client:
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as other:
            assert client.get("/").json() == (await other.get("/")).json()
        assert client.get("/").status_code == 201


async def hang_up(scope: "Scope", receive: "Receive", send: "Send") -> None:
    await receive()
    connection = scope["extensions"][CONNECTION]
    assert connection["connected"]()
    connection["abort"]()
    assert not connection["connected"]()
    assert await receive() == {"type": "http.disconnect"}
    await answer(send, b"too late")


DISCONNECTED = r"^Server disconnected without sending a response\.$"


def test_hanging_up_is_a_protocol_error_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(httpx.RemoteProtocolError, match=DISCONNECTED),
    ):
        call(hang_up)
    assert caplog.messages == []


@pytest.mark.anyio
async def test_hanging_up_on_an_asynchronous_client_is_the_same_error() -> None:
    with pytest.raises(httpx.RemoteProtocolError, match=DISCONNECTED):
        await acall(hang_up)


async def half(scope: "Scope", receive: "Receive", send: "Send") -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    scope["extensions"][CONNECTION]["abort"]()


def test_an_answer_cut_short_is_a_protocol_error() -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        call(half)


@pytest.mark.anyio
async def test_an_answer_cut_short_is_a_protocol_error_after_what_was_said() -> None:
    heard: list[bytes] = []
    async with (
        httpx.AsyncClient(transport=InProcessTransport(half), base_url=BASE) as client,
        client.stream("GET", "/") as response,
    ):
        pieces = response.aiter_raw()
        heard.append(await anext(pieces))
        with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
            heard.append(await anext(pieces))
    assert heard == [b"half"]


def test_a_failing_application_is_a_json_500_and_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def crash(scope: "Scope", receive: "Receive", send: "Send") -> None:
        raise LookupError("a secret detail")

    response = call(crash, path="/somewhere")
    assert response.status_code == 500
    assert response.text == (
        '{"message":"internal server error","error":"internal_error","status":500,"cause":[]}'
    )
    (record,) = caplog.records
    assert record.name == "mp_oauth_sandbox"
    assert "/somewhere" in record.getMessage()


def test_a_failure_after_the_answer_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def crash(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await answer(send, b"fine")
        raise LookupError

    assert call(crash).text == "fine"
    assert len(caplog.records) == 1


class Interrupted(BaseException):
    """What a test's signal handler raises, as Ctrl-C would."""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGUSR1")
def test_ctrl_c_reaches_a_waiting_caller() -> None:
    def interrupt(*_: object) -> NoReturn:
        raise Interrupted

    async def hang(scope: "Scope", receive: "Receive", send: "Send") -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(3600)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(Interrupted):
            call(hang, timeout=30)
    finally:
        signal.signal(signal.SIGUSR1, before)


class Lingering:
    """An application that goes on after its client has lost patience."""

    def __init__(self) -> None:
        self.saw_disconnect = threading.Event()
        self.cancelled = threading.Event()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        await receive()
        await receive()
        assert not scope["extensions"][CONNECTION]["connected"]()
        self.saw_disconnect.set()
        try:
            await asyncio.sleep(3600)
        finally:
            self.cancelled.set()


def test_an_application_goes_on_after_a_timeout_until_the_transport_closes() -> None:
    app = Lingering()
    with httpx.Client(transport=InProcessTransport(app), base_url=BASE) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get("/", timeout=0.02)
        assert app.saw_disconnect.wait(10)
        assert not app.cancelled.is_set()
    assert app.cancelled.is_set()


@pytest.mark.anyio
async def test_an_asynchronous_timeout_is_the_same() -> None:
    app = Lingering()
    async with httpx.AsyncClient(transport=InProcessTransport(app), base_url=BASE) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/", timeout=0.02)
        while not app.saw_disconnect.is_set():
            await asyncio.sleep(0)
        assert not app.cancelled.is_set()
    assert app.cancelled.is_set()


@pytest.mark.anyio
async def test_a_cancelled_caller_is_a_client_that_left() -> None:
    app = Lingering()
    async with httpx.AsyncClient(transport=InProcessTransport(app), base_url=BASE) as client:
        calling = asyncio.create_task(client.get("/"))
        await asyncio.sleep(0)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        while not app.saw_disconnect.is_set():
            await asyncio.sleep(0)
    assert app.cancelled.is_set()


@pytest.mark.anyio
async def test_an_asynchronous_answer_arrives_piece_by_piece() -> None:
    go_on = asyncio.Event()
    left: list[bool] = []

    async def events(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"two", "more_body": True})
        await receive()
        left.append(not scope["extensions"][CONNECTION]["connected"]())

    async with httpx.AsyncClient(transport=InProcessTransport(events), base_url=BASE) as client:
        async with client.stream("GET", "/") as response:
            pieces = response.aiter_raw()
            assert await anext(pieces) == b"one"
            go_on.set()
            assert await anext(pieces) == b"two"
        while not left:
            await asyncio.sleep(0)
    assert left == [True]


def test_a_thousand_requests_leave_nothing_behind() -> None:
    transport = InProcessTransport(mirror)
    with httpx.Client(transport=transport, base_url=BASE) as client:
        for _ in range(300):
            client.get("/")
        gc.collect()
        before = len(gc.get_objects())
        for _ in range(1000):
            client.get("/")
        gc.collect()
        assert len(gc.get_objects()) - before < 200
