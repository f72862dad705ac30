"""How sellers answer an authorization request when nobody is there to click."""

from typing import Literal

from mp_oauth_sandbox.core.values import Value

ConsentMode = Literal["auto", "page", "deny"]


class Consent(Value, frozen=True, kw_only=True):
    """How sellers answer: a page for people, or at once yes or no.

    `seller` is who says yes when nobody is signed in in the browser.
    """

    mode: ConsentMode = "page"
    seller: int | None = None
