"""Explaining one pasted word: a code or token of the store, or what else it looks like."""

from datetime import UTC, datetime
from hmac import compare_digest

from msgspec.structs import replace

from mp_oauth_sandbox.control.explain import Explained
from mp_oauth_sandbox.core import shapes
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.records import Application, Keys, secrets_of
from mp_oauth_sandbox.core.refusals import refuse, visible
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.credential import explain_credential
from mp_oauth_sandbox.explain.explained import applications, named, verdict
from mp_oauth_sandbox.explain.values import nearest_known
from mp_oauth_sandbox.journal import moment

_NEVER = "was never issued here, or only before the last reset"


def explain_secret(engine: Engine, text: str) -> Explained:
    """What the sandbox knows of a text without line breaks that is no URL."""
    view = engine.store.read(Keys(secret=text))
    if view.credential is not None and view.grant is not None:
        return explain_credential(engine, view, view.credential, view.grant)
    near = nearest_known(engine, text)
    if near is not None:
        repair, said = near
        exact = explain_secret(engine, repair.value)
        first = f"almost {said}: {repair.words}\ndo: send it exactly as it was given"
        return replace(exact, text=f"{first}\n{exact.text}")
    if token := shapes.parts_of_access_token(text):
        return _unknown_access_token(engine, text, token.client_id, token.user_id)
    if code := shapes.parts_of_code(text):
        return _unknown_code(engine, text, code.made_at, code.user_id)
    if shapes.is_client_id(text):
        return _number(engine, text)
    return _of_application(engine, text) or _garbage(engine, text)


def _unknown_access_token(engine: Engine, text: str, client_id: str, user_id: int) -> Explained:
    facts = _parts(engine, text, "access_token", user_id, client_id)
    lines = [
        f"{facts['what']} looks like an access token of application {_application(facts)} and"
        f" seller {_seller(facts)} (from its parts), but {_NEVER}",
        *verdict(refuse(Cause.TOKEN_UNKNOWN), facts),
    ]
    return Explained(kind="unknown", text="\n".join(lines), facts=facts)


def _unknown_code(engine: Engine, text: str, seconds: int, user_id: int) -> Explained:
    facts = _parts(engine, text, "code or refresh_token", user_id)
    # The parts are an ObjectId, which starts with the second of its making.
    facts["made_at"] = moment(datetime.fromtimestamp(seconds, UTC))
    lines = [
        f"{facts['what']} looks like a code or refresh token of seller {_seller(facts)}, made at"
        f" {facts['made_at']} (from its parts), but {_NEVER}",
        *verdict(refuse(Cause.CODE_UNKNOWN), facts),
    ]
    return Explained(kind="unknown", text="\n".join(lines), facts=facts)


def _parts(
    engine: Engine, text: str, looks_like: str, user_id: int, client_id: str | None = None
) -> dict[str, str]:
    facts = {"what": engine.mint.label(text), "looks_like": looks_like}
    seller = engine.store.read(Keys(user_id=user_id)).seller
    if client_id is not None:
        application = engine.store.read(Keys(client_id=client_id)).application
        facts["client_id"] = client_id
        facts["application"] = visible(application.name) if application else "(unknown here)"
    facts["user_id"] = str(user_id)
    facts["seller"] = visible(seller.nickname) if seller else "(unknown here)"
    return facts


def _application(facts: dict[str, str]) -> str:
    return f"{facts['client_id']} {facts['application']}"


def _seller(facts: dict[str, str]) -> str:
    return f"{facts['user_id']} {facts['seller']}"


def _number(engine: Engine, text: str) -> Explained:
    application = engine.store.read(Keys(client_id=text)).application
    if application is None:
        problem = f"{text} is the client_id of no application, and no code or token is a number"
        return Explained(kind="unknown", text=problem, facts={"looks_like": "client_id"})
    facts = _about(application) | {"looks_like": "client_id"}
    lines = [
        f"the client_id of application {named(application)}",
        f"  status    {facts['status']}",
        f"  redirects {facts['redirect_uris'] or '(none)'}",
        f"  PKCE      {facts['pkce']}",
        f"  scopes    {facts['scopes'] or '(none)'}",
    ]
    return Explained(kind="unknown", text="\n".join(lines), facts=facts)


def _about(application: Application) -> dict[str, str]:
    return {
        "client_id": application.client_id,
        "application": visible(application.name),
        "status": application.status,
        "redirect_uris": " ".join(application.redirect_uris),
        "pkce": "required" if application.pkce_required else "not required",
        "scopes": " ".join(application.scopes),
    }


def _of_application(engine: Engine, text: str) -> Explained | None:
    """The secret or public key of an application, or whatever looks like such a key."""
    sent = text.encode()
    for application in applications(engine):
        for name, secret in secrets_of(application).items():
            if compare_digest(sent, secret.encode()):
                facts = _about(application) | {"what": engine.mint.label(text), "looks_like": name}
                lines = [
                    f"{facts['what']} is the {name} of application {named(application)}",
                    "do: keep it on the server, out of URLs, browsers and logs",
                ]
                return Explained(kind="unknown", text="\n".join(lines), facts=facts)
    if not shapes.is_public_key(text):
        return None
    facts = {"what": engine.mint.label(text), "looks_like": "public_key"}
    line = f"{facts['what']} looks like a public key; it is no token, and opens no account"
    return Explained(kind="unknown", text=line, facts=facts)


def _garbage(engine: Engine, text: str) -> Explained:
    facts = {"what": engine.mint.label(text)}
    lines = [
        f"{facts['what']} ({len(text)} characters) is nothing the sandbox knows",
        "do: paste a whole code (TG-...), access token (APP_USR-...), refresh token (TG-...),"
        " authorization URL or callback URL",
    ]
    if "%" in text:
        lines.append("do: it has a percent sign, so it may still be URL-encoded: decode it once")
    return Explained(kind="unknown", text="\n".join(lines), facts=facts)
