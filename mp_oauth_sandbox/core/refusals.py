"""One table: cause -> what the wire says and where, what really happened, what to do, the source.

The wire stays as vague as Mercado Pago's; explanation, remedy and source go to the journal.
Braces are filled from the facts of the refusal. "MP" is Mercado Pago's documentation, "ML"
that of Mercado Libre.
"""

from collections.abc import Iterable
from http import HTTPStatus
from types import MappingProxyType
from typing import Literal

from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.consent import Denier
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.paths import Place
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.shapes import USER_ID_DIGITS, is_client_id
from mp_oauth_sandbox.core.values import Value

Shape = Literal[
    "oauth",
    "unauthorized",
    "policy",
    "not_found",
    "payment",
    "rate_limited",
    "server_error",
    "page",
    "redirect",
]
"""How a refusal is told: seven kinds of body, the seller's error page, or back by redirect."""

_AUTHORIZATION: frozenset[Place] = frozenset({"authorization"})
_TOKEN: frozenset[Place] = frozenset({"token"})
_RESOURCE: frozenset[Place] = frozenset({"resource"})
_LINKING = _AUTHORIZATION | _TOKEN
_API = _TOKEN | _RESOURCE
_ANYWHERE = _LINKING | _RESOURCE


class Rule(Value, frozen=True):
    """One row: the wire's word and sentence, the explanation, the remedy, the source.

    `error` is the word that the answer tells under the default profile (`error_page` where the
    seller's page tells none), `shape` how it is told, `endpoints` where it can come from.
    """

    error: str
    message: str
    explanation: str
    remedy: str
    source: str
    shape: Shape = "oauth"
    endpoints: frozenset[Place] = _TOKEN


class WireError(Value, frozen=True, kw_only=True):
    """What an answer says about a refusal: HTTP status, error name and sentence."""

    status: int
    error: str
    message: str


_GRANT = (
    "Error validating grant. Your authorization code or refresh token may be expired or it was"
    " already used"
)
_CLIENT = "invalid client_id or client_secret"
_REFERENCE = "MP, POST /oauth/token reference"
_GRANT_SOURCE = f"{_REFERENCE}: invalid_grant; ML, Authentication and Authorization"
_SIDE_BY_SIDE = "  sent      {sent}\n  expected  {nearest}\n            {caret}"
_RESTART = "Send the seller through /authorization again and redeem the new code at once, once."


def _grant(
    explanation: str,
    remedy: str,
    source: str = _GRANT_SOURCE,
    endpoints: frozenset[Place] = _TOKEN,
) -> Rule:
    return Rule("invalid_grant", _GRANT, explanation, remedy, source, endpoints=endpoints)


def _client(explanation: str, remedy: str, endpoints: frozenset[Place] = _LINKING) -> Rule:
    source = f"{_REFERENCE}: invalid_client"
    return Rule("invalid_client", _CLIENT, explanation, remedy, source, endpoints=endpoints)


def _request(
    message: str,
    explanation: str,
    remedy: str,
    source: str,
    endpoints: frozenset[Place] = _TOKEN,
) -> Rule:
    return Rule("invalid_request", message, explanation, remedy, source, endpoints=endpoints)


def _page(explanation: str, remedy: str, source: str) -> Rule:
    return Rule("error_page", "", explanation, remedy, source, "page", _AUTHORIZATION)


def _token(explanation: str, remedy: str) -> Rule:
    source = "the message is seen in 3 public projects (MP), the whole body in one (ML)"
    return Rule(
        "unauthorized",
        "invalid access token",
        explanation,
        remedy,
        source,
        "unauthorized",
        _RESOURCE,
    )


