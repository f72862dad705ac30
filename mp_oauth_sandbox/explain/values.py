"""A value that is almost a known one, or a known one of another kind."""

import hashlib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from hmac import compare_digest
from typing import Literal

from mp_oauth_sandbox.core import pkce, shapes
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Likely, Refused
from mp_oauth_sandbox.core.nearest import Repair, difference, repairs, resemblance, without_value
from mp_oauth_sandbox.core.records import Credential, CredentialKind, Keys, Link, View, secrets_of
from mp_oauth_sandbox.core.refusals import visible, word
from mp_oauth_sandbox.core.uris import LOOPBACK_HOSTS
from mp_oauth_sandbox.core.values import Value
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.explained import applications, named

#: Among so many of the newest credentials one is looked for that begins or is written like it.
_NEWEST = 1_000

_LOOK = "Look where the value comes from, and log how long it is there."

ValueKind = Literal["code", "access_token", "refresh_token", "client_id", "client_secret", "other"]

#: What each field is to hold.
_EXPECTED: dict[str, ValueKind] = {
    "client_id": "client_id",
    "client_secret": "client_secret",
    "code": "code",
    "refresh_token": "refresh_token",
}
_CALLED: dict[ValueKind, str] = {
    "code": "an authorization code",
    "access_token": "an access token",
    "refresh_token": "a refresh token",
    "client_id": "a client_id",
    "client_secret": "a client_secret",
    "other": "something else",
}
_KINDS: dict[CredentialKind, ValueKind] = {
    CredentialKind.CODE: "code",
    CredentialKind.ACCESS_TOKEN: "access_token",
    CredentialKind.REFRESH_TOKEN: "refresh_token",
}
#: Where a code or a refresh token is right.
_RIGHT_PLACE: dict[ValueKind, str] = {
    "code": "Send it as code, with grant_type=authorization_code.",
    "refresh_token": "Send it as refresh_token, with grant_type=refresh_token.",
}
_WORDS: dict[str, tuple[str, ...]] = {
    "grant_type": ("authorization_code", "refresh_token", "client_credentials"),
    "response_type": ("code",),
    "code_challenge_method": ("S256", "plain"),
}


class KnownValue(Value, frozen=True):
    """A value that the sandbox knows: what it is for, and in words whose."""

    kind: ValueKind
    said: str


def likely_values(engine: Engine, refused: Refused, fields: Mapping[str, str]) -> Likely | None:
    """The first field whose value is almost right, or right in another place."""
    book = _Book(engine)
    for name, expected in _EXPECTED.items():
        if fields.get(name):
            likely = book.likely(refused, name, fields[name], expected, fields)
            if likely is not None:
                return likely
    for name, known in _WORDS.items():
        likely = _of_word(name, fields.get(name), known)
        if likely is not None:
            return likely
    if refused.cause in {Cause.REDIRECT_URI_MISMATCH, Cause.REDIRECT_URI_NOT_REGISTERED}:
        return _of_redirect(engine, refused, fields)
    if refused.cause in {Cause.VERIFIER_MISMATCH, Cause.VERIFIER_MALFORMED}:
        return _of_verifier(engine, fields)
    return None


def likely_bearer(engine: Engine, refused: Refused, authorization: str) -> Likely | None:
    """What is wrong with an Authorization header."""
    book = _Book(engine)
    scheme, _, rest = authorization.strip().partition(" ")
    value = rest.strip()
    if scheme.lower() != "bearer":
        bare = book.find(authorization)
        if bare is not None and bare[1].kind == "access_token":
            return Likely(
                f"the header is {bare[1].said}, and does not begin with `Bearer `",
                "Send Authorization: Bearer <access_token>.",
            )
        if scheme.lower() != "basic":
            return None
        return Likely(
            "Basic authentication, where a bearer token belongs",
            "Send Authorization: Bearer <access_token>.",
        )
    if not value:
        return Likely("nothing follows `Bearer`: a variable that had no value", _LOOK)
    return book.likely(refused, "the token", value, "access_token", {})


def nearest_known(engine: Engine, value: str) -> tuple[Repair, str] | None:
    """The known value that a text is almost, with what it has too much, and what that is."""
    found = _Book(engine).find(value)
    return None if found is None or not found[0].words else (found[0], found[1].said)


