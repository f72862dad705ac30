"""Client credentials: RFC 6749 section 4.4, a short token of the application's owner.

Source: Mercado Pago, "Get Access Token", client credentials (6 hours, no refresh token).
"""

from datetime import datetime

from mp_oauth_sandbox.core.authenticate import authenticate
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.lifetimes import expiry
from mp_oauth_sandbox.core.messages import ClientCredentials, Refused, TokensIssued, Whose
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import NOTHING, Change, Credential, CredentialKind, Grant, View
from mp_oauth_sandbox.core.refusals import refuse
from mp_oauth_sandbox.core.validity import epochs_now


def client_credentials(
    view: View, request: ClientCredentials, *, now: datetime, fresh: Fresh, profile: Profile
) -> tuple[Change, TokensIssued | Refused]:
    """Decide one client_credentials request; each call gets a new token, old ones stay."""
    application = authenticate(view.application, request.authentication, profile)
    if isinstance(application, Refused):
        return NOTHING, application
    owner, link = view.seller, view.link
    if owner is None or link is None:
        return NOTHING, refuse(Cause.APPLICATION_UNKNOWN, client_id=application.client_id)
    grant = Grant(
        grant_id=fresh.grant_id(),
        client_id=application.client_id,
        user_id=owner.user_id,
        scopes=application.scopes,
        epochs=epochs_now(application, owner, link),
        generation=1,
    )
    lifetime = application.lifetimes.client_credentials_token
    token = Credential(
        secret=fresh.access_token(
            application.client_id, owner.user_id, now, live_mode=True, profile=profile
        ),
        kind=CredentialKind.ACCESS_TOKEN,
        grant_id=grant.grant_id,
        generation=1,
        issued_at=now,
        expires_at=expiry(now, lifetime),
    )
    return Change(put=(grant, token)), TokensIssued(
        access_token=token.secret,
        expires_in=lifetime,
        scopes=grant.scopes,
        user_id=owner.user_id,
        whose=Whose(application.client_id, owner.user_id, grant.grant_id),
        refresh_token=None,
        public_key=None,
        live_mode=True,
    )
