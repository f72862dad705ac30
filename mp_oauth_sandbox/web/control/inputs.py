"""What a control call is given: its JSON body and query, checked, with errors naming the field."""

from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.requests import Request

from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.refusals import explanation
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.support.checked import invalid
from mp_oauth_sandbox.web.bodies import BODY_STATUS, BodyLimits, read_body

Wanted = TypeVar("Wanted")


class CallRefusedError(Exception):
    """A call that is answered with another status than 400."""

    def __init__(self, status: HTTPStatus, problem: str, *, field: str | None = None) -> None:
        """`field` is what to change, `problem` what is wrong with it."""
        super().__init__(problem)
        self.status = status
        self.problem = problem
        self.field = field


async def read_json(request: Request, wanted: type[Wanted], limits: BodyLimits) -> Wanted:
    """The JSON body of a call, as that type.

    Raises InvalidInputError naming the field at fault, or CallRefusedError for what is not
    JSON at all.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        # A browser cannot send this type to another site without asking first (CORS).
        problem = "send the body as application/json"
        raise CallRefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, problem, field="Content-Type")
    body = await read_body(request, limits)
    if isinstance(body, Refused):
        raise CallRefusedError(BODY_STATUS[body.cause], explanation(body), field="body")
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise invalid(error, whole="body", wanted=wanted) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidInputError("body", f"it is not valid JSON ({error})") from error


def number(request: Request, name: str, *, default: int) -> int:
    """A number from the query. Raises InvalidInputError."""
    value = request.query_params.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        raise InvalidInputError(name, "must be a number, 0 or more")
    return int(value)
