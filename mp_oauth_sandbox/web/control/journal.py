"""What the control API tells: the journal, page by page or as it grows."""

from datetime import datetime
from typing import cast, get_args

from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox.control import types as calls
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.journal import CAUSES, KINDS, Query
from mp_oauth_sandbox.journal.queries import GrantType, Wanted
from mp_oauth_sandbox.web.control.event_stream import MEDIA_TYPE, JournalStream, StreamLimits
from mp_oauth_sandbox.web.control.inputs import number
from mp_oauth_sandbox.web.control.openapi import COUNT, Call

#: How many entries one page has at most, and without being asked.
PAGE_LIMIT = 1000
_PAGE = 100

_QUERY: dict[str, dict[str, object]] = {
    "after": {**COUNT, "description": "Only entries with a higher number"},
    "since": {
        "type": "string",
        "description": "As `after`, or an instant of the sandbox's clock: ISO 8601 with a zone",
    },
    "limit": {**COUNT, "description": f"At most so many: {_PAGE} for a page, no end for a stream"},
    "kind": {"type": "string", "enum": list(KINDS)},
    "application": {"type": "string", "pattern": "^[0-9]{1,20}$", "description": "A client_id"},
    "seller": {**COUNT, "description": "A user_id"},
    "cause": {"type": "string", "enum": list(CAUSES)},
    "grant_type": {"type": "string", "enum": list(get_args(GrantType))},
    "stream": {
        "type": "string",
        "enum": ["0", "1", "false", "true"],
        "description": f"Server-sent events, as with Accept: {MEDIA_TYPE}",
    },
}


class JournalOperations:
    """Read only. The first line of each docstring is its summary."""

    def __init__(self, engine: Engine, *, stream_limits: StreamLimits | None = None) -> None:
        """Tell of this engine."""
        self._engine = engine
        self._stream_limits = stream_limits or StreamLimits()

    def table(self) -> tuple[Call, ...]:
        """These calls: see Operations.table."""
        return (
            Call(
                "GET",
                "/journal",
                self.journal,
                gives=calls.JournalOut,
                query=_QUERY,
                streams=MEDIA_TYPE,
            ),
        )

    async def journal(self, request: Request) -> calls.JournalOut | Response:
        """What happened, and why: in pages, or as server-sent events."""
        query, streamed = _query(request), _streamed(request)
        if streamed and request.method == "GET":
            return self._stream(request, query)
        limit = min(number(request, "limit", default=_PAGE), PAGE_LIMIT)
        journal = self._engine.journal
        newest = journal.newest
        if query == Query(after=query.after):
            entries = journal.entries(after=query.after, limit=limit)
        else:
            entries = journal.find(query, limit=limit)
        following = entries[-1].seq if entries else min(query.after, newest)
        if len(entries) < limit:
            # All was looked at, also what the query does not want.
            following = max(newest, entries[-1].seq if entries else 0)
        return calls.JournalOut(
            entries=[calls.EntryOut.of(entry) for entry in entries], next=following
        )

    def _stream(self, request: Request, query: Query) -> Response:
        last = request.headers.get("last-event-id", "").strip()
        after = query.after
        if last:
            # A browser that comes back asks for the same URL, with the number it has seen.
            after = max(after, _number("Last-Event-ID", last))
        if after > self._engine.journal.newest:
            # Counted from 1 again since: there was a reset.
            after = 0
        limit = number(request, "limit", default=0) if "limit" in request.query_params else None
        return JournalStream(
            self._engine.journal,
            query.starting(after),
            limit=limit,
            limits=self._stream_limits,
        )


def _query(request: Request) -> Query:
    """The filters of the query. Raises InvalidInputError naming the one that cannot be."""
    given = request.query_params
    wanted: dict[str, object] = {
        name: given[name] for name in ("kind", "cause", "grant_type") if name in given
    }
    if "application" in given:
        client_id = given["application"]
        if not (client_id.isascii() and client_id.isdigit() and len(client_id) <= 20):
            raise InvalidInputError("application", "must be a client_id: 1 to 20 digits")
        wanted["application"] = client_id
    if "seller" in given:
        wanted["seller"] = _number("seller", given["seller"], digits=19)
    since = _since(given["since"]) if "since" in given else 0
    after = number(request, "after", default=0)
    if isinstance(since, int):
        after = max(after, since)
    else:
        wanted["since"] = since
    return Query.of(cast("Wanted", wanted)).starting(after)


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


def _number(name: str, text: str, *, digits: int = 15) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        raise InvalidInputError(name, "must be a number, 0 or more")
    return int(text)


def _streamed(request: Request) -> bool:
    asked = request.query_params.get("stream")
    if asked is None:
        return MEDIA_TYPE in request.headers.get("accept", "").lower()
    if asked not in {"0", "1", "false", "true"}:
        raise InvalidInputError("stream", "must be 1 or 0")
    return asked in {"1", "true"}
