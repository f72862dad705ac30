"""Explaining whatever somebody pastes."""

from typing import Literal

from msgspec import Struct, field

from mp_oauth_sandbox.control.types import Call, Secretive

ExplainedKind = Literal[
    "code", "access_token", "refresh_token", "authorization_url", "callback_url", "unknown"
]


class ExplainIn(Secretive, forbid_unknown_fields=True):
    """A code, a token, an authorization or callback URL, as somebody pasted it."""

    what: str


class UrlPart(Struct, frozen=True, kw_only=True):
    """What there is to say of one part of a URL; `remedy` is empty where nothing is to be done."""

    name: str
    ok: bool
    text: str
    remedy: str = ""


class Explained(Struct, frozen=True, kw_only=True):
    """What the sandbox knows of a code, a token or a URL; it holds no whole secret.

    `text` is for people, `facts` the same for programs: instants are UTC. `findings` has one
    row for each part of a URL.
    """

    kind: ExplainedKind
    text: str
    facts: dict[str, str] = field(default_factory=dict[str, str])
    findings: list[UrlPart] = field(default_factory=list[UrlPart])

    def __str__(self) -> str:
        return self.text


EXPLAIN = Call(
    "explain",
    "POST",
    "/explain",
    "Explain a code, a token or a URL, and what would be answered to it now",
    ExplainIn,
    Explained,
)

CALLS = (EXPLAIN,)
