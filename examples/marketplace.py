"""What the three Python examples share, and linking is not about: your application has its own.

Settings from the environment, logins, something to sell, and pages as text.
"""

import logging
import os
import re
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from socketserver import BaseServer
from typing import Literal, TypedDict
from urllib.parse import urlsplit
from uuid import uuid4

from mp_oauth_sandbox.client import (
    ConfigurationError,
    Link,
    LinkingError,
    SellerError,
    Settings,
    UnavailableError,
)

# ---- settings ----


def setting(name: str) -> str:
    """The environment's variable of that name; without it the program ends at once."""
    return os.environ.get(name) or sys.exit(f"{name} is not set; examples/README.md lists them all")


def settings() -> Settings:
    """The application as it is registered with Mercado Pago."""
    webhook_secret = os.environ.get("MP_WEBHOOK_SECRET")
    try:
        return Settings(
            auth_url=setting("MP_AUTH_URL"),
            api_url=setting("MP_API_URL"),
            client_id=setting("MP_CLIENT_ID"),
            client_secret=setting("MP_CLIENT_SECRET"),
            redirect_uri=setting("MP_REDIRECT_URI"),
            webhook_secrets=(webhook_secret,) if webhook_secret else (),
        )
    except ConfigurationError as error:
        sys.exit(f"MP_ variables: {error}")


PORT = int(os.environ.get("PORT") or 8000)
ADDRESS = ("127.0.0.1", PORT)

os.umask(0o077)  # Tokens are in the database: its file is for nobody else.
_temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

#: Without DATABASE all is forgotten when the program ends, as the sandbox forgets it.
DATABASE = os.environ.get("DATABASE") or os.path.join(_temporary.name, "marketplace.sqlite3")

# No log of requests beside this one: the URL of a callback has a code in it.
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
for name in ("django.server", "httpx", "werkzeug"):
    logging.getLogger(name).setLevel(logging.CRITICAL)


def run(*, serve: Callable[[], None], renew: Callable[[], object]) -> None:
    """The command line: `app.py` serves; `app.py renew` is the nightly job."""
    if sys.argv[1:] == ["renew"]:
        setting("DATABASE")
        print(renew())  # noqa: T201 - said to a person
    else:
        # `kill`, like Ctrl-C, ends it with the temporary files removed, and without a traceback.
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: sys.exit(0))
        serve()


def serve_forever(server: BaseServer) -> None:
    """Serve until the program is ended."""
    say_that_it_listens()
    server.serve_forever()


def say_that_it_listens() -> None:
    """For people, and for tests that wait for it."""
    print(f"listening on http://localhost:{PORT}", flush=True)  # noqa: T201 - said to a person


log = logging.getLogger("marketplace")

# ---- who may do what ----

_REDIRECT_URI = urlsplit(setting("MP_REDIRECT_URI"))
OWN_ORIGIN = f"{_REDIRECT_URI.scheme}://{_REDIRECT_URI.netloc}"
HTTPS = _REDIRECT_URI.scheme == "https"


def sent_by_another_site(origin: str | None, site: str | None) -> bool:
    """Whether a browser says, by Origin or Sec-Fetch-Site, that a form is from a foreign page."""
    return origin not in {None, OWN_ORIGIN} or site not in {None, "same-origin", "none"}


def is_account_name(text: str) -> bool:
    """Any name will do, if it can be shown and kept."""
    return re.fullmatch(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,64}", text) is not None


def new_secret() -> str:
    """Something that nobody guesses."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Login:
    """One login of an account, and what ties a linking to it and to no other."""

    account: str
    binding: str = field(repr=False, default_factory=new_secret)


class CookieOptions(TypedDict):
    """How a session's cookie is set, in Flask's words and Starlette's."""

    httponly: bool
    samesite: Literal["lax"]
    secure: bool
    path: str


#: Lax, not Strict: the callback is a navigation from Mercado Pago's site.
COOKIE: CookieOptions = {"httponly": True, "samesite": "lax", "secure": HTTPS, "path": "/"}


class Logins:
    """Who is logged in, by the value of a cookie. One process's memory: use a database instead."""

    def __init__(self) -> None:
        """Nobody is."""
        self._logins: dict[str, Login] = {}

    def begin(self, account: str) -> str:
        """Log in, in a new session; returns the cookie's value."""
        cookie = new_secret()
        self._logins[cookie] = Login(account)
        return cookie

    def get(self, cookie: str | None) -> Login | None:
        """Whose session that is, if anybody's."""
        return self._logins.get(cookie or "")

    def end(self, cookie: str | None) -> None:
        """Log out, on the server too."""
        self._logins.pop(cookie or "", None)

    def clear(self) -> None:
        """Log everybody out."""
        self._logins.clear()


