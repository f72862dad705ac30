"""The control API under /_sandbox/: who may call it, and how its answers and errors look."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox.control import sandbox
from mp_oauth_sandbox.control.types import ErrorOut
from mp_oauth_sandbox.core.paths import CONTROL
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.engine.clock import ClockError
from mp_oauth_sandbox.journal import Journal
from mp_oauth_sandbox.journal.masks import masked_request
from mp_oauth_sandbox.stores.protocol import StoreError
from mp_oauth_sandbox.web.access import Access
from mp_oauth_sandbox.web.bodies import JSON_HEADERS, BodyLimits
from mp_oauth_sandbox.web.control.inputs import given_to
from mp_oauth_sandbox.web.control.operations import CallRefusedError, Heard, Operation
from mp_oauth_sandbox.web.pages.sessions import cookie_name
from mp_oauth_sandbox.web.unsaved import record_unsaved

#: Not 503, which clients and proxies repeat by themselves, and which faults answer with.
UNSAVED = HTTPStatus.INSUFFICIENT_STORAGE


class ControlApi:
    """The operations behind their guard."""

    def __init__(
        self,
        operations: Iterable[Operation],
        access: Access,
        limits: BodyLimits,
        journal: Journal,
    ) -> None:
        """`access` says who may call; `journal` is told of what could not be saved."""
        self._access = access
        self._journal = journal
        self._limits = limits
        self._exact: dict[str, dict[str, Operation]] = {}
        self._patterned: dict[tuple[str, ...], dict[str, Operation]] = {}
        for one in operations:
            path = one.call.path
            if one.call.in_path:
                known = self._patterned.setdefault(tuple(path.split("/")), {})
            else:
                known = self._exact.setdefault(path, {})
            known[one.call.method] = one

    async def answer(self, request: Request) -> Response:
        """The answer to a call, or to what is none."""
        methods, in_path = self._found(request.scope["path"])
        method = "GET" if request.method == "HEAD" else request.method
        operation = methods.get(method)
        if operation is None:
            return self._no_such_call(request, methods)
        call = operation.call
        refused = self._refused(request, guarded=call.guarded)
        if refused is not None:
            return refused
        try:
            given = await given_to(call, request, self._limits, in_path)
            answered = await operation.run(given, _heard(operation, request))
        except InvalidInputError as error:
            return _error(HTTPStatus.BAD_REQUEST, error.problem, error.field)
        except ClockError as error:
            return _error(HTTPStatus.BAD_REQUEST, str(error), "clock")
        except CallRefusedError as error:
            return _error(error.status, error.problem, error.field)
        except StoreError as error:
            record_unsaved(self._journal, request, error, status=UNSAVED)
            return _error(UNSAVED, str(error))
        return answered if isinstance(answered, Response) else _json(call.status, answered)

    def _found(self, path: str) -> tuple[Mapping[str, Operation], dict[str, str]]:
        """The operations at a path by method, and what the path says."""
        if path in self._exact:
            return self._exact[path], {}
        sent = path.split("/")
        for pattern, methods in self._patterned.items():
            if len(pattern) == len(sent):
                pairs = list(zip(pattern, sent, strict=True))
                named = {name[1:-1]: value for name, value in pairs if name.startswith("{")}
                if all(named.values()) and all(n == v or n.startswith("{") for n, v in pairs):
                    return methods, named
        return {}, {}

    def _no_such_call(self, request: Request, methods: Mapping[str, Operation]) -> Response:
        """The answer to a path or method that is not in the table."""
        health = request.scope["path"] == sandbox.HEALTH.path
        refused = self._refused(request, guarded=not health)
        if refused is not None:
            return refused
        line = masked_request(request.method, request.scope["path"])
        text = f"there is no {line}; see {CONTROL}/openapi.json"
        if not methods:
            return _error(HTTPStatus.NOT_FOUND, text)
        response = _error(HTTPStatus.METHOD_NOT_ALLOWED, text)
        allowed = {*methods, "HEAD"} if "GET" in methods else {*methods}
        allowed = {*methods, "HEAD"} if "GET" in methods else {*methods}
        response.headers["allow"] = ", ".join(sorted(allowed))
        return response

    def _refused(self, request: Request, *, guarded: bool) -> Response | None:
        headers = request.headers
        problem = self._access.host_problem(headers) or self._access.origin_problem(headers)
        if problem is not None:
            return _error(HTTPStatus.FORBIDDEN, problem)
        problem = self._access.token_problem(headers) if guarded else None
        return None if problem is None else _error(HTTPStatus.UNAUTHORIZED, problem)


def _heard(operation: Operation, request: Request) -> Heard:
    streams, accept = operation.call.streams, request.headers.get("accept", "")
    # Not to HEAD, which would never come to an end.
    may_stream = streams is not None and request.method == "GET"
    return Heard(
        url=str(request.base_url).rstrip("/"),
        cookie=cookie_name(request.scope),
        may_stream=may_stream,
        as_events=may_stream and (streams or "") in accept.lower(),
        last_event_id=request.headers.get("last-event-id", "").strip(),
    )


def _json(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, headers=JSON_HEADERS)


def _error(status: HTTPStatus, message: str, field: str | None = None) -> Response:
    error = "invalid_input" if status is HTTPStatus.BAD_REQUEST else status.name.lower()
    return _json(status, ErrorOut(error=error, message=message, field=field))
