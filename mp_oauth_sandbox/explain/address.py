"""A path or a method that is not quite the one that was meant."""

import re
from difflib import get_close_matches
from urllib.parse import unquote

from mp_oauth_sandbox.core.messages import Likely
from mp_oauth_sandbox.core.nearest import difference
from mp_oauth_sandbox.core.paths import AUTHORIZATION, CALLBACK, ENDPOINTS, SIGN_OUT, TOKEN
from mp_oauth_sandbox.core.refusals import visible
from mp_oauth_sandbox.engine.engine import Engine

#: What other servers have, by how their paths end, and what there is in its place.
_NOT_HERE = (
    (
        r"/\.well-known/(?:openid-configuration|oauth-authorization-server|oauth-protected-resource)"
        r"(?:/.*)?",
        "this is OpenID Connect or OAuth discovery (RFC 8414), and Mercado Pago publishes none",
        f"Configure the two URLs by hand: {AUTHORIZATION} for the browser, {TOKEN} for the server.",
    ),
    (
        r"/(?:.*/)?(?:jwks(?:\.json)?|certs|keys)",
        "this is where other servers publish keys, and Mercado Pago's tokens are not JWTs",
        "Do not verify tokens: use them, and take a 401 for an answer.",
    ),
    (
        r"/(?:.*/)?userinfo",
        "this is OpenID Connect's userinfo, which Mercado Pago has not",
        "The token answer has the seller's user_id; GET /users/me has the rest.",
    ),
    (
        r"/(?:.*/)?introspect(?:ion)?",
        "this is token introspection (RFC 7662), which Mercado Pago has not",
        "Use the token, for example on GET /users/me, and take a 401 for an answer.",
    ),
    (
        r"/(?:.*/)?revo(?:ke|cation)",
        "this is token revocation (RFC 7009), which Mercado Pago has not",
        "A seller ends a link in the account's own settings; forget the tokens on your side.",
    ),
    (
        r"/(?:.*/)?(?:device_authorization|device/code|par|register|logout|end_session)",
        "this is an endpoint that other OAuth servers have and Mercado Pago has not",
        f"Linking needs {AUTHORIZATION} and {TOKEN} alone.",
    ),
)

#: What is answered at just this path.
_ANSWERED = frozenset({*ENDPOINTS, SIGN_OUT, CALLBACK, "/"})

#: How other servers call the two endpoints.
_ALIASES = {
    AUTHORIZATION: ("authorize", "authorization", "auth", "authorisation", "autorizacion"),
    TOKEN: ("token", "tokens", "access_token", "accesstoken"),
}


def likely_address(engine: Engine, method: str, path: str, query: bytes) -> Likely | None:
    """What was meant by a method and a path that answer nothing; None where they do."""
    if method == "OPTIONS" or path in {TOKEN, AUTHORIZATION}:
        return _wrong_method(method, path, query)
    known = [AUTHORIZATION, TOKEN, CALLBACK, *(row.path for row in engine.resources.list())]
    segments = tuple(path.removeprefix("/").split("/"))
    if method == "POST" and path.rstrip("/") in {"", "/oauth", "/auth"}:
        return Likely(f"a token request without its path: {TOKEN}", f"POST to {TOKEN}, exactly.")
    if path in _ANSWERED or engine.resources.find(method, segments) is not None:
        return None
    for pattern, what, instead in _NOT_HERE:
        if re.fullmatch(pattern, path.rstrip("/"), re.IGNORECASE):
            return Likely(what, instead)
    other_methods = [
        one for one in ("GET", "POST", "PUT", "DELETE") if engine.resources.find(one, segments)
    ]
    if other_methods:
        asked = f"{' or '.join(other_methods)} {visible(path[:80])}"
        return Likely(
            f"the method: there is {asked}, and not {visible(method[:20])}", f"Send {asked}."
        )
    return _near(path, known)


def _near(path: str, known: list[str]) -> Likely | None:
    for meant in known:
        words = _path_difference(path, meant)
        if words is not None:
            how = "GET it in the seller's browser" if meant == AUTHORIZATION else "Ask for it"
            how = "POST to it" if meant == TOKEN else how
            return Likely(f"the path is {meant}, {words}", f"{how} as {meant}, exactly.")
    plain = _plain(path)
    last = plain.rpartition("/")[2].partition(".")[0]
    for meant, names in _ALIASES.items():
        if last in names:
            return Likely(
                f"another server's path: Mercado Pago's is {meant}", f"Use {meant}, exactly."
            )
    close = get_close_matches(plain, known, n=1, cutoff=0.75)
    if close:
        return Likely(f"the path: the nearest one is {close[0]}", f"Use {close[0]}, exactly.")
    return None


def _path_difference(path: str, known: str) -> str | None:
    if path == known:
        return None
    if re.sub(r"/+", "/", path) == known:
        return (
            "with a slash too many: a base URL that ends with one and a path that begins with one"
        )
    if path.rstrip("/") == known:
        return "with a slash behind it"
    if _plain(path) == known:
        return "written otherwise (slashes, case, encoding, spaces)"
    if path.endswith(known):
        return "behind another path: a base URL with a path of its own"
    if path.startswith((f"{known}&", f"{known};")):
        return "with parameters that no question mark begins"
    return difference(path, known) or None


def _plain(path: str) -> str:
    """A path without what people get wrong about one."""
    once = unquote(unquote(path)).strip().lower().rstrip("./ \t\r\n,;\"'")
    return "/" + "/".join(part for part in re.split(r"[/\\]+", once) if part)


def _wrong_method(method: str, path: str, query: bytes) -> Likely | None:
    if method == "OPTIONS":
        return Likely(
            "a browser's preflight (CORS): a page's own script wants to call this, and with it the"
            " client_secret would be in every visitor's browser",
            "Call it from your server. Mercado Pago answers no preflight here.",
        )
    if path == TOKEN and method in {"GET", "HEAD"}:
        open_secret = (
            ", and the secret in its URL is in every log by now" if b"secret" in query else ""
        )
        return Likely(
            f"a token request sent with {method}{open_secret}",
            f"POST to {TOKEN}, all fields in the body, as JSON or as a form.",
        )
    if path == TOKEN and method != "POST":
        return Likely(f"a token request sent with {visible(method[:20])}", f"POST to {TOKEN}.")
    if path == AUTHORIZATION and method not in {"GET", "HEAD"}:
        return Likely(
            f"an authorization request sent with {visible(method[:20])}: by a server, or by a form",
            f"Redirect the seller's browser to {AUTHORIZATION}, with the parameters in its query.",
        )
    return None
