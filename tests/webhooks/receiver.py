"""A receiver of webhooks that sees every byte, and answers as it is told."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import msgspec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def status(number: int) -> bytes:
    return f"HTTP/1.1 {number} As Told\r\nContent-Length: 0\r\n\r\n".encode()


@dataclass(frozen=True, kw_only=True)
class Received:
    raw: bytes

    @property
    def line(self) -> str:
        return self.raw.partition(b"\r\n")[0].decode()

    @property
    def headers(self) -> dict[str, str]:
        head = self.raw.partition(b"\r\n\r\n")[0].decode()
        return dict(line.split(": ", 1) for line in head.split("\r\n")[1:])

    @property
    def body(self) -> dict[str, Any]:
        return msgspec.json.decode(self.raw.partition(b"\r\n\r\n")[2])

    @property
    def data_id(self) -> str:
        query = self.line.split(" ")[1].partition("?")[2]
        return next(pair[8:] for pair in query.split("&") if pair.startswith("data.id="))

    @property
    def ts(self) -> int:
        return int(self.headers["X-Signature"].partition(",")[0].removeprefix("ts="))


class Receiver:
    """Listens on a port of its own. `answer` makes the answer to each request; None is none."""

    def __init__(
        self,
        answer: Callable[[Received], bytes | None] = lambda _: OK,
        *,
        address: str = "127.0.0.1",
    ) -> None:
        self.answer = answer
        self.received: list[Received] = []
        self._heard = threading.Condition()
        self._open: list[socket.socket] = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family)
        self.port = self._listener.getsockname()[1]
        self.host = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        self.url = f"http://{self.host}/"
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_listening()
        for connection in self._open:
            connection.close()

    def stop_listening(self) -> None:
        if self._thread.is_alive():
            self._listener.shutdown(socket.SHUT_RDWR)
            self._thread.join(10)
            self._listener.close()

    def wait(self, count: int) -> None:
        with self._heard:
            assert self._heard.wait_for(lambda: len(self.received) >= count, timeout=20)

    def hung_up_on(self) -> bool:
        """Whether the other side has ended every connection that was left open."""
        for connection in self._open:
            connection.settimeout(10)
            try:
                if connection.recv(1) != b"":
                    return False
            except ConnectionError:
                pass
        return True

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            received = _read(connection)
            answer = self.answer(received)
            if answer is None:
                self._open.append(connection)
            # Before it is answered: whoever has waited for the answer finds it here.
            with self._heard:
                self.received.append(received)
                self._heard.notify_all()
            if answer is not None:
                with suppress(ConnectionError):
                    connection.sendall(answer)
                connection.close()


def _read(connection: socket.socket) -> Received:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += connection.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return Received(raw=head + b"\r\n\r\n" + body)
