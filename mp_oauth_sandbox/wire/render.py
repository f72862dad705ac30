"""Answers: from outcomes to bytes, their keys in the order of public captures."""

from collections.abc import Iterable

import msgspec

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
from mp_oauth_sandbox.core.refusals import wire_error
from mp_oauth_sandbox.wire.errors import error_fields
from mp_oauth_sandbox.wire.exchange import Answer

#: The order of the reference example; `payments` is not in it.
_DOCUMENTED_SCOPES = ("read", "write", "offline_access", "payments")


# ---- redirects ----


def success_location(issued: CodeIssued) -> str:
    """Where the browser goes with a code: code first, then state if one was sent."""
    state = "" if issued.state is None else f"&state={issued.state}"
    return f"{issued.redirect_uri}{_joint(issued.redirect_uri)}code={issued.code}{state}"


def denial_location(request: AuthorizationRequest, profile: Profile) -> str:
    """Where the browser goes when the seller refused: RFC 6749 section 4.1.2.1."""
    description = (
        "&error_description=User+denied+access" if profile.denial_error_description else ""
    )
    echoed = profile.denial_echoes_state and request.state is not None
    state = f"&state={request.state}" if echoed else ""
    uri = request.redirect_uri or ""
    return f"{uri}{_joint(uri)}error=access_denied{description}{state}"


def mismatch_location(registered: str) -> str:
    """Where the behaviour of 2015 sent a wrong redirect URI; two public threads of 2015-2016.

    The real one sent it to the unregistered URI. That is an open redirect, so this goes to
    a registered one.
    """
    return (
        f"{registered}{_joint(registered)}error=redirect_uri_mismatch"
        "&error_description=Your+client+callback+must+be+the+same+as+your+redirect_uri"
    )


def _joint(uri: str) -> str:
    return "&" if "?" in uri else "?"


# ---- success ----


def render_tokens(tokens: TokensIssued, request: TokenRequest, profile: Profile) -> bytes:
    """The success body, compact, its keys in the order of four public captures."""
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
    return msgspec.json.encode(body)


def _ordered(scopes: tuple[str, ...], profile: Profile) -> Iterable[str]:
    if profile.scope_order == "sorted":
        return sorted(scopes)
    return (scope for scope in _DOCUMENTED_SCOPES if scope in scopes)


# ---- refusals ----


def render_refusal(refused: Refused, profile: Profile) -> Answer:
    """The answer of the token endpoint or a resource to a refused request."""
    error = wire_error(refused, profile)
    match error.error:
        case "unauthorized":
            body = _unauthorized(refused, error.message, profile)
        case "policy":
            body = {
                "message": error.message,
                "code": "PA_UNAUTHORIZED_RESULT_FROM_POLICIES",
                "status": error.status,
                "blocked_by": "PolicyAgent",
            }
        case "resource not found":
            return NOT_FOUND
        case "payment":
            body = _payment_error(error.message, error.status)
        case "local_rate_limited":
            return _rate_limited(error.message, profile)
        case _:
            body = _error_body(error.message, error.error, error.status, profile)
    return Answer(error.status, msgspec.json.encode(body), {})


def _error_body(message: str, error: str, status: int, profile: Profile) -> dict[str, object]:
    match profile.error_body:
        case "message":
            return error_fields(message, error=error, status=status)
        case "error_description":
            return {"error_description": message, "error": error, "status": status, "cause": []}
        case "two_keys":
            return {"message": message, "error": error}


def _payment_error(message: str, status: int) -> dict[str, object]:
    cause = [{"code": 4292, "description": message, "data": None}]
    return {"message": message, "error": "bad_request", "status": status, "cause": cause}


def _rate_limited(message: str, profile: Profile) -> Answer:
    headers = {} if profile.retry_after is None else {"retry-after": str(profile.retry_after)}
    match profile.rate_limited_body:
        case "plain":
            return Answer(429, b"local_rate_limited", headers | {"content-type": "text/plain"})
        case "too_many_requests":
            body = _error_body("Too Many Requests", "too_many_requests", 429, profile)
        case "json":
            body = _error_body(message, "local_rate_limited", 429, profile)
    return Answer(429, msgspec.json.encode(body), headers)


def _unauthorized(refused: Refused, message: str, profile: Profile) -> dict[str, object]:
    match profile.unauthorized_body:
        case "code_message":
            return {"code": "unauthorized", "message": message}
        case "invalid_token":
            return {"message": "invalid_token", "cause": [], "error": "not_found", "status": 401}
        case "code_5":
            said = "Must provide your access_token to proceed"
            sentence = said if refused.cause is Cause.TOKEN_MISSING else message
            cause = [{"code": 5, "description": sentence, "data": None}]
            return {"message": sentence, "error": "unauthorized", "status": 401, "cause": cause}


#: What the API answers where there is nothing: 5 public projects (ML), 2 (MP).
NOT_FOUND = Answer(
    404,
    msgspec.json.encode(
        {
            "message": "Si quieres conocer los recursos de la API que se encuentran disponibles"
            " visita el Sitio de Desarrolladores de MercadoLibre"
            " (http://developers.mercadolibre.com)",
            "error": "resource not found",
        }
    ),
    {},
)
