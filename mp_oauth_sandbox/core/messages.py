"""What can be asked of the engine, and what it answers.

Requests are already parsed: past this point a string is a code. A field that may be
missing on the wire may be None here, because Mercado Pago reports a missing `code`
only after it has checked the application's credentials.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.consent import Denier
from mp_oauth_sandbox.core.records import Application, ApplicationType, Seller
from mp_oauth_sandbox.core.values import Secret, Value


class AuthorizationRequest(Value, frozen=True, kw_only=True):
    """RFC 6749 section 4.1.1, as `GET /authorization` receives it.

    `state` is already in the form in which it goes back: percent-encoded, byte for byte.
    """

    client_id: str | None = None
    response_type: str | None = None
    redirect_uri: str | None = None
    state: Secret | None = None
    # With the plain method this is the verifier itself.
    code_challenge: Secret | None = None
    code_challenge_method: str | None = None
    scope: str | None = None
    platform_id: str | None = None


#: What an authorization request may say; other parameters are ignored.
AUTHORIZATION_PARAMETERS = AuthorizationRequest.__struct_fields__


class Authentication(Value, frozen=True, kw_only=True):
    """How an application proves itself at the token endpoint (RFC 6749 section 2.3.1)."""

    client_id: str | None
    client_secret: Secret


class RedeemCode(Value, frozen=True, kw_only=True):
    """`grant_type=authorization_code`: RFC 6749 section 4.1.3, RFC 7636 section 4.5."""

    authentication: Authentication
    code: Secret | None = None
    redirect_uri: str | None = None
    code_verifier: Secret | None = None
    test_token: bool = False


class Refresh(Value, frozen=True, kw_only=True):
    """`grant_type=refresh_token`: RFC 6749 section 6."""

    authentication: Authentication
    refresh_token: Secret | None = None
    scope: str | None = None


class ClientCredentials(Value, frozen=True, kw_only=True):
    """`grant_type=client_credentials`: RFC 6749 section 4.4."""

    authentication: Authentication


TokenRequest = RedeemCode | Refresh | ClientCredentials


class UseToken(Value, frozen=True, kw_only=True):
    """A request for a resource with an access token (RFC 6750 section 2.1)."""

    token: Secret | None


class Likely(Value, frozen=True):
    """What whoever sent a refused request probably did, and what to do about that."""

    why: str
    do: str


class Refused(Value, frozen=True, kw_only=True):
    """No, and why. `facts` fill the explanation of the cause; they never reach the wire.

    `likely` goes into the explanation too, where somebody has looked for it.
    """

    cause: Cause
    likely: Likely | None = None
    mistake: Mistake | None = None
    facts: Mapping[str, str] = MappingProxyType({})


class Whose(NamedTuple):
    """Whose a request is, as far as it can be told from what it carries."""

    client_id: str | None = None
    user_id: int | None = None
    grant_id: str | None = None


#: Of what belongs to no application, seller or grant, as far as can be told.
NOBODY = Whose()


class CodeIssued(Value, frozen=True, kw_only=True):
    """The seller approved: RFC 6749 section 4.1.2."""

    redirect_uri: str
    code: Secret
    state: Secret | None
    whose: Whose


class TokensIssued(Value, frozen=True, kw_only=True):
    """An access token, and what comes with it (RFC 6749 section 5.1).

    `refresh_token` is None without the offline_access permission and for client
    credentials; `public_key` is None for client credentials.
    """

    access_token: Secret
    expires_in: timedelta
    scopes: tuple[str, ...]
    user_id: int
    whose: Whose
    refresh_token: Secret | None
    public_key: str | None
    live_mode: bool


class TokenAccepted(Value, frozen=True, kw_only=True):
    """A bearer token that is good now: whose it is, for whom, and how old.

    `platform` marks a token that no seller approved: the application's own access token, or
    one of client credentials. `application_type` is that of the application it is for.
    """

    whose: Whose
    seller: Seller
    live_mode: bool
    age: timedelta
    platform: bool = False
    application_type: ApplicationType = "any"


class Ask(Value, frozen=True, kw_only=True):
    """May this authorization request be put before a seller? `user_id` is who is signed in."""

    request: AuthorizationRequest
    user_id: int | None = None


class Askable(Value, frozen=True, kw_only=True):
    """It may; `consent_needed` is False when this seller need not be asked again."""

    application: Application
    consent_needed: bool


class Approve(Value, frozen=True, kw_only=True):
    """The seller says yes."""

    request: AuthorizationRequest
    user_id: int


class Deny(Value, frozen=True, kw_only=True):
    """The seller says no; `by` is who has said it for them."""

    request: AuthorizationRequest
    user_id: int | None
    by: Denier = "person"


Message = Ask | Approve | Deny | TokenRequest | UseToken

#: What a request is granted, if it is.
Granted = Askable | CodeIssued | TokensIssued | TokenAccepted
