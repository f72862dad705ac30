"""What every host promises around an application, whichever way the request came in.

The connection is offered to the application through the ASGI scope, and whatever the
application does, the client hears a whole answer, a small JSON 500, or a hang-up; never a
stack trace. How much of its answer was written is noted as it is written: whoever closes the
connection afterwards, it was open then.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import ClientDisconnect

from mp_oauth_sandbox.support.connection import CONNECTION, Connection
from mp_oauth_sandbox.wire.errors import INTERNAL_ERROR

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON_CONTENT_TYPE: Final = b"application/json; charset=utf-8"

logger = logging.getLogger("mp_oauth_sandbox")


def guarded(
    app: "ASGIApp",
) -> "Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]":
    """The same application, which now always ends in an answer or in a hang-up."""

    async def guard(scope: "Scope", receive: "Receive", send: "Send") -> None:
        connection: Connection = scope["extensions"][CONNECTION]
        started = completed = False

        async def tracked(message: "Message") -> None:
            nonlocal started, completed
            started = True
            await send(message)
            completed = message["type"] == "http.response.body" and not message.get("more_body")
            if await connection["flushed"]():
                connection["written"] = "whole" if completed else "part"

        try:
            await app(scope, receive, tracked)
        except asyncio.CancelledError:
            # Swallowed on purpose: this is the outermost frame of the task, and the host would
            # log and answer a cancellation as if the application had crashed.
            connection["abort"]()
            return
        except ClientDisconnect:
            return
        except Exception:
            logger.exception("The application failed on %s %s", scope["method"], scope["path"])
        else:
            if completed or not connection["connected"]():
                return
            logger.error("No whole answer to %s %s", scope["method"], scope["path"])
        finally:
            # It leads back to whoever holds the scope: that would wait for the collector of cycles.
            del scope["extensions"]
        if completed or not connection["connected"]():
            return
        if started:
            connection["abort"]()
        else:
            await _send_internal_error(send)

    return guard


async def _send_internal_error(send: "Send") -> None:
    headers = [
        (b"content-type", JSON_CONTENT_TYPE),
        (b"content-length", str(len(INTERNAL_ERROR)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": INTERNAL_ERROR})
