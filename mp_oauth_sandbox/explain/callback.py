"""Explaining a callback URL: whose code it brings, whether state and address belong to it."""

from urllib.parse import quote

from mp_oauth_sandbox.control.explain import Explained, UrlPart
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.records import CredentialKind, Keys
from mp_oauth_sandbox.core.refusals import denied, explanation, remedy, word
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.explained import rows
from mp_oauth_sandbox.explain.pasted import Pasted, oddities, shown_address, shown_name
from mp_oauth_sandbox.explain.word import explain_secret
from mp_oauth_sandbox.journal import Entry
from mp_oauth_sandbox.journal.masks import masked

#: RFC 6749 section 4.1.2.1; the second is that of Mercado Libre until 2016.
_ERRORS = {
    "access_denied": Cause.SELLER_DENIED,
    "redirect_uri_mismatch": Cause.REDIRECT_URI_NOT_REGISTERED,
}

_KNOWN = {"code", "state", "error", "error_description"}


def explain_callback(engine: Engine, pasted: Pasted) -> Explained:
    """What a callback brings, and whether the application should take it."""
    code, error = pasted.first("code"), pasted.first("error")
    findings = [*_error(engine, error, pasted.first("state"))]
    facts: dict[str, str] = {}
    text = "a callback URL"
    told: list[str] = []
    if code is None and error is None:
        remedy = "Redirect the seller to the authorization URL; a callback has code or error."
        findings.append(
            UrlPart(name="code", ok=False, text="neither code nor error", remedy=remedy)
        )
    elif code is not None:
        explained = explain_secret(engine, code)
        facts.update(explained.facts)
        findings.append(_code(explained))
        findings += _address(engine, pasted, code)
        told = explained.text.split("\n")
        if error is not None:
            both = "code and error together, which no server sends"
            findings.append(UrlPart(name="code", ok=False, text=both, remedy="Trust neither."))
    findings.append(_state(engine, pasted, code))
    for name in pasted.values:
        if name not in _KNOWN:
            findings.append(UrlPart(name=shown_name(name), ok=True, text="not of Mercado Pago"))
    findings += oddities(pasted)
    lines = [f"{text} at {shown_address(pasted) or '(no address)'}", *rows(findings), *told]
    return Explained(kind="callback_url", text="\n".join(lines), facts=facts, findings=findings)


def _code(explained: Explained) -> UrlPart:
    what = explained.text.partition("\n")[0]
    if explained.kind != "code":
        return UrlPart(name="code", ok=False, text=what, remedy=explained.facts.get("remedy", ""))
    if explained.facts["now"] == "accepted":
        return UrlPart(name="code", ok=True, text=f"{what}: it would be accepted now")
    cause = explained.facts["cause"]
    text = f"{what}: it would be refused now ({cause})"
    return UrlPart(name="code", ok=False, text=text, remedy=explained.facts["remedy"])


def _address(engine: Engine, pasted: Pasted, code: str) -> list[UrlPart]:
    """Whether the callback came where the code was sent."""
    view = engine.store.read(Keys(secret=code))
    credential, grant = view.credential, view.grant
    if credential is None or credential.kind is not CredentialKind.CODE or grant is None:
        return []
    sent_to = grant.redirect_uri or ""
    uri = masked(sent_to)
    if not pasted.host or sent_to.partition("?")[0].lower() == pasted.address.lower():
        return [UrlPart(name="address", ok=True, text=f"the redirect_uri of this code: {uri}")]
    text = f"the code was sent to {uri}, not here"
    remedy = f"Send redirect_uri {uri} with this code, whatever the browser's address says."
    return [UrlPart(name="address", ok=False, text=text, remedy=remedy)]


def _error(engine: Engine, error: str | None, state: str | None) -> list[UrlPart]:
    if error is None:
        return []
    cause = _ERRORS.get(error)
    if cause is Cause.SELLER_DENIED:
        why, todo = _denial(engine, state)
        return [UrlPart(name="error", ok=False, text=f"{error}: {why}", remedy=todo)]
    if cause is not None:
        text = f"{error}: the redirect_uri of the authorization URL is not registered"
        todo = "Register exactly the URI that is sent, or send exactly a registered one."
        return [UrlPart(name="error", ok=False, text=text, remedy=todo)]
    todo = "Do not call the token endpoint; let the seller start again."
    return [UrlPart(name="error", ok=False, text=word(error), remedy=todo)]


def _denial(engine: Engine, state: str | None) -> tuple[str, str]:
    """How the seller has refused and what to do: as the journal has it of that state."""
    label = None if state is None else state_label(engine, state)
    for entry in reversed(engine.journal.entries()):
        if entry.cause is Cause.SELLER_DENIED and entry.facts.get("state") == label:
            return entry.explanation or "", entry.remedy or ""
    refused = denied(None)
    return explanation(refused), remedy(refused)


def state_label(engine: Engine, state: str) -> str:
    """How the journal shows this state."""
    return engine.mint.label(quote(state, safe=""))


def _state(engine: Engine, pasted: Pasted, code: str | None) -> UrlPart:
    state = pasted.first("state")
    entries = engine.journal.entries()
    source = _source(entries, engine.mint.label(code)) if code is not None else None
    asked = source.facts.get("state") if source is not None else None
    if state is None:
        if asked is None:
            text = "missing: anybody could have sent the seller here with another's code"
            todo = "Send a random state in the authorization URL, and compare it here."
        else:
            text = f"missing, but the request of this code had {asked}"
            todo = "Refuse this callback: something dropped the state, or put another code in."
        return UrlPart(name="state", ok=False, text=text, remedy=todo)
    label = state_label(engine, state)
    if source is not None and asked != label:
        text = f"{label} is not the state of this code's request ({asked or 'none'})"
        todo = "Refuse this callback: the code belongs to another flow (RFC 6749 section 10.12)."
        return UrlPart(name="state", ok=False, text=text, remedy=todo)
    seen = [entry for entry in entries if entry.facts.get("state") == label]
    if seen:
        return UrlPart(name="state", ok=True, text=f"{label}, as in entry {seen[-1].seq}")
    text = f"{label}, which no authorization request in the journal had"
    todo = "Compare it with the state kept for this browser, and refuse any other."
    return UrlPart(name="state", ok=False, text=text, remedy=todo)


def _source(entries: list[Entry], label: str) -> Entry | None:
    """The authorization that issued a code."""
    for entry in entries:
        if entry.kind == "authorization" and entry.facts.get("code") == label:
            return entry
    return None