logins = Logins()

# ---- what is sold ----


class Order(TypedDict):
    """A payment as httpx sends it."""

    json: dict[str, object]
    headers: dict[str, str]


def order() -> Order:
    """One order. Its key is its own for good, so that whatever repeats it charges nobody twice."""
    payment = {"transaction_amount": 100, "payment_method_id": "master", "description": "Alfajores"}
    return {"json": payment, "headers": {"X-Idempotency-Key": str(uuid4())}}


def not_sold(error: Exception, language: str) -> tuple[dict[str, object], int]:
    """What to answer to a sale that failed, and the status of the answer."""
    log.warning("not sold: %s", error)
    if not isinstance(error, LinkingError):
        error = UnavailableError("the payment failed", sent=True)
    message = error.for_seller(language)
    return {"sold": False, "message": message}, 409 if isinstance(error, SellerError) else 503


# ---- pages ----

HEADERS = {
    "Cache-Control": "no-store",
    # No form-action: browsers apply it to redirects too, and Link leads to Mercado Pago.
    "Content-Security-Policy": "default-src 'none'; img-src data:; base-uri 'none';"
    " frame-ancestors 'none'",
    # Not no-referrer: with that, browsers send `Origin: null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_IN_WORDS = {
    "none": "not linked yet",
    "linked": "linked",
    "renewing": "linked, and being renewed",
    "needs_relink": "no longer valid: please link again",
    "unlinked": "unlinked",
}
_TEXTS = {
    "es": ("Volver a empezar", "Tu sesión terminó. Entra y vuelve a vincular."),
    "pt": ("Começar de novo", "Sua sessão terminou. Entre e vincule de novo."),
    "en": ("Start again", "You are not logged in any more. Log in, and link again."),
}
LANGUAGES = tuple(_TEXTS)


def language(accepted: str) -> str:
    """The best of LANGUAGES for an Accept-Language header; for who has no framework's help."""
    wanted: list[tuple[float, str]] = []
    for one in accepted.lower().split(","):
        tag, _, weight = one.strip().partition(";q=")
        name = tag.partition("-")[0]
        if name in LANGUAGES and re.fullmatch(r"[01](\.[0-9]{1,3})?|", weight):
            wanted.append((float(weight or 1), name))
    # Of equals, max takes the first.
    return max(wanted, key=lambda one: one[0], default=(1, "en"))[1]


class LinkStatus(TypedDict):
    """What an account is told of its link: `none` is one that it never had."""

    status: str
    seller: int | None


def link_status(link: Link | None) -> LinkStatus:
    """What to tell an account of its link."""
    if link is None:
        return {"status": "none", "seller": None}
    return {"status": link.status, "seller": None if link.status == "unlinked" else link.seller_id}


def login_page() -> str:
    """For somebody who is not logged in."""
    return _page(
        "<p>This is an example, so there are no passwords: any name will do.</p>"
        '<form method="post" action="/login">'
        '<label>Account <input name="account" required maxlength="64"></label>'
        " <button>Log in</button></form>"
    )


def account_page(account: str, status: str, seller: int | None) -> str:
    """For somebody who is."""
    rows = [("Account", account), ("Mercado Pago", _IN_WORDS[status])]
    rows += [("Seller", str(seller))] if seller is not None else []
    buttons = {"/mp/link": "Link", "/mp/unlink": "Unlink", "/sales": "Sell", "/logout": "Log out"}
    return _page(
        "".join(f"<p>{name}: {escape(value)}</p>" for name, value in rows)
        + "".join(
            f'<form method="post" action="{path}"><button>{text}</button></form>'
            for path, text in buttons.items()
        )
    )


def not_linked_page(text: str | None, language: str) -> str:
    """After a callback that linked nobody. Without a text: because nobody is logged in."""
    again, log_in = _TEXTS[language]
    return _page(f'<p>{escape(text or log_in)}</p><p><a href="/">{again}</a></p>', language)


def _page(body: str, language: str = "en") -> str:
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Marketplace</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<main><h1>Marketplace</h1>{body}</main></html>"
    )
