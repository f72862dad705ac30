"""Redeeming an authorization code: RFC 6749 section 4.1.3, RFC 7636 section 4.6.

Order of checks: the application, the fields of the grant type, the code itself, the
redirect URI, the verifier. Mostly a guess; one public report shows that a missing verifier
is told before a bad code. All reasons about the code share one sentence on the wire.
"""

from datetime import datetime

from msgspec.structs import replace

from mp_oauth_sandbox.core import pkce
from mp_oauth_sandbox.core.authenticate import authenticate
from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.issue import issue_tokens
from mp_oauth_sandbox.core.messages import RedeemCode, Refused, TokensIssued
from mp_oauth_sandbox.core.notify import authorized
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import (
    NOTHING,
    Application,
    Change,
    Credential,
    CredentialKind,
    Grant,
    Link,
    View,
)
from mp_oauth_sandbox.core.refusals import missing, refuse
from mp_oauth_sandbox.core.shapes import looks_like_access_token
from mp_oauth_sandbox.core.uris import difference
from mp_oauth_sandbox.core.validity import ages, expired, revoked_because


def redeem_code(
    view: View, request: RedeemCode, *, now: datetime, fresh: Fresh, profile: Profile
) -> tuple[Change, TokensIssued | Refused]:
    """Decide one exchange of an authorization code for tokens.

    A code redeems once, within its lifetime, by the application and for the redirect URI
    it was issued to. A second attempt is refused.

    Source: RFC 6749 sections 4.1.2, 4.1.3, 10.5; ten minutes: Mercado Pago, POST /oauth/token.
    """
    application = authenticate(view.application, request.authentication, profile)
    if isinstance(application, Refused):
        return NOTHING, application
    refused = _fields(application, request) or _code(application, view, request.code or "", now)
    if refused is not None:
        return _after_refusal(view, refused, now, profile), refused
    # The look-ups of a code that stands are complete: _code has refused any other.
    code, grant, link = view.credential, view.grant, view.link
    if code is None or grant is None or link is None:
        return NOTHING, refuse(Cause.CODE_UNKNOWN)
    refused = _binding(application, grant, request, profile)
    if refused is not None:
        return _after_refusal(view, refused, now, profile), refused
    link, grant = _displace(link, grant, profile)
    changed = () if link is view.link else (link,)
    records, tokens = issue_tokens(
        application,
        link,
        grant,
        now=now,
        fresh=fresh,
        profile=profile,
        live_mode=not request.test_token,
    )
    told = (
        authorized(
            application,
            grant.user_id,
            "exchange",
            now=now,
            fresh=fresh,
            profile=profile,
            live_mode=tokens.live_mode,
        )
        if application.webhook
        else ()
    )
    return Change(put=(*changed, replace(code, spent_at=now), *records, *told)), tokens


def _fields(application: Application, request: RedeemCode) -> Refused | None:
    if not request.code:
        return missing("code")
    if not request.redirect_uri:
        return missing("redirect_uri")
    if application.pkce_required and not request.code_verifier:
        return _verifier_missing("the application requires PKCE")
    return None


def _verifier_missing(because: str) -> Refused:
    return refuse(Cause.VERIFIER_MISSING, because=because)


def _code(application: Application, view: View, code: str, now: datetime) -> Refused | None:
    credential, issuer, grant = view.credential, view.issuer, view.grant
    if credential is None or credential.kind is not CredentialKind.CODE or grant is None:
        return refuse(Cause.CODE_UNKNOWN, _mistake(credential, code))
    if issuer is None or issuer.client_id != application.client_id:
        name = f"{issuer.name} ({issuer.client_id})" if issuer else grant.client_id
        return refuse(
            Cause.CODE_OF_ANOTHER_APPLICATION, issuer=name, client_id=application.client_id
        )
    if credential.spent_at is not None:
        burnt = grant.generation == 0
        cause = Cause.CODE_BURNT if burnt else Cause.CODE_ALREADY_REDEEMED
        return refuse(cause, **ages(credential, now))
    because = revoked_because(view)
    if because is not None:
        replayed = grant.revoked_because is not None
        return refuse(Cause.GRANT_REPLAYED if replayed else Cause.LINK_REVOKED, because=because)
    if expired(credential, now):
        return refuse(Cause.CODE_EXPIRED, **ages(credential, now))
    return None


def _mistake(credential: Credential | None, code: str) -> Mistake | None:
    if credential is not None and credential.kind is CredentialKind.REFRESH_TOKEN:
        return Mistake.REFRESH_TOKEN_AS_CODE
    if looks_like_access_token(code):
        return Mistake.ACCESS_TOKEN_AS_GRANT
    return Mistake.CODE_STILL_ENCODED if "%" in code else None


def _after_refusal(view: View, refused: Refused, now: datetime, profile: Profile) -> Change:
    # RFC 6749 section 4.1.2: a code used twice SHOULD revoke the tokens issued from it.
    replay = refused.cause is Cause.CODE_ALREADY_REDEEMED
    if replay and profile.code_replay_revokes_tokens and view.grant is not None:
        because = "its authorization code was presented a second time"
        return Change(put=(replace(view.grant, revoked_because=because),))
    code = view.credential
    if profile.failed_exchange_burns_code and code is not None and _stands(view, code, now):
        return Change(put=(replace(code, spent_at=now),))
    return NOTHING


def _stands(view: View, code: Credential, now: datetime) -> bool:
    return (
        code.kind is CredentialKind.CODE
        and code.spent_at is None
        and not expired(code, now)
        and revoked_because(view) is None
    )


def _binding(
    application: Application, grant: Grant, request: RedeemCode, profile: Profile
) -> Refused | None:
    if request.redirect_uri != grant.redirect_uri:
        return difference(
            Cause.REDIRECT_URI_MISMATCH, request.redirect_uri or "", (grant.redirect_uri or "",)
        )
    verifier = request.code_verifier
    if grant.challenge is None:
        if application.pkce_required:
            return refuse(Cause.CHALLENGE_MISSING)
        if verifier and profile.stray_verifier == "refuse":
            return refuse(Cause.VERIFIER_UNEXPECTED)
        return None
    if not verifier:
        return _verifier_missing("the authorization request had a code_challenge")
    if not pkce.well_formed(verifier):
        return refuse(Cause.VERIFIER_MALFORMED, length=len(verifier))
    if not pkce.verifies(grant.challenge, verifier):
        return refuse(Cause.VERIFIER_MISMATCH, method=grant.challenge.method)
    return None


def _displace(link: Link, grant: Grant, profile: Profile) -> tuple[Link, Grant]:
    """What a new exchange does to the link's earlier tokens, and the grant that survives it."""
    newest = link.newer_grants + (profile.reauthorization != "keeps")
    if newest == link.newer_grants == grant.newer_grants:
        return link, grant
    return replace(link, newer_grants=newest), replace(grant, newer_grants=newest)
