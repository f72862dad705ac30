"""How sellers answer an authorization request when nobody is there to click."""

from typing import Literal

from mp_oauth_sandbox.core.values import Value

ConsentMode = Literal["auto", "page", "deny"]

#: Who may have refused: a person on the page, the consent mode, the answer that was chosen for
#: this one browser, or an armed fault.
Denier = Literal["person", "consent_mode", "browser_session", "fault"]

#: Who has answered an authorization request; a link that is there already may say yes too.
Answerer = Denier | Literal["earlier_consent"]


class Consent(Value, frozen=True, kw_only=True):
    """How sellers answer: a page for people, or at once yes or no.

    `seller` is who says yes when nobody is signed in in the browser.
    """

    mode: ConsentMode = "page"
    seller: int | None = None


def told(mode: ConsentMode, seller: int | None) -> str:
    """How sellers answer, for people."""
    meaning = {
        "auto": f"seller {seller} approves at once, without a page",
        "page": "sellers answer on the page",
        "deny": "every seller refuses at once, without a page",
    }
    return f"{mode} ({meaning[mode]})"
