"""Whatever goes wrong and whenever clients leave: no gate, task, thread or open entry is left."""

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mp_oauth_sandbox import Application, Sandbox

CALLBACK = "https://shop.example/mp/callback"

FAULTS = st.sampled_from(
    [
        {"kind": "lose-response"},
        {"kind": "drop-before-commit"},
        {"kind": "slow", "seconds": 0.05},
        {"kind": "slow", "seconds": 3600},
        {"kind": "drip", "seconds": 0.05},
        {"kind": "drip", "seconds": 3600},
        {"kind": "garble", "how": "truncated"},
        {"kind": "garble", "how": "empty"},
        {"kind": "garble", "how": "html"},
        {"kind": "gate", "waiting": 2, "within": 0.1},
        {"kind": "gate", "waiting": 3, "within": 0.05, "order": "reverse"},
        {"kind": "refuse", "status": 503},
        {"kind": "refuse", "cause": "code_expired"},
    ]
)
#: What a client does after it has sent (a part of) its request.
CLIENTS = st.sampled_from(
    ["reads", "leaves", "half-closes", "resets", "sends-half", "leaves-later"]
)


def raw_request(sandbox: Sandbox, app: Application) -> bytes:
    body = json.dumps(
        {
            "grant_type": "authorization_code",
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "code": "TG-0123456789abcdef01234567-1",
            "redirect_uri": CALLBACK,
        }
    ).encode()
    head = f"POST /oauth/token HTTP/1.1\r\nHost: {urlsplit(sandbox.url).netloc}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def visit(sandbox: Sandbox, request: bytes, how: str) -> None:
    # The server may be gone already, or go in the middle.
    with suppress(OSError):
        behave(sandbox, request, how)


def behave(sandbox: Sandbox, request: bytes, how: str) -> None:
    address = urlsplit(sandbox.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as sock:
        if how == "sends-half":
            sock.sendall(request[: len(request) // 2])
            return
        sock.sendall(request)
        match how:
            case "reads":
                sock.settimeout(0.2)
                while sock.recv(4096):
                    pass
            case "half-closes":
                sock.shutdown(socket.SHUT_WR)
            case "resets":
                # Linger of zero: the connection ends with RST.
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            case "leaves-later":
                threading.Event().wait(0.02)
            case _:
                pass


def soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def tasks_of(sandbox: Sandbox) -> int:
    async def count() -> int:
        return len(asyncio.all_tasks()) - 1

    server: Any = sandbox._server
    return asyncio.run_coroutine_threadsafe(count(), server._thread.loop).result(5)


def is_idle(sandbox: Sandbox, tasks: int) -> bool:
    return (
        tasks_of(sandbox) <= tasks
        and all(armed.held == 0 for armed in sandbox.faults)
        and all(entry.delivery != "pending" for entry in sandbox.journal)
    )


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    faults=st.lists(FAULTS, min_size=1, max_size=3),
    clients=st.lists(CLIENTS, min_size=1, max_size=4),
    ending=st.sampled_from(["wait", "reset", "clear", "close"]),
)
def test_nothing_is_left(
    caplog: pytest.LogCaptureFixture,
    faults: list[dict[str, Any]],
    clients: list[str],
    ending: str,
):
    caplog.clear()
    threads = set(threading.enumerate())
    with Sandbox() as sandbox:
        app = sandbox.register_application(redirect_uris=[CALLBACK])
        sandbox.keep(app)
        httpx.get(f"{sandbox.url}/users/me")
        assert soon(lambda: is_idle(sandbox, 1000))
        tasks = tasks_of(sandbox)
        for fault in faults:
            rest = {name: value for name, value in fault.items() if name != "kind"}
            sandbox.faults.add(fault["kind"], **rest, times="always")

        request = raw_request(sandbox, app)
        visitors = [threading.Thread(target=visit, args=(sandbox, request, how)) for how in clients]
        for visitor in visitors:
            visitor.start()
        if ending == "close":
            # Those that still wait are connected by then.
            for visitor in visitors:
                visitor.join(0.05)
            sandbox.close()
        for visitor in visitors:
            visitor.join()
        if ending == "reset":
            sandbox.reset()
        elif ending == "clear":
            sandbox.faults.clear()

        if ending != "close":
            assert soon(lambda: is_idle(sandbox, tasks)), "something still waits"
            sandbox.faults.clear()
            assert httpx.get(f"{sandbox.url}/users/me").status_code == 401

    assert soon(lambda: set(threading.enumerate()) <= threads)
    assert all(entry.delivery != "pending" for entry in sandbox.journal)
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
