"""Whether an access token is good for a resource: RFC 6750."""

from datetime import datetime

from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.messages import Refused, TokenAccepted, UseToken, Whose
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import CredentialKind, View
from mp_oauth_sandbox.core.refusals import refuse
from mp_oauth_sandbox.core.shapes import looks_like_access_token, starts_like_code
from mp_oauth_sandbox.core.validity import REAUTHORIZED, ages, displaced, expired, revoked_because


def use_token(
    view: View, request: UseToken, *, now: datetime, profile: Profile
) -> TokenAccepted | Refused:
    """Decide whether a bearer token is accepted; all refusals but a missing one look alike."""
    if not request.token:
        return refuse(Cause.TOKEN_MISSING, problem="there is no bearer token in the request")
    credential, grant = view.credential, view.grant
    if credential is None or grant is None:
        if looks_like_access_token(request.token):
            return refuse(Cause.TOKEN_UNKNOWN)
        mistake = Mistake.REFRESH_TOKEN_AS_BEARER if starts_like_code(request.token) else None
        return refuse(Cause.TOKEN_MALFORMED, mistake, problem="it does not have the five parts")
    if credential.kind is not CredentialKind.ACCESS_TOKEN:
        return refuse(Cause.TOKEN_MALFORMED, Mistake.REFRESH_TOKEN_AS_BEARER)
    because = revoked_because(view)
    if because is None and _replaced(credential.generation, grant.generation, profile):
        because = "a refresh replaced it (refresh_revokes_access_token)"
    link = view.link
    if because is None and profile.reauthorization == "revokes_all" and link is not None:
        because = REAUTHORIZED if displaced(grant, link) else None
    if because is not None:
        return refuse(Cause.TOKEN_REVOKED, because=because)
    if expired(credential, now):
        return refuse(Cause.TOKEN_EXPIRED, **ages(credential, now))
    if view.seller is None or view.issuer is None:
        return refuse(Cause.TOKEN_UNKNOWN)
    if view.issuer.status == "blocked":
        return refuse(Cause.TOKEN_FORBIDDEN, because="the application is blocked")
    if "read" not in grant.scopes:
        return refuse(Cause.TOKEN_FORBIDDEN, because="it lacks the read permission")
    return TokenAccepted(
        whose=Whose(grant.client_id, view.seller.user_id, grant.grant_id),
        seller=view.seller,
        live_mode=credential.live_mode,
        age=now - credential.issued_at,
        # Only what an approval made has a redirect URI.
        platform=grant.redirect_uri is None,
    )


def _replaced(generation: int, newest: int, profile: Profile) -> bool:
    return profile.refresh_revokes_access_token and generation < newest
