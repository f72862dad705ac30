"""Making the tokens of one grant: the same for a code and a refresh."""

from datetime import datetime

from msgspec.structs import replace

from mp_oauth_sandbox.core import shapes
from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.lifetimes import expiry
from mp_oauth_sandbox.core.messages import TokensIssued, Whose
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import (
    Application,
    Credential,
    CredentialKind,
    Grant,
    Link,
    Record,
)


def issue_tokens(
    application: Application,
    link: Link,
    grant: Grant,
    *,
    now: datetime,
    fresh: Fresh,
    profile: Profile,
    live_mode: bool,
    scopes: tuple[str, ...] | None = None,
) -> tuple[tuple[Record, ...], TokensIssued]:
    """The next generation of a grant's tokens, as records and as an answer.

    Without the offline_access scope there is no refresh token: seen in 3 public projects.
    `scopes` may be fewer than the grant's; that narrows this access token and no later one
    (RFC 6749 section 6: a new refresh token has the scope of the one it replaces).
    """
    following = replace(grant, generation=grant.generation + 1)
    lifetimes = application.lifetimes
    access_token = fresh.access_token(
        application.client_id, grant.user_id, now, live_mode=live_mode, profile=profile
    )
    refresh_token = None
    if "offline_access" in grant.scopes:
        refresh_token = fresh.refresh_token(grant.user_id, now)
    records: list[Record] = [
        following,
        Credential(
            secret=access_token,
            kind=CredentialKind.ACCESS_TOKEN,
            grant_id=grant.grant_id,
            generation=following.generation,
            issued_at=now,
            expires_at=expiry(now, lifetimes.access_token),
            live_mode=live_mode,
        ),
    ]
    if refresh_token is not None:
        records.append(
            Credential(
                secret=refresh_token,
                kind=CredentialKind.REFRESH_TOKEN,
                grant_id=grant.grant_id,
                generation=following.generation,
                issued_at=now,
                expires_at=expiry(now, lifetimes.refresh_token),
                live_mode=live_mode,
            )
        )
    prefix, uuid = (
        (shapes.LIVE, link.live_key) if live_mode else (profile.test_token_prefix, link.test_key)
    )
    return tuple(records), TokensIssued(
        access_token=access_token,
        expires_in=lifetimes.access_token,
        scopes=grant.scopes if scopes is None else scopes,
        user_id=grant.user_id,
        whose=Whose(application.client_id, grant.user_id, grant.grant_id),
        refresh_token=refresh_token,
        public_key=shapes.PUBLIC_KEY.format(prefix=prefix, uuid=uuid),
        live_mode=live_mode,
    )
