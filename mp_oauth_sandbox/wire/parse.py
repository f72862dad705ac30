"""Requests: from bytes to messages. Field names of what comes in."""

import json
import re
from collections.abc import Callable, Container, Mapping, Sequence
from typing import NoReturn
from urllib.parse import quote, unquote_to_bytes

from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.messages import (
    AUTHORIZATION_PARAMETERS,
    Authentication,
    AuthorizationRequest,
    ClientCredentials,
    RedeemCode,
    Refresh,
    Refused,
    TokenRequest,
    UseToken,
)
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.refusals import missing_of_trio, refuse, word
from mp_oauth_sandbox.core.shapes import looks_like_access_token

#: Nothing documents a limit; `state` beyond this is certainly a mistake.
STATE_BYTES = 8 * 1024

_TRIO = ("grant_type", "client_id", "client_secret")
_FIELDS = {
    "authorization_code": {*_TRIO, "code", "redirect_uri", "code_verifier", "test_token"},
    # Some integrations send test_token again; nothing shows an effect.
    "refresh_token": {*_TRIO, "refresh_token", "scope", "test_token"},
    "client_credentials": {*_TRIO},
}


#: The quoted value of a parameter (RFC 9110 section 5.6.4), in which a comma separates nothing.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


class _Malformed(Exception):
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.cause)
        self.refused = refused


# ---- GET /authorization ----


def parse_authorization(query: bytes) -> AuthorizationRequest | Refused:
    """An authorization request from raw query bytes: RFC 6749 section 4.1.1.

    Parameters nobody documents (prompt, site_id, show_dialog and others) are ignored.
    """
    try:
        sent = _sent_parameters(query, only=AUTHORIZATION_PARAMETERS, read=_text_or_state)
    except _Malformed as malformed:
        return malformed.refused
    # RFC 6749 section 3.1: a parameter without a value counts as left out.
    return AuthorizationRequest(**{name: value for name, value in sent.items() if value})


def _text_or_state(name: str, value: bytes) -> str:
    return _state(value) if name == "state" else _text(name, value)


def _unquoted(value: bytes) -> bytes:
    plain = value.replace(b"+", b" ")
    return unquote_to_bytes(plain) if b"%" in plain else plain


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        _malformed(name, "it is not UTF-8", "text")


def _malformed(name: str, problem: str, expected: str) -> NoReturn:
    raise _Malformed(
        refuse(Cause.PARAMETER_MALFORMED, name=name[:40], problem=problem, expected=expected)
    )


def _state(value: bytes) -> str:
    """The state as it goes back: the same bytes, whatever they are, safely encoded."""
    if len(value) > STATE_BYTES:
        _malformed("state", f"it has {len(value)} bytes", f"at most {STATE_BYTES} bytes")
    return value.decode() if value.isalnum() else quote(value, safe="")


def _sent_parameters(
    query: bytes,
    *,
    only: Container[str] | None = None,
    read: Callable[[str, bytes], str] = _text,
) -> dict[str, str]:
    """What a query or a form says, of the names asked; a repeated name is refused.

    `read` makes a text of a name's raw value.
    """
    found: dict[str, str] = {}
    for pair in query.split(b"&"):
        raw_name, _, raw_value = pair.partition(b"=")
        name = _unquoted(raw_name).decode("utf-8", "replace")
        if not pair or (only is not None and name not in only):
            continue
        if name in found:
            raise _Malformed(refuse(Cause.PARAMETER_DUPLICATED, name=word(name)))
        found[name] = read(name, _unquoted(raw_value))
    return found


# ---- POST /oauth/token ----


def parse_token_request(
    content_type: str,
    body: bytes,
    query: bytes,
    profile: Profile,
    *,
    authorization: str = "",
) -> TokenRequest | Refused:
    """A token request from its body: JSON or form, both accepted by Mercado Pago.

    `authorization` is that header; it is not read, but explains what is missing.
    """
    mistake = None
    if query and profile.query_parameters == "ignore":
        mistake = Mistake.PARAMETERS_IN_QUERY
    elif authorization.lower().startswith("basic "):
        mistake = Mistake.BASIC_AUTHENTICATION
    try:
        fields = _body_fields(content_type, body)
        if query and profile.query_parameters != "ignore":
            sent = _sent_parameters(query)
            if sent and profile.query_parameters == "refuse":
                return refuse(Cause.PARAMETER_IN_QUERY, name=word(next(iter(sent))))
            fields = sent | fields
        return _token_request(fields, profile, mistake)
    except _Malformed as malformed:
        return malformed.refused


