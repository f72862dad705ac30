"""What a client may ask of a connection, and what it hears when it asks for more.

Bodies are the application's business.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from mp_oauth_sandbox.hosting.door import Oddity
from mp_oauth_sandbox.wire.errors import error_body


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a client may ask before the application has a say.

    No number here is Mercado Pago's: none is published.
    """

    head_bytes: int = 64 * 1024
    """Request line and header fields together; a cookie jar full to RFC 6265 section 6.1 (50
    cookies of 4096 bytes) doesn't fit, any header a browser or SDK was seen to send does."""
    target_bytes: int = 32 * 1024
    """The request target: room for an 8 KB `state` with every byte as %XX."""
    head_time: timedelta = timedelta(seconds=10)
    """From the first byte of a head to its last."""
    idle_time: timedelta = timedelta(seconds=75)
    """Without a request, as nginx's default: long, so that a pooled connection isn't closed at
    the very moment a client takes it up again."""


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that the application never hears of; the connection ends with it.

    `kind` is what whoever runs the server is told of it.
    """

    kind: Oddity
    status: int
    message: str
    error: str

    @property
    def body(self) -> bytes:
        """The answer's body, as compact JSON."""
        return error_body(self.message, error=self.error, status=self.status)


# The statuses: RFC 9110 section 15.5, RFC 6585 section 5.
MALFORMED: Final = Refusal(
    kind="malformed", status=400, message="malformed HTTP request", error="bad_request"
)
TUNNEL: Final = replace(MALFORMED, kind="tunnel")
# RFC 9112 section 3.2.
HOST_MISSING: Final = replace(MALFORMED, kind="host_missing")
HOST_INVALID: Final = replace(MALFORMED, kind="host_invalid")
TOO_SLOW: Final = Refusal(
    kind="head_too_slow",
    status=408,
    message="the request head took too long",
    error="request_timeout",
)
TARGET_TOO_LONG: Final = Refusal(
    kind="target_too_long",
    status=414,
    message="the request target is too long",
    error="uri_too_long",
)
HEAD_TOO_LARGE: Final = Refusal(
    kind="head_too_large",
    status=431,
    message="the request head is too large",
    error="request_header_fields_too_large",
)
