"""Whether an access token is good for a resource: RFC 6750, and Mercado Pago's policies."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.messages import Refused, TokenAccepted, UseToken, Whose
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import Application, ApplicationType, CredentialKind, View
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
        application_type=view.issuer.application_type,
    )


#: What an application of that type may not ask for; `*` is any one segment.
#: Source: MP, marketplace guide of its plugins (2026).
_REFUSED: Mapping[ApplicationType, tuple[str, ...]] = MappingProxyType(
    {"any": (), "online": ("GET /users/*/stores/search", "GET /pos")}
)


def refused_by_type(token: TokenAccepted, method: str, segments: Sequence[str]) -> Refused | None:
    """Why a good token may not ask for this path: its application is of another type.

    It depends on nothing else: no scope helps, and no new authorization.
    """
    asked = ["GET" if method == "HEAD" else method, *segments]
    for pattern in _REFUSED[token.application_type]:
        wanted = pattern.replace(" ", "").split("/")
        if len(wanted) == len(asked) and all(
            one in ("*", given) for one, given in zip(wanted, asked, strict=True)
        ):
            return refuse(
                Cause.TYPE_FORBIDDEN, application_type=token.application_type, asked=pattern
            )
    return None


def judge_application(
    application: Application | None, token: TokenAccepted, method: str, profile: Profile
) -> Application | Refused | None:
    """What a good token gets of an application as a resource; None where there is nothing.

    Source: see `Profile.application_resource`.
    """
    if not profile.application_resource or application is None or application.status == "deleted":
        return None
    if method in {"POST", "PUT"}:
        return refuse(Cause.APPLICATION_FORBIDDEN, because="an application can only be read here")
    if method not in {"GET", "HEAD"}:
        return None
    if token.seller.user_id != application.owner:
        because = "it is not of the account that owns the application"
        return refuse(Cause.APPLICATION_FORBIDDEN, because=because)
    return application


def _replaced(generation: int, newest: int, profile: Profile) -> bool:
    return profile.refresh_revokes_access_token and generation < newest