class _Book:
    """What the sandbox knows, looked up by key; applications are read once for one refusal."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._read = engine.store.read

    @cached_property
    def _of_applications(self) -> dict[str, KnownValue]:
        known: dict[str, KnownValue] = {}
        for link in self._engine.store.page(Link, limit=_NEWEST):
            of = KnownValue("other", f"the public_key of seller {link.user_id}")
            for prefix, key in ((shapes.LIVE, link.live_key), (shapes.TEST, link.test_key)):
                known[shapes.PUBLIC_KEY.format(prefix=prefix, uuid=key)] = of
        for application in applications(self._engine):
            whose = f"of application {named(application)}"
            known.setdefault(application.public_key, KnownValue("other", f"the public_key {whose}"))
            for name, secret in secrets_of(application).items():
                kind: ValueKind = "client_secret" if name == "client_secret" else "other"
                known.setdefault(secret, KnownValue(kind, f"the {name} {whose}"))
        return known

    def known(self, value: str) -> KnownValue | None:
        """What a value is, exactly as it stands."""
        view = self._read(Keys(secret=value))
        if view.credential is not None:
            return self._of_credential(view, view.credential)
        if shapes.is_client_id(value):
            application = self._read(Keys(client_id=value)).application
            if application is not None:
                return KnownValue("client_id", f"the client_id of application {named(application)}")
            seller = self._read(Keys(user_id=int(value))).seller
            if seller is not None:
                return KnownValue("other", f"the user_id of {visible(seller.nickname)}")
        return self._of_applications.get(value)

    def find(self, value: str) -> tuple[Repair, KnownValue] | None:
        """The first known value that this one may have been meant for, and how they differ."""
        for repair in repairs(value):
            known = self.known(repair.value)
            if known is not None:
                return repair, known
        bare = value.strip(" \r\n\t\"'")
        for credential in self._engine.store.newest(_NEWEST):
            words = resemblance(bare, credential.secret)
            if words is not None:
                view = self._read(Keys(secret=credential.secret))
                known = self._of_credential(view, credential)
                return Repair(credential.secret, words), known
        return None

    def likely(
        self,
        refused: Refused,
        name: str,
        value: str,
        expected: ValueKind,
        fields: Mapping[str, str],
    ) -> Likely | None:
        """What is wrong with the value of a field."""
        found = self.find(value)
        if found is None:
            missing = without_value(value)
            if missing is not None:
                return Likely(f"{name} is {missing}", _LOOK)
            return self._almost(name, value, expected, fields)
        repair, known = found
        words = f", {repair.words}" if repair.words else ""
        if known.kind != expected:
            # The table has its own words for the commonest of these.
            if refused.mistake is not None and not words:
                return None
            return Likely(
                f"{name} is {known.said}{words}, and not {_CALLED[expected]}",
                _RIGHT_PLACE.get(known.kind) or f"Send {_CALLED[expected]} as {name}.",
            )
        if words:
            return Likely(f"{name} is {known.said}{words}", f"Send {name} exactly as it was given.")
        return self._anothers(name, known, value, fields)

    def _anothers(
        self, name: str, known: KnownValue, value: str, fields: Mapping[str, str]
    ) -> Likely | None:
        """A client_secret that is right, but for another application."""
        own = self._read(Keys(client_id=fields.get("client_id", ""))).application
        if name != "client_secret" or own is None or own.client_secret == value:
            return None
        return Likely(f"{name} is {known.said}", "Use id and secret of one application.")

    def _almost(
        self, name: str, value: str, expected: ValueKind, fields: Mapping[str, str]
    ) -> Likely | None:
        """A client_id or client_secret that is one but for a sign or two."""
        own = self._read(Keys(client_id=fields.get("client_id", ""))).application
        for application in [own] if own else applications(self._engine):
            right = {"client_id": application.client_id, "client_secret": application.client_secret}
            words = difference(value, right[expected]) if expected in right else None
            if words:
                said = f"the {expected} of application {named(application)}"
                return Likely(
                    f"{name} is {said}, {words}", f"Send {name} exactly as the panel shows it."
                )
        return None

    def _of_credential(self, view: View, credential: Credential) -> KnownValue:
        label = self._engine.mint.label(credential.secret)
        whose = f" of {visible(view.seller.nickname)}" if view.seller else ""
        issuer = f" for application {named(view.issuer)}" if view.issuer else ""
        kind = _KINDS[credential.kind]
        return KnownValue(kind, f"the {_CALLED[kind].partition(' ')[2]} {label}{whose}{issuer}")


def _of_word(name: str, value: str | None, known: tuple[str, ...]) -> Likely | None:
    if not value or value in known:
        return None
    if name == "response_type":
        why = f"the implicit flow of other servers (response_type={word(value)})"
        return Likely(why, "Send response_type=code: the token comes from the exchange.")
    for one in known:
        words = difference(value, one)
        if words:
            return Likely(f"{name} is {one}, {words}", f"Send {name}={one}.")
    plain = value.lower().replace("-", "_").replace(" ", "_")
    close = get_close_matches(plain, known, n=1, cutoff=0.6)
    return Likely(f"{name} is to be {close[0]}", f"Send {name}={close[0]}.") if close else None


def _of_redirect(engine: Engine, refused: Refused, fields: Mapping[str, str]) -> Likely | None:
    sent = fields.get("redirect_uri")
    if not sent or refused.mistake is not None:
        return None
    view = engine.store.read(Keys(client_id=fields.get("client_id"), secret=fields.get("code")))
    expected = list(view.application.redirect_uris) if view.application else []
    if view.grant is not None and view.grant.redirect_uri is not None:
        expected = [view.grant.redirect_uri]
    for uri in expected:
        words = _uri_difference(sent, uri)
        if words:
            return Likely(
                f"redirect_uri is {visible(uri)}, {words}", "Send it exactly as registered."
            )
    return None


def _uri_difference(sent: str, known: str) -> str | None:
    """How two addresses differ in the ways in which addresses do, several at once too."""
    words: list[str] = []
    scheme, colon, rest = sent.partition("://")
    known_scheme, _, known_rest = known.partition("://")
    if colon and scheme != known_scheme:
        words.append(f"with {visible(scheme[:20])} for {known_scheme}")
    (address, mark, query), (known_address, known_mark, known_query) = (
        rest.partition("?"),
        known_rest.partition("?"),
    )
    if (mark, query) != (known_mark, known_query):
        words.append("with another query" if known_mark else "with a query behind it")
    if address.endswith("/") != known_address.endswith("/"):
        words.append(f"with{'' if address.endswith('/') else 'out'} a slash behind it")
    host, slash, path = address.rstrip("/").partition("/")
    known_host, known_slash, known_path = known_address.rstrip("/").partition("/")
    if host != known_host and host.removeprefix("www.") == known_host.removeprefix("www."):
        words.append("with another `www.`")
        host = known_host
    if host != known_host and _on_this_machine(host) and _on_this_machine(known_host):
        words.append("with another name or port of this machine")
        host = known_host
    if (host, slash, path) == (known_host, known_slash, known_path) and words:
        return " and ".join(words)
    return difference(sent, known)


def _on_this_machine(host: str) -> bool:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).strip("[]") in LOOPBACK_HOSTS


def _of_verifier(engine: Engine, fields: Mapping[str, str]) -> Likely | None:
    sent = fields.get("code_verifier")
    grant = engine.store.read(Keys(secret=fields.get("code"))).grant if fields.get("code") else None
    if not sent or grant is None or grant.challenge is None:
        return None
    if compare_digest(sent.encode(), grant.challenge.value.encode()):
        why = "code_verifier is the code_challenge itself"
        return Likely(why, "Keep the verifier beside the state, and send that.")
    if pkce.well_formed(sent) and pkce.s256(sent) == grant.challenge.value:
        return Likely(
            "the challenge was made with S256, and the authorization request did not say so",
            "Send code_challenge_method=S256 with the code_challenge.",
        )
    if hashlib.sha256(sent.encode()).hexdigest() == grant.challenge.value.lower():
        return Likely(
            "the code_challenge is the SHA-256 in hexadecimal, and not in base64url",
            "Make the challenge as RFC 7636 section 4.2 has it: base64url, without padding.",
        )
    for repair in repairs(sent):
        if (
            repair.words
            and pkce.well_formed(repair.value)
            and pkce.verifies(grant.challenge, repair.value)
        ):
            why = f"code_verifier is the right one, {repair.words}"
            return Likely(why, "Send it exactly as it was made.")
    return None
