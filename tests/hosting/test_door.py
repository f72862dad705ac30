"""What is turned away before the application hears of it, and how whoever runs the server knows."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.hosting.door import Door, Oddity, Unserved, spoken
from mp_oauth_sandbox.hosting.limits import DEFAULT_LIMITS, Limits
from mp_oauth_sandbox.hosting.live import LiveServer

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

IMPATIENT = Limits(head_time=timedelta(milliseconds=30), idle_time=timedelta(milliseconds=30))
SECRET = b"APP_USR-secret"


async def fine(scope: "Scope", receive: "Receive", send: "Send") -> None:
    await receive()
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def heard(host: str, port: int, sent: bytes, *, at_once: bool = True) -> bytes:
    """All that the server says to this until it closes."""
    with socket.create_connection((host, port), timeout=10) as sock:
        with suppress(ConnectionError):
            for piece in [sent] if at_once else [sent[n : n + 1] for n in range(len(sent))]:
                sock.sendall(piece)
        said = b""
        with suppress(ConnectionError):
            while piece := sock.recv(65536):
                said += piece
        return said


def told(sent: bytes, *, limits: Limits = DEFAULT_LIMITS, at_once: bool = True) -> list[Unserved]:
    """What whoever runs the server hears of a client that sends this."""
    heard_of: list[Unserved] = []
    with LiveServer(fine, limits=limits, refused=heard_of.append) as server:
        heard(server.host, server.port, sent, at_once=at_once)
    return heard_of


def request(*fields: str, line: str = "GET / HTTP/1.1") -> bytes:
    return "\r\n".join((line, *fields, "", "")).encode()


OWN = "host: localhost"
PROXY_2 = b"\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c"
ODD: list[tuple[Oddity, bytes]] = [
    ("tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + SECRET),
    ("http2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SECRET),
    ("proxy_line", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + request(OWN)),
    ("proxy_line", PROXY_2 + request(OWN)),
    ("ssh", b"SSH-2.0-OpenSSH_9.6\r\n"),
    ("tunnel", request(OWN, line="CONNECT localhost:443 HTTP/1.1")),
    ("malformed", b"EHLO shop.example\r\n"),
    ("malformed", b"GET / HTTP/1.1\r\nAuthorization : Bearer " + SECRET + b"\r\n\r\n"),
    ("malformed", request(OWN) + b"\x16\x03\x01"),
    ("malformed", request(OWN, "content-length: 1", "content-length: 2", line="POST / HTTP/1.1")),
    ("malformed", request(OWN, "transfer-encoding: chunked", line="POST / HTTP/1.1") + b"no\r\n"),
    ("host_missing", request("authorization: Bearer APP_USR-secret")),
    ("malformed", request(line="GET / HTTP/2.0")),
    ("host_missing", request("connection: upgrade", "upgrade: h2c")),
    ("host_invalid", request(OWN, "Host: localhost")),
    ("host_invalid", request(OWN, "HOST: other.example", line="GET / HTTP/1.0")),
    ("host_invalid", request("host: localhost, other.example")),
    ("host_invalid", request("host: localhost,other.example")),
    ("host_invalid", request("host: APP_USR-secret@localhost")),
    ("host_invalid", request("host: localhost/path")),
    ("target_too_long", request(OWN, line=f"GET /?code={'a' * 40_000} HTTP/1.1")),
    ("head_too_large", request(OWN, f"cookie: {'a' * 70_000}")),
]


@pytest.mark.parametrize(("kind", "sent"), ODD)
def test_what_is_turned_away_is_told_once_and_without_what_was_sent(
    kind: Oddity, sent: bytes
) -> None:
    (one,) = told(sent)

    assert (one.kind, one.peer, one.count) == (kind, "127.0.0.1", 1)
    assert str(one) == f"refused: 127.0.0.1 {one.problem}: {one.remedy}"
    assert "secret" not in str(one)


@pytest.mark.parametrize(("kind", "sent"), ODD[:5])
def test_a_protocol_is_known_however_it_is_cut_into_pieces(kind: Oddity, sent: bytes) -> None:
    (one,) = told(sent, at_once=False)

    assert one.kind == kind


def test_a_head_that_never_ends_is_told() -> None:
    (one,) = told(b"GET / HTTP/1.1\r\nauthorization: ", limits=IMPATIENT)

    assert one.kind == "head_too_slow"


def test_somebody_who_speaks_tls_is_told_how_to_do_better() -> None:
    (one,) = told(b"\x16\x03\x01")

    assert str(one) == "refused: 127.0.0.1 spoke TLS here: use http://, not https://"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        request(OWN, "connection: close"),
        request(line="GET / HTTP/1.0"),
        request("host:", "connection: close"),
        request("host: [::1]:8970", "connection: close"),
        request("host: a_b.example:", "connection: close"),
        request(OWN, "connection: upgrade, close", "upgrade: h2c"),
    ],
)
def test_of_what_is_served_and_of_who_says_nothing_nothing_is_told(sent: bytes) -> None:
    assert told(sent, limits=Limits(idle_time=timedelta(milliseconds=30))) == []


@pytest.mark.parametrize("kind", ["host_missing", "host_invalid"])
def test_a_request_for_no_host_or_for_two_is_a_json_400(kind: Oddity) -> None:
    (sent, *_) = [sent for one, sent in ODD if one == kind]
    with LiveServer(fine, limits=IMPATIENT, refused=lambda _: None) as server:
        head, _, body = heard(server.host, server.port, sent).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert body == (
        b'{"message":"malformed HTTP request","error":"bad_request","status":400,"cause":[]}'
    )


def test_no_method_of_http_is_taken_for_another_protocol() -> None:
    assert [spoken(one) for one in (b"GET / HTTP/1.1", b"PROPFIND /", b"\r\nGET /", b"S")] == [
        None,
        None,
        None,
        "ssh",
    ]


# ---- how often ----


class Waiting:
    """The time that passes when it is told to."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def __call__(self, _wait: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        self.calls.append(call)
        return cast("asyncio.TimerHandle", self)

    def cancel(self) -> None:
        self.calls.clear()

    def pass_by(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


def test_of_each_kind_there_is_one_line_in_a_second_and_the_rest_is_counted() -> None:
    heard_of: list[Unserved] = []
    later = Waiting()
    door = Door(heard_of.append, later=later)

    for peer in "abc":
        door.turned_away("tls", peer)
    door.turned_away("ssh", "d")
    assert [(one.kind, one.peer, one.count) for one in heard_of] == [
        ("tls", "a", 1),
        ("ssh", "d", 1),
    ]

    later.pass_by()
    door.turned_away("tls", "e")
    assert [(one.kind, one.peer, one.count) for one in heard_of[2:]] == [("tls", "b", 2)]
    assert str(heard_of[2]) == "refused: b spoke TLS here (2 times): use http://, not https://"

    later.pass_by()
    later.pass_by()
    door.turned_away("tls", "f")
    assert [(one.peer, one.count) for one in heard_of[3:]] == [("e", 1), ("f", 1)]


def test_what_is_untold_is_told_at_the_end() -> None:
    heard_of: list[Unserved] = []
    with LiveServer(fine, refused=heard_of.append) as server:
        for _ in range(20):
            heard(server.host, server.port, b"\x16\x03\x01")

    assert sum(one.count for one in heard_of) == 20


def test_whoever_fails_to_hear_it_costs_nobody_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Unserved) -> None:
        raise LookupError

    with LiveServer(fine, refused=fail) as server:
        said = heard(server.host, server.port, b"\x16\x03\x01")

    assert said.startswith(b"HTTP/1.1 400 ")
    assert "Whoever is told" in caplog.text


# ---- a sandbox ----


def test_a_sandbox_warns_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox() as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        heard("127.0.0.1", port, b"\x16\x03\x01")
        assert list(sandbox.journal) == []

    lines = [one for one in caplog.records if one.name == "mp_oauth_sandbox"]
    assert [(one.levelno, one.getMessage()) for one in lines] == [
        (logging.WARNING, "refused: 127.0.0.1 spoke TLS here: use http://, not https://")
    ]


def test_a_sandbox_hands_it_on_to_who_asks(caplog: pytest.LogCaptureFixture) -> None:
    heard_of: list[Unserved] = []
    known = threading.Event()

    def hear(one: Unserved) -> None:
        heard_of.append(one)
        known.set()

    with Sandbox(refused=hear) as sandbox:
        heard("127.0.0.1", int(sandbox.url.rpartition(":")[2]), request())
        assert known.wait(10)

    assert [one.kind for one in heard_of] == ["host_missing"]
    assert "refused" not in caplog.text
