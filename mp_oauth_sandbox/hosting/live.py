"""A live server in a background thread."""

import asyncio
import errno
import os
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from mp_oauth_sandbox.hosting.door import Tell
from mp_oauth_sandbox.hosting.limits import DEFAULT_LIMITS, Limits
from mp_oauth_sandbox.hosting.protocol import HttpServer
from mp_oauth_sandbox.support.loop_thread import LoopThread

if TYPE_CHECKING:
    from starlette.types import ASGIApp

# Which option to change, by the reason the system gave.
_CHOOSE_ANOTHER_HOST: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class PortUnavailableError(OSError):
    """The system refused the address to listen on; the message says what to do about it."""


class LiveServer:
    """An ASGI application on a TCP port, ready to accept as soon as it is constructed.

    ```python
    with LiveServer(app) as server:
        httpx.get(server.url)
    ```
    """

    def __init__(
        self,
        app: "ASGIApp",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        sock: socket.socket | None = None,
        limits: Limits = DEFAULT_LIMITS,
        refused: Tell | None = None,
    ) -> None:
        """Listen, and serve from a daemon thread with an event loop of its own.

        Args:
            app: The application. It is never sent a lifespan.
            host: The name or address to listen on.
            port: The port, or 0 to let the system choose one.
            sock: A bound socket to use instead of `host` and `port`. It belongs to the server
                from here on; the object passed in is detached.
            limits: What clients may ask of a connection.
            refused: Told, in the server's thread, of what is turned away before the
                application hears of it; without, it is a warning in the log.

        Raises:
            PortUnavailableError: The port is taken, or not permitted.
        """
        listener = _listen(host, port) if sock is None else _with_tcp_protocol(sock)
        address = listener.getsockname()
        self.host: str = host if sock is None else address[0]
        self.port: int = address[1]
        self.url = f"http://{_bracketed(self.host)}:{self.port}"
        self._server = HttpServer(app, limits=limits, refused=refused)
        with ExitStack() as undo:
            undo.callback(listener.close)
            self._thread = LoopThread(name=f"mp-oauth-sandbox {self.port}")
            undo.callback(self._thread.close)
            asyncio.run_coroutine_threadsafe(
                self._server.start(listener), self._thread.loop
            ).result()
            undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop, and leave nothing behind: no thread, socket, task or loop. Takes milliseconds.

        Running requests are cancelled and their connections dropped. Closing again does
        nothing. May be called from any thread but the server's own.
        """
        self._thread.close(finish=self._server.close)


def _listen(host: str, port: int) -> socket.socket:
    try:
        # Without the port, which the system's resolver would cut down to 16 bits.
        family, kind, _, _, (address, _, *rest) = socket.getaddrinfo(
            host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # asyncio turns Nagle's algorithm off only on sockets that say they are TCP; left on, it
        # costs each request on a kept-alive connection some 40 ms.
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise _unavailable(host, port, error) from error
    try:
        if os.name == "posix":
            # A restart may have its port back at once. On Windows the option would share it.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port, *rest))
        # Two sockets can be bound to one port this way, but only one can listen: ask now.
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise _unavailable(host, port, error) from error
    return listener


def _unavailable(host: str, port: int, error: Exception) -> PortUnavailableError:
    number = error.errno if isinstance(error, OSError) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if number in _CHOOSE_ANOTHER_HOST or isinstance(error, socket.gaierror | UnicodeError):
        remedy = "choose another --host"
    else:
        remedy = "choose another --port, or 0 to let the system choose"
    return PortUnavailableError(f"Can't listen on {_bracketed(host)}:{port} ({reason}): {remedy}.")


def _with_tcp_protocol(sock: socket.socket) -> socket.socket:
    return socket.socket(sock.family, sock.type, socket.IPPROTO_TCP, fileno=sock.detach())


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
