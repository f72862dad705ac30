"""How sellers answer an authorization request when nobody is there to click."""

from dataclasses import dataclass
from typing import Literal

ConsentMode = Literal["auto", "page", "deny"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """How sellers answer: a page for people, or at once yes or no.

    `seller` is who says yes when nobody is signed in in the browser.
    """

    mode: ConsentMode = "page"
    seller: int | None = None
