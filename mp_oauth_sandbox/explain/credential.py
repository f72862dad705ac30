"""What the sandbox knows of one code or token: whose, when, spent by what, good for what now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from mp_oauth_sandbox.control.explain import Explained
from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.messages import (
    Authentication,
    RedeemCode,
    Refresh,
    Refused,
    UseToken,
)
from mp_oauth_sandbox.core.records import (
    Application,
    Challenge,
    Credential,
    CredentialKind,
    Grant,
    View,
)
from mp_oauth_sandbox.core.redeem import redeem_code
from mp_oauth_sandbox.core.refresh import refresh
from mp_oauth_sandbox.core.refusals import unknown_application, visible
from mp_oauth_sandbox.core.use_token import use_token
from mp_oauth_sandbox.core.validity import displaced, span
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.explained import named, verdict
from mp_oauth_sandbox.journal import Entry, moment

#: For decisions whose outcome nobody gets: a draw of the mint would change what follows it.
_NO_LUCK = Fresh(randomness=bytes(64), machine=bytes(3), counter=0, serial=0)

#: The verifier of an imagined exchange; the true one is only known to the application.
_VERIFIER = "~" * 43

#: How many entries are listed of those that mention a secret: the newest.
_MENTIONS = 10

_NAMES = {
    CredentialKind.CODE: "authorization code",
    CredentialKind.ACCESS_TOKEN: "access token",
    CredentialKind.REFRESH_TOKEN: "refresh token",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """The journal entries that mention a secret: all, the one that made it, the one it went in."""

    mentions: Sequence[Entry]
    made: Entry | None
    spent: Entry | None
    newest: Entry | None


def explain_credential(
    engine: Engine, view: View, credential: Credential, grant: Grant
) -> Explained:
    """Everything about a credential of the store."""
    now, label = engine.clock(), engine.mint.label(credential.secret)
    issuer, seller = view.issuer, view.seller
    facts = {
        "what": label,
        "client_id": grant.client_id,
        "user_id": str(grant.user_id),
        "issued_at": moment(credential.issued_at),
    }
    if issuer is not None:
        facts["application"] = visible(issuer.name)
    if seller is not None:
        facts["seller"] = visible(seller.nickname)
    of = f"application {named(issuer) if issuer else grant.client_id}"
    whom = f"seller {facts.get('seller', '(unknown)')} ({grant.user_id})"
    text = [f"{_what(credential, grant, issuer)} {label} of {of}, {whom}"]
    story = _story(engine.journal.entries(), label, credential, grant)
    text += _when(credential, story, now, facts)
    text += _newest(credential, view, grant, story, facts)
    facts["scopes"] = " ".join(grant.scopes)
    text.append(f"  scopes   {facts['scopes'] or '(none)'}")
    if credential.kind is not CredentialKind.CODE:
        facts["live_mode"] = "true" if credential.live_mode else "false"
        text.append(f"  live     {facts['live_mode']}")
    if story.mentions:
        facts["entries"] = ", ".join(str(entry.seq) for entry in story.mentions)
        text.append(f"  journal  entries {facts['entries']}")
    more = ""
    if credential.kind is CredentialKind.CODE and grant.challenge is not None:
        facts["code_verifier"] = "must be sent"
        more = f", with the code_verifier of its code_challenge ({grant.challenge.method})"
    text += verdict(_refusal(engine, view, credential, grant, now), facts, more=more)
    return Explained(kind=credential.kind.value, text="\n".join(text), facts=facts)


def _what(credential: Credential, grant: Grant, issuer: Application | None) -> str:
    if issuer is not None and credential.secret == issuer.access_token:
        return "the platform's own access token"
    if grant.redirect_uri is None:
        return "access token from client credentials"
    return _NAMES[credential.kind]


def _ago(at: datetime, now: datetime) -> str:
    return f"in {span(at - now)}" if at > now else f"{span(now - at)} ago"


def _when(credential: Credential, story: _Story, now: datetime, facts: dict[str, str]) -> list[str]:
    """The lines "issued", "expires" and "spent"."""
    issued = f"  issued   {facts['issued_at']} ({_ago(credential.issued_at, now)})"
    if story.made is not None:
        facts["issued_by"] = _entry(story.made)
        issued += f", {facts['issued_by']}"
    expires = "  expires  never"
    facts["expires_at"] = "never"
    if credential.expires_at is not None:
        facts["expires_at"] = moment(credential.expires_at)
        expires = f"  expires  {facts['expires_at']} ({_ago(credential.expires_at, now)})"
    lines = [issued, expires]
    if credential.spent_at is not None:
        facts["spent_at"] = moment(credential.spent_at)
        spent = f"  spent    {facts['spent_at']} ({_ago(credential.spent_at, now)})"
        if story.spent is not None:
            facts["spent_by"] = _entry(story.spent)
            spent += f", {facts['spent_by']}"
        lines.append(spent)
    elif credential.kind is not CredentialKind.ACCESS_TOKEN:
        lines.append("  spent    no")
    return lines


def _newest(
    credential: Credential, view: View, grant: Grant, story: _Story, facts: dict[str, str]
) -> list[str]:
    """Where in its family of tokens it stands."""
    facts["generation"] = str(credential.generation)
    facts["newest_generation"] = str(grant.generation)
    line = f"  newest   generation {grant.generation}, this is {credential.generation}"
    if story.newest is not None and credential.generation < grant.generation:
        names = ("issued_access_token", "issued_refresh_token")
        secrets = [story.newest.facts[name] for name in names if name in story.newest.facts]
        if secrets:
            facts["newest"] = " ".join(secrets)
            facts["newest_by"] = _entry(story.newest)
            line += f": {' and '.join(secrets)}, entry {story.newest.seq}"
    if view.link is not None and displaced(grant, view.link):
        facts["displaced"] = "yes"
        line += "; the seller has authorized the application again since"
    return [line]


def _entry(entry: Entry) -> str:
    return f"entry {entry.seq}: {entry.line}"


# ---- the journal ----


def _story(entries: Sequence[Entry], label: str, credential: Credential, grant: Grant) -> _Story:
    mentions = [entry for entry in entries if label in entry.facts.values()]
    code = credential.kind is CredentialKind.CODE
    made = spent = None
    for entry in mentions:
        facts = entry.facts
        issued = [facts.get("issued_access_token"), facts.get("issued_refresh_token")]
        if code and entry.kind == "authorization":
            issued.append(facts.get("code"))
        if label in issued:
            made = made or entry
        elif credential.spent_at is not None and entry.kind == "token":
            # A code that only a failed exchange has spent has no tokens (it was burnt).
            burnt = code and grant.generation == 0 and entry.at >= credential.spent_at
            if burnt or _issues(entry):
                spent = spent or entry
    return _Story(
        mentions=mentions[-_MENTIONS:],
        made=made,
        spent=spent,
        newest=_last_of_chain(entries, spent or made),
    )


def _issues(entry: Entry) -> bool:
    return "issued_access_token" in entry.facts or entry.outcome == "tokens issued"


def _last_of_chain(entries: Sequence[Entry], start: Entry | None) -> Entry | None:
    """The newest exchange that follows from this one, each spending the refresh token before."""
    following = {
        entry.facts["refresh_token"]: entry
        for entry in entries
        if "refresh_token" in entry.facts and _issues(entry)
    }
    newest = start
    while newest is not None:
        after = following.get(newest.facts.get("issued_refresh_token", ""))
        if after is None or after.seq <= newest.seq:
            return newest
        newest = after
    return None


# ---- what would be answered now ----


def _refusal(
    engine: Engine, view: View, credential: Credential, grant: Grant, now: datetime
) -> Refused | None:
    """Why its own application would be refused now: the real decision, without its change."""
    profile, secret = engine.profile, credential.secret
    if credential.kind is CredentialKind.ACCESS_TOKEN:
        used = use_token(view, UseToken(token=secret), now=now, profile=profile)
        return used if isinstance(used, Refused) else None
    application = view.application
    if application is None:
        return unknown_application(grant.client_id)
    proof = Authentication(client_id=application.client_id, client_secret=application.client_secret)
    if credential.kind is CredentialKind.REFRESH_TOKEN:
        again = Refresh(authentication=proof, refresh_token=secret)
        _, outcome = refresh(view, again, now=now, fresh=_NO_LUCK, profile=profile)
        return outcome if isinstance(outcome, Refused) else None
    verifier = None
    if grant.challenge is not None:
        # Whoever asks is taken to have the right verifier: the other reasons show then.
        challenge = Challenge(value=_VERIFIER, method="plain")
        view = replace(view, grant=replace(grant, challenge=challenge))
    if grant.challenge is not None or application.pkce_required:
        verifier = _VERIFIER
    redeem = RedeemCode(
        authentication=proof,
        code=secret,
        redirect_uri=grant.redirect_uri,
        code_verifier=verifier,
    )
    _, outcome = redeem_code(view, redeem, now=now, fresh=_NO_LUCK, profile=profile)
    return outcome if isinstance(outcome, Refused) else None
