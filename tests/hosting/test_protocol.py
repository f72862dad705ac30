"""What a client may send over a socket, and what it hears when it sends something else."""

import asyncio
import json
import logging
import socket
import threading
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request

from mp_oauth_sandbox.hosting.guard import CONNECTION
from mp_oauth_sandbox.hosting.limits import DEFAULT_LIMITS, Limits
from mp_oauth_sandbox.hosting.live import LiveServer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

IMPATIENT = Limits(head_time=timedelta(milliseconds=30), idle_time=timedelta(milliseconds=30))
PATIENCE = 10.0


async def echo(scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Answers with the target's path, a colon, and the body."""
    body = scope["path"].encode() + b":"
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await answer(send, body)


async def answer(send: "Send", body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def connect(server: LiveServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=PATIENCE)


def everything(sock: socket.socket) -> bytes:
    """All that the server still says until it closes; nothing if it resets the connection."""
    heard = b""
    with suppress(ConnectionError):
        while piece := sock.recv(65536):
            heard += piece
    return heard


def exchange(
    sent: bytes, *, app: "ASGIApp" = echo, limits: Limits = DEFAULT_LIMITS
) -> tuple[bytes, bytes]:
    """Head and body of all that a client hears that sends this and stops writing."""
    with LiveServer(app, limits=limits) as server, connect(server) as sock:
        with suppress(ConnectionError):
            sock.sendall(sent)
        head, _, body = everything(sock).partition(b"\r\n\r\n")
        return head, body


def get(path: str, *fields: str) -> bytes:
    lines = (f"GET {path} HTTP/1.1", "host: localhost", *fields, "", "")
    return "\r\n".join(lines).encode("latin-1")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, but for asyncio's line about every server."""
    return [record.getMessage() for record in caplog.records if record.name != "asyncio"]


CLOSING = "connection: close"


def test_an_answer_carries_a_date_and_no_server_name() -> None:
    head, body = exchange(get("/hello", CLOSING))
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert body == b"/hello:"
    assert parsedate_to_datetime(fields[b"date"].decode()).tzinfo is not None
    assert b"server" not in fields


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # somebody tries TLS
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET http://localhost HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"CONNECT localhost:443 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nnot a length\r\n",
    ],
)
def test_what_is_not_http_is_answered_with_a_json_400(sent: bytes) -> None:
    head, body = exchange(sent)
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\ndate: " in head
    assert b"\r\ncontent-type: application/json; charset=utf-8\r\n" in head
    assert head.endswith(b"\r\nconnection: close")
    assert body == (
        b'{"message":"malformed HTTP request","error":"bad_request","status":400,"cause":[]}'
    )


@pytest.mark.parametrize(
    "sent",
    [
        get("/", "x-long: " + "a" * 70_000),
        get("/", *(f"x-{n}: {'a' * 1000}" for n in range(100))),
        b"GET / HTTP/1.1\r\nx-endless: " + b"a" * 5_000_000,
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-trailer: "
        + b"a" * 200_000,
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;" + b"x" * 200_000,
    ],
    ids=["one-field", "many-fields", "endless-field", "endless-trailer", "endless-chunk-extension"],
)
def test_a_head_too_large_is_answered_with_431(sent: bytes) -> None:
    head, body = exchange(sent)
    assert head.startswith(b"HTTP/1.1 431 ")
    assert json.loads(body)["error"] == "request_header_fields_too_large"


def test_a_target_too_long_is_answered_with_414() -> None:
    head, body = exchange(get("/?state=" + "a" * 33_000))
    assert head.startswith(b"HTTP/1.1 414 ")
    assert json.loads(body)["status"] == 414


def test_a_head_just_within_its_limits_is_served() -> None:
    head, body = exchange(get("/" + "a" * 30_000, "x-long: " + "b" * 30_000, CLOSING))
    assert head.startswith(b"HTTP/1.1 200 ")
    assert len(body) == 30_002


def test_a_large_body_is_not_counted_as_head() -> None:
    body = b"x" * 1_000_000
    sent = (
        b"POST /big HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1000000\r\n\r\n"
        + body
    )
    assert exchange(sent)[1] == b"/big:" + body


def test_a_slow_head_is_answered_with_408() -> None:
    head, body = exchange(b"GET / HTTP/1.1\r\nhost:", limits=IMPATIENT)
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["error"] == "request_timeout"


def test_an_idle_connection_is_closed_without_a_word() -> None:
    assert exchange(b"", limits=IMPATIENT) == (b"", b"")
    head, body = exchange(get("/"), limits=IMPATIENT)
    assert (head[:15], body) == (b"HTTP/1.1 200 OK", b"/:")


