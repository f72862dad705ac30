"""An ASGI application behind httpx without a socket."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import httpx

from mp_oauth_sandbox.hosting.guard import guarded
from mp_oauth_sandbox.support.connection import CONNECTION, Connection
from mp_oauth_sandbox.support.loop_thread import LoopThread

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Scope

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_CLIENT: Final = ("127.0.0.1", 50000)


class InProcessTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """What `httpx.Client` and `httpx.AsyncClient` use to call an ASGI application directly.

    ```python
    with httpx.Client(transport=InProcessTransport(app), base_url="http://sandbox") as client:
        client.get("/")
    ```

    One transport may serve many clients of both kinds, from many threads. Asynchronous
    requests run on the caller's asyncio loop. Synchronous ones share one private loop, in a
    thread that starts with the first of them, so that they can wait for each other; their
    answers are read whole, while asynchronous ones arrive piece by piece.

    As over a socket: a timeout raises `httpx.ReadTimeout` and the application goes on without
    its client, a hang-up raises `httpx.RemoteProtocolError`, a crash is answered with a 500.
    """

    def __init__(self, app: "ASGIApp") -> None:
        """Wrap an application.

        Args:
            app: The application. It is never sent a lifespan.
        """
        self._app = guarded(app)
        self._running: set[_Exchange] = set()
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None
        self._waiting = 0
        self._closing = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The application's whole answer to a request of a synchronous client."""
        request.read()
        over = threading.Lock()
        over.acquire()

        def heard() -> None:
            if exchange.over:
                over.release()

        exchange = _Exchange(request, heard=heard)
        patience = exchange.read_timeout
        with self._borrowed_loop() as loop:
            loop.call_soon_threadsafe(self._start, exchange, loop)
            try:
                in_time = over.acquire(timeout=-1 if patience is None else patience)
            except BaseException:
                loop.call_soon_threadsafe(exchange.leave)
                raise
            if not in_time:
                loop.call_soon_threadsafe(exchange.leave)
                raise _timed_out(request)
        return exchange.response(_Pieces(exchange))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The application's answer, as soon as its head is known, to an asynchronous client."""
        await request.aread()
        news = asyncio.Event()
        exchange = _Exchange(request, heard=news.set)
        self._start(exchange, asyncio.get_running_loop())
        pieces = _LivePieces(exchange, news)
        await pieces.wait_until(lambda: exchange.started or exchange.over)
        return exchange.response(pieces)

    def close(self) -> None:
        """End the private loop's thread, as soon as no caller waits for an answer from it.

        A later request starts another, so that clients may share a transport and close it
        each for itself.
        """
        with self._lock:
            self._closing = True
            thread = self._idle_thread()
        if thread is not None:
            thread.close()

    async def aclose(self) -> None:
        """Cancel what still runs on this loop for clients that have left."""
        loop = asyncio.get_running_loop()
        left = [
            exchange.task
            for exchange in tuple(self._running)
            if exchange.gone and exchange.task is not None and exchange.task.get_loop() is loop
        ]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    def _start(self, exchange: "_Exchange", loop: asyncio.AbstractEventLoop) -> None:
        self._running.add(exchange)
        answering = self._app(exchange.scope, exchange.receive, exchange.send)
        exchange.task = loop.create_task(answering)
        exchange.task.add_done_callback(lambda _: self._ended(exchange))

    def _ended(self, exchange: "_Exchange") -> None:
        self._running.discard(exchange)
        exchange.end()

    @contextmanager
    def _borrowed_loop(self) -> Generator[asyncio.AbstractEventLoop]:
        with self._lock:
            self._waiting += 1
            self._closing = False
            if self._thread is None:
                self._thread = LoopThread(name="mp-oauth-sandbox transport")
            loop = self._thread.loop
        try:
            yield loop
        finally:
            with self._lock:
                self._waiting -= 1
                thread = self._idle_thread() if self._closing else None
            if thread is not None:
                thread.close()

    def _idle_thread(self) -> LoopThread | None:
        """The thread, taken away to be closed, unless a caller still needs it."""
        if self._waiting:
            return None
        thread, self._thread = self._thread, None
        return thread


