"""What tests may do to the three Python examples, only where TEST_TOKEN is set. Leave it out.

They move the application's clock, run its nightly job, let its saves fail, and look at its links.
"""

import hashlib
import hmac
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from marketplace import DATABASE, logins

from mp_oauth_sandbox.client import Link, TokenStore, load


class Clock:
    """The real time, and what tests add to it."""

    def __init__(self) -> None:
        """Unmoved."""
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """The time now, for `Linking(now=...)`."""
        return datetime.now(UTC) + self.ahead


class FaultyStore:
    """A store of links that loses some new pairs of tokens, before or after it has written them."""

    def __init__(self, store: TokenStore) -> None:
        """All is well until `fail`."""
        self._store = store
        self.fail("", 0)

    def fail(self, point: str, times: int) -> None:
        """Let so many saves of new tokens fail at that point."""
        self._point, self._times = point, times

    def get(self, key: str, /) -> Link | None:
        """See TokenStore."""
        return self._store.get(key)

    def replace(self, record: Link, /, *, expected: int) -> bool:
        """See TokenStore."""
        kept = self._store.get(record.key)
        new = record.access_token not in {None, kept.access_token if kept else None}
        failing = new and self._times > 0
        self._times -= failing
        if failing and self._point == "before_save":
            raise OSError("a test makes this save fail")
        done = self._store.replace(record, expected=expected)
        if failing:
            raise OSError("a test makes this save fail, although it is written")
        return done

    def of_seller(self, seller_id: int, /) -> Sequence[Link]:
        """See TokenStore."""
        return self._store.of_seller(seller_id)

    def due(self, now: datetime, limit: int) -> Sequence[Link]:
        """See TokenStore."""
        return self._store.due(now, limit)


def kept_links() -> list[Link]:
    """Every link in the client's SQLite store, which has no such question."""
    with closing(sqlite3.connect(DATABASE)) as database:
        return [load(Link, text) for (text,) in database.execute("SELECT record FROM mp_links")]


def forget_all() -> None:
    """Empty the client's SQLite stores, and log everybody out."""
    logins.clear()
    with closing(sqlite3.connect(DATABASE, isolation_level=None)) as database:
        database.executescript("DELETE FROM mp_links; DELETE FROM mp_pending")


class Testing:
    """The test endpoints without their HTTP. Nothing of it is there without TEST_TOKEN."""

    def __init__(
        self,
        links: Callable[[], Iterable[Link]] = kept_links,
        forget: Callable[[], object] = forget_all,
    ) -> None:
        """`links` are all that there are; `forget` forgets them and everybody."""
        self._links, self._forget = links, forget
        self._token = os.environ.get("TEST_TOKEN")
        self._faulty: FaultyStore | None = None
        self._lines: list[str] = []
        self.clock = Clock()
        if self._token:
            handler = logging.Handler()
            handler.emit = lambda record: self._lines.append(handler.format(record))
            logging.getLogger().addHandler(handler)

    def store(self, store: TokenStore) -> TokenStore:
        """The store, or one that can be made to fail."""
        if not self._token:
            return store
        self._faulty = FaultyStore(store)
        return self._faulty

    def allowed(self, authorization: str | None) -> bool:
        """Whether a request may use the test endpoints; else they do not exist."""
        expected = f"Bearer {self._token}".encode()
        given = (authorization or "").encode("utf-8", "replace")
        return bool(self._token) and hmac.compare_digest(expected, given)

    def wsgi(self, application: WSGIApplication, renew: Callable[..., object]) -> WSGIApplication:
        """The application with the test endpoints in front of it."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            hook = environ["PATH_INFO"].removeprefix("/test/")
            if hook == environ["PATH_INFO"] or not self.allowed(environ.get("HTTP_AUTHORIZATION")):
                return application(environ, start_response)
            if hook == "run-jobs":
                renew(per_second=1000)
            sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            since = parse_qs(environ["QUERY_STRING"]).get("since", [""])[0]
            answer = json.dumps(self.call(f"{environ['REQUEST_METHOD']} {hook}", sent, since))
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
            start_response("200 OK", headers)
            return [answer.encode()]

        return answer

    def call(self, hook: str, sent: bytes, since: str | None) -> object:
        """What `METHOD name` answers, as JSON. The jobs are the caller's to run."""
        asked = json.loads(sent or b"{}")
        match hook:
            case "POST reset":
                self._forget()
                self.clock.ahead = timedelta()
                self._fail("", 0)
                self._lines.clear()
            case "POST clock":
                self.clock.ahead += timedelta(seconds=asked["advance_seconds"])
            case "POST fault":
                self._fail(asked["point"], asked["times"])
            case "GET links":
                return [_described(link) for link in self._links()]
            case "GET logs":
                lines = list(self._lines)
                return {"lines": lines[int(since or 0) :], "next": len(lines)}
            case _:
                pass
        return {}

    def _fail(self, point: str, times: int) -> None:
        if self._faulty is not None:
            self._faulty.fail(point, times)


def _described(link: Link) -> dict[str, object]:
    tokens = [token for token in (link.access_token, link.refresh_token) if token]
    return {
        "account": link.account,
        "seller": link.seller_id,
        "status": link.status,
        "expires_at": link.expires_at.isoformat(),
        "tokens": [hashlib.sha256(token.encode()).hexdigest() for token in tokens],
    }
