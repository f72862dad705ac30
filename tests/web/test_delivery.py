"""What the journal says of answers on a host that is not our own: as much as `send` tells."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from mp_oauth_sandbox import Sandbox

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(live=False) as sandbox:
        yield sandbox


async def ask(sandbox: Sandbox, *, client_has_gone: bool) -> None:
    """GET /users/me on another host, whose `send` fails if nobody is there."""

    async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
        async def failing(message: "Message") -> None:
            raise OSError

        await sandbox.asgi(scope, receive, failing if client_has_gone else send)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        await client.get("/users/me")


@pytest.mark.anyio
async def test_an_answer_is_delivered_when_send_has_returned(sandbox: Sandbox):
    await ask(sandbox, client_has_gone=False)

    assert sandbox.journal.last("resource").delivery == "delivered"


@pytest.mark.anyio
async def test_an_answer_that_could_not_be_sent_is_not_delivered(sandbox: Sandbox):
    await ask(sandbox, client_has_gone=True)

    assert sandbox.journal.last("resource").delivery == "disconnected"
