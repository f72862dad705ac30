"""Mercado Pago's bytes: from requests to messages, from outcomes to bodies and redirects.

Sources are Mercado Pago's reference for POST /oauth/token and public captures of its
answers; each switch of the profile names its own.
"""

from mp_oauth_sandbox.wire.parse import (
    parse_authorization,
    parse_bearer,
    parse_token_request,
)
from mp_oauth_sandbox.wire.render import (
    Redirected,
    Told,
    denial,
    mismatch,
    render_refusal,
    render_tokens,
    success,
)

__all__ = [
    "Redirected",
    "Told",
    "denial",
    "mismatch",
    "parse_authorization",
    "parse_bearer",
    "parse_token_request",
    "render_refusal",
    "render_tokens",
    "success",
]
