"""How sellers answer: everybody, or the person in one browser."""

from msgspec import Struct

from mp_oauth_sandbox.control.types import Call, Nothing, Secretive
from mp_oauth_sandbox.core.consent import ConsentMode


class ConsentIn(Secretive, forbid_unknown_fields=True):
    """How sellers answer: `auto` yes at once, `page` ask, `deny` no at once.

    With the `session` of a browser it is that person's own answer, whatever all others do, and
    `seller` is who they are, whoever is signed in.
    """

    mode: ConsentMode
    seller: int | None = None
    session: str | None = None


class ConsentOut(Struct):
    """How sellers answer now."""

    mode: ConsentMode
    seller: int | None


class SessionOut(Secretive):
    """A new browser session: the name and the value of the cookie that a browser shows for it."""

    cookie: str
    session: str


SET = Call("set_consent", "PUT", "/consent", "Choose how sellers answer", ConsentIn, ConsentOut)
SHOW = Call("consent", "GET", "/consent", "How sellers answer", Nothing, ConsentOut)
OPEN_SESSION = Call(
    "open_session",
    "POST",
    "/sessions",
    "Open a browser session, so that one person can have their own consent",
    Nothing,
    SessionOut,
    status=201,
)

CALLS = (SET, SHOW, OPEN_SESSION)
