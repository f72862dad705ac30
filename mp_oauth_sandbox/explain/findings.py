"""What can be said of single parts of an authorization URL: host, state, PKCE, strange names."""

import math
import re
from collections import Counter
from difflib import get_close_matches
from types import MappingProxyType
from urllib.parse import urlsplit

from mp_oauth_sandbox.control.explain import UrlPart
from mp_oauth_sandbox.core import pkce
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import AUTHORIZATION_PARAMETERS
from mp_oauth_sandbox.core.paths import AUTHORIZATION
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import Application
from mp_oauth_sandbox.core.refusals import explanation, refuse, remedy, word
from mp_oauth_sandbox.core.targets import is_loopback
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.callback import state_label
from mp_oauth_sandbox.explain.pasted import Pasted, shown_name
from mp_oauth_sandbox.journal.masks import beginning

#: MP, OAuth for split payments: one host for each country, and one for all.
HOSTS: MappingProxyType[str, str] = MappingProxyType(
    {
        "auth.mercadopago.com": "any country",
        "auth.mercadopago.com.ar": "Argentina",
        "auth.mercadopago.com.br": "Brazil",
        "auth.mercadopago.com.mx": "Mexico",
        "auth.mercadopago.cl": "Chile",
        "auth.mercadopago.com.co": "Colombia",
        "auth.mercadopago.com.uy": "Uruguay",
        "auth.mercadopago.com.pe": "Peru",
    }
)

#: Mercado Libre's, the same platform; an older PKCE page of Mercado Pago names one.
_LIBRE = re.compile(r"auth\.mercadoli[bv]re\.[a-z.]{2,6}")

#: Sent by public clients, without any effect that is known.
_SEEN = frozenset({"prompt", "site_id", "show_dialog", "lang"})

#: What a URL must never hold: it ends up in logs and in the browser's history.
_SECRETS = frozenset({"client_secret", "code_verifier", "access_token", "refresh_token"})

#: Guess: what a state should have at least. RFC 6749 section 10.10 asks for 128 bits in a token.
_STATE_BITS = 64
_STATE_BYTES = 8 * 1024


def _bad(name: str, text: str, todo: str) -> UrlPart:
    return UrlPart(name=name, ok=False, text=text, remedy=todo)


def _good(name: str, text: str) -> UrlPart:
    return UrlPart(name=name, ok=True, text=text)


# ---- where it leads ----


def place(pasted: Pasted, url: str) -> list[UrlPart]:
    """Host and path; `url` is the sandbox's own base URL."""
    return [_host(pasted, url), _path(pasted)]


def _host(pasted: Pasted, url: str) -> UrlPart:
    host, own = pasted.host, urlsplit(url)
    if not host:
        return _good("host", f"none; here it is {url}")
    if host in HOSTS or _LIBRE.fullmatch(host):
        return _real_host(pasted, url)
    if host == "auth.mercadopago.com.cl":
        todo = "Use auth.mercadopago.cl."
        return _bad("host", "Chile's host is auth.mercadopago.cl; some SDKs build this one", todo)
    if host == own.netloc.lower():
        return _good("host", "this sandbox")
    name, _, port = host.rpartition(":") if ":" in host else (host, "", "")
    if is_loopback(name.strip("[]")):
        same_port = port == str(own.port or "")
        if same_port:
            return _good("host", "this sandbox, by another name of this machine")
        return _bad("host", f"this machine, but another port than {url}", f"Use {url}.")
    if "mercadopago" in host or "mercadoli" in host:
        text = f"{beginning(host)} is not where sellers authorize"
        return _bad("host", text, "Use auth.mercadopago.com, or the host of the country.")
    text = f"{beginning(host)} is neither this sandbox nor Mercado Pago"
    return _bad("host", text, f"Use {url} here, and auth.mercadopago.com in production.")


def _real_host(pasted: Pasted, url: str) -> UrlPart:
    host = pasted.host
    if pasted.scheme != "https":
        return _bad("host", f"{host} is only there for https", f"Use https://{host}.")
    country = HOSTS.get(host)
    if country is None:
        text = f"{host} is Mercado Libre's; Mercado Pago's own is auth.mercadopago.com"
    else:
        text = f"{host} is Mercado Pago's own ({country})"
    return _good("host", f"{text}; here it is {url}")


def _path(pasted: Pasted) -> UrlPart:
    if pasted.path == AUTHORIZATION:
        return _good("path", AUTHORIZATION)
    if not pasted.path and not pasted.host:
        return _good("path", f"none; it is {AUTHORIZATION}")
    text = f"{beginning(pasted.path) or '(none)'} is not the path of the page"
    return _bad("path", text, f"Use {AUTHORIZATION}, without anything before or after it.")


