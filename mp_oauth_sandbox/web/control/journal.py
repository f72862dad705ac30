"""Telling the journal: page by page, or as it grows."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import cast

from starlette.responses import Response

from mp_oauth_sandbox.control import journal
from mp_oauth_sandbox.control.journal import (
    PAGE,
    PAGE_LIMIT,
    EntryOut,
    InFlight,
    InFlightOut,
    JournalOut,
    JournalWanted,
)
from mp_oauth_sandbox.control.types import Nothing
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.journal import Entry, Journal, Query
from mp_oauth_sandbox.journal.queries import Wanted
from mp_oauth_sandbox.web.control.event_stream import JournalStream, StreamLimits
from mp_oauth_sandbox.web.control.operations import Heard, Operation, does, does_hearing


class JournalOperations:
    """What happened, and why; read only."""

    def __init__(self, kept: Journal, *, stream_limits: StreamLimits | None = None) -> None:
        """Tell of this journal."""
        self._journal = kept
        self._stream_limits = stream_limits or StreamLimits()

    def operations(self) -> tuple[Operation, ...]:
        """What does each of the calls."""
        return (
            does_hearing(journal.READ, self._read),
            does(journal.IN_FLIGHT, self._in_flight),
        )

    async def _read(self, given: JournalWanted, heard: Heard) -> JournalOut | Response:
        query = _query(given)
        if heard.as_events if given.stream is None else given.stream and heard.may_stream:
            if given.wait is not None:
                raise InvalidInputError("wait", "is for a page; a stream waits by itself")
            return self._stream(query, given.limit, heard.last_event_id)
        if given.wait:
            return await self._newer(query, given, given.wait)
        return self._page(query, given)

    async def _newer(self, query: Query, given: JournalWanted, seconds: float) -> JournalOut:
        """The page as soon as there is something in it, or once the time is up."""
        loop, news, over = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def wake(_entry: Entry) -> None:
            # Closed already: nobody is waiting any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(news.set)

        def end() -> None:
            # After a reset entries count from 1 again: what is waited for may never come.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(over.set)
                loop.call_soon_threadsafe(news.set)

        stop = self._journal.subscribe(wake, over=end)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not (over.is_set() or self._page(query, given).entries):
                        await news.wait()
                        news.clear()
            return self._page(query, given)
        finally:
            stop()

    def _page(self, query: Query, given: JournalWanted) -> JournalOut:
        limit = min(PAGE if given.limit is None else given.limit, PAGE_LIMIT)
        newest = self._journal.newest
        if not _goes_on(given):
            entries = self._journal.latest(query, limit=limit)
        elif query == Query(after=query.after):
            entries = self._journal.entries(after=query.after, limit=limit)
        else:
            entries = self._journal.find(query, limit=limit)
        following = entries[-1].seq if entries else min(query.after, newest)
        if len(entries) < limit:
            # All was looked at, also what the query does not want.
            following = max(newest, entries[-1].seq if entries else 0)
        return JournalOut(entries=[EntryOut.of(entry) for entry in entries], next=following)

    async def _in_flight(self, _: Nothing) -> InFlightOut:
        found = [
            InFlight(one.number, one.request, one.entry.seq if one.entry else None)
            for one in self._journal.in_flight()
        ]
        return InFlightOut(found, self._journal.number())

    def _stream(self, query: Query, limit: int | None, last: str) -> Response:
        after = query.after
        if last:
            # A browser that comes back asks for the same URL, with the number it has seen.
            after = max(after, _number("Last-Event-ID", last))
        if after > self._journal.newest:
            # Counted from 1 again since: there was a reset.
            after = 0
        return JournalStream(
            self._journal, query.starting(after), limit=limit, limits=self._stream_limits
        )


def _goes_on(given: JournalWanted) -> bool:
    """Whether it says from which number on; else the newest are meant."""
    return given.after is not None or (given.since is not None and given.since.isdigit())


def _query(given: JournalWanted) -> Query:
    """The filters. Raises InvalidInputError naming the one that cannot be."""
    wanted: dict[str, object] = {
        name: value
        for name in ("kind", "cause", "grant_type", "application", "seller")
        if (value := getattr(given, name)) is not None
    }
    since = _since(given.since) if given.since is not None else 0
    if isinstance(since, datetime):
        wanted["since"] = since
        since = 0
    return Query.of(cast("Wanted", wanted)).starting(max(given.after or 0, since))


def _since(text: str) -> int | datetime:
    if text.isascii() and text.isdigit():
        return _number("since", text)
    try:
        instant = datetime.fromisoformat(text[:60])
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        problem = "must be an entry's number, or an instant with a zone: 2026-03-01T12:00:00Z"
        raise InvalidInputError("since", problem)
    return instant


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise InvalidInputError(name, "must be a number, 0 or more")
    return int(text)
