"""HTTP/1.1 on a listening socket: the only file that touches uvicorn's insides.

uvicorn's own protocol takes a header of five megabytes, waits forever for the end of a request
head, takes one without a Host or with two, can't hang up, turns an application that returns
silently into a 500, and doesn't tell what became of an answer. The subclass here bounds heads in
size and time, answers what isn't HTTP in JSON and tells of it (`door`), and offers the connection
to the application (`guard.CONNECTION`).
"""

import asyncio
import re
import socket
import time
from email.utils import formatdate
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from mp_oauth_sandbox.hosting.door import OPENING, Door, Tell, spoken
from mp_oauth_sandbox.hosting.guard import JSON_CONTENT_TYPE, guarded
from mp_oauth_sandbox.hosting.limits import (
    DEFAULT_LIMITS,
    HEAD_TOO_LARGE,
    HOST_INVALID,
    HOST_MISSING,
    MALFORMED,
    TARGET_TOO_LONG,
    TOO_SLOW,
    TUNNEL,
    Limits,
    Refusal,
)
from mp_oauth_sandbox.hosting.pen import Pen
from mp_oauth_sandbox.support.connection import CONNECTION, Connection

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


# A head that began within a slice may end up to one slice later than its limit says: the
# parser doesn't tell where in its input a message began.
_SLICE: Final = 16 * 1024
# How long a refused client may go on sending. Closing at once would reset the connection,
# and the client would never read why it was refused.
_LINGER_SECONDS: Final = 1.0
# How long running requests may take to end before a closing server cancels them, and how long
# the cancelled ones may take.
_GRACE_SECONDS: Final = 0.02
_CANCEL_SECONDS: Final = 0.5
_BACKLOG: Final = 2048
# RFC 9110 section 7.2: a host and a port. No name has a comma, which joins two fields.
_HOST: Final = re.compile(rb"(?:\[[\w:.%~-]+\]|[\w.%~!$&'()*+;=-]*)(?::\d*)?")
# The parser takes others, too, as if they were one of these.
_VERSIONS: Final = {"1.0", "1.1"}


@lru_cache(maxsize=1)
def _dated(second: int) -> list[tuple[bytes, bytes]]:
    return [(b"date", formatdate(second, usegmt=True).encode())]


