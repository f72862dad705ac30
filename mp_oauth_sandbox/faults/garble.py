"""Answers that are not what they should be."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Literal, get_args

from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.faults.serve import Answer, Asked, Reply, Serve, Wrapper

How = Literal[
    "truncated",
    "html",
    "empty",
    "wrong-charset",
    "odd-types",
    "missing-field",
    "extra-fields",
    "other-user",
    "no-refresh-token",
    "other-expires-in",
]

_HTML = b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>\n"

Body = dict[str, Any]


class Garble(Fault, frozen=True, kw_only=True, tag="garble"):
    """The request takes effect; its answer is changed on the way, its status is not.

    `how`: truncated (half of the JSON), html (a page), empty, wrong-charset (bytes that are
    not the UTF-8 they claim to be), odd-types (numbers as text, text as lists), missing-field
    (`field`, default access_token), extra-fields, other-user (a user_id of somebody else),
    no-refresh-token, other-expires-in (`expires_in`, default 60 seconds).
    """

    ENDPOINTS: ClassVar[tuple[str, ...]] = ("token", "resource")

    how: How = "truncated"
    field: str | None = None
    expires_in: int | None = None

    def check(self) -> None:
        """See Fault.check."""
        super().check()
        if self.field is not None and self.how != "missing-field":
            raise InvalidInputError("field", "is for missing-field")
        if self.expires_in is not None and self.how != "other-expires-in":
            raise InvalidInputError("expires_in", "is for other-expires-in")

    @property
    def label(self) -> str:
        """See Fault.label."""
        return f"garble {self.how}"

    def arm(self) -> Wrapper:
        """See Fault.arm."""

        def wrapper(serve: Serve) -> Serve:
            async def garbled(asked: Asked) -> Reply:
                reply = await serve(asked)
                return replace(reply, changes=(*reply.changes, self._change))

            return garbled

        return wrapper

    def _change(self, answer: Answer) -> Answer:
        match self.how:
            case "truncated":
                return replace(answer, body=answer.body[: len(answer.body) // 2])
            case "html":
                headers = {**answer.headers, "content-type": "text/html; charset=utf-8"}
                return replace(answer, body=_HTML, headers=headers)
            case "empty":
                return replace(answer, body=b"")
            case "wrong-charset":
                return replace(answer, body=_in_latin_1(answer.body))
            case _:
                return replace(answer, body=_edited(answer.body, self._edit))

    def _edit(self, body: Body) -> None:
        match self.how:
            case "missing-field":
                body.pop(self.field or "access_token", None)
            case "extra-fields":
                body |= {"token_status": "active", "nested": {"deep": [1, None]}, "site": "MLA"}
            case "other-user":
                body["user_id"] = int(body.get("user_id") or 0) + 1
            case "no-refresh-token":
                body.pop("refresh_token", None)
            case "other-expires-in":
                body["expires_in"] = 60 if self.expires_in is None else self.expires_in
            case _:
                for name, value in body.items():
                    body[name] = _odd(value)


def _edited(content: bytes, edit: Callable[[Body], None]) -> bytes:
    """The JSON object changed; anything else stays as it is."""
    try:
        body = json.loads(content)
    except ValueError:
        return content
    if not isinstance(body, dict):
        return content
    edit(body)  # pyright: ignore[reportUnknownArgumentType] - keys of JSON objects are str
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def _in_latin_1(content: bytes) -> bytes:
    def with_accent(body: Body) -> None:
        body["site_name"] = "Espa\u00f1a"

    return _edited(content, with_accent).decode().encode("latin-1", "replace")


def _odd(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return [value]
    return None


HOWS: tuple[str, ...] = get_args(How)
