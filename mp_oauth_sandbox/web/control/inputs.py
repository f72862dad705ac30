"""What a control call is given, from path, query and JSON body; errors name the field."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from mp_oauth_sandbox.control.types import Call
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.refusals import explanation
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.support.checked import invalid
from mp_oauth_sandbox.web.bodies import BODY_STATUS, BodyLimits, read_body
from mp_oauth_sandbox.web.control.operations import CallRefusedError

Wanted = TypeVar("Wanted")


async def given_to(
    call: Call[Any, Any], request: Request, limits: BodyLimits, in_path: Mapping[str, object]
) -> object:
    """The input of a call, as its type; `in_path` is what its path says.

    Raises InvalidInputError naming the field at fault, or CallRefusedError for a path that
    names nothing and a body that is not JSON at all.
    """
    _check_query(call, request)
    if call.has_body:
        body = await _json_body(request, _bounded(limits, call))
        if not in_path:
            return _decoded(body, call.takes)
        fields: dict[str, object] = _decoded(body, dict[str, object])
        if twice := in_path.keys() & fields.keys():
            raise InvalidInputError(min(twice), "it stands in the path already; leave it out here")
        return _converted(call, {**fields, **in_path}, strict=True)
    return _converted(call, {**request.query_params, **in_path}, strict=False)


def _check_query(call: Call[Any, Any], request: Request) -> None:
    """Raise InvalidInputError for a parameter that would be ignored without a word."""
    known = call.beside_path if call.in_query else ()
    for name in request.query_params:
        if name not in known:
            there_are = f"; there are {', '.join(known)}" if known else ""
            raise InvalidInputError(name[:40], f"there is no such parameter here{there_are}")


def _bounded(limits: BodyLimits, call: Call[Any, Any]) -> BodyLimits:
    return limits if call.largest is None else replace(limits, size=call.largest)


async def _json_body(request: Request, limits: BodyLimits) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        # A browser cannot send this type to another site without asking first (CORS).
        problem = "send the body as application/json"
        raise CallRefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, problem, field="Content-Type")
    body = await read_body(request, limits)
    if isinstance(body, Refused):
        raise CallRefusedError(BODY_STATUS[body.cause], explanation(body), field="body")
    return body


def _decoded(body: bytes, wanted: type[Wanted]) -> Wanted:
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise invalid(error, whole="body", wanted=wanted) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidInputError("body", f"it is not valid JSON ({error})") from error


def _converted(call: Call[Any, Any], fields: dict[str, object], *, strict: bool) -> object:
    try:
        return msgspec.convert(fields, call.takes, strict=strict)
    except msgspec.ValidationError as error:
        wrong = invalid(error, whole="body", wanted=call.takes)
        if wrong.field in call.in_path:
            # Whatever it is, nothing has that name.
            shown = str(fields[wrong.field])[:40]
            raise CallRefusedError(
                HTTPStatus.NOT_FOUND, f"nothing has the {wrong.field} {shown!r}", field=wrong.field
            ) from error
        raise wrong from error