class _BoundedProtocol(HttpToolsProtocol):
    """One connection: uvicorn's, bounded, able to hang up, and telling what was written.

    A client that stops sending (a FIN) may be one that left, or one that has said all and
    listens on: the wire doesn't tell. Its answers that are decided at once are out before the
    FIN is read, and delivered. Whoever still waits for an answer then, at a gate, a slow or a
    dripping one, is taken for gone and the connection is closed, as uvicorn does: clients out of
    patience are what such waits are for, and few clients close half a connection.
    """

    def __init__(
        self, *, limits: Limits, door: Door, config: Config, server_state: ServerState
    ) -> None:
        super().__init__(config=config, server_state=server_state, app_state={})
        # Turned off here, not in Config, which would take the handlers of the whole process's
        # "uvicorn.access" logger away.
        self.access_log = False
        self.timeout_keep_alive = cast("int", limits.idle_time.total_seconds())
        self._limits = limits
        self._door = door
        # The first bytes of the connection, by which other protocols are known.
        self._opening = b""
        self._hosts: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._verdict = MALFORMED
        self._refused = False
        self._in_head = False
        self._upgrading = False
        # Bytes of the fields parsed so far, and bytes the parser has swallowed without a word.
        self._parsed = self._swallowed = 0
        # The request that is being answered; uvicorn remembers the newest, which may wait.
        self._answering: RequestResponseCycle | None = None
        # Whether something that was written waits in the transport's buffer, or was lost there.
        self._buffered = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it too
        super().connection_made(transport)
        # With no buffer allowed, the transport tells when it has one, and when all of it is out.
        transport.set_write_buffer_limits(high=0)
        self._pen = Pen(transport)
        sock = cast("socket.socket | None", transport.get_extra_info("socket"))
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._unset_keepalive_if_required()
        self._unset_timer()
        super().connection_lost(exc)
        answering = self._answering
        if answering is not None and not answering.response_complete:
            answering.disconnected = True
            answering.message_event.set()

    def pause_writing(self) -> None:
        self._buffered = True
        super().pause_writing()

    def resume_writing(self) -> None:
        # Not called when a connection is lost, which ends uvicorn's waiting but not this.
        self._buffered = False
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if len(self._opening) < OPENING:
            self._opening += data[: OPENING - len(self._opening)]
        view = memoryview(data)
        while view and not self._refused:
            piece = view[:_SLICE]
            view = view[_SLICE:]
            self._swallowed += len(piece)
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as upgrade:
                view = memoryview(self._without_upgrade() + piece[upgrade.args[0] :] + view)
                continue
            except httptools.HttpParserError:
                self._refuse(self._verdict)
                return
            if self._swallowed > self._limits.head_bytes:
                self._refuse(HEAD_TOO_LARGE)
                return
        if self._in_head and self._timer is None:
            self._timer = self.loop.call_later(
                self._limits.head_time.total_seconds(), self._refuse, TOO_SLOW
            )

    # What the parser calls.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self._in_head = True
        self._parsed = self._swallowed = 0
        self._hosts = []

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._limits.target_bytes:
            self._reject(TARGET_TOO_LONG)
        self._parsed = len(self.url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # A trailer field: not to be merged into the header (RFC 9110 section 6.5.1).
        self._parsed += len(name) + len(value) + len(b": \r\n")
        if self._parsed > self._limits.head_bytes:
            self._reject(HEAD_TOO_LARGE)
        if name.lower() == b"host":
            self._hosts.append(value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._unset_timer()
        self._upgrading = self.parser.should_upgrade()
        if self._upgrading:
            if self.parser.get_method() == b"CONNECT":
                self._reject(TUNNEL)
            return
        version = self.parser.get_http_version()
        if version not in _VERSIONS:
            self._reject(MALFORMED)
        # Before HTTP/1.1 there was none.
        if not self._hosts and version == "1.1":
            self._reject(HOST_MISSING)
        if self._hosts and (len(self._hosts) > 1 or not _HOST.fullmatch(self._hosts[0])):
            self._reject(HOST_INVALID)
        self.server_state.default_headers = _dated(int(time.time()))
        super().on_headers_complete()
        # Still before the application runs: its task was only just created.
        self.cycle.transport = self._pen
        self._connection: Connection = {
            "abort": partial(self._abort, self.cycle),
            "connected": partial(self._connected, self.cycle),
            "flushed": partial(self._flushed, self.cycle),
            "arrived": False,
            "written": "nothing",
        }
        self.scope["extensions"] = {CONNECTION: cast("dict[object, object]", self._connection)}

    def on_body(self, body: bytes) -> None:
        self._swallowed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._swallowed = 0
        if not self._upgrading:
            super().on_message_complete()
            self._connection["arrived"] = True

    def _start_asgi_task(self, cycle: "RequestResponseCycle", app: "ASGI3Application") -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    # What uvicorn's request cycle calls.

    def on_response_complete(self) -> None:
        if self._refused and not self.pipeline and not self.transport.is_closing():
            self._answer_refusal()
        else:
            super().on_response_complete()

    # What an application may call.

    def _abort(self, cycle: "RequestResponseCycle") -> None:
        cycle.disconnected = True
        cycle.message_event.set()
        if cycle.response_started:
            # What was said stays said: closing flushes it, aborting would not.
            self.transport.close()
        else:
            self.transport.abort()

    def _connected(self, cycle: "RequestResponseCycle") -> bool:
        return not cycle.disconnected and not self.transport.is_closing()

    async def _flushed(self, cycle: "RequestResponseCycle") -> bool:
        if self._buffered:
            await self.flow.drain()
        # A disconnected cycle drops what it is given, without a word.
        return not (cycle.disconnected or self._pen.refused or self._buffered)

    # Refusing.

    def _without_upgrade(self) -> bytes:
        """The head just parsed, without its Upgrade field, for a new parser.

        An upgrade may be ignored (RFC 9110 section 7.8), but the parser takes no body after
        one, and Java's HTTP client offers h2c with every first POST.
        """
        version = self.parser.get_http_version().encode()
        lines = [b" ".join((self.parser.get_method(), self.url, b"HTTP/" + version))]
        lines += [b": ".join(field) for field in self.headers if field[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"\r\n".join((*lines, b"", b""))

    def _reject(self, verdict: Refusal) -> None:
        """Stop the parser from within one of its callbacks."""
        self._verdict = verdict
        raise ValueError(verdict.status)

    def _refuse(self, verdict: Refusal) -> None:
        """Hear no more of this client, and tell it why once earlier answers are out."""
        self._verdict = verdict
        self._refused = True
        self._unset_timer()
        cycle = cast("RequestResponseCycle | None", self.cycle)
        # Whoever has made a request here speaks HTTP.
        other = spoken(self._opening) if cycle is None and verdict is MALFORMED else None
        self._door.turned_away(other or verdict.kind, self.client[0] if self.client else "somebody")
        if cycle is None or cycle.response_complete:
            self._answer_refusal()
        elif cycle.more_body:
            # It is the body of this very request that can't be read.
            cycle.disconnected = True
            cycle.message_event.set()
            if self.pipeline and self.pipeline[0][0] is cycle:
                self.pipeline.popleft()
            elif cycle.response_started:
                self.transport.close()
            else:
                self._answer_refusal()

    def _answer_refusal(self) -> None:
        body = self._verdict.body
        fields = (
            *_dated(int(time.time())),
            (b"content-type", JSON_CONTENT_TYPE),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        )
        head = b"".join(b"%b: %b\r\n" % field for field in fields)
        self.transport.write(STATUS_LINE[self._verdict.status] + head + b"\r\n" + body)
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def _unset_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class HttpServer:
    """Serves an ASGI application on a listening socket, within the running event loop."""

    def __init__(
        self, app: "ASGIApp", *, limits: Limits = DEFAULT_LIMITS, refused: Tell | None = None
    ) -> None:
        """Prepare; `start` begins to serve.

        Args:
            app: The application. It is never sent a lifespan.
            limits: What clients may ask of a connection.
            refused: Told of what is turned away before the application hears of it; without,
                it is a warning in the log.
        """
        self._door = Door(refused)
        config = Config(
            cast("Any", guarded(app)),
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            workers=1,
        )
        config.load()
        self._state = ServerState()
        self._protocol = partial(
            _BoundedProtocol,
            limits=limits,
            door=self._door,
            config=config,
            server_state=self._state,
        )
        self._server: asyncio.Server | None = None

    async def start(self, sock: socket.socket) -> None:
        """Accept connections on `sock`, which belongs to the server from here on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, sock=sock, backlog=_BACKLOG)

    async def close(self) -> None:
        """Stop listening, drop idle connections, cancel requests that don't end by themselves.

        Takes milliseconds, or half a second with an application that ignores cancellation.
        """
        if self._server is None:
            return
        self._server.close()
        # Connections accepted a moment ago make themselves known within a turn or two.
        for _ in range(3):
            await asyncio.sleep(0)
        for connection in tuple(self._state.connections):
            connection.shutdown()
        await self._settle(within=_GRACE_SECONDS)
        for task in tuple(self._state.tasks):
            task.cancel()
        for connection in tuple(self._state.connections):
            connection.transport.abort()
        await self._settle(within=_CANCEL_SECONDS)
        self._door.close()

    async def _settle(self, *, within: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while (self._state.tasks or self._state.connections) and loop.time() < deadline:
            await asyncio.sleep(0.001)
