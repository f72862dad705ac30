"""What a flow asks for, and the two drivers that do it.

A flow is a generator: it yields steps, receives what came of them, and returns a result. It
does no I/O, so one flow runs with and without async and over any HTTP library: write a `send`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, ParamSpec, TypeVar

import httpx

T = TypeVar("T")
P = ParamSpec("P")

#: For each wait on the network. A whole answer may take DEADLINE seconds and MOST_BYTES bytes.
TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
DEADLINE: Final = 20.0
MOST_BYTES: Final = 64 * 1024
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A POST of a JSON body. `send` must send it once: never again after a failure."""

    url: str
    body: bytes = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The documentation asks for these two, and for no others."""
        return {"accept": "application/json", "content-type": "application/json"}


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
    """A call of a store's method."""

    method: Callable[..., object]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __call__(self) -> object:
        """Make it."""
        return self.method(*self.args, **self.kwargs)

    @property
    def blocking(self) -> bool:
        """Whether it may wait for a disk or a network."""
        return getattr(getattr(self.method, "__self__", None), "blocking", True)


Answer = Response | Failure
Flow = Generator[Request | Sleep | Call, Any, T]


def drive(flow: Flow[T], send: Callable[[Request], Answer]) -> T:
    """Run a flow to its end. Raises what it raises."""
    try:
        step = next(flow)
        while True:
            try:
                came: object = None
                if isinstance(step, Call):
                    came = step()
                elif isinstance(step, Request):
                    came = send(step)
                else:
                    time.sleep(step.seconds)
            except Exception as error:  # noqa: BLE001 - the flow decides
                step = flow.throw(error)
            else:
                step = flow.send(came)
    except StopIteration as end:
        result: T = end.value
        return result


async def drive_async(flow: Flow[T], send: Callable[[Request], Awaitable[Answer]]) -> T:
    """As `drive`, on the event loop; blocking calls are made in threads."""
    try:
        step = next(flow)
        while True:
            try:
                came: object = None
                if isinstance(step, Call):
                    came = await asyncio.to_thread(step) if step.blocking else step()
                elif isinstance(step, Request):
                    came = await send(step)
                else:
                    await asyncio.sleep(step.seconds)
            except Exception as error:  # noqa: BLE001 - the flow decides
                step = flow.throw(error)
            else:
                step = flow.send(came)
    except StopIteration as end:
        result: T = end.value
        return result


def send(client: httpx.Client, request: Request) -> Answer:
    """Send over httpx."""
    until = time.monotonic() + DEADLINE
    body = bytearray()
    try:
        with client.stream(
            "POST", request.url, content=request.body, headers=request.headers
        ) as answer:
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
        async with (
            asyncio.timeout(DEADLINE),
            client.stream(
                "POST", request.url, content=request.body, headers=request.headers
            ) as answer,
        ):
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    return Failure(problem="the answer is too long")
            return _whole(answer, body)
    except TimeoutError:
        return Failure(problem="the answer takes too long")
    except httpx.RequestError as error:
        return _failed(error)


def _whole(answer: httpx.Response, body: bytearray) -> Response:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(status=answer.status_code, headers=headers, body=bytes(body))


def _failed(error: httpx.RequestError) -> Failure:
    # Its kind alone: its text may quote what the server sent.
    return Failure(problem=type(error).__name__, sent=not isinstance(error, _UNSENT))
