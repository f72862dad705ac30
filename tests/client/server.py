"""A token endpoint on a socket that answers as it is told, byte by byte if need be."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request, and the number of the connection that it came on."""

    connection: int
    line: str
    headers: list[tuple[str, str]]
    body: bytes


#: What becomes of a request: pieces to send one after the other, or None to reset the connection.
Reply = Callable[[Received], Iterable[bytes] | None]


def http(status: int, body: bytes, *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status} As Told", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def json_reply(*, set_cookie: str | None = None, **fields: Any) -> Reply:
    """Tokens, new ones each time."""

    def reply(received: Received) -> list[bytes]:
        told = {
            "access_token": f"APP_USR-{received.connection}",
            "refresh_token": f"TG-{received.connection}",
            "expires_in": 15552000,
            **fields,
        }
        cookie = [f"set-cookie: {set_cookie}"] if set_cookie else []
        return [http(200, json.dumps(told).encode(), "content-type: application/json", *cookie)]

    return reply


class Server:
    """Listens on a port of its own until the end of the `with`."""

    def __init__(self, reply: Reply, *, keep_alive: bool = False) -> None:
        self.received: list[Received] = []
        self.over = threading.Event()
        self._reply = reply
        self._keep_alive = keep_alive
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._begin(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            connection.settimeout(10)
            self._begin(
                lambda connection=connection, number=number: self._serve(connection, number)
            )

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as stream:
            while line := stream.readline():
                headers = list(iter(lambda: stream.readline().strip().decode("latin-1"), ""))
                pairs = [(name, value.strip()) for name, _, value in map(_split, headers)]
                length = next(int(value) for name, value in pairs if name.lower() == _LENGTH)
                received = Received(
                    connection=number,
                    line=line.strip().decode(),
                    headers=pairs,
                    body=stream.read(length),
                )
                self.received.append(received)
                pieces = self._reply(received)
                if pieces is None:
                    reset = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    return
                for piece in pieces:
                    connection.sendall(piece)
                if not self._keep_alive:
                    return


_LENGTH = "content-length"


def _split(header: str) -> tuple[str, str, str]:
    return header.partition(":")


def closed_port() -> str:
    """A URL where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
