"""Answers that are not what they should be."""

import json
from collections.abc import Callable
from typing import Any, ClassVar, Literal, cast

from msgspec.structs import replace

from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.wire.exchange import (
    Answer,
    Asked,
    Effect,
    Meeting,
    Reply,
    Serve,
    Wrapper,
)

GarbleHow = Literal[
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

#: What an answer of the token endpoint has, and no resource.
_OF_TOKENS = ("no-refresh-token", "other-expires-in")

_HTML = b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>\n"

Body = dict[str, Any]


class Garble(Fault, frozen=True, kw_only=True, tag="garble"):
    """The request takes effect; its answer is changed on the way, its status is not.

    `how`: truncated (half of the JSON), html (a page), empty, wrong-charset (bytes that are
    not the UTF-8 they claim to be), odd-types (numbers as text, text as lists), missing-field
    (`field`, default access_token, or id of a resource), extra-fields, other-user (the user_id,
    or a resource's id, of somebody else), no-refresh-token, other-expires-in (`expires_in`,
    default 60 seconds). An answer without the field in question stays as it is.
    """

    ENDPOINTS: ClassVar[tuple[str, ...]] = ("token", "resource")

    how: GarbleHow = "truncated"
    field: str | None = None
    expires_in: int | None = None

    def check(self) -> None:
        """See Fault.check."""
        super().check()
        if self.field is not None and self.how != "missing-field":
            raise InvalidInputError("field", "is for missing-field")
        if self.expires_in is not None and self.how != "other-expires-in":
            raise InvalidInputError("expires_in", "is for other-expires-in")
        if self.how in _OF_TOKENS and "token" not in self.endpoints():
            raise InvalidInputError("how", f"{self.how} is for the token endpoint, not {self.on}")

    @property
    def label(self) -> str:
        """See Fault.label."""
        return f"garble {self.how}"

    def arm(self) -> Wrapper:
        """See Fault.arm."""

        def wrapper(serve: Serve, by: Meeting) -> Serve:
            async def garbled(asked: Asked) -> Reply[Any]:
                return (await serve(asked)).touched(Effect(by=by, change=self._change))

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
                usual = "access_token" if "access_token" in body else "id"
                body.pop(self.field or usual, None)
            case "extra-fields":
                body |= {"token_status": "active", "nested": {"deep": [1, None]}, "site": "MLA"}
            case "other-user":
                name = "user_id" if "user_id" in body else "id"
                # Another fault may have made something else of the number.
                if isinstance(body.get(name), int):
                    body[name] += 1
            case "no-refresh-token":
                body.pop("refresh_token", None)
            case "other-expires-in":
                if "expires_in" in body:
                    body["expires_in"] = 60 if self.expires_in is None else self.expires_in
            case _:
                for name, value in body.items():
                    body[name] = _odd(value)


def _edited(content: bytes, edit: Callable[[Body], None]) -> bytes:
    """The JSON object changed; anything else stays as it is."""
    try:
        decoded = json.loads(content)
    except ValueError:
        return content
    if not isinstance(decoded, dict):
        return content
    body = cast("Body", decoded)
    before = body.copy()
    edit(body)
    if body == before:
        return content
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def _in_latin_1(content: bytes) -> bytes:
    def with_accent(body: Body) -> None:
        body["site_name"] = "Espa\u00f1a"

    edited = _edited(content, with_accent)
    try:
        return edited.decode().encode("latin-1", "replace")
    except UnicodeDecodeError:  # Another fault has been there before.
        return edited


def _odd(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return [value]
    return None