def _body_fields(content_type: str, body: bytes) -> dict[str, object]:
    if not body:
        # Nothing to read, whatever it calls itself: clients that put all in the query.
        return {}
    if "," in content_type and "," in _QUOTED.sub("", content_type):
        problem = "its Content-Type names several media types"
        raise _Malformed(refuse(Cause.BODY_UNREADABLE, problem=problem))
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded":
        return dict[str, object](_sent_parameters(body))
    if media_type != "application/json":
        shown = media_type[:60] or "missing"
        raise _Malformed(refuse(Cause.BODY_UNREADABLE, problem=f"its Content-Type is {shown}"))
    try:
        decoded = _JSON.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _Malformed(refuse(Cause.BODY_UNREADABLE, problem="it is not valid JSON")) from None
    if not isinstance(decoded, dict):
        raise _Malformed(refuse(Cause.BODY_UNREADABLE, problem="it is not a JSON object"))
    return decoded  # pyright: ignore[reportUnknownVariableType] - keys of JSON objects are str


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Malformed(refuse(Cause.PARAMETER_DUPLICATED, name=word(name)))
            seen.add(name)
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_JSON = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def _token_request(
    fields: Mapping[str, object], profile: Profile, mistake: Mistake | None
) -> TokenRequest | Refused:
    grant_type = _string(fields, "grant_type")
    client_id = _client_id(fields)
    secret = _string(fields, "client_secret")
    if (
        grant_type is None
        or secret is None
        or (client_id is None and not _client_id_optional(grant_type, secret, profile))
    ):
        sent = zip(_TRIO, (grant_type, client_id, secret), strict=True)
        return missing_of_trio([name for name, value in sent if value is None], mistake)
    if grant_type not in _FIELDS:
        return refuse(Cause.GRANT_TYPE_UNSUPPORTED, value=word(grant_type))
    if profile.surplus_fields == "refuse":
        for name in fields:
            if name not in _FIELDS[grant_type]:
                return refuse(Cause.PARAMETER_SURPLUS, name=word(name))
    authentication = Authentication(client_id=client_id, client_secret=secret)
    match grant_type:
        case "authorization_code":
            return RedeemCode(
                authentication=authentication,
                code=_string(fields, "code"),
                redirect_uri=_string(fields, "redirect_uri"),
                code_verifier=_string(fields, "code_verifier"),
                test_token=_flag(fields, "test_token"),
            )
        case "refresh_token":
            return Refresh(
                authentication=authentication,
                refresh_token=_string(fields, "refresh_token"),
                scope=_string(fields, "scope"),
            )
        case _:
            return ClientCredentials(authentication=authentication)


def _client_id_optional(grant_type: str, secret: str, profile: Profile) -> bool:
    if profile.access_token_as_secret and looks_like_access_token(secret):
        return True
    return profile.refresh_without_client_id and grant_type == "refresh_token"


def _string(fields: Mapping[str, object], name: str) -> str | None:
    """A text field; null and the empty string count as left out."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        _malformed(name, f"it is a JSON {_json_type(value)}", "a string")
    if not (value.isascii() or _encodable(value)):
        _malformed(name, "it has a lone surrogate", "Unicode text")
    return value


def _client_id(fields: Mapping[str, object]) -> str | None:
    value = fields.get("client_id")
    # A string in every document; a JSON number is understood too (guess).
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**20 else "0"
    return _string(fields, "client_id")


def _flag(fields: Mapping[str, object], name: str) -> bool:
    """A flag as clients send it: JSON true, "true", form true; seen in 5 public projects."""
    value = fields.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value.lower() in {"true", "false", ""}:
        return value.lower() == "true"
    _malformed(name, "it is neither true nor false", "true or false")


def _json_type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# ---- bearer tokens ----

#: RFC 6750 section 2.1: the scheme (in any case, RFC 9110 section 11.1), spaces, a b64token.
_BEARER = re.compile(r"bearer +[a-z0-9._~+/-]+=*", re.IGNORECASE | re.ASCII)
_NOT_RFC_6750 = "what follows Bearer is not one or more spaces and a token (RFC 6750 section 2.1)"
_REPEATED = "Authorization fields, and which of them counts is not known (repeated_authorization)"


def parse_bearer(
    authorization: Sequence[str], query: bytes, profile: Profile
) -> UseToken | Refused:
    """The access token of a request for a resource: RFC 6750 section 2.1.

    `authorization` has each of those fields that the request came with.
    """
    if len(authorization) > 1 and profile.repeated_authorization == "refuse":
        return refuse(Cause.TOKEN_MISSING, problem=f"it has {len(authorization)} {_REPEATED}")
    scheme, _, token = authorization[0].partition(" ") if authorization else ("", "", "")
    token = token.strip()
    if scheme.lower() == "bearer" and token:
        if "," in token:
            problem = "a comma is in it, as where a proxy has joined two Authorization fields"
            return refuse(Cause.TOKEN_MALFORMED, problem=problem)
        # White space around the value of a field is no part of it: RFC 9110 section 5.5.
        bare = authorization[0].strip(" \t")
        if profile.bearer_syntax == "rfc6750" and not _BEARER.fullmatch(bare):
            return refuse(Cause.TOKEN_MISSING, problem=_NOT_RFC_6750)
        return UseToken(token=token)
    if profile.access_token_in_query and query:
        try:
            sent = _sent_parameters(query, only={"access_token"})
            if "access_token" in sent:
                return UseToken(token=sent["access_token"])
        except _Malformed as malformed:
            return malformed.refused
    if not authorization:
        in_query = b"access_token=" in query
        problem = "it is in the query string" if in_query else "no Authorization header"
    else:
        problem = "the Authorization header has no bearer token"
    return refuse(Cause.TOKEN_MISSING, problem=problem)
