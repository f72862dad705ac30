"""Redirects back to the application that are not what the sandbox sent."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from msgspec.structs import replace

from mp_oauth_sandbox.core.shapes import another
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

TamperHow = Literal[
    "drop-state",
    "drop-code",
    "change-state",
    "change-code",
    "duplicate-state",
    "duplicate-code",
    "error",
    "markup",
    "extra",
]

Pairs = list[tuple[str, str]]

#: `<img src=x onerror=alert(1)>`: what must never run in the seller's browser.
_MARKUP = "%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E"


class Tamper(Fault, frozen=True, kw_only=True, tag="tamper"):
    """The redirect to the application is changed on the way.

    `how`: drop, change or duplicate the state or the code (drop-state, change-code, ...);
    error (an error in the code's stead); markup (an error whose error_description is HTML);
    extra (parameters that nobody documents).
    """

    ENDPOINTS: ClassVar[tuple[str, ...]] = ("authorization",)

    on: str = "authorization"
    how: TamperHow = "drop-state"

    @property
    def label(self) -> str:
        """See Fault.label."""
        return f"tamper {self.how}"

    def arm(self) -> Wrapper:
        """See Fault.arm."""

        def wrapper(serve: Serve, by: Meeting) -> Serve:
            async def tampered(asked: Asked) -> Reply[Any]:
                return (await serve(asked)).touched(Effect(by=by, change=self._change))

            return tampered

        return wrapper

    def _change(self, answer: Answer) -> Answer:
        location = answer.headers.get("location")
        if location is None:
            return answer
        uri, _, query = location.partition("?")
        # The sign stays with the value, so that what is not changed stays byte for byte.
        split = (pair.partition("=") for pair in (query.split("&") if query else ()))
        pairs = [(name, sign + value) for name, sign, value in split]
        changed = "&".join(name + value for name, value in _EDITS[self.how](pairs))
        headers = {**answer.headers, "location": f"{uri}?{changed}" if changed else uri}
        return replace(answer, headers=headers)


def _without(*names: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [pair for pair in pairs if pair[0] not in names]


def _changed(name: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [(one, another(text) if one == name else text) for one, text in pairs]


def _twice(name: str) -> Callable[[Pairs], Pairs]:
    def edit(pairs: Pairs) -> Pairs:
        return pairs + [(one, another(text)) for one, text in pairs if one == name]

    return edit


def _error(error: str, description: str = "") -> Callable[[Pairs], Pairs]:
    said = [("error", f"={error}")]
    said += [("error_description", f"={description}")] if description else []

    def edit(pairs: Pairs) -> Pairs:
        return said + _without("code", "error", "error_description")(pairs)

    return edit


def _extra(pairs: Pairs) -> Pairs:
    added = [("scope", "=read"), ("iss", "=https%3A%2F%2Fexample.test"), ("zx", "=1700000000")]
    return [*pairs, *added]


_EDITS: dict[TamperHow, Callable[[Pairs], Pairs]] = {
    "drop-state": _without("state"),
    "drop-code": _without("code"),
    "change-state": _changed("state"),
    "change-code": _changed("code"),
    "duplicate-state": _twice("state"),
    "duplicate-code": _twice("code"),
    "error": _error("server_error"),
    "markup": _error("access_denied", _MARKUP),
    "extra": _extra,
}
