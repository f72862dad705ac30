"""GET /_sandbox/journal: its filters, and the stream of server-sent events."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox

CALLBACK = "https://shop.example/mp/callback"


@pytest.fixture
def live() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def asked(live: Sandbox) -> Application:
    """Five exchanges: a code, tokens, the code again, a resource, garbage."""
    app = live.register_application(redirect_uris=[CALLBACK], client_id="123")
    live.auto_consent(live.create_seller(user_id=5))
    location = httpx.get(live.authorization_url(app)).headers["location"]
    secrets = {"client_id": "123", "client_secret": app.client_secret}
    grant = {"grant_type": "authorization_code", "code": httpx.URL(location).params["code"]}
    body = {**secrets, **grant, "redirect_uri": CALLBACK}
    tokens = httpx.post(f"{live.url}/oauth/token", json=body).json()
    httpx.post(f"{live.url}/oauth/token", json=body)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    httpx.get(f"{live.url}/users/me", headers=bearer)
    httpx.post(f"{live.url}/oauth/token", json={"grant_type": "nonsense"})
    return app


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ("kind=resource", ["GET /users/me -> 200"]),
        ("cause=code_already_redeemed", ["POST /oauth/token authorization_code -> 400"]),
        # The refused one too: it was the seller's code.
        (
            "seller=5&kind=token",
            [
                "POST /oauth/token authorization_code -> 200",
                "POST /oauth/token authorization_code -> 400",
            ],
        ),
        ("application=124", []),
        ("kind=token&after=0&limit=1", ["POST /oauth/token authorization_code -> 200"]),
        ("kind=token&since=0&limit=1", ["POST /oauth/token authorization_code -> 200"]),
        # Without a number to go on from, the newest.
        ("kind=token&limit=1", ["POST /oauth/token -> 400"]),
        ("kind=token&limit=1&since=2020-01-01T00:00:00Z", ["POST /oauth/token -> 400"]),
        (
            "kind=token&limit=2",
            ["POST /oauth/token authorization_code -> 400", "POST /oauth/token -> 400"],
        ),
        ("kind=authorization&since=2020-01-01T00:00:00Z", ["GET /authorization -> 302"]),
        ("since=9000-01-01T00:00:00Z", []),
    ],
)
def test_the_journal_is_filtered(
    live: Sandbox, asked: Application, query: str, lines: list[str]
) -> None:
    page = httpx.get(f"{live.url}/_sandbox/journal?{query}").json()

    found = [entry["line"] for entry in page["entries"] if entry["kind"] != "control"]
    assert len(found) == len(lines)
    assert all(line.startswith(start) for line, start in zip(found, lines, strict=True)), found
    assert all(entry["line"] in entry["explain"] for entry in page["entries"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kind=nonsense", "kind"),
        ("cause=nonsense", "cause"),
        ("seller=x", "seller"),
        ("application=x", "application"),
        ("since=yesterday", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("limit=-1", "limit"),
        ("stream=maybe", "stream"),
    ],
)
def test_a_filter_that_cannot_be_is_named(live: Sandbox, query: str, field: str) -> None:
    answer = httpx.get(f"{live.url}/_sandbox/journal?{query}")

    assert (answer.status_code, answer.json()["field"]) == (400, field)


@contextmanager
def listening(sandbox: Sandbox, query: str = "", **headers: str) -> Iterator[Iterator[str]]:
    """The lines of a stream, whose first has been heard."""
    with httpx.stream(
        "GET",
        f"{sandbox.url}/_sandbox/journal{query}",
        headers={"Accept": "text/event-stream", **headers},
        timeout=10,
    ) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        lines = answer.iter_lines()
        assert next(lines).startswith(": ")
        yield lines


def event(lines: Iterator[str]) -> tuple[int, dict[str, Any]]:
    """The next event's number and data."""
    number = next(line for line in lines if line.startswith("id: "))
    assert next(lines) == "event: entry"
    return int(number[4:]), json.loads(next(lines).removeprefix("data: "))


def heard_to_the_end(lines: Iterator[str]) -> bool:
    """Whether the stream ends, by an orderly end or a hang-up."""
    try:
        for _ in lines:
            pass
    except httpx.RemoteProtocolError:
        pass
    return True


def listeners(sandbox: Sandbox) -> int:
    return len(sandbox.journal._listeners)


def nobody_listens(sandbox: Sandbox) -> bool:
    deadline = time.monotonic() + 5
    while listeners(sandbox) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not listeners(sandbox)


def test_the_stream_tells_what_is_there_and_what_comes(live: Sandbox, asked: Application) -> None:
    with listening(live, "?kind=token") as lines:
        known = [event(lines)[1]["line"] for _ in range(3)]
        httpx.post(f"{live.url}/oauth/token", json={"grant_type": "other"})
        _, new = event(lines)

    assert "tokens issued" in known[0]
    assert new["cause"] == "parameter_missing"
    assert nobody_listens(live)


def test_a_listener_goes_on_where_it_was(live: Sandbox, asked: Application) -> None:
    with listening(live) as lines:
        numbers = [event(lines)[0] for _ in range(3)]

    with listening(live, **{"Last-Event-ID": str(numbers[1])}) as lines:
        following, _ = event(lines)

    assert following == numbers[2]


def test_what_another_thread_records_is_heard(live: Sandbox) -> None:
    with listening(live) as lines:
        thread = threading.Thread(target=lambda: live.clock.advance(seconds=1))
        thread.start()
        _, entry = event(lines)
        thread.join()

    assert entry["kind"] == "control"


def test_a_reset_ends_the_stream(live: Sandbox) -> None:
    with listening(live) as lines:
        live.reset()

        assert heard_to_the_end(lines)
    assert nobody_listens(live)


def test_closing_the_sandbox_ends_the_stream() -> None:
    sandbox = Sandbox()
    with listening(sandbox) as lines:
        sandbox.close()

        assert heard_to_the_end(lines)
    assert not listeners(sandbox)


@pytest.mark.parametrize("path", ["journal?client_id=1", "journal?foo=1", "clock?x=1"])
def test_a_parameter_that_nobody_knows_is_not_ignored(live: Sandbox, path: str) -> None:
    answer = httpx.get(f"{live.url}/_sandbox/{path}")

    assert answer.status_code == 400
    assert "there is no such parameter" in answer.json()["message"]