def test_a_refusal_waits_for_the_answers_owed_before_it() -> None:
    head, rest = exchange(get("/first") + get("/second") + b"nonsense\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert rest.startswith(b"/first:HTTP/1.1 200 ")
    assert b"/second:HTTP/1.1 400 " in rest


def test_a_request_behind_another_whose_body_cannot_be_read_is_refused_in_turn() -> None:
    broken = b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
    head, rest = exchange(get("/first") + broken)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert rest.startswith(b"/first:HTTP/1.1 400 ")


def test_a_body_that_breaks_after_the_answer_began_ends_the_connection() -> None:
    async def hasty(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"so far", "more_body": True})
        await receive()

    with LiveServer(hasty) as server, connect(server) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        heard = b""
        while b"so far" not in heard:
            heard += sock.recv(65536)
        sock.sendall(b"zz\r\n")
        assert everything(sock) == b""


def test_trailers_are_not_taken_for_headers() -> None:
    async def names(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await answer(send, b",".join(name for name, _ in scope["headers"]))

    sent = (
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        b"0\r\norigin: http://elsewhere.example\r\n\r\n"
    )
    assert exchange(sent, app=names)[1] == b"host,transfer-encoding,connection"


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
def test_an_offered_upgrade_is_ignored_and_the_body_is_still_read(protocol: str) -> None:
    offer = f"POST /a HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: {protocol}\r\n"
    first = offer.encode() + b"content-length: 4\r\n\r\nbody"
    head, rest = exchange(first + get("/b", CLOSING))
    assert head.startswith(b"HTTP/1.1 200 ")
    assert rest.startswith(b"/a:body")
    assert rest.endswith(b"/b:")


def test_hanging_up_sends_nothing_and_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def hang_up(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await receive()
        connection = scope["extensions"][CONNECTION]
        connection["abort"]()
        assert not connection["connected"]()
        assert await receive() == {"type": "http.disconnect"}
        await answer(send, b"too late")

    with caplog.at_level(logging.INFO):
        assert exchange(get("/"), app=hang_up) == (b"", b"")
    assert said(caplog) == []


def test_hanging_up_in_the_middle_sends_what_was_said_and_no_more() -> None:
    async def half(scope: "Scope", receive: "Receive", send: "Send") -> None:
        headers = [(b"content-length", b"10")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        scope["extensions"][CONNECTION]["abort"]()

    head, body = exchange(get("/"), app=half)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b"half"


def test_an_application_can_tell_that_its_client_has_left() -> None:
    seen: list[bool] = []
    arrived = threading.Event()
    finished = threading.Event()

    async def patient(scope: "Scope", receive: "Receive", send: "Send") -> None:
        connected = scope["extensions"][CONNECTION]["connected"]
        await receive()
        seen.append(connected())
        arrived.set()
        assert await receive() == {"type": "http.disconnect"}
        seen.append(connected())
        finished.set()

    with LiveServer(patient) as server:
        with connect(server) as sock:
            sock.sendall(get("/"))
            assert arrived.wait(PATIENCE)
        assert finished.wait(PATIENCE)
    assert seen == [True, False]


def test_a_client_that_leaves_in_the_middle_of_its_body_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    arrived = threading.Event()
    finished = threading.Event()

    async def reader(scope: "Scope", receive: "Receive", send: "Send") -> None:
        arrived.set()
        try:
            await Request(scope, receive).body()
        finally:
            finished.set()

    with caplog.at_level(logging.INFO), LiveServer(reader) as server:
        with connect(server) as sock:
            sock.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf")
            assert arrived.wait(PATIENCE)
        assert finished.wait(PATIENCE)
    assert said(caplog) == []


async def crash(scope: "Scope", receive: "Receive", send: "Send") -> None:
    raise LookupError("a secret detail")


async def silent(scope: "Scope", receive: "Receive", send: "Send") -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("app", [crash, silent])
def test_a_failing_application_is_a_json_500_and_a_line_in_the_log(
    app: "ASGIApp", caplog: pytest.LogCaptureFixture
) -> None:
    head, body = exchange(get("/somewhere"), app=app)
    assert head.startswith(b"HTTP/1.1 500 ")
    assert b"\r\ncontent-type: application/json; charset=utf-8\r\n" in head
    assert body == (
        b'{"message":"internal server error","error":"internal_error","status":500,"cause":[]}'
    )
    (record,) = caplog.records
    assert record.name == "mp_oauth_sandbox"
    assert "/somewhere" in record.getMessage()


def test_an_application_that_fails_halfway_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def half(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise LookupError

    _, body = exchange(get("/"), app=half)
    assert body == b"4\r\nhalf\r\n"
    assert [record.name for record in caplog.records] == ["mp_oauth_sandbox"]


def test_hosting_leaves_the_loggers_of_the_process_alone() -> None:
    handler = logging.NullHandler()
    access = logging.getLogger("uvicorn.access")
    access.addHandler(handler)
    try:
        exchange(get("/", CLOSING))
        assert access.handlers == [handler]
        assert access.propagate
    finally:
        access.removeHandler(handler)