RULES: MappingProxyType[Cause, Rule] = MappingProxyType(
    {
        Cause.BODY_UNREADABLE: _request(
            "the request body could not be read",
            "The body could not be read: {problem}.",
            "Send a JSON object with Content-Type: application/json, or a form with"
            " Content-Type: application/x-www-form-urlencoded.",
            "RFC 6749 section 5.2 (invalid_request); the sentence is a guess",
            _API,
        ),
        Cause.BODY_TOO_LARGE: _request(
            "the request body is too large",
            "The body is larger than {limit} bytes; a token request needs a few hundred.",
            "Send only the documented fields.",
            "the sandbox's own limit",
            _API,
        ),
        Cause.BODY_TOO_SLOW: _request(
            "the request body did not arrive in time",
            "The body did not arrive within {limit} seconds.",
            "Send the whole body at once, and a Content-Length that matches it.",
            "the sandbox's own limit",
            _API,
        ),
        Cause.PARAMETER_MISSING: _request(
            "{sentence}",
            "The request lacks {names}.",
            "Send {names} in {where}.",
            f"{_REFERENCE}; the sentence about three fields is that of a public MP thread of"
            " 2021, the other follows the one of code_verifier and is a guess",
            _LINKING,
        ),
        Cause.PARAMETER_DUPLICATED: _request(
            "{name} must be sent only once",
            "The parameter {name} was sent more than once.",
            "Send each parameter once.",
            "RFC 6749 sections 3.1 and 3.2; the sentence is a guess",
            _ANYWHERE,
        ),
        Cause.PARAMETER_MALFORMED: _request(
            "{name} is malformed",
            "The parameter {name} is malformed: {problem}.",
            "Send {name} as {expected}.",
            "RFC 6749 section 5.2 (invalid_request); the sentence is a guess",
            _ANYWHERE,
        ),
        Cause.PARAMETER_SURPLUS: _request(
            "unsupported parameter: {name}",
            "The body has {name}, which is no documented field of this grant type.",
            "Leave {name} out: Mercado Pago's best practices name surplus fields as a cause of"
            " errors.",
            "MP, OAuth best practices; MP reference: invalid_request, unsupported parameter; the"
            " sentence is a guess",
        ),
        Cause.PARAMETER_IN_QUERY: _request(
            "unsupported parameter in the query: {name}",
            "{name} was sent in the URL's query string.",
            "Send every parameter in the body; URLs end up in logs.",
            "MP, OAuth best practices",
        ),
        Cause.APPLICATION_UNKNOWN: _client(
            "No application has the client_id {client_id}.",
            "Compare client_id with the one the sandbox printed or answered at registration;"
            " after a reset, applications made through the control API are gone.",
        ),
        Cause.APPLICATION_DELETED: _client(
            "The application {client_id} was deleted.",
            "Register it again; sellers must link again too.",
        ),
        Cause.APPLICATION_BLOCKED: Rule(
            "forbidden",
            "",
            "The application {client_id} is blocked.",
            "Unblock it in the sandbox; in production only Mercado Pago's support can.",
            "MP reference: forbidden; status 400 there, 403 in ML's list; the sentence is a guess",
            endpoints=_LINKING,
        ),
        Cause.APPLICATION_NOT_ACTIVATED: _page(
            "The production credentials of the application {client_id} are not activated.",
            "Activate them in the developer panel; here, set activated of the application.",
            "seen in 3 public projects (MP), the newest of 2026",
        ),
        Cause.SECRET_MISMATCH: _client(
            "The client_secret is not that of application {client_id}.",
            "Copy the client_secret again; if it was rotated, deploy the new one. This is no"
            " reason to unlink any seller.",
            _TOKEN,
        ),
        Cause.RESPONSE_TYPE_UNSUPPORTED: _page(
            "response_type is {value}; Mercado Pago knows only code.",
            "Send response_type=code.",
            "MP, official Postman collection: always code",
        ),
        Cause.REDIRECT_URI_NOT_REGISTERED: _page(
            "redirect_uri {sent} is not registered for this application.",
            "Register exactly this URI, or send exactly a registered one: {registered}. They are"
            " compared byte for byte; the panel's placeholder is none of yours.",
            "MP, Get Access Token: must equal the registered URL; seen in 7 public projects, in one"
            " of them (2026) with the panel's placeholder as the only one registered",
        ),
        Cause.CHALLENGE_MISSING: _grant(
            "The application requires PKCE and the authorization request had no code_challenge.",
            "Send code_challenge and code_challenge_method=S256, or switch PKCE off for the"
            " application.",
            "MP, Get Access Token: PKCE; ML, Authentication and Authorization",
            _LINKING,
        ),
        Cause.CHALLENGE_MALFORMED: _page(
            "The code challenge cannot be used: {problem}.",
            "Send code_challenge = base64url(SHA-256(verifier)) without padding and"
            " code_challenge_method=S256.",
            "RFC 7636 sections 4.2 and 4.3",
        ),
        Cause.CHALLENGE_UNEXPECTED: _page(
            "A code_challenge was sent, and the application {client_id} has PKCE off.",
            "Switch PKCE on for the application, or send no code_challenge.",
            "noted by 4 public projects (MP, 2026); a guess: profile field challenge_without_pkce",
        ),
        Cause.SCOPE_INVALID: Rule(
            "invalid_scope",
            "",
            "The scope asks for {surplus}; allowed here: {allowed}.",
            "Ask only for scopes the application has, or leave scope out.",
            "MP reference: invalid_scope, allowed are offline_access, write, read; the sentence"
            " is a guess",
            endpoints=_LINKING,
        ),
        Cause.OPERATOR_ACCOUNT: _page(
            "{nickname} is a collaborator of account {main_account}; only the main account can"
            " authorize an application.",
            "Tell the seller to sign in with the main account.",
            "ML, Authentication and Authorization: invalid_operator_user_id; 6 public projects",
        ),
        Cause.SELLER_UNKNOWN: _page(
            "There is no seller with the user id {user_id}.",
            "Create the seller first, or sign in as another.",
            "the sandbox's own rule",
        ),
        Cause.PAGE_EXPIRED: _page(
            "The form or page belongs to no waiting request of this browser: it was answered"
            " already, or another session, a restart or a reset came in between.",
            "Start again from the application.",
            "the sandbox's own rule",
        ),
        Cause.SELLER_DENIED: Rule(
            "access_denied",
            "User denied access",
            "The seller refused to link the application ({how}).",
            "{undo}Nothing to repair: tell the seller that the account is not linked and how to try"
            " again. Do not call the token endpoint.",
            "MP, marketplace guide of its plugins (2026): a redirect with an error parameter; its"
            " value is a guess (RFC 6749 section 4.1.2.1)",
            "redirect",
            _AUTHORIZATION,
        ),
        Cause.GRANT_TYPE_UNSUPPORTED: Rule(
            "unsupported_grant_type",
            "",
            "grant_type {value} does not exist here.",
            "Send authorization_code, refresh_token or client_credentials.",
            f"{_REFERENCE}: unsupported_grant_type; the sentence is a guess",
        ),
        Cause.CODE_UNKNOWN: _grant(
            "No such code was ever issued here, or it was before the last reset, or it was dropped"
            " long after its end.",
            "Send the code exactly as it arrived in the callback. " + _RESTART,
        ),
        Cause.CODE_EXPIRED: _grant(
            "The code was issued {age} ago and lives {lifetime}.",
            _RESTART,
            f"{_REFERENCE}: a code is valid for 10 minutes",
        ),
        Cause.CODE_ALREADY_REDEEMED: _grant(
            "The code was already redeemed, {spent_ago} ago; a code works once.",
            "Find the second request: a reloaded callback, a retry after a lost answer, or two"
            " workers. If the first answer was lost, start the linking again.",
            f"{_REFERENCE}: single use; RFC 6749 section 4.1.2",
        ),
        Cause.CODE_OF_ANOTHER_APPLICATION: _grant(
            "The code was issued to application {issuer}, and {client_id} presents it.",
            "Use the same client_id in the authorization URL and in the exchange; often one of"
            " them still belongs to the test application.",
        ),
        Cause.CODE_BURNT: _grant(
            "An earlier failed exchange, {spent_ago} ago, spent this code: the profile's"
            " failed_exchange_burns_code is on.",
            _RESTART,
            "unknown for Mercado Pago: profile field failed_exchange_burns_code",
        ),
        Cause.REDIRECT_URI_MISMATCH: _grant(
            "redirect_uri differs from the one of the authorization request.\n" + _SIDE_BY_SIDE,
            "Send the same redirect_uri, byte for byte, in both steps; take it from configuration,"
            " never from the Host header.",
            f"{_REFERENCE}: invalid_grant; RFC 6749 section 4.1.3",
        ),
        Cause.VERIFIER_MISSING: _request(
            "code_verifier is a required parameter",
            "The exchange needs a code_verifier: {because}.",
            "Keep the verifier beside the state when the flow starts, and send it with the code.",
            "seen in 8 public projects (ML); MP, Get Access Token: PKCE",
        ),
        Cause.VERIFIER_MALFORMED: _grant(
            "The code_verifier has {length} characters or characters outside A-Z a-z 0-9 - . _ ~;"
            " 43 to 128 are allowed.",
            "Use 43 to 128 random characters of that alphabet, without padding.",
            "RFC 7636 section 4.1",
        ),
        Cause.VERIFIER_MISMATCH: _grant(
            "The code_verifier does not belong to the code_challenge ({method}) of this code.",
            "Keep one verifier for each state: a second tab or a second start often overwrites the"
            " first one's.",
            "RFC 7636 section 4.6; the wire's sentence is a guess",
        ),
        Cause.VERIFIER_UNEXPECTED: _grant(
            "A code_verifier was sent, but the authorization request of this code had no"
            " code_challenge.",
            "Send code_challenge in the authorization URL, or no code_verifier in the exchange.",
            "RFC 9700 section 2.1.1; one ML note",
        ),
        Cause.REFRESH_UNKNOWN: _grant(
            "No such refresh token was ever issued here, or it was before the last reset, or it was"
            " dropped long after its end.",
            "Send the refresh_token of the newest answer, unchanged; otherwise the seller must"
            " link again.",
        ),
        Cause.REFRESH_EXPIRED: _grant(
            "The refresh token was issued {age} ago and expired {expired_ago} ago.",
            "Renew earlier: a refresh some weeks before the access token ends leaves room for"
            " failures. This seller must link again.",
            "MP, OAuth overview: 6 months",
        ),
        Cause.REFRESH_REPLACED: _grant(
            "The refresh token was replaced {spent_ago} ago by a newer one; each works once.",
            "Store the new refresh_token before anything else, and let one worker at a time renew"
            " a seller. Two workers racing, or a retry after a lost answer, look like this.",
            f"{_REFERENCE}: single use; MP, renewal: replaced on every refresh",
        ),
        Cause.REFRESH_OF_ANOTHER_APPLICATION: _grant(
            "The refresh token was issued to application {issuer}, and {client_id} presents it.",
            "Use the credentials of the application that linked the seller; often a test and a"
            " production configuration are mixed.",
        ),
        Cause.OFFLINE_ACCESS_MISSING: Rule(
            "unauthorized_client",
            "",
            "The application {client_id} does not have the offline_access permission, so it cannot"
            " refresh.",
            "Give the application offline_access again.",
            "MP reference: unauthorized_client, scopes do not allow a token; the sentence is a"
            " guess",
        ),
        Cause.LINK_REVOKED: _grant(
            "The seller's link no longer stands: {because}.",
            "Mark the seller as needing to link again and stop presenting this token.",
            "MP, OAuth management: causes of revocation",
        ),
        Cause.GRANT_DISPLACED: _grant(
            "A newer authorization of the same seller displaced this one; the link itself stands.",
            "Use the tokens of the newest authorization, and overwrite older ones when a seller"
            " links again.",
            "unknown for Mercado Pago: profile field reauthorization; a public ML thread of 2021",
        ),
        Cause.GRANT_REPLAYED: _grant(
            "All tokens of this authorization were revoked, because {because}.",
            "Find out who presented it twice: two workers, a retry, or a thief. The seller must"
            " link again.",
            "RFC 6749 section 4.1.2 and RFC 9700 section 4.14.2; unknown for Mercado Pago: profile"
            " fields code_replay_revokes_tokens and refresh_reuse_revokes_family",
        ),
        Cause.RATE_LIMITED: Rule(
            "local_rate_limited",
            "too many requests, please try again",
            "The application made more than {limit} token requests within a minute.",
            "Wait (Retry-After, where it is sent), then try again with growing pauses. This is no"
            " reason to unlink any seller.",
            "MP reference: 429 local_rate_limited; the body is a guess",
            "rate_limited",
            _ANYWHERE,
        ),
        Cause.SERVER_FAILED: Rule(
            "service_unavailable",
            "",
            "A fault of the sandbox answered {status} before anything was decided, as a failing or"
            " overloaded server would, or a gateway before it.",
            "Try a refresh again later, with growing pauses, and unlink nobody. A real 5xx does not"
            " tell whether the code or refresh token was spent, so never repeat a code for it.",
            "ML, errors of another API: 500, 502, 503 and 504 in this shape; a guess for MP",
            "server_error",
            _ANYWHERE,
        ),
        Cause.NOT_SAVED: Rule(
            "internal_error",
            "internal server error",
            "The request was good, but what it changes could not be saved, and so nothing has"
            " changed: {problem}.",
            "See to the sandbox's data file, as the reason says, and ask the same again.",
            "the sandbox's own: the body is a guess",
            endpoints=_LINKING,
        ),
        Cause.TOKEN_MISSING: Rule(
            "unauthorized",
            "authorization value not present",
            "The request carries no access token: {problem}.",
            "Send Authorization: Bearer <access_token>.",
            "seen in 5 public projects (MP)",
            "unauthorized",
            _RESOURCE,
        ),
        Cause.TOKEN_MALFORMED: _token(
            "What was sent is not an access token: {problem}.",
            "Send the access_token of the newest answer, unchanged.",
        ),
        Cause.TOKEN_UNKNOWN: _token(
            "No such access token was ever issued here, or it was before the last reset, or it was"
            " dropped long after its end.",
            "Send the access_token of the newest answer; tokens of the real Mercado Pago do not"
            " work here, and the reverse.",
        ),
        Cause.TOKEN_EXPIRED: _token(
            "The access token was issued {age} ago and expired {expired_ago} ago.",
            "Refresh before expires_in is over; never use a token past its end.",
        ),
        Cause.TOKEN_REVOKED: _token(
            "The access token was revoked: {because}.",
            "Refresh once; if that is refused too, the seller must link again.",
        ),
        Cause.TOKEN_FORBIDDEN: Rule(
            "PA_UNAUTHORIZED_RESULT_FROM_POLICIES",
            "At least one policy returned UNAUTHORIZED.",
            "The access token is good, but {because}.",
            "Give the application the permission (or unblock it); another token does not help.",
            "seen in 6 public projects (MP), the whole body in one (ML); when it comes is a guess",
            "policy",
            _RESOURCE,
        ),
        Cause.APPLICATION_FORBIDDEN: Rule(
            "PA_UNAUTHORIZED_RESULT_FROM_POLICIES",
            "At least one policy returned UNAUTHORIZED.",
            "The access token is good, but {because}.",
            "Read an application with GET and a token of its owner, such as its own access token."
            " Change it in the developer panel.",
            "PUT and POST are a 403 in 1 public project (MP, 2026); that others' tokens are too,"
            " and the body, is a guess",
            "policy",
            _RESOURCE,
        ),
        Cause.TYPE_FORBIDDEN: Rule(
            "PA_UNAUTHORIZED_RESULT_FROM_POLICIES",
            "At least one policy returned UNAUTHORIZED.",
            "The access token is good, but an application of the type {application_type} may not"
            " ask for {asked}.",
            "Use an application of another type for this. Neither a scope nor a new authorization"
            " of the same application helps.",
            "MP, marketplace guide of its plugins (2026); the whole body is seen in one public"
            " project (ML)",
            "policy",
            _RESOURCE,
        ),
        Cause.RESOURCE_UNKNOWN: Rule(
            "resource not found",
            "",
            "The sandbox has nothing at {method} {path}.",
            "Check method and path, or add a resource for them. Linking needs POST /oauth/token;"
            " the seller's browser goes to GET /authorization.",
            "the 404 of the API, seen in 5 public projects (ML)",
            "not_found",
            _RESOURCE,
        ),
        Cause.IDEMPOTENCY_KEY_MISSING: Rule(
            "bad_request",
            "Header X-Idempotency-Key can't be null",
            "The request has no X-Idempotency-Key header.",
            "Send a key of its own (a UUID) with each payment, and the same one when you repeat"
            " it.",
            "MP, POST /v1/payments reference; the sentence and code 4292 are seen in public"
            " projects, the other keys are a guess; profile field payment_idempotency_key",
            "payment",
            _RESOURCE,
        ),
        Cause.TEST_USER_IN_LIVE_MODE: Rule(
            "internal_server_error",
            "user_allowed_only_in_test",
            "The seller is a test user and the token's live_mode is true.",
            "Send test_token=true with the code exchange, or link a real seller in production.",
            "the message is seen in public projects (MP, 2026), with status 500 and with 400, and"
            " with 422 for orders; the other keys are a guess; profile field"
            " live_payment_of_test_user",
            endpoints=_RESOURCE,
        ),
    }
)

