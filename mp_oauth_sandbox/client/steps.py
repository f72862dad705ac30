"""What a flow asks for, and the two drivers that do it.

A flow is a generator: it yields steps, receives what came of them, and returns a result. It
does no I/O, so one flow runs with and without async and over any HTTP library: write a `send`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any, Final, ParamSpec, TypeVar, cast

import httpx

T = TypeVar("T")
P = ParamSpec("P")

#: For each wait on the network. A whole answer may take DEADLINE seconds and MOST_BYTES bytes.
TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
DEADLINE: Final = 20.0
MOST_BYTES: Final = 64 * 1024
# Whatever a client of yours does by itself: the secret goes to this URL, and no further.
_ALONE: Final[dict[str, Any]] = {"stream": True, "auth": None, "follow_redirects": False}
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A POST of a JSON body. `send` must send it once: never again after a failure."""

    url: str
    body: bytes = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What the documentation asks for; and no compression, which would hide a size."""
        known = {"accept": "application/json", "content-type": "application/json"}
        return known | {"accept-encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer that came whole. The names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No whole answer. `sent` is False only if no byte of the request can have left."""

    problem: str
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a store; a `blocking` one may wait for a disk or a network."""

    make: Callable[[], object]
    blocking: bool


Answer = Response | Failure
Flow = Generator[Request | Sleep | Call, Any, T]


def drive(flow: Flow[T], send: Callable[[Request], Answer]) -> T:
    """Run a flow to its end. Raises what it raises."""
    came: object = None
    failed: Exception | None = None
    try:
        while True:
            step = flow.send(came) if failed is None else flow.throw(failed)
            came = failed = None
            try:
                if isinstance(step, Call):
                    came = step.make()
                elif isinstance(step, Request):
                    came = send(step)
                else:
                    time.sleep(step.seconds)
            except Exception as error:  # noqa: BLE001 - the flow decides
                failed = error
    except StopIteration as end:
        return cast("T", end.value)


async def drive_async(flow: Flow[T], send: Callable[[Request], Awaitable[Answer]]) -> T:
    """As `drive`, on the event loop; blocking calls are made in threads."""
    came: object = None
    failed: Exception | None = None
    try:
        while True:
            step = flow.send(came) if failed is None else flow.throw(failed)
            came = failed = None
            try:
                if isinstance(step, Call):
                    came = await asyncio.to_thread(step.make) if step.blocking else step.make()
                elif isinstance(step, Request):
                    came = await send(step)
                else:
                    await asyncio.sleep(step.seconds)
            except Exception as error:  # noqa: BLE001 - the flow decides
                failed = error
    except StopIteration as end:
        return cast("T", end.value)


def send(client: httpx.Client, request: Request) -> Answer:
    """Send over httpx."""
    body, until = bytearray(), time.monotonic() + DEADLINE
    try:
        with closing(client.send(_ready(client, request), **_ALONE)) as answer:
            if answer.headers.get("content-encoding", "identity") != "identity":
                return Failure(problem="the answer is compressed")
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES or time.monotonic() > until:
                    return Failure(problem="the answer is too long")
            return _whole(answer, body)
    except httpx.RequestError as error:
        return _failed(error)


async def send_async(client: httpx.AsyncClient, request: Request) -> Answer:
    """Send over httpx, on the event loop."""
    body = bytearray()
    try:
        async with asyncio.timeout(DEADLINE):
            answer = await client.send(_ready(client, request), **_ALONE)
            async with aclosing(answer):
                if answer.headers.get("content-encoding", "identity") != "identity":
                    return Failure(problem="the answer is compressed")
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        return Failure(problem="the answer is too long")
                return _whole(answer, body)
    except TimeoutError:
        return Failure(problem="the answer takes too long")
    except httpx.RequestError as error:
        return _failed(error)


def _ready(client: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    return client.build_request("POST", request.url, content=request.body, headers=request.headers)


def _whole(answer: httpx.Response, body: bytearray) -> Response:
    return Response(status=answer.status_code, headers=dict(answer.headers), body=bytes(body))


def _failed(error: httpx.RequestError) -> Failure:
    # Its kind alone: its text may quote what the server sent.
    return Failure(problem=type(error).__name__, sent=not isinstance(error, _UNSENT))
