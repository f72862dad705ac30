"""How a call of the table and what does it are brought together."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from mp_oauth_sandbox.control.types import Call, In, Out


class CallRefusedError(Exception):
    """A call that is answered with another status than 400."""

    def __init__(self, status: HTTPStatus, problem: str, *, field: str | None = None) -> None:
        """`field` is what to change, `problem` what is wrong with it."""
        super().__init__(problem)
        self.status = status
        self.problem = problem
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What HTTP says of a call beside its input.

    `url` is the sandbox as the caller names it, `cookie` the name of its browser sessions' cookie,
    `may_stream` whether a stream can be its answer, `as_events` whether one is asked for by Accept,
    `last_event_id` is the number after which a stream goes on.
    """

    url: str
    cookie: str
    may_stream: bool
    as_events: bool
    last_event_id: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A call, and what does it."""

    call: Call[Any, Any]
    run: Callable[[Any, Heard], Awaitable[object]]


def does(call: Call[In, Out], run: Callable[[In], Awaitable[Out]]) -> Operation:
    """A call that is done with its input alone."""

    async def without_heard(given: In, _heard: Heard) -> Out:
        return await run(given)

    return Operation(call, without_heard)


def does_hearing(
    call: Call[In, Out], run: Callable[[In, Heard], Awaitable[Out | Response]]
) -> Operation:
    """A call whose answer depends on how it came, or is more than one object."""
    return Operation(call, run)
