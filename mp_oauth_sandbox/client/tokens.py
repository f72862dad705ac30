"""`POST /oauth/token`: what is sent, and what to make of the answer.

Source: Mercado Pago, POST /oauth/token reference; RFC 6749 sections 4.1.3, 5 and 6.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from .errors import AnswerError, ConfigurationError, GrantRefusedError, UnavailableError
from .settings import Settings
from .steps import Answer, Failure, Request, Response

#: For an answer without a usable `expires_in`. Too short costs a renewal, too long a failed sale.
ASSUMED_LIFETIME = timedelta(days=1)

# What may stand in an Authorization header (RFC 6750 section 2.1), and no more.
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_LONGEST = 3660 * 24 * 3600
# What is wrong with the application or with every request of it, whoever the seller is.
_APPLICATION = {"invalid_client", "invalid_request", "unauthorized_application"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What an answer grants; None for what it leaves out."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    lifetime: timedelta
    seller_id: int | None
    scopes: tuple[str, ...]
    live_mode: bool | None
    public_key: str | None


def code_request(settings: Settings, *, code: str, verifier: str | None) -> Request:
    """The exchange of a code."""
    fields = {"grant_type": "authorization_code", "code": code}
    fields["redirect_uri"] = settings.redirect_uri
    if verifier is not None:
        fields["code_verifier"] = verifier
    if settings.test_token:
        fields["test_token"] = "true"  # noqa: S105 - no secret; documented as a string
    return _request(settings, fields)


def refresh_request(settings: Settings, *, refresh_token: str) -> Request:
    """The renewal of a pair."""
    return _request(settings, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def _request(settings: Settings, fields: dict[str, str]) -> Request:
    known = {"client_id": settings.client_id, "client_secret": settings.client_secret}
    body = json.dumps({**known, **fields}).encode()
    return Request(url=settings.api("/oauth/token"), body=body)


def read_tokens(answer: Answer) -> Tokens:
    """The tokens of an answer.

    Raises UnavailableError, GrantRefusedError, ConfigurationError or AnswerError.
    """
    if isinstance(answer, Failure):
        raise UnavailableError(f"/oauth/token: {answer.problem}", sent=answer.sent)
    if answer.status == 429 or answer.status >= 500:
        problem, after = f"/oauth/token: {answer.status}", _retry_after(answer)
        raise UnavailableError(problem, sent=answer.status != 429, retry_after=after)
    fields = json_object(answer.body)
    if answer.status != 200:
        error = _text(fields, "error")
        if error == "invalid_grant":
            raise GrantRefusedError("/oauth/token: invalid_grant")
        if error in _APPLICATION:
            raise ConfigurationError(f"/oauth/token: {error}: check your settings")
        raise AnswerError(f"/oauth/token: {answer.status} without an error that says what to do")
    live_mode = fields.get("live_mode")
    return Tokens(
        access_token=_token(fields, "access_token"),
        refresh_token=_token(fields, "refresh_token") if fields.get("refresh_token") else None,
        lifetime=_lifetime(fields.get("expires_in")),
        seller_id=None if fields.get("user_id") is None else _seller_id(fields["user_id"]),
        scopes=tuple(_text(fields, "scope").split()),
        live_mode=live_mode if isinstance(live_mode, bool) else None,
        public_key=_text(fields, "public_key") or None,
    )


def json_object(body: bytes) -> dict[str, object]:
    """The object that a body is; empty if it is none."""
    try:
        found: object = json.loads(body)
    # A number of thousands of digits is a ValueError too.
    except (ValueError, RecursionError):
        return {}
    return as_object(found)


def as_object(value: object) -> dict[str, object]:
    """A decoded value if it is an object, else an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _token(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise AnswerError(f"/oauth/token: {name} is missing or unusable")
    return value


def _text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _seller_id(value: object) -> int:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) == 0:
        raise AnswerError("/oauth/token: user_id is unusable")
    return int(text)


def _lifetime(value: object) -> timedelta:
    try:
        seconds = 0.0 if isinstance(value, bool) else float(cast("str", value))
    except (TypeError, ValueError, OverflowError):
        seconds = 0.0
    return timedelta(seconds=int(seconds)) if 0 < seconds <= _LONGEST else ASSUMED_LIFETIME


def _retry_after(answer: Response) -> float | None:
    value = {name.lower(): text for name, text in answer.headers.items()}.get("retry-after", "")
    return float(value) if re.fullmatch(r"[0-9]{1,6}", value) else None