_PREFIXES = "Authorization codes and refresh tokens start with TG-, access tokens with APP_USR-."

MISTAKES: MappingProxyType[Mistake, tuple[str, str]] = MappingProxyType(
    {
        Mistake.ACCESS_TOKEN_AS_SECRET: (
            "client_secret holds an access token. Guides of 2019 to 2021 and several SDKs say so,"
            " but the token endpoint refuses it today.",
            "Use the 32-character client_secret of the application; for an SDK that cannot, the"
            " profile field access_token_as_secret accepts it here.",
        ),
        Mistake.SECRET_BEFORE_ROTATION: (
            "client_secret is the one that application {client_id} had before it was rotated.",
            "Deploy the new client_secret everywhere. Every seller must link again: the rotation"
            " ended all tokens.",
        ),
        Mistake.CODE_AS_REFRESH_TOKEN: (
            "refresh_token holds an authorization code. Both look alike (TG-...), but a code is"
            " redeemed with grant_type=authorization_code.",
            "Redeem the code first, store the refresh_token of that answer, and refresh with it.",
        ),
        Mistake.REFRESH_TOKEN_AS_CODE: (
            "code holds a refresh token. Both look alike (TG-...), but a refresh token is used"
            " with grant_type=refresh_token.",
            "Send it as refresh_token with grant_type=refresh_token.",
        ),
        Mistake.ACCESS_TOKEN_AS_GRANT: (
            "An access token was sent where a code or refresh token belongs. " + _PREFIXES,
            "Send the code of the callback, or the refresh_token of the newest answer.",
        ),
        Mistake.CODE_STILL_ENCODED: (
            "The code contains a percent sign, so it is still URL-encoded (or encoded twice).",
            "Decode the callback's query once, with your framework's own query parser.",
        ),
        Mistake.REDIRECT_URI_STILL_ENCODED: (
            "redirect_uri is still URL-encoded (or encoded twice).\n" + _SIDE_BY_SIDE,
            "Encode the URI once when it goes into a URL, and not at all in a JSON body.",
        ),
        Mistake.REDIRECT_URI_ALMOST: (
            "redirect_uri differs by one character.\n" + _SIDE_BY_SIDE,
            "Make both the same, byte for byte; a final slash, http for https and 127.0.0.1 for"
            " localhost all count.",
        ),
        Mistake.PARAMETERS_IN_QUERY: (
            "The body lacks {names}, but the URL's query string has parameters. They are not read"
            " there.",
            "Send every parameter in the body, as JSON or as a form; URLs end up in logs.",
        ),
        Mistake.BASIC_AUTHENTICATION: (
            "The body lacks {names}, but the request has an Authorization: Basic header. Mercado"
            " Pago documents no such thing, and it is not read.",
            "Send client_id and client_secret in the body (client_secret_post in OAuth libraries).",
        ),
        Mistake.USER_ID_AS_CLIENT_ID: (
            "No application has the client_id {client_id}, which looks like the user id of an"
            " account: those have 8 to 10 digits, and the numbers of applications 15 or 16.",
            "Send the number of the application, which the panel shows beside its secret.",
        ),
        Mistake.REVOCATION_ENDPOINT: (
            "Mercado Pago has no endpoint that revokes tokens, so nothing is at {method} {path}.",
            "Forget the seller's tokens, and ask the seller to unlink the application in their"
            " account (Profile > Security > Connected apps); here, revoke by the control API.",
        ),
        Mistake.REFRESH_TOKEN_AS_BEARER: (
            "A code or refresh token was sent as the bearer token. " + _PREFIXES,
            "Send the access_token of the newest answer.",
        ),
    }
)

