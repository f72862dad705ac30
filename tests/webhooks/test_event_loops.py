"""Waiting inside a coroutine, for a receiver that the same event loop serves, or another."""

import asyncio
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from mp_oauth_sandbox import Sandbox, Seller
from mp_oauth_sandbox.webhooks.public import NotSettledError

from .conftest import register
from .receiver import OK, Receiver


@asynccontextmanager
async def served_here() -> AsyncIterator[str]:
    """The URL of a receiver on the running event loop, which answers 200 at once."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def in_a_coroutine(
    sandbox: Sandbox, seller: Seller, wait: Callable[[], Awaitable[None] | None]
) -> None:
    """Notify a receiver on an event loop, and wait on the same loop."""

    async def test() -> None:
        async with served_here() as url:
            sandbox.webhooks.simulate(register(sandbox, url), seller)
            waiting = wait()
            if waiting is not None:
                await waiting

    asyncio.run(test())


def test_asettle_lets_the_receiver_on_the_same_loop_answer(sandbox: Sandbox, seller: Seller):
    in_a_coroutine(sandbox, seller, sandbox.webhooks.asettle)

    assert [one.status for one in sandbox.webhooks.list()] == ["accepted"]


def test_settle_in_a_thread_lets_it_answer_too(sandbox: Sandbox, seller: Seller):
    in_a_coroutine(sandbox, seller, lambda: asyncio.to_thread(sandbox.webhooks.settle))

    assert [one.status for one in sandbox.webhooks.list()] == ["accepted"]


def test_settle_on_the_loop_of_the_receiver_blames_itself_and_says_what_to_write(
    sandbox: Sandbox, seller: Seller
):
    with pytest.raises(NotSettledError) as failed:
        in_a_coroutine(sandbox, seller, lambda: sandbox.webhooks.settle(0.05))

    told = str(failed.value)
    assert "settle() blocked the event loop of its thread" in told
    assert "`await sandbox.webhooks.asettle()`" in told
    assert "`await asyncio.to_thread(sandbox.webhooks.settle)`" in told
    assert "answer at once" not in told


def test_settle_without_a_loop_and_asettle_do_not_blame_the_caller(
    sandbox: Sandbox, seller: Seller, receiver: Receiver
):
    receiver.answer = lambda _: None
    sandbox.webhooks.simulate(register(sandbox, receiver.url), seller)

    for wait in (
        lambda: sandbox.webhooks.settle(0.05),
        lambda: asyncio.run(sandbox.webhooks.asettle(0.05)),
    ):
        with pytest.raises(NotSettledError, match="answer at once") as failed:
            wait()
        assert "settle() blocked" not in str(failed.value)


def test_settle_in_a_coroutine_goes_on_to_work_where_the_receiver_runs_elsewhere(
    sandbox: Sandbox, seller: Seller, receiver: Receiver
):
    async def test() -> None:
        sandbox.webhooks.simulate(register(sandbox, receiver.url), seller)
        sandbox.webhooks.settle()

    with warnings.catch_warnings(action="error"):
        asyncio.run(test())

    assert [one.status for one in sandbox.webhooks.list()] == ["accepted"]


def test_settle_that_waits_until_the_blocked_receiver_has_failed_warns(
    sandbox: Sandbox, seller: Seller, monkeypatch: pytest.MonkeyPatch
):
    short = timedelta(milliseconds=50)
    monkeypatch.setattr("mp_oauth_sandbox.webhooks.attempt.answer_within", lambda *_: short)

    with pytest.warns(RuntimeWarning, match="settle\\(\\) blocked the event loop") as warned:
        in_a_coroutine(sandbox, seller, sandbox.webhooks.settle)

    # It points at whoever called, in this file.
    assert [one.filename for one in warned] == [__file__]


def test_nothing_is_said_where_there_was_nothing_to_wait_for(sandbox: Sandbox):
    async def test() -> None:
        sandbox.webhooks.settle(0)
        await sandbox.webhooks.asettle(0)

    with warnings.catch_warnings(action="error"):
        asyncio.run(test())


def test_closing_does_not_wait_for_a_receiver_whose_loop_it_blocks():
    async def test() -> float:
        async with served_here() as url:
            sandbox = Sandbox()
            sandbox.webhooks.simulate(register(sandbox, url), sandbox.create_seller())
            began = time.monotonic()
            sandbox.close()
            return time.monotonic() - began

    # A receiver has 22 seconds.
    assert asyncio.run(test()) < 11


def test_whoever_waits_over_http_is_told_of_blocked_loops_too():
    async def test() -> str:
        async with served_here() as url:
            with Sandbox() as sandbox:
                sandbox.webhooks.simulate(register(sandbox, url), sandbox.create_seller())
                wanted = {"timeout": 0.05}
                answer = httpx.post(f"{sandbox.url}/_sandbox/webhooks/settle", json=wanted)
                assert answer.status_code == 504
                return answer.json()["message"]

    assert "only while nothing blocks that loop" in asyncio.run(test())
