"""A stream of the journal never costs anybody anything: who is gone or slow is let go."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mp_oauth_sandbox.journal import Happened, Journal, Query
from mp_oauth_sandbox.web.control.event_stream import JournalStream, StreamLimits

pytestmark = pytest.mark.anyio

Message = MutableMapping[str, Any]


@pytest.fixture
def journal() -> Journal:
    return Journal(clock=lambda: datetime(2026, 3, 1, tzinfo=UTC), save=lambda _batch: None)


class Listener:
    """A client of one stream; it reads while `reading` is set, and may leave."""

    def __init__(self) -> None:
        self.heard = b""
        self.over = self.aborted = False
        self.news = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()
        self.left = asyncio.Event()

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.reading.wait()
        self.heard += message.get("body", b"")
        self.over = message["type"] == "http.response.body" and not message.get("more_body")
        self.news.set()

    async def until(self, text: bytes) -> None:
        while text not in self.heard:
            self.news.clear()
            await self.news.wait()

    def listen(self, stream: JournalStream) -> Awaitable[None]:
        def abort() -> None:
            self.aborted = True

        connection: dict[str, Callable[[], None]] = {"abort": abort}
        scope = {"type": "http", "extensions": {"mp_oauth_sandbox.connection": connection}}
        return asyncio.create_task(stream(scope, self.receive, self.send))


def stream(journal: Journal, **limits: Any) -> JournalStream:
    return JournalStream(journal, Query(), limit=None, limits=StreamLimits(**limits))


def record(journal: Journal, request: str = "GET /x") -> None:
    journal.record(Happened(kind="resource", request=request, status=200, outcome="answered"))


async def test_a_listener_who_leaves_leaves_nothing_behind(journal: Journal) -> None:
    before = asyncio.all_tasks()
    listener = Listener()
    listening = listener.listen(stream(journal))
    await listener.until(b"the journal of")
    assert journal.listeners == 1

    listener.left.set()
    await asyncio.wait_for(listening, 5)

    assert journal.listeners == 0
    assert asyncio.all_tasks() == before
    assert not listener.aborted


async def test_a_silent_stream_says_that_it_lives(journal: Journal) -> None:
    listener = Listener()
    listening = listener.listen(stream(journal, heartbeat=timedelta(milliseconds=1)))

    await listener.until(b": still here\n\n: still here\n\n")

    listener.left.set()
    await asyncio.wait_for(listening, 5)


async def test_a_listener_who_falls_too_far_behind_is_cut_off(journal: Journal) -> None:
    listener = Listener()
    listening = listener.listen(stream(journal, behind=10))
    await listener.until(b"the journal of")
    listener.reading.clear()

    # Each returns at once, though nobody reads.
    for _ in range(13):
        record(journal)
    await asyncio.wait_for(listening, 5)

    assert listener.aborted
    assert journal.listeners == 0


async def test_a_listener_who_stops_reading_is_cut_off_in_time(journal: Journal) -> None:
    listener = Listener()
    listening = listener.listen(stream(journal, patience=timedelta(milliseconds=20)))
    await listener.until(b"the journal of")
    listener.reading.clear()

    record(journal)
    await asyncio.wait_for(listening, 5)

    assert listener.aborted
    assert journal.listeners == 0


@pytest.mark.parametrize("end", ["clear", "close"])
async def test_a_reset_or_a_close_ends_it_properly(journal: Journal, end: str) -> None:
    listener = Listener()
    listening = listener.listen(stream(journal))
    await listener.until(b"the journal of")

    getattr(journal, end)()
    await asyncio.wait_for(listening, 5)

    assert listener.over
    assert not listener.aborted
    assert journal.listeners == 0


async def test_a_reset_waits_a_moment_for_a_listener_who_does_not_read(journal: Journal) -> None:
    listener = Listener()
    listening = listener.listen(stream(journal))
    await listener.until(b"the journal of")
    listener.reading.clear()
    record(journal)

    journal.clear()
    await asyncio.wait_for(listening, 5)

    assert listener.aborted
    assert journal.listeners == 0


async def test_a_host_that_cannot_send_any_more_has_lost_its_client(journal: Journal) -> None:
    async def broken(_message: Message) -> None:
        raise OSError

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    await asyncio.wait_for(stream(journal)(scope, Listener().receive, broken), 5)

    assert journal.listeners == 0


async def test_entries_of_many_threads_come_once_and_in_order(journal: Journal) -> None:
    listener = Listener()
    listening = listener.listen(stream(journal))

    def many() -> None:
        for _ in range(100):
            record(journal)

    await asyncio.gather(*(asyncio.to_thread(many) for _ in range(4)))
    await asyncio.wait_for(listener.until(b"id: 400\n"), 10)

    ids = [line for line in listener.heard.splitlines() if line.startswith(b"id: ")]
    assert ids == [b"id: %d" % number for number in range(1, 401)]
    listener.left.set()
    await asyncio.wait_for(listening, 5)