#: The status of each word; MP reference: 400 for all of the token endpoint's but 429.
_STATUS = {
    "local_rate_limited": 429,
    "unauthorized": 401,
    "PA_UNAUTHORIZED_RESULT_FROM_POLICIES": 403,
    "resource not found": 404,
    "internal_server_error": 500,
    "internal_error": 500,
}


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "(not known)"


def wire_error(refused: Refused, profile: Profile) -> WireError:
    """What the wire says about a refusal, under this profile."""
    rule = RULES[refused.cause]
    message = rule.message.format_map(_Facts(refused.facts))
    if rule.shape == "server_error":
        failed = HTTPStatus(int(refused.facts.get("status", 503)))
        error = failed.phrase.lower().replace(" ", "_")
        return WireError(status=failed, error=error, message=failed.phrase)
    status = _STATUS.get(rule.error, 400)
    match rule.error:
        case "invalid_grant" if profile.invalid_grant_final_period:
            message += "."
        case "invalid_client":
            status = profile.invalid_client_status
        case "forbidden":
            status, message = profile.forbidden_status, profile.forbidden_message
        case "unsupported_grant_type":
            message = profile.unsupported_grant_type_message
        case "invalid_scope":
            message = profile.invalid_scope_message
        case "unauthorized_client":
            message = profile.unauthorized_client_message
        case _:
            pass
    return WireError(status=status, error=rule.error, message=message)


