"""One request to a receiver and its answer, over a socket of its own.

No proxies, no redirects, no cookies, nothing from the environment: what is sent are the bytes
given, and they go where the URL says. Names of this machine are never looked up.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import SplitResult

import httptools

from mp_oauth_sandbox.core.reception import Reception
from mp_oauth_sandbox.core.targets import is_local_name

#: How much of an answer is read; its status counts, whatever follows. Our own number.
ANSWER_LIMIT = 64 * 1024

_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came back: a status, or 0 and why there is none, as a word and in words."""

    status: int
    failure: Reception | None = None
    problem: str = ""


async def send(target: SplitResult, payload: bytes, *, within: timedelta) -> Receipt:
    """Send these bytes to that URL's host, and wait so long in all for the answer."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            reader, writer = await _connected(target)
            try:
                writer.write(payload)
                await writer.drain()
                return await _answer(reader)
            finally:
                # Whatever is left of the answer is nobody's, and a hanging peer's as well.
                writer.transport.abort()
    except TimeoutError:
        problem = f"nothing came within {within.total_seconds():g} s"
        return Receipt(status=0, failure=Reception.RECEIVER_SILENT, problem=problem)
    except (OSError, httptools.HttpParserError) as error:
        failure, problem = _failure(error)
        return Receipt(status=0, failure=failure, problem=problem)


async def _connected(target: SplitResult) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host = target.hostname or ""
    port = target.port or _PORTS[target.scheme]
    secure = ssl.create_default_context() if target.scheme == "https" else None
    name = host if secure is not None else None
    if not is_local_name(host):
        return await asyncio.open_connection(host, port, ssl=secure, server_hostname=name)
    refusal: OSError | None = None
    for address in _LOOPBACK:
        try:
            return await asyncio.open_connection(address, port, ssl=secure, server_hostname=name)
        except ssl.SSLError:
            raise
        except OSError as error:
            # The first says why; that there is no IPv6 at all would not.
            refusal = refusal or error
    raise refusal or OSError("there is no loopback address")


async def _answer(reader: asyncio.StreamReader) -> Receipt:
    heard = _ReceiptParser()
    received = 0
    while not heard.complete and received < ANSWER_LIMIT:
        piece = await reader.read(ANSWER_LIMIT)
        if not piece:
            break
        received += len(piece)
        heard.feed(piece)
    if heard.status:
        return Receipt(status=heard.status)
    closed = "the connection was closed" if received else "the connection was closed at once"
    problem = f"{closed}, without an answer"
    return Receipt(status=0, failure=Reception.ANSWER_CUT_OFF, problem=problem)


class _ReceiptParser:
    """An answer as it comes in; interim ones (100 to 199) are passed over."""

    def __init__(self) -> None:
        self.status = 0
        self.complete = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, piece: bytes) -> None:
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserError:
            # Some receivers send a body to a status that has none; the status still counts.
            if not self.status:
                raise
            self.complete = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status

    def on_message_complete(self) -> None:
        self.complete = self.status != 0


def _failure(error: Exception) -> tuple[Reception, str]:
    """Why there is no answer: the word, and a few without addresses or line breaks."""
    match error:
        case ConnectionRefusedError():
            return Reception.RECEIVER_UNREACHABLE, "connection refused"
        case ConnectionError():
            return Reception.ANSWER_CUT_OFF, "the connection broke"
        case ssl.SSLCertVerificationError():
            problem = f"its certificate is not trusted ({error.verify_message})"
            return Reception.RECEIVER_UNTRUSTED, problem
        case ssl.SSLError():
            return Reception.RECEIVER_UNTRUSTED, f"no TLS ({error.reason})"
        case httptools.HttpParserError():
            return Reception.ANSWER_UNREADABLE, "what came was not HTTP"
        case socket.gaierror():
            return Reception.RECEIVER_UNRESOLVED, _unreached(error)
        case _:
            return Reception.RECEIVER_UNREACHABLE, _unreached(error)


def _unreached(error: Exception) -> str:
    return f"cannot be reached ({' '.join(str(error).split())[:100]})"
