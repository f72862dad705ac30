"""Two hundred at once, over real sockets: exactly one wins, on every store."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox

RACERS = 200
CALLBACK = "http://localhost:8000/mp/callback"


@pytest.fixture(params=["memory", "sqlite"])
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sandbox]:
    data = tmp_path / "sandbox.db" if request.param == "sqlite" else None
    with Sandbox(data=data) as sandbox:
        sandbox.auto_consent(sandbox.create_seller())
        yield sandbox


@pytest.fixture
def exchange(sandbox: Sandbox) -> dict[str, str]:
    """The body of an exchange of a fresh code."""
    application = sandbox.register_application(redirect_uris=[CALLBACK])
    with httpx.Client(transport=sandbox.transport()) as browser:
        callback = browser.get(sandbox.authorization_url(application)).headers["location"]
    return {
        "grant_type": "authorization_code",
        **id_and_secret(application),
        "code": httpx.URL(callback).params["code"],
        "redirect_uri": CALLBACK,
    }


def id_and_secret(application: Application) -> dict[str, str]:
    return {"client_id": application.client_id, "client_secret": application.client_secret}


async def race(port: int, body: dict[str, str]) -> list[tuple[int, dict[str, object]]]:
    """The answers to one request sent over many connections, all completed at one moment."""
    content = json.dumps(body).encode()
    head = (
        "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    request = head.encode() + content
    off = asyncio.Event()

    async def racer(ready: asyncio.Semaphore) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        # All but the last byte, so that nothing is left to do but to let go.
        writer.write(request[:-1])
        await writer.drain()
        ready.release()
        await off.wait()
        writer.write(request[-1:])
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    ready = asyncio.Semaphore(0)
    racers = [asyncio.create_task(racer(ready)) for _ in range(RACERS)]
    for _ in racers:
        await ready.acquire()
    off.set()
    return [answered(answer) for answer in await asyncio.gather(*racers)]


def answered(answer: bytes) -> tuple[int, dict[str, object]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def run(sandbox: Sandbox, body: dict[str, str]) -> list[tuple[int, dict[str, object]]]:
    port = httpx.URL(sandbox.url).port
    assert port is not None
    return asyncio.run(race(port, body))


def winner_among(answers: list[tuple[int, dict[str, object]]]) -> dict[str, object]:
    assert Counter((status, body.get("error")) for status, body in answers) == {
        (200, None): 1,
        (400, "invalid_grant"): RACERS - 1,
    }
    return next(body for status, body in answers if status == 200)


def causes_since(sandbox: Sandbox, start: int) -> Counter[str | None]:
    return Counter(entry.cause for entry in sandbox.journal.entries(after=start))


def test_one_of_two_hundred_exchanges_of_a_code_wins(sandbox: Sandbox, exchange: dict[str, str]):
    start = sandbox.journal.newest

    winner = winner_among(run(sandbox, exchange))

    assert causes_since(sandbox, start) == {None: 1, "code_already_redeemed": RACERS - 1}
    bearer = {"authorization": f"Bearer {winner['access_token']}"}
    assert httpx.get(f"{sandbox.url}/users/me", headers=bearer).status_code == 200


def test_one_of_two_hundred_refreshes_of_a_token_wins(sandbox: Sandbox, exchange: dict[str, str]):
    tokens = httpx.post(f"{sandbox.url}/oauth/token", json=exchange).json()
    renewal = {
        "grant_type": "refresh_token",
        "client_id": exchange["client_id"],
        "client_secret": exchange["client_secret"],
        "refresh_token": tokens["refresh_token"],
    }
    start = sandbox.journal.newest

    winner = winner_among(run(sandbox, renewal))

    assert causes_since(sandbox, start) == {None: 1, "refresh_replaced": RACERS - 1}
    # The winner's token is the one that goes on.
    again = renewal | {"refresh_token": str(winner["refresh_token"])}
    assert httpx.post(f"{sandbox.url}/oauth/token", json=again).status_code == 200
