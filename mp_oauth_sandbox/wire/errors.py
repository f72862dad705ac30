"""The error body as most public captures show it, also for what Mercado Pago was never asked."""

from typing import Final

import msgspec


def error_fields(message: str, *, error: str, status: int) -> dict[str, object]:
    """Message, error, status and cause, in the order of the captures that `error_body` names."""
    return {"message": message, "error": error, "status": status, "cause": []}


def error_body(message: str, *, error: str, status: int) -> bytes:
    """Those fields as compact JSON."""
    return msgspec.json.encode(error_fields(message, error=error, status=status))


#: RFC 9110 section 15.6.1: what is heard when the sandbox itself fails, whoever notices.
INTERNAL_ERROR: Final = error_body("internal server error", error="internal_error", status=500)
