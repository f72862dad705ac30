"""Refreshing: RFC 6749 section 6, with Mercado Pago's rotation.

Source: Mercado Pago, POST /oauth/token (single use, only for its client) and its renewal
page (a new refresh token each time).
"""

from datetime import datetime

from msgspec.structs import replace

from mp_oauth_sandbox.core.authenticate import authenticate, client_id_of
from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.issue import issue_tokens
from mp_oauth_sandbox.core.messages import Refresh, Refused, TokensIssued
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import (
    NOTHING,
    Application,
    Change,
    Credential,
    CredentialKind,
    Grant,
    View,
)
from mp_oauth_sandbox.core.refusals import missing, refuse
from mp_oauth_sandbox.core.shapes import looks_like_access_token
from mp_oauth_sandbox.core.validity import ages, displaced, expired, revoked_because


def refresh(
    view: View, request: Refresh, *, now: datetime, fresh: Fresh, profile: Profile
) -> tuple[Change, TokensIssued | Refused]:
    """Decide one renewal: a new access token and a new refresh token for an old one.

    The presented token is spent by it. Presented again, it is refused, and the profile
    may then revoke the whole family (RFC 9700 section 4.14.2).
    """
    if (
        request.refresh_token
        and view.application is None
        and not client_id_of(request.authentication)
    ):
        # Without a client_id (refresh_without_client_id) only the token leads to the application.
        return NOTHING, refuse(Cause.REFRESH_UNKNOWN, _mistake(None, request.refresh_token))
    application = authenticate(view.application, request.authentication, profile)
    if isinstance(application, Refused):
        return NOTHING, application
    if not request.refresh_token:
        return NOTHING, missing("refresh_token")
    if "offline_access" not in application.scopes:
        return NOTHING, refuse(Cause.OFFLINE_ACCESS_MISSING, client_id=application.client_id)
    refused = _token(application, view, request.refresh_token, now, profile)
    if refused is not None:
        return _after_refusal(view, refused, profile), refused
    # The look-ups of a token that stands are complete: _token has refused any other.
    token, grant, link = view.credential, view.grant, view.link
    if token is None or grant is None or link is None:
        return NOTHING, refuse(Cause.REFRESH_UNKNOWN)
    scopes = _narrow(grant, request, profile)
    if isinstance(scopes, Refused):
        return NOTHING, scopes
    records, tokens = issue_tokens(
        application,
        link,
        grant,
        now=now,
        fresh=fresh,
        profile=profile,
        live_mode=token.live_mode,
        scopes=scopes,
    )
    if not profile.refresh_reusable:
        records = (replace(token, spent_at=now), *records)
    return Change(put=records), tokens


def _token(
    application: Application, view: View, secret: str, now: datetime, profile: Profile
) -> Refused | None:
    credential, issuer, grant, link = view.credential, view.issuer, view.grant, view.link
    if credential is None or credential.kind is not CredentialKind.REFRESH_TOKEN or grant is None:
        return refuse(Cause.REFRESH_UNKNOWN, _mistake(credential, secret))
    if issuer is None or issuer.client_id != application.client_id:
        name = f"{issuer.name} ({issuer.client_id})" if issuer else grant.client_id
        return refuse(
            Cause.REFRESH_OF_ANOTHER_APPLICATION, issuer=name, client_id=application.client_id
        )
    if credential.spent_at is not None and not profile.refresh_reusable:
        return refuse(Cause.REFRESH_REPLACED, **ages(credential, now))
    because = revoked_because(view)
    if because is not None:
        replayed = grant.revoked_because is not None
        return refuse(Cause.GRANT_REPLAYED if replayed else Cause.LINK_REVOKED, because=because)
    if link is not None and displaced(grant, link):
        return refuse(Cause.GRANT_DISPLACED)
    if expired(credential, now):
        return refuse(Cause.REFRESH_EXPIRED, **ages(credential, now))
    return None


def _mistake(credential: Credential | None, secret: str) -> Mistake | None:
    if credential is not None and credential.kind is CredentialKind.CODE:
        return Mistake.CODE_AS_REFRESH_TOKEN
    return Mistake.ACCESS_TOKEN_AS_GRANT if looks_like_access_token(secret) else None


def _after_refusal(view: View, refused: Refused, profile: Profile) -> Change:
    reuse = refused.cause is Cause.REFRESH_REPLACED
    if reuse and profile.refresh_reuse_revokes_family and view.grant is not None:
        because = "a refresh token of this link was presented again after it was replaced"
        return Change(put=(replace(view.grant, revoked_because=because),))
    return NOTHING


def _narrow(grant: Grant, request: Refresh, profile: Profile) -> tuple[str, ...] | Refused:
    """The scopes of the new access token; those of the grant and its refresh token stay."""
    asked = set((request.scope or "").split())
    if profile.refresh_scope == "ignore" or not asked:
        return grant.scopes
    surplus = sorted(asked - set(grant.scopes))
    if surplus:
        shown = " ".join(surplus)[:80]
        return refuse(Cause.SCOPE_INVALID, surplus=shown, allowed=" ".join(grant.scopes))
    return tuple(scope for scope in grant.scopes if scope in asked)
