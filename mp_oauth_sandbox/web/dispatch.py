"""From a request to what answers it: one look-up, one place for errors, in the journal's sight."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from mp_oauth_sandbox.core.paths import CONTROL, STATIC
from mp_oauth_sandbox.journal import Journal
from mp_oauth_sandbox.stores.protocol import StoreError
from mp_oauth_sandbox.web.arrivals import ARRIVAL
from mp_oauth_sandbox.web.bodies import JSON_HEADERS
from mp_oauth_sandbox.web.pages.rendering import AnsweredError
from mp_oauth_sandbox.web.unsaved import record_unsaved
from mp_oauth_sandbox.wire.errors import INTERNAL_ERROR

Handler = Callable[[Request], Awaitable[Response]]


class Dispatcher:
    """The ASGI application.

    `endpoints` are found by path and method: what answers GET answers HEAD too, `not_found`
    another method. `control` answers the calls of the control API, `files` what is below
    /_sandbox/static, and `elsewhere` any other path.
    """

    def __init__(
        self,
        journal: Journal,
        endpoints: Mapping[str, Mapping[str, Handler]],
        *,
        control: Handler,
        files: ASGIApp,
        elsewhere: Handler,
        not_found: Handler,
    ) -> None:
        """Requests are in this journal's sight while they are answered."""
        self._journal = journal
        self.endpoints = endpoints
        self._control, self._elsewhere, self._not_found = control, elsewhere, not_found
        # Also for a host's lifespan, and for websockets, of which there are none.
        self._files = Router([Mount(STATIC, files)], redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, whatever goes wrong; what nobody foresaw is raised again, for the host's log."""
        if scope["type"] != "http":
            await self._files(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        if path.startswith(f"{STATIC}/"):
            # Where it has no such file, there is no such call either.
            with suppress(HTTPException):
                await self._files(scope, receive, send)
                return
        arrival = None
        if path.startswith(f"{CONTROL}/"):
            # What a test does is not in flight: one of these calls asks what is.
            handler = self._control
        else:
            methods = self.endpoints.get(path)
            handler = self._elsewhere
            if methods is not None:
                handler = methods.get("GET" if method == "HEAD" else method, self._not_found)
            arrival = scope[ARRIVAL] = self._journal.arrive(method, path)
        request = Request(scope, receive, send)
        try:
            try:
                response = await handler(request)
            except AnsweredError as ended:
                response = ended.answer
            except ClientDisconnect:
                # Nobody is there to read it.
                response = Response(status_code=HTTPStatus.BAD_REQUEST)
            except Exception as error:
                await self._crashed(request, error)(scope, receive, send)
                raise
            await response(scope, receive, send)
        finally:
            if arrival is not None:
                self._journal.leave(arrival)

    def _crashed(self, request: Request, error: Exception) -> Response:
        """The answer where, but for a store that fails, it should never come to one."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        if isinstance(error, StoreError):
            record_unsaved(self._journal, request, error, status=status)
        return Response(INTERNAL_ERROR, status_code=status, headers=JSON_HEADERS)
