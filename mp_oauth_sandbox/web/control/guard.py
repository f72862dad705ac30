"""The control API under /_sandbox/: who may call it, and how its answers and errors look."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from mp_oauth_sandbox.control import types as calls
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.engine.clock import ClockError
from mp_oauth_sandbox.web.access import Access
from mp_oauth_sandbox.web.bodies import JSON_HEADERS, request_line
from mp_oauth_sandbox.web.control.inputs import CallRefusedError
from mp_oauth_sandbox.web.control.openapi import PREFIX, Call
from mp_oauth_sandbox.web.control.operations import Operations


class Control:
    """The operations behind their guard."""

    def __init__(self, operations: Operations, access: Access) -> None:
        """`access` says who may call."""
        self._access = access
        self.routes = [
            Route(call.path, self._endpoint(call), methods=[call.method])
            for call in operations.table()
        ]

    def _endpoint(self, call: Call) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            refused = self._guard(request)
            if refused is not None:
                return refused
            try:
                _check_query(call, request)
                given = await call.run(request)
            except InvalidInputError as error:
                return _error(HTTPStatus.BAD_REQUEST, error.problem, error.field)
            except ClockError as error:
                return _error(HTTPStatus.BAD_REQUEST, str(error), "clock")
            except CallRefusedError as error:
                return _error(error.status, error.problem, error.field)
            return given if isinstance(given, Response) else _json(call.status, given)

        return answer

    def no_such_call(self, request: Request) -> Response:
        """The answer to a path or method that is not in the table."""
        refused = self._guard(request)
        if refused is not None:
            return refused
        allowed = {
            method
            for route in self.routes
            if route.matches(request.scope)[0] is not Match.NONE
            for method in route.methods or ()
        }
        text = f"there is no {request_line(request)}; see {PREFIX}/openapi.json"
        if not allowed:
            return _error(HTTPStatus.NOT_FOUND, text)
        response = _error(HTTPStatus.METHOD_NOT_ALLOWED, text)
        response.headers["allow"] = ", ".join(sorted(allowed))
        return response

    def _guard(self, request: Request) -> Response | None:
        headers = request.headers
        problem = self._access.host_problem(headers) or self._access.origin_problem(headers)
        if problem is not None:
            return _error(HTTPStatus.FORBIDDEN, problem)
        if request.scope["path"] == f"{PREFIX}/health":
            return None
        problem = self._access.token_problem(headers)
        return None if problem is None else _error(HTTPStatus.UNAUTHORIZED, problem)


def _check_query(call: Call, request: Request) -> None:
    """Raise InvalidInputError for a parameter that would be ignored without a word."""
    for name in request.query_params:
        if name not in call.query:
            known = f"; there are {', '.join(call.query)}" if call.query else ""
            raise InvalidInputError(name[:40], f"there is no such parameter here{known}")


def _json(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, headers=JSON_HEADERS)


def _error(status: HTTPStatus, message: str, field: str | None = None) -> Response:
    error = "invalid_input" if status is HTTPStatus.BAD_REQUEST else status.name.lower()
    return _json(status, calls.ErrorOut(error=error, message=message, field=field))
