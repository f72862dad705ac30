"""Redirect URIs: which may be registered, and how two that differ are shown."""

import re
from urllib.parse import unquote, urlsplit

from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.nearest import caret, distance, nearest
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.refusals import refuse, visible

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

#: RFC 3986: a URI is printable ASCII without spaces, quotes, brackets and backslash. This
#: also keeps line breaks out of the Location header.
_URI = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z_a-z~\[\]]+", re.ASCII)

#: Names and IPv4 or IPv6 addresses; other signs would mean something else in the
#: Content-Security-Policy of the consent page, which names this host.
_HOST = re.compile(r"[a-z0-9._\-]+|[0-9a-f:.]+", re.ASCII)

_MAXIMUM_LENGTH = 2048


def redirect_uri_problem(uri: str, profile: Profile) -> str | None:
    """Why a redirect URI cannot be registered, or None if it can.

    Sources: RFC 6749 section 3.1.2 (absolute, no fragment); Mercado Pago, Application
    details ("URLs in https"); its best practices (static, no variable parts).
    """
    if len(uri) > _MAXIMUM_LENGTH or not _URI.fullmatch(uri):
        return "it must be a URI of at most 2048 printable ASCII characters"
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "its host or port is malformed"
    if host and not _HOST.fullmatch(host):
        return "its host or port is malformed"
    if parts.scheme not in {"http", "https"} or not host:
        return "it must be an absolute http or https URI such as https://shop.example/mp/callback"
    if parts.netloc.endswith(":") or "[" in uri.partition("//")[2].partition("/")[2]:
        return "its port is empty, or it has brackets outside of the host"
    if parts.username is not None or parts.password is not None:
        return "it must not contain a user name or password"
    if "#" in uri:
        return "it must not have a fragment (#...)"
    if "?" in uri and profile.redirect_uri_query == "refuse":
        return f"it must not have a query string under the profile {profile.name}; use state"
    if parts.scheme == "http" and not _http_allowed(host, profile):
        return f"it must be https under the profile {profile.name}"
    return None


def _http_allowed(host: str, profile: Profile) -> bool:
    match profile.http_redirect_uris:
        case "any":
            return True
        case "localhost":
            return host in LOOPBACK_HOSTS
        case "none":
            return False


def difference(cause: Cause, sent: str, expected: tuple[str, ...]) -> Refused:
    """The refusal of a redirect URI that equals none of the expected ones."""
    shown = visible(sent[:_MAXIMUM_LENGTH])
    closest = nearest(shown, expected or ("(none)",))
    mistake = None
    if "%3a" in shown.lower() and unquote(shown) in expected:
        mistake = Mistake.REDIRECT_URI_STILL_ENCODED
    elif expected and distance(shown, closest) == 1:
        mistake = Mistake.REDIRECT_URI_ALMOST
    return refuse(
        cause,
        mistake,
        sent=shown,
        nearest=closest,
        registered=" ".join(expected) or "(none)",
        caret=caret(shown, closest),
    )