def explanation(refused: Refused) -> str:
    """What really happened, in plain words, for the journal."""
    template = MISTAKES[refused.mistake][0] if refused.mistake else RULES[refused.cause].explanation
    text = template.format_map(_Facts(refused.facts))
    if refused.likely is None:
        return text
    # Two values side by side may follow.
    first, newline, rest = text.partition("\n")
    return f"{first} Most likely: {refused.likely.why}.{newline}{rest}"


def remedy(refused: Refused) -> str:
    """What to do about it, for the journal."""
    if refused.likely is not None:
        return refused.likely.do
    template = MISTAKES[refused.mistake][1] if refused.mistake else RULES[refused.cause].remedy
    return template.format_map(_Facts(refused.facts))


def visible(text: str) -> str:
    """A text with line breaks, escapes and other invisible characters written out.

    What a request says ends up on terminals and in log lines.
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def word(text: str) -> str:
    """A word that a request used where few are known; anything else may be a misplaced secret."""
    known_shape = len(text) <= 24 and text.isascii() and text.replace("_", "").isalpha()
    return text if known_shape else f"(a value of {len(text)} characters)"


def refuse(cause: Cause, mistake: Mistake | None = None, /, **facts: object) -> Refused:
    """A refusal with its facts; values are shown to people and must not hold whole secrets."""
    shown = {name: visible(str(value)) for name, value in facts.items()}
    return Refused(cause=cause, mistake=mistake, facts=MappingProxyType(shown))


def unknown_application(client_id: str | None) -> Refused:
    """The refusal of a client_id that no application has.

    Only a number is shown whole: id and secret may have been mixed up.
    """
    shown, mistake = client_id or "(none)", None
    if client_id and not is_client_id(client_id):
        shown = f"{client_id[:4]}... (not a number, {len(client_id)} characters)"
    elif len(shown) in USER_ID_DIGITS:
        mistake = Mistake.USER_ID_AS_CLIENT_ID
    return refuse(Cause.APPLICATION_UNKNOWN, mistake, client_id=shown)


#: How a seller has refused, and how to have sellers asked again where no person did it.
_DENIALS: dict[Denier, tuple[str, str]] = {
    "person": ("a person pressed cancel on the page", ""),
    "consent_mode": (
        "nobody was asked: the consent mode is deny",
        "To have sellers asked again: `mp-oauth-sandbox consent page` (PUT /_sandbox/consent). ",
    ),
    "browser_session": (
        "nobody was asked: this browser's own consent is deny",
        "To have the person in this browser asked again: PUT /_sandbox/consent with its session"
        " and mode page; `mp-oauth-sandbox consent page` is for all others. ",
    ),
    "fault": (
        "nobody was asked: an armed fault answered",
        "To be rid of it: `mp-oauth-sandbox fault list`, then `fault remove`. ",
    ),
}


def denied(by: Denier | None) -> Refused:
    """The refusal of a seller, and who has refused for them, where that is known."""
    if by is None:
        return refuse(Cause.SELLER_DENIED, how="its entry in the journal says how", undo="")
    how, undo = _DENIALS[by]
    return refuse(Cause.SELLER_DENIED, how=how, undo=undo, answered_by=by)


_BODY = "the body, as JSON or as a form"


def missing(name: str, *, where: str = _BODY) -> Refused:
    """The refusal of a request that lacks one field, and where that belongs."""
    sentence = f"{name} is a required parameter"
    return refuse(Cause.PARAMETER_MISSING, names=name, sentence=sentence, where=where)


def missing_of_trio(names: Iterable[str], mistake: Mistake | None = None) -> Refused:
    """The refusal of a token request that lacks some of the three fields every grant needs.

    The sentence is Mercado Pago's own, from a public thread of 2021.
    """
    listed = ", ".join(names)
    sentence = (
        "the following parameters are required: grant_type, client_id, client_secret."
        f" Missing parameters: {listed}"
    )
    return refuse(Cause.PARAMETER_MISSING, mistake, names=listed, sentence=sentence, where=_BODY)
