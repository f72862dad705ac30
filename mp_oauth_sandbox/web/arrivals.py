"""Every exchange is in the journal's sight from its arrival to its end."""

from starlette.types import ASGIApp, Receive, Scope, Send

from mp_oauth_sandbox.core.paths import CONTROL
from mp_oauth_sandbox.journal import Journal

#: The key of the scope under which a request has its arrival; a call of the control API has none.
ARRIVAL = "mp_oauth_sandbox.arrival"


class Arrivals:
    """Middleware: requests are in flight while the application answers them.

    Calls of the control API are not: they are what a test does, and one of them asks what is
    in flight.
    """

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        """Tell this journal."""
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, in the journal's sight."""
        if scope["type"] != "http" or scope["path"].startswith(f"{CONTROL}/"):
            await self._app(scope, receive, send)
            return
        arrival = scope[ARRIVAL] = self._journal.arrive(scope["method"], scope["path"])
        try:
            await self._app(scope, receive, send)
        finally:
            self._journal.leave(arrival)
