"""Proof Key for Code Exchange: RFC 7636, as far as Mercado Pago documents it."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from typing import Literal

from mp_oauth_sandbox.core.records import Challenge

#: RFC 7636 section 4.1: 43 to 128 unreserved characters.
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)


def well_formed(verifier_or_challenge: str) -> bool:
    """Whether a string may be a code verifier or a code challenge."""
    return _VERIFIER.fullmatch(verifier_or_challenge) is not None


def method_named(name: str) -> Literal["S256", "plain"] | None:
    """The challenge method of that name, or None.

    `S256` is exact; `plain` in any case, because Mercado Libre's documentation spells it
    `plain` and Mercado Pago's `Plain`. Guess: nothing shows how tolerant the server is.
    """
    if name == "S256":
        return "S256"
    return "plain" if name.lower() == "plain" else None


def s256(verifier: str) -> str:
    """The S256 challenge of a verifier: unpadded base64url of its SHA-256 (section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def verifies(challenge: Challenge, verifier: str) -> bool:
    """Whether this verifier answers that challenge (section 4.6); it must be well formed."""
    answer = s256(verifier) if challenge.method == "S256" else verifier
    return hmac.compare_digest(answer, challenge.value)