class _Exchange:
    """One request and what became of it. Lives on the loop that the application runs on."""

    def __init__(self, request: httpx.Request, *, heard: Callable[[], None]) -> None:
        self.request = request
        connection: Connection = {
            "abort": self.abort,
            "connected": self._connected,
            "flushed": self._flushed,
            "arrived": True,
            "written": "nothing",
        }
        self.scope = _scope(request, connection)
        self.task: asyncio.Task[None] | None = None
        self.pieces: deque[bytes] = deque()
        self.started = False  # The head of the answer is known.
        self.complete = False  # So is the last of its body.
        self.over = False  # Nothing more will come, complete or not.
        self.gone = False  # The client doesn't listen any more, or was hung up on.
        self.read_timeout: float | None = request.extensions.get("timeout", {}).get("read")
        self._heard = heard
        self._asked = False
        self._no_more = asyncio.Event()
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []

    async def receive(self) -> "Message":
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self.request.content, "more_body": False}
        await self._no_more.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: "Message") -> None:
        if self.gone or self.over:
            return
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", ()))
            self.started = True
            self._heard()
            return
        piece = bytes(message.get("body", b""))
        if piece and self.request.method != "HEAD":
            self.pieces.append(piece)
        if message.get("more_body"):
            self._heard()
        else:
            self.complete = True
            self.end()

    def end(self) -> None:
        """Nothing more comes from the application."""
        if not self.over:
            self.over = True
            self._no_more.set()
            self._heard()

    def leave(self) -> None:
        """The client listens no more; the application may go on."""
        self.gone = True
        self._no_more.set()

    def abort(self) -> None:
        self.leave()
        self.end()

    def _connected(self) -> bool:
        return not self.gone

    async def _flushed(self) -> bool:
        return not self.gone

    def response(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
        if not self.started:
            text = "Server disconnected without sending a response."
            raise httpx.RemoteProtocolError(text, request=self.request)
        return httpx.Response(self._status, headers=self._headers, stream=stream)

    def raise_if_cut_short(self) -> None:
        if not self.complete:
            text = "peer closed connection without sending complete message body"
            raise httpx.RemoteProtocolError(text, request=self.request)


class _Pieces(httpx.SyncByteStream):
    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        yield from self._exchange.pieces
        self._exchange.raise_if_cut_short()


class _LivePieces(httpx.AsyncByteStream):
    def __init__(self, exchange: _Exchange, news: asyncio.Event) -> None:
        self._exchange = exchange
        self._news = news

    async def __aiter__(self) -> AsyncIterator[bytes]:
        exchange = self._exchange
        while True:
            while exchange.pieces:
                yield exchange.pieces.popleft()
            if exchange.over:
                exchange.raise_if_cut_short()
                return
            await self.wait_until(lambda: bool(exchange.pieces) or exchange.over)

    async def aclose(self) -> None:
        if not self._exchange.over:
            self._exchange.leave()

    async def wait_until(self, ready: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(self._exchange.read_timeout):
                while not ready():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            self._exchange.leave()
            raise _timed_out(self._exchange.request) from None
        except asyncio.CancelledError:
            self._exchange.leave()
            raise


def _timed_out(request: httpx.Request) -> httpx.ReadTimeout:
    return httpx.ReadTimeout("timed out", request=request)


def _scope(request: httpx.Request, connection: Connection) -> "Scope":
    url = request.url
    # httpx sends this target instead of the URL's, byte for byte, if it is there.
    target: bytes = request.extensions.get("target", url.raw_path)
    raw_path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": unquote(raw_path),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": _CLIENT,
        "server": (url.host, url.port or _DEFAULT_PORTS.get(url.scheme)),
        "extensions": {CONNECTION: connection},
    }
