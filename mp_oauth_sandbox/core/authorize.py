"""The authorization endpoint's decisions: may this page be shown, and what an approval does.

Sources: RFC 6749 section 4.1.1; Mercado Pago, "Get Access Token".
"""

from datetime import datetime

from msgspec.structs import replace

from mp_oauth_sandbox.core import pkce
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.lifetimes import expiry
from mp_oauth_sandbox.core.messages import AuthorizationRequest, CodeIssued, Refused, Whose
from mp_oauth_sandbox.core.notify import authorized
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import (
    NOTHING,
    Application,
    Challenge,
    Change,
    Credential,
    CredentialKind,
    Grant,
    Link,
    Seller,
    View,
)
from mp_oauth_sandbox.core.refusals import missing, refuse, unknown_application, word
from mp_oauth_sandbox.core.uris import difference
from mp_oauth_sandbox.core.validity import epochs_now

_QUERY = "the query of the authorization URL"


def judge(
    application: Application | None, request: AuthorizationRequest, profile: Profile
) -> Refused | None:
    """Why an authorization request cannot be shown to a seller, or None if it can.

    The redirect URI is judged before anything else about the request: until it is known
    to be registered, nothing may be sent to it (RFC 6749 section 4.1.2.1).
    """
    if request.client_id is None:
        return missing("client_id", where=_QUERY)
    if application is None:
        return unknown_application(request.client_id)
    if application.status == "deleted":
        return refuse(Cause.APPLICATION_DELETED, client_id=application.client_id)
    if application.status == "blocked":
        return refuse(Cause.APPLICATION_BLOCKED, client_id=application.client_id)
    if not application.activated:
        return refuse(Cause.APPLICATION_NOT_ACTIVATED, client_id=application.client_id)
    if request.redirect_uri is None:
        return missing("redirect_uri", where=_QUERY)
    if request.redirect_uri not in application.redirect_uris:
        return difference(
            Cause.REDIRECT_URI_NOT_REGISTERED, request.redirect_uri, application.redirect_uris
        )
    if request.response_type is None:
        return missing("response_type", where=_QUERY)
    if request.response_type != "code":
        return refuse(Cause.RESPONSE_TYPE_UNSUPPORTED, value=word(request.response_type))
    if profile.platform_id_required and request.platform_id != "mp":
        return missing("platform_id=mp")
    if profile.state_required and request.state is None:
        return missing("state", where=_QUERY)
    return _judge_challenge(application, request, profile) or _judge_scope(
        application, request, profile
    )


def _judge_challenge(
    application: Application, request: AuthorizationRequest, profile: Profile
) -> Refused | None:
    if request.code_challenge is None:
        if application.pkce_required and profile.challenge_missing == "error_page":
            return refuse(Cause.CHALLENGE_MISSING)
        return None
    if not application.pkce_required and profile.challenge_without_pkce == "error_page":
        return refuse(Cause.CHALLENGE_UNEXPECTED, client_id=application.client_id)
    if not pkce.well_formed(request.code_challenge):
        problem = "code_challenge must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~"
        return refuse(Cause.CHALLENGE_MALFORMED, problem=problem)
    if request.code_challenge_method is None:
        if profile.challenge_without_method == "refuse":
            return refuse(Cause.CHALLENGE_MALFORMED, problem="code_challenge_method is missing")
        return None
    if pkce.method_named(request.code_challenge_method) is None:
        problem = "code_challenge_method must be S256 or plain"
        return refuse(Cause.CHALLENGE_MALFORMED, problem=problem)
    return None


def _judge_scope(
    application: Application, request: AuthorizationRequest, profile: Profile
) -> Refused | None:
    if profile.authorization_scope == "ignore":
        return None
    surplus = sorted(set((request.scope or "").split()) - set(application.scopes))
    if not surplus:
        return None
    return refuse(
        Cause.SCOPE_INVALID,
        surplus=" ".join(surplus)[:80],
        allowed=" ".join(application.scopes),
    )


def judge_seller(seller: Seller) -> Refused | None:
    """Why this account cannot authorize any application: it is only a collaborator's."""
    if seller.collaborator_of is None:
        return None
    return refuse(
        Cause.OPERATOR_ACCOUNT, nickname=seller.nickname, main_account=seller.collaborator_of
    )


def consent_needed(link: Link | None, profile: Profile) -> bool:
    """Whether the seller must be asked; False only for a repeated link under that profile."""
    return not (profile.skip_repeated_consent and link is not None and link.consented)


def approve(
    view: View,
    request: AuthorizationRequest,
    *,
    user_id: int,
    now: datetime,
    fresh: Fresh,
    profile: Profile,
) -> tuple[Change, CodeIssued | Refused]:
    """Decide one approval: an authorization code bound to all that was asked.

    The request is judged again, because the application may have changed while the seller
    was reading the page.
    """
    application, seller = view.application, view.seller
    refused = judge(application, request, profile)
    if refused is not None or application is None or request.redirect_uri is None:
        return NOTHING, refused or missing("redirect_uri", where=_QUERY)
    if seller is None:
        return NOTHING, refuse(Cause.SELLER_UNKNOWN, user_id=user_id)
    refused = judge_seller(seller)
    if refused is not None:
        return NOTHING, refused
    # The application's own text where it is the same, so that a grant does not keep another.
    own, redirect_uri = application.redirect_uris, request.redirect_uri
    if redirect_uri in own:
        redirect_uri = own[own.index(redirect_uri)]
    scopes, challenge = _granted_scopes(application, request, profile), _challenge(request)
    link = view.link or _new_link(application, seller, fresh)
    code = Credential(
        secret=fresh.code(seller.user_id, now),
        kind=CredentialKind.CODE,
        grant_id=fresh.grant_id(),
        generation=0,
        issued_at=now,
        expires_at=expiry(now, application.lifetimes.authorization_code),
    )
    grant = Grant(
        grant_id=code.grant_id,
        client_id=application.client_id,
        user_id=seller.user_id,
        scopes=scopes,
        epochs=epochs_now(application, seller, link),
        redirect_uri=redirect_uri,
        challenge=challenge,
        newer_grants=link.newer_grants,
    )
    if not link.consented:
        link = replace(link, consented=True)
    changed = () if link is view.link else (link,)
    told = (
        authorized(application, seller.user_id, "consent", now=now, fresh=fresh, profile=profile)
        if application.webhook
        else ()
    )
    return Change(put=(*changed, grant, code, *told)), CodeIssued(
        redirect_uri=request.redirect_uri,
        code=code.secret,
        state=request.state,
        whose=Whose(application.client_id, seller.user_id, grant.grant_id),
    )


def _new_link(application: Application, seller: Seller, fresh: Fresh) -> Link:
    live_key, test_key = fresh.public_keys()
    return Link(
        client_id=application.client_id,
        user_id=seller.user_id,
        live_key=live_key,
        test_key=test_key,
    )


def _granted_scopes(
    application: Application, request: AuthorizationRequest, profile: Profile
) -> tuple[str, ...]:
    asked = set((request.scope or "").split())
    if profile.authorization_scope == "restrict" and asked:
        return tuple(scope for scope in application.scopes if scope in asked)
    return application.scopes


def _challenge(request: AuthorizationRequest) -> Challenge | None:
    if request.code_challenge is None:
        return None
    # RFC 7636 section 4.3: without a method it is plain.
    method = pkce.method_named(request.code_challenge_method or "plain")
    return Challenge(value=request.code_challenge, method=method or "plain")
