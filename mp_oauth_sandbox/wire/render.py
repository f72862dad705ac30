"""Answers: from outcomes to bytes, their keys in the order of public captures."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import (
    AuthorizationRequest,
    ClientCredentials,
    CodeIssued,
    Refresh,
    Refused,
    TokenRequest,
    TokensIssued,
)
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.refusals import RULES, WireError, wire_error
from mp_oauth_sandbox.wire.errors import error_fields
from mp_oauth_sandbox.wire.exchange import Answer

#: The order of the reference example; `payments` is not in it.
_DOCUMENTED_SCOPES = ("read", "write", "offline_access", "payments")


# ---- redirects ----


class Redirected(NamedTuple):
    """Where the browser goes back to, and the word by which that calls a refusal."""

    location: str
    error: str | None


def success(issued: CodeIssued) -> Redirected:
    """Where the browser goes with a code: code first, then state if one was sent."""
    uri = issued.redirect_uri
    state = "" if issued.state is None else f"&state={issued.state}"
    return Redirected(f"{uri}{_joint(uri)}code={issued.code}{state}", None)


def denial(request: AuthorizationRequest, profile: Profile) -> Redirected:
    """Where the browser goes when the seller refused: RFC 6749 section 4.1.2.1."""
    error = RULES[Cause.SELLER_DENIED].error
    description = (
        "&error_description=User+denied+access" if profile.denial_error_description else ""
    )
    echoed = profile.denial_echoes_state and request.state is not None
    state = f"&state={request.state}" if echoed else ""
    uri = request.redirect_uri or ""
    return Redirected(f"{uri}{_joint(uri)}error={error}{description}{state}", error)


def mismatch(registered: str) -> Redirected:
    """Where the behaviour of 2015 sent a wrong redirect URI; two public threads of 2015-2016.

    The real one sent it to the unregistered URI. That is an open redirect, so this goes to
    a registered one.
    """
    error = "redirect_uri_mismatch"
    location = (
        f"{registered}{_joint(registered)}error={error}"
        "&error_description=Your+client+callback+must+be+the+same+as+your+redirect_uri"
    )
    return Redirected(location, error)


def _joint(uri: str) -> str:
    return "&" if "?" in uri else "?"


# ---- success ----


class Told(NamedTuple):
    """An answer, and the word by which its body calls a refusal."""

    answer: Answer
    error: str | None = None


def render_tokens(
    tokens: TokensIssued, request: TokenRequest, profile: Profile, headers: Mapping[str, str]
) -> Told:
    """The success answer; its body compact, with the keys in the order of four public captures."""
    body: dict[str, object] = {
        "access_token": tokens.access_token,
        "token_type": profile.token_type,
        "expires_in": int(tokens.expires_in.total_seconds()),
        "scope": " ".join(_ordered(tokens.scopes, profile)),
    }
    short = isinstance(request, Refresh) and profile.refresh_body == "short"
    if not short:
        body["user_id"] = tokens.user_id
    if tokens.refresh_token is not None:
        body["refresh_token"] = tokens.refresh_token
    if tokens.public_key is not None and not short:
        body["public_key"] = tokens.public_key
    by_application = isinstance(request, ClientCredentials)
    if not short and (profile.client_credentials_live_mode or not by_application):
        body["live_mode"] = tokens.live_mode
    return Told(Answer(200, msgspec.json.encode(body), headers))


def _ordered(scopes: tuple[str, ...], profile: Profile) -> Iterable[str]:
    if profile.scope_order == "sorted":
        return sorted(scopes)
    return (scope for scope in _DOCUMENTED_SCOPES if scope in scopes)


# ---- refusals ----


def render_refusal(refused: Refused, profile: Profile, headers: Mapping[str, str]) -> Told:
    """The answer of the token endpoint or a resource to a refused request.

    `headers` are those of every answer; some refusals have others besides or in their place.
    """
    error = wire_error(refused, profile)
    match RULES[refused.cause].shape:
        case "unauthorized":
            body = _unauthorized(refused, error, profile)
        case "policy":
            body = {
                "message": error.message,
                "code": error.error,
                "status": error.status,
                "blocked_by": "PolicyAgent",
            }
        case "not_found":
            body = {"message": _NOT_FOUND, "error": error.error}
        case "payment":
            body = _with_cause(4292, error)
        case "rate_limited":
            return _rate_limited(error, profile, headers)
        case _:
            body = _error_body(error, profile)
    return _told(error.status, body, headers)


def _told(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Told:
    # Read from the body, so that no other word can be written down than the one that is sent.
    word = body["error"] if "error" in body else body["code"]
    return Told(Answer(status, msgspec.json.encode(body), headers), str(word))


def _error_body(error: WireError, profile: Profile) -> dict[str, object]:
    told: dict[str, object] = {"error": error.error, "status": error.status, "cause": []}
    match profile.error_body:
        case "message":
            return error_fields(error.message, error=error.error, status=error.status)
        case "error_description":
            return {"error_description": error.message, **told}
        case "two_keys":
            return {"message": error.message, "error": error.error}


def _with_cause(code: int, error: WireError) -> dict[str, object]:
    """The body of an older stack: the sentence again, beside a number."""
    cause = [{"code": code, "description": error.message, "data": None}]
    return {
        "message": error.message,
        "error": error.error,
        "status": error.status,
        "cause": cause,
    }


def _rate_limited(error: WireError, profile: Profile, headers: Mapping[str, str]) -> Told:
    if profile.retry_after is not None:
        headers = {**headers, "retry-after": str(profile.retry_after)}
    match profile.rate_limited_body:
        case "plain":
            headers = {**headers, "content-type": "text/plain"}
            return Told(Answer(error.status, error.error.encode(), headers), error.error)
        case "too_many_requests":
            # MP's OpenAPI repository (2026), component TooManyRequests; the sentence is a guess.
            body = {
                "status": error.status,
                "error": "too_many_requests",
                "message": "Too Many Requests",
            }
        case "json":
            body = _error_body(error, profile)
    return _told(error.status, body, headers)


def _unauthorized(refused: Refused, error: WireError, profile: Profile) -> dict[str, object]:
    match profile.unauthorized_body:
        case "code_message":
            return {"code": error.error, "message": error.message}
        case "invalid_token":
            return {"message": "invalid_token", "cause": [], "error": "not_found", "status": 401}
        case "code_5":
            if refused.cause is Cause.TOKEN_MISSING:
                error = replace(error, message="Must provide your access_token to proceed")
            return _with_cause(5, error)


#: What the API says where there is nothing: 5 public projects (ML), 2 (MP).
_NOT_FOUND = (
    "Si quieres conocer los recursos de la API que se encuentran disponibles visita el Sitio de"
    " Desarrolladores de MercadoLibre (http://developers.mercadolibre.com)"
)
