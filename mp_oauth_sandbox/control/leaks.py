"""Whether a text holds a secret of this sandbox: so nobody else ever needs one to look for it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mp_oauth_sandbox.control.types import Call, Secretive

#: So many characters are searched at once; a longer text goes in pieces that overlap.
LONGEST_TEXT = 256 * 1024

SecretKind = Literal["code", "access_token", "refresh_token", "client_secret", "webhook_secret"]
Encoding = Literal["plain", "url", "html", "base64"]


class LeaksIn(Secretive, forbid_unknown_fields=True):
    """A page, a header, a log: whatever should hold no secret. It is neither kept nor logged."""

    text: Annotated[str, Meta(max_length=LONGEST_TEXT)]


class Leak(Struct, frozen=True):
    """A secret that the text holds, whole or 16 characters in a row of what is random in it.

    `label` is the name that the journal has for it, `encoding` the form in which it stands.
    """

    label: str
    kind: SecretKind
    encoding: Encoding


class LeaksOut(Struct):
    """The secrets found, each once for each form; at most 100, and `more` if there are others."""

    leaks: list[Leak]
    more: bool


SEARCH = Call(
    "leaks",
    "POST",
    "/leaks",
    "Search a text for every secret that this sandbox made or was given",
    LeaksIn,
    LeaksOut,
    # Each character may be six bytes of JSON.
    largest=6 * LONGEST_TEXT + 1024,
)

CALLS = (SEARCH,)
