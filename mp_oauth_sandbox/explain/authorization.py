"""Explaining an authorization URL, parameter by parameter, and what the sandbox would answer."""

from mp_oauth_sandbox import wire
from mp_oauth_sandbox.control.explain import Explained, UrlPart
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Ask, Askable, Refused
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import Application, Keys
from mp_oauth_sandbox.core.refusals import (
    explanation,
    refuse,
    remedy,
    unknown_application,
    visible,
    word,
)
from mp_oauth_sandbox.core.uris import difference
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.explained import named, rows
from mp_oauth_sandbox.explain.findings import challenge, other_parameters, place, state
from mp_oauth_sandbox.explain.pasted import Pasted, oddities, shown_address
from mp_oauth_sandbox.journal.masks import masked, masked_paste


def explain_authorization(engine: Engine, pasted: Pasted, *, url: str) -> Explained:
    """Each part of an authorization URL; `url` is the sandbox's own base URL."""
    client_id = pasted.first("client_id")
    view = engine.store.read(Keys(client_id=client_id)) if client_id else None
    application = view.application if view else None
    profile = engine.profile
    findings = [
        *place(pasted, url),
        _client_id(client_id, application),
        _response_type(pasted.first("response_type")),
        _redirect_uri(pasted.first("redirect_uri"), application),
        state(engine, pasted.first("state")),
        *challenge(pasted, application, profile),
        _scope(pasted.first("scope"), application, profile),
        _platform_id(pasted.first("platform_id"), profile),
        *other_parameters(pasted),
        *oddities(pasted),
    ]
    facts: dict[str, str] = {}
    of = ""
    if application is not None:
        facts["client_id"] = application.client_id
        facts["application"] = visible(application.name)
        of = f" of application {named(application)}"
    lines = [
        f"an authorization URL{of}: {shown_address(pasted) or '(no address)'}",
        *rows(findings),
        *_answer(engine, pasted, facts),
    ]
    return Explained(
        kind="authorization_url", text="\n".join(lines), facts=facts, findings=findings
    )


def _refused(name: str, refused: Refused) -> UrlPart:
    refused = masked_paste(refused)
    return UrlPart(name=name, ok=False, text=explanation(refused), remedy=remedy(refused))


def _absent(name: str, send: str) -> UrlPart:
    return UrlPart(name=name, ok=False, text="missing", remedy=f"Send {send}.")


def _client_id(client_id: str | None, application: Application | None) -> UrlPart:
    name = "client_id"
    if client_id is None:
        return _absent(name, "the number of your application")
    if application is None:
        return _refused(name, unknown_application(client_id))
    if application.status == "deleted":
        return _refused(name, refuse(Cause.APPLICATION_DELETED, client_id=client_id))
    if application.status == "blocked":
        return _refused(name, refuse(Cause.APPLICATION_BLOCKED, client_id=client_id))
    return UrlPart(name=name, ok=True, text=f"application {named(application)}")


def _response_type(response_type: str | None) -> UrlPart:
    name = "response_type"
    if response_type is None:
        return _absent(name, "response_type=code")
    if response_type != "code":
        value = word(response_type)
        return _refused(name, refuse(Cause.RESPONSE_TYPE_UNSUPPORTED, value=value))
    return UrlPart(name=name, ok=True, text="code")


def _redirect_uri(uri: str | None, application: Application | None) -> UrlPart:
    name = "redirect_uri"
    if uri is None:
        return _absent(name, "a registered redirect_uri")
    if application is None:
        text = "not compared, since the application is not known"
        return UrlPart(name=name, ok=False, text=text, remedy="Correct client_id first.")
    if uri in application.redirect_uris:
        return UrlPart(name=name, ok=True, text=f"registered, byte for byte: {masked(uri)}")
    cause = Cause.REDIRECT_URI_NOT_REGISTERED
    refused = masked_paste(difference(cause, uri, application.redirect_uris))
    text = explanation(refused)
    if "\n" not in text:
        # Too far from any registered one for the sentence to set them side by side.
        nearest, caret = refused.facts["nearest"], refused.facts["caret"]
        text += f"\n  sent     {refused.facts['sent']}\n  nearest  {nearest}"
        text += f"\n           {caret}" if caret else ""
    return UrlPart(name=name, ok=False, text=text, remedy=remedy(refused))


def _scope(scope: str | None, application: Application | None, profile: Profile) -> UrlPart:
    name = "scope"
    if scope is None:
        return UrlPart(name=name, ok=True, text="none: the permissions of the application count")
    if application is None:
        return UrlPart(name=name, ok=True, text="not compared: the application is not known")
    surplus = sorted(set(scope.split()) - set(application.scopes))
    allowed = " ".join(application.scopes)
    if surplus:
        count = " ".join(word(one) for one in surplus[:8])
        text = f"asks for {count}; the application has {allowed or 'none'}"
        if profile.authorization_scope == "ignore":
            text += " (ignored under this profile)"
        todo = "Ask only for scopes the application has, or leave scope out."
        return UrlPart(name=name, ok=False, text=text, remedy=todo)
    ignored = " (ignored under this profile)" if profile.authorization_scope == "ignore" else ""
    return UrlPart(name=name, ok=True, text=" ".join(sorted(set(scope.split()))) + ignored)


def _platform_id(platform_id: str | None, profile: Profile) -> UrlPart:
    name = "platform_id"
    if platform_id == "mp":
        return UrlPart(name=name, ok=True, text="mp")
    text = "missing" if platform_id is None else f"{word(platform_id)}; only mp is documented"
    if profile.platform_id_required:
        text += f"; the profile {profile.name} requires it"
        return UrlPart(name=name, ok=False, text=text, remedy="Send platform_id=mp.")
    todo = "" if platform_id is None else "Send platform_id=mp."
    return UrlPart(name=name, ok=platform_id is None, text=f"{text}; not required", remedy=todo)


def _answer(engine: Engine, pasted: Pasted, facts: dict[str, str]) -> list[str]:
    """What the sandbox would answer now: the real decision, which changes nothing."""
    parsed, given = wire.parse_authorization(pasted.query), engine.consent
    # Whoever consents by itself is judged too; nobody is signed in otherwise.
    user_id = given.seller if given.mode == "auto" else None
    outcome = (
        parsed if isinstance(parsed, Refused) else engine.ask(Ask(request=parsed, user_id=user_id))
    )
    if isinstance(outcome, Askable):
        consent = {
            "page": "the sign-in and consent page",
            "auto": "a redirect with a code at once (auto consent)",
            "deny": "a redirect with error=access_denied at once (deny)",
        }
        facts["now"], facts["answer"] = "accepted", given.mode
        return [f"now: would be accepted: {consent[given.mode]}"]
    outcome = masked_paste(outcome)
    redirected = (
        outcome.cause is Cause.REDIRECT_URI_NOT_REGISTERED
        and engine.profile.bad_authorization_request == "redirect"
    )
    facts["now"] = "refused"
    facts["answer"] = "redirect" if redirected else "error_page"
    facts["cause"] = outcome.cause.value
    facts["explanation"], facts["remedy"] = explanation(outcome), remedy(outcome)
    how = "a redirect with an error" if redirected else "an error page, no redirect"
    why = facts["explanation"].replace("\n", "\n     ")
    return [
        f"now: would be refused with {how}: {outcome.cause}. {why}",
        f"do: {facts['remedy']}",
    ]
