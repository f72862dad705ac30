"""How an application proves itself at the token endpoint: RFC 6749 section 2.3.1."""

import hmac

from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.messages import Authentication, Refused
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import Application
from mp_oauth_sandbox.core.refusals import refuse, unknown_application
from mp_oauth_sandbox.core.shapes import looks_like_access_token, parts_of_access_token


def client_id_of(authentication: Authentication) -> str | None:
    """The application a token request is about.

    A legacy request has no client_id and an access token as its secret; the application
    is then the second part of that token.
    """
    if authentication.client_id is not None:
        return authentication.client_id
    token = parts_of_access_token(authentication.client_secret)
    return token.client_id if token else None


def authenticate(
    application: Application | None, authentication: Authentication, profile: Profile
) -> Application | Refused:
    """The application, if the secret is its own and it may act; else why not."""
    if application is None:
        return unknown_application(client_id_of(authentication))
    secret = authentication.client_secret.encode()
    as_token = profile.access_token_as_secret and hmac.compare_digest(
        secret, application.access_token.encode()
    )
    if not as_token and not hmac.compare_digest(secret, application.client_secret.encode()):
        mistake = _mistake(application, authentication.client_secret)
        return refuse(Cause.SECRET_MISMATCH, mistake, client_id=application.client_id)
    if application.status == "deleted":
        return refuse(Cause.APPLICATION_DELETED, client_id=application.client_id)
    if application.status == "blocked":
        return refuse(Cause.APPLICATION_BLOCKED, client_id=application.client_id)
    return application


def _mistake(application: Application, secret: str) -> Mistake | None:
    replaced = application.replaced_secret
    if replaced is not None and hmac.compare_digest(secret.encode(), replaced.encode()):
        return Mistake.SECRET_BEFORE_ROTATION
    return Mistake.ACCESS_TOKEN_AS_SECRET if looks_like_access_token(secret) else None