# ---- state ----


def state(engine: Engine, value: str | None) -> UrlPart:
    """Whether a state protects: how long it is, how random it looks, whether it is new."""
    if value is None:
        text = "missing: the callback cannot be tied to the browser that started"
        return _bad("state", text, "Send 32 random characters, and compare them at the callback.")
    size, label = len(value.encode()), state_label(engine, value)
    if size > _STATE_BYTES:
        todo = f"Send at most {_STATE_BYTES} bytes; keep the rest on the server."
        return _bad("state", f"{size} bytes, more than the sandbox takes", todo)
    bits = _bits(value)
    text = f"{label}, {size} characters, about {bits} bits by a rough guess"
    todo = "Send a new random state each time (secrets.token_urlsafe(24), 32 characters)."
    used = [
        entry.seq
        for entry in engine.journal.entries()
        if entry.facts.get("state") == label and "code" in entry.facts
    ]
    if len(used) > 1:
        listed = ", ".join(map(str, used[-5:]))
        return _bad("state", f"{text}; it brought several codes already (entries {listed})", todo)
    if value.isdecimal():
        return _bad("state", f"{text}; it is a number, which can be guessed", todo)
    if bits < _STATE_BITS:
        return _bad("state", f"{text}: short, or always the same", todo)
    return _good("state", text)


def _bits(value: str) -> int:
    """A guess of the entropy: as if each character were drawn by how often it occurs."""
    size = len(value)
    counts = Counter(value).values()
    return round(-sum(count * math.log2(count / size) for count in counts)) or 0


# ---- PKCE ----


def challenge(pasted: Pasted, application: Application | None, profile: Profile) -> list[UrlPart]:
    """The code challenge and its method (RFC 7636)."""
    value, method = pasted.first("code_challenge"), pasted.first("code_challenge_method")
    if value is not None:
        return [_challenge(value, method), _method(method)]
    name = "code_challenge"
    if application is not None and application.pkce_required:
        refused = refuse(Cause.CHALLENGE_MISSING)
        text = f"missing. {explanation(refused)}"
        if profile.challenge_missing == "issue_code":
            text += " A code would come all the same, and its exchange would fail."
        found = [_bad(name, text, remedy(refused))]
    else:
        found = [_good(name, "none; this application does not require PKCE")]
        if application is None:
            found = [_good(name, "none; whether PKCE is required is not known")]
    if method is not None:
        text = "sent without a code_challenge"
        found.append(_bad("code_challenge_method", text, "Send both, or none of them."))
    return found


def _challenge(value: str, method: str | None) -> UrlPart:
    name, todo = "code_challenge", remedy(refuse(Cause.CHALLENGE_MALFORMED))
    if not pkce.well_formed(value):
        text = f"malformed: {len(value)} characters; it has 43 to 128 of A-Z a-z 0-9 - . _ ~"
        return _bad(name, text, todo)
    if method == "S256" and len(value) != 43:
        text = f"{len(value)} characters; that of S256 has 43, so no verifier can match"
        if re.fullmatch(r"[0-9a-fA-F]{64}", value):
            text += " (it is hex, not base64url)"
        return _bad(name, text, todo)
    return _good(name, f"{len(value)} characters; the exchange must send its code_verifier")


def _method(method: str | None) -> UrlPart:
    name, todo = "code_challenge_method", "Send code_challenge_method=S256."
    if method is None:
        return _bad(name, "missing, so plain is meant (RFC 7636 section 4.3)", todo)
    known = pkce.method_named(method)
    if known == "S256":
        return _good(name, "S256")
    if known == "plain":
        return _bad(name, "plain: whoever reads the URL has the verifier", todo)
    return _bad(name, f"{word(method)} is neither S256 nor plain", todo)


# ---- what nobody asked for ----


def other_parameters(pasted: Pasted) -> list[UrlPart]:
    """A finding for each parameter that is not one of an authorization request."""
    return [_other(name) for name in pasted.values if name not in AUTHORIZATION_PARAMETERS]


def _other(name: str) -> UrlPart:
    text = shown_name(name)
    if name in _SECRETS:
        todo = "Take it out, and replace the secret: URLs end up in logs and histories."
        return _bad(text, "a secret, in a URL that the seller's browser opens", todo)
    if name.startswith("amp;"):
        return _bad(text, "the & before it was written as &amp;", "Write a bare & there.")
    if name in _SEEN:
        return _good(text, "seen in public clients, documented nowhere; ignored")
    close = get_close_matches(name[:40].lower(), AUTHORIZATION_PARAMETERS, n=1, cutoff=0.75)
    if close:
        return _bad(text, "not a parameter that is read", f"Was {close[0]} meant?")
    return _good(text, "documented nowhere; ignored")
