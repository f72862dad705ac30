"""Every behaviour on the wire: what it is, how well it is known, and from where.

The rows about refusals, lifetimes and switches are made from the tables that the server itself
runs on; the others are written here. Nothing was measured by calling the live service.
"MP" is Mercado Pago's documentation, "ML" that of Mercado Libre, which shares the same
authorization platform. Third-party projects are counted, never named.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from mp_oauth_sandbox.core import lifetimes
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.profile import DEFAULT
from mp_oauth_sandbox.core.refusals import MISTAKES, RULES, Rule, refuse, wire_error
from mp_oauth_sandbox.engine.profiles import switches

Evidence = Literal["documented", "observed", "guess"]
"""How well a behaviour is known.

`documented`: a document of Mercado Pago or Mercado Libre, or the source of an official SDK,
says it. `observed`: it is in public captures or threads, or in code written after seeing it.
`guess`: an inference, an RFC where Mercado Pago is silent, or the sandbox's own choice.
"""


class Subject(StrEnum):
    """What a behaviour is about; the values are headings, in the order of a page."""

    AUTHORIZATION = "The authorization endpoint"
    REQUESTS = "Requests to the token endpoint"
    SUCCESS = "Success answers"
    REFUSALS = "Refusals"
    LIFETIMES = "Lifetimes and revocation"
    PKCE = "PKCE"
    RESOURCES = "Resources"
    WEBHOOKS = "Webhooks"
    OWN = "The sandbox's own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One behaviour on the wire.

    `id` is stable: tests name it. `switch` is the field of a profile that changes it.
    """

    id: str
    subject: Subject
    what: str
    evidence: Evidence
    source: str
    switch: str | None = None


class UnknownSwitchError(LookupError):
    """A profile has a switch of which SWITCHES says nothing."""

    def __init__(self, name: str) -> None:
        """`name` is the field; the text is the line to add."""
        super().__init__(
            f"SWITCHES in mp_oauth_sandbox/fidelity.py says nothing of Profile.{name}; add:"
            f' "{name}": (Subject.RESOURCES, "guess", "What the default does, in a sentence."),'
        )


@functools.cache
def behaviours() -> tuple[Behaviour, ...]:
    """Every row, by subject, in the order of the tables.

    Raises UnknownSwitchError, which says what to add, when a field of Profile has no row.
    """
    rows = [*WRITTEN, *_lifetimes(), *switch_behaviours(), *_refusals(), *_slips()]
    order = list(Subject)
    return tuple(sorted(rows, key=lambda row: order.index(row.subject)))


# ---- refusals ----

#: Which field of a profile changes when a cause comes, or how it is told.
_CAUSE_SWITCHES: MappingProxyType[Cause, str] = MappingProxyType(
    {
        Cause.PARAMETER_SURPLUS: "surplus_fields",
        Cause.PARAMETER_IN_QUERY: "query_parameters",
        Cause.APPLICATION_BLOCKED: "forbidden_status",
        Cause.REDIRECT_URI_NOT_REGISTERED: "bad_authorization_request",
        Cause.CHALLENGE_MISSING: "challenge_missing",
        Cause.SCOPE_INVALID: "invalid_scope_message",
        Cause.SELLER_DENIED: "denial_error_description",
        Cause.GRANT_TYPE_UNSUPPORTED: "unsupported_grant_type_message",
        Cause.CODE_BURNT: "failed_exchange_burns_code",
        Cause.VERIFIER_UNEXPECTED: "stray_verifier",
        Cause.REFRESH_EXPIRED: "refresh_token_lifetime",
        Cause.REFRESH_REPLACED: "refresh_reusable",
        Cause.OFFLINE_ACCESS_MISSING: "unauthorized_client_message",
        Cause.GRANT_DISPLACED: "reauthorization",
        Cause.GRANT_REPLAYED: "refresh_reuse_revokes_family",
        Cause.RATE_LIMITED: "token_requests_per_minute",
        Cause.IDEMPOTENCY_KEY_MISSING: "payment_idempotency_key",
        Cause.TEST_USER_IN_LIVE_MODE: "live_payment_of_test_user",
    }
)

#: Names whose one sentence has a row of its own.
_ONE_SENTENCE = frozenset({"invalid_grant", "invalid_client"})

#: Names that RULES gives to answers which show no such word.
_NO_ERROR_NAME = frozenset({"unauthorized", "policy", "resource not found"})

_FACT = re.compile(r"\{(\w+)\}")
_CLOSING_FACT = re.compile(r"(?:; \w+ \w+)?: \{\w+\}(?=[.;])")

_GUESSED = re.compile(r"guess|unknown|sandbox's own")
_DOCUMENT = re.compile(r"\b(?:MP|ML),|\b(?:MP|ML) reference|official")
_CAPTURE = re.compile(r"seen in|capture|thread|note")


def evidence_of(source: str) -> Evidence:
    """How well a refusal is known, by the words of its source.

    A part that is a guess makes all of it one; otherwise what the source names first counts.
    An RFC alone is a guess: it says what should be, not what Mercado Pago does.
    """
    if _GUESSED.search(source):
        return "guess"
    document, capture = _DOCUMENT.search(source), _CAPTURE.search(source)
    if capture and (document is None or capture.start() < document.start()):
        return "observed"
    return "documented" if document else "guess"


def _refusals() -> Iterator[Behaviour]:
    for cause, rule in RULES.items():
        condition = _CLOSING_FACT.sub("", rule.explanation.partition("\n")[0])
        yield Behaviour(
            id=f"refusal-{cause.replace('_', '-')}",
            subject=Subject.REFUSALS,
            what=f"{_FACT.sub('…', condition)} {_answer(cause, rule)}",
            evidence=evidence_of(rule.source),
            source=_sentence(rule.source),
            switch=_CAUSE_SWITCHES.get(cause),
        )


def _answer(cause: Cause, rule: Rule) -> str:
    """What the wire says, in words."""
    if rule.error == "error_page":
        return "The seller gets the error page, HTTP 400."
    if cause is Cause.SELLER_DENIED:
        return f"The browser goes back with `error={rule.error}`."
    error = wire_error(refuse(cause), DEFAULT)
    name = "" if rule.error in _NO_ERROR_NAME else f" `{error.error}`"
    # A rule's sentence may wait for facts, which only a real request has.
    known = error.message if "{" not in rule.message else _FACT.sub(r"<\1>", rule.message)
    own_row = rule.error in _ONE_SENTENCE or known in {"", "<sentence>"}
    said = "" if own_row else f": `{known}`"
    return f"Answer: {error.status}{name}{said}."


def _slips() -> Iterator[Behaviour]:
    for mistake, (told, _) in MISTAKES.items():
        first = _FACT.sub("…", told.partition("\n")[0].partition(". ")[0]).rstrip(".")
        yield Behaviour(
            id=f"slip-{mistake.replace('_', '-')}",
            subject=Subject.OWN,
            what=f"The journal recognises this slip: “{first}”.",
            evidence="guess",
            source="The sandbox's own help; the wire says no more than without it.",
        )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


# ---- lifetimes ----


def _lifetimes() -> Iterator[Behaviour]:
    documented = (
        (
            "authorization-code",
            "An authorization code",
            lifetimes.AUTHORIZATION_CODE,
            "MP, POST /oauth/token reference: 10 minutes; MP, OAuth overview.",
            None,
        ),
        (
            "access-token",
            "An access token of a code or a refresh",
            lifetimes.ACCESS_TOKEN,
            "MP, POST /oauth/token reference; seen in 6 public captures.",
            None,
        ),
        (
            "client-credentials-token",
            "An access token of client credentials",
            lifetimes.CLIENT_CREDENTIALS_TOKEN,
            "MP, Get Access Token: 6 hours; seen in 2 public captures.",
            None,
        ),
        (
            "refresh-token",
            "A refresh token",
            lifetimes.REFRESH_TOKEN,
            "MP, OAuth overview: 6 months; ML, Authentication and Authorization.",
            "refresh_token_lifetime",
        ),
    )
    for name, what, lifetime, source, switch in documented:
        yield Behaviour(
            id=f"lifetime-{name}",
            subject=Subject.LIFETIMES,
            what=f"{what} lives {_length(lifetime)}.",
            evidence="documented",
            source=source,
            switch=switch,
        )


def _length(lifetime: timedelta | lifetimes.CalendarMonths) -> str:
    if isinstance(lifetime, lifetimes.CalendarMonths):
        return f"{lifetime.months} calendar months"
    return f"{lifetime.total_seconds():.0f} seconds"


# ---- switches ----

#: What each switch does by default: subject, evidence of the default, the sentence.
SWITCHES: MappingProxyType[str, tuple[Subject, Evidence, str]] = MappingProxyType(
    {
        "error_body": (
            Subject.REFUSALS,
            "observed",
            "An error body has the keys `message`, `error`, `status`, `cause`, in this order;"
            " `cause` is an empty list.",
        ),
        "invalid_grant_final_period": (
            Subject.REFUSALS,
            "observed",
            "The sentence of `invalid_grant` ends without a period.",
        ),
        "token_type": (Subject.SUCCESS, "observed", "`token_type` is `Bearer`."),
        "scope_order": (
            Subject.SUCCESS,
            "observed",
            "`scope` lists the granted scopes in alphabetical order.",
        ),
        "default_scopes": (
            Subject.SUCCESS,
            "observed",
            "A new application has the scopes `offline_access payments read write`.",
        ),
        "invalid_client_status": (
            Subject.REFUSALS,
            "documented",
            "The status of `invalid_client` is 400.",
        ),
        "forbidden_status": (Subject.REFUSALS, "documented", "The status of `forbidden` is 400."),
        "rate_limited_body": (
            Subject.REFUSALS,
            "guess",
            "The body of a 429 is an error body with `error: local_rate_limited`.",
        ),
        "retry_after": (Subject.REFUSALS, "guess", "A 429 has no `Retry-After` header."),
        "token_requests_per_minute": (
            Subject.REFUSALS,
            "guess",
            "There is no limit to the token requests of an application; as a switch, so many in"
            " each minute.",
        ),
        "unsupported_grant_type_message": (
            Subject.REFUSALS,
            "guess",
            f"The sentence of `unsupported_grant_type` is"
            f" `{DEFAULT.unsupported_grant_type_message}`.",
        ),
        "invalid_scope_message": (
            Subject.REFUSALS,
            "guess",
            f"The sentence of `invalid_scope` is `{DEFAULT.invalid_scope_message}`.",
        ),
        "unauthorized_client_message": (
            Subject.REFUSALS,
            "guess",
            f"The sentence of `unauthorized_client` is `{DEFAULT.unauthorized_client_message}`.",
        ),
        "forbidden_message": (
            Subject.REFUSALS,
            "guess",
            f"The sentence of `forbidden` is `{DEFAULT.forbidden_message}`.",
        ),
        "query_parameters": (
            Subject.REQUESTS,
            "guess",
            "Parameters in the query of POST /oauth/token are not read, so they count as missing.",
        ),
        "surplus_fields": (
            Subject.REQUESTS,
            "observed",
            "Fields that the grant type does not know are ignored.",
        ),
        "refresh_without_client_id": (
            Subject.REQUESTS,
            "documented",
            "A refresh without `client_id` is refused like any other request without it.",
        ),
        "access_token_as_secret": (
            Subject.REQUESTS,
            "observed",
            "The owner's access token is no `client_secret`.",
        ),
        "test_token_prefix": (
            Subject.SUCCESS,
            "observed",
            "With `test_token`, access token and public key start with `TEST-`.",
        ),
        "refresh_reusable": (
            Subject.LIFETIMES,
            "documented",
            "A refresh token works once.",
        ),
        "refresh_reuse_revokes_family": (
            Subject.LIFETIMES,
            "guess",
            "A replaced refresh token that is presented again revokes nothing.",
        ),
        "refresh_revokes_access_token": (
            Subject.LIFETIMES,
            "guess",
            "A refresh leaves the earlier access token valid until its own expiry.",
        ),
        "code_replay_revokes_tokens": (
            Subject.LIFETIMES,
            "guess",
            "A code presented a second time revokes nothing.",
        ),
        "reauthorization": (
            Subject.LIFETIMES,
            "guess",
            "A seller who links again keeps the earlier tokens; the new ones stand beside them.",
        ),
        "failed_exchange_burns_code": (
            Subject.REQUESTS,
            "guess",
            "A failed exchange leaves its code usable.",
        ),
        "refresh_body": (
            Subject.SUCCESS,
            "documented",
            "A refresh answers with the same eight fields as a code exchange.",
        ),
        "refresh_scope": (
            Subject.REQUESTS,
            "guess",
            "`scope` in a refresh narrows the new access token; scopes beyond the granted ones"
            " are refused.",
        ),
        "client_credentials_live_mode": (
            Subject.SUCCESS,
            "observed",
            "A client_credentials answer has `live_mode`.",
        ),
        "token_hour_zone": (
            Subject.SUCCESS,
            "observed",
            "The MMddHH in an access token is the hour of its issue in UTC-4.",
        ),
        "refresh_token_lifetime": (
            Subject.LIFETIMES,
            "documented",
            "A refresh token outlives the access token it came with: 6 months, not 180 days.",
        ),
        "bad_authorization_request": (
            Subject.AUTHORIZATION,
            "observed",
            "A redirect URI that is not registered leads to an error page, never to a redirect.",
        ),
        "http_redirect_uris": (
            Subject.AUTHORIZATION,
            "guess",
            "http redirect URIs can be registered, on any host.",
        ),
        "redirect_uri_query": (
            Subject.AUTHORIZATION,
            "guess",
            "A redirect URI with a query string can be registered.",
        ),
        "platform_id_required": (
            Subject.AUTHORIZATION,
            "documented",
            "`platform_id` may be left out, or be anything.",
        ),
        "authorization_scope": (
            Subject.AUTHORIZATION,
            "guess",
            "`scope` in the authorization request is ignored; the application's scopes count.",
        ),
        "challenge_missing": (
            Subject.PKCE,
            "observed",
            "A PKCE application that sends no challenge still gets a code; its exchange fails.",
        ),
        "challenge_without_method": (
            Subject.PKCE,
            "guess",
            "A challenge without `code_challenge_method` is a plain one.",
        ),
        "stray_verifier": (
            Subject.PKCE,
            "observed",
            "A `code_verifier` where no challenge was sent is ignored.",
        ),
        "skip_repeated_consent": (
            Subject.AUTHORIZATION,
            "guess",
            "A seller who has linked the application already is asked again.",
        ),
        "denial_error_description": (
            Subject.AUTHORIZATION,
            "guess",
            "A denial carries no `error_description`.",
        ),
        "denial_echoes_state": (
            Subject.AUTHORIZATION,
            "guess",
            "A denial carries the `state` that was sent.",
        ),
        "redirect_status": (
            Subject.AUTHORIZATION,
            "guess",
            "The redirect back to the application is a 302.",
        ),
        "unauthorized_body": (
            Subject.RESOURCES,
            "observed",
            "A resource's 401 has the keys `code` and `message`; `code` is `unauthorized`.",
        ),
        "access_token_in_query": (
            Subject.RESOURCES,
            "documented",
            "An access token in the query of a resource is not seen.",
        ),
        "payment_idempotency_key": (
            Subject.RESOURCES,
            "documented",
            "POST /v1/payments without `X-Idempotency-Key` is refused.",
        ),
        "live_payment_of_test_user": (
            Subject.RESOURCES,
            "guess",
            "POST /v1/payments takes a token whose `live_mode` is true, although every seller here"
            " is a test user.",
        ),
        "webhook_ts": (
            Subject.WEBHOOKS,
            "documented",
            "`ts` in `x-signature` is in seconds.",
        ),
        "webhook_data_id": (
            Subject.WEBHOOKS,
            "documented",
            "`data.id` is the seller's `user_id`, as text.",
        ),
        "webhook_authorized_at": (
            Subject.WEBHOOKS,
            "guess",
            "`application.authorized` is sent when a code is exchanged.",
        ),
        "webhook_retries": (
            Subject.WEBHOOKS,
            "documented",
            "What was not confirmed is sent again every 15 minutes, later at growing intervals,"
            " until it is.",
        ),
    }
)


def switch_behaviours(
    known: Mapping[str, tuple[Subject, Evidence, str]] = SWITCHES,
) -> Iterator[Behaviour]:
    """The rows about switches, their sources from the fields of Profile.

    Raises UnknownSwitchError for a field that is not `known`.
    """
    previous = ""
    for switch in switches():
        if switch.name not in known:
            raise UnknownSwitchError(switch.name)
        subject, evidence, what = known[switch.name]
        source = previous if switch.evidence == "Guess: as above." else switch.evidence
        previous = source
        yield Behaviour(
            id=f"switch-{switch.name.replace('_', '-')}",
            subject=subject,
            what=what,
            evidence=evidence,
            source=source,
            switch=switch.name,
        )


# ---- everything else ----

_REFERENCE = "MP, POST /oauth/token reference"
_GET_TOKEN = "MP, Get Access Token"  # noqa: S105 - a document's name


def _row(
    subject: Subject, name: str, what: str, evidence: Evidence, source: str, switch: str = ""
) -> Behaviour:
    return Behaviour(
        id=name,
        subject=subject,
        what=what,
        evidence=evidence,
        source=source,
        switch=switch or None,
    )


#: Behaviours that no other table of the code holds.
WRITTEN: tuple[Behaviour, ...] = (
    # ---- the authorization endpoint ----
    _row(
        Subject.AUTHORIZATION,
        "authorization-url",
        "The seller's browser opens GET /authorization with client_id, response_type, platform_id,"
        " state and redirect_uri, as the official SDKs write it; one host here for all countries.",
        "documented",
        f"{_GET_TOKEN}; official SDKs.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-sign-in",
        "A seller who is not signed in meets a sign-in page first.",
        "documented",
        f"{_GET_TOKEN}: the seller signs in. Its words and its look are the sandbox's own.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-consent",
        "The consent page names the application and lists the areas of access.",
        "documented",
        f"{_GET_TOKEN}; ML, Authentication and Authorization. The exact words are not known.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-redirect-order",
        "The browser comes back to the redirect URI with `code` first, then `state`, and nothing"
        " else.",
        "documented",
        f"{_GET_TOKEN}, and every sample of MP and ML.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-no-state",
        "`state` may be left out; then none comes back.",
        "documented",
        f"{_GET_TOKEN}: recommended; MP, split payments: a callback without it.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-state-bytes",
        "`state` comes back with the same bytes, percent-encoded, whatever they are.",
        "documented",
        f"{_GET_TOKEN}; ML: it is not looked at. How bytes are encoded again is a guess.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-code-each-time",
        "Every approval gives another code.",
        "guess",
        "RFC 6749 section 4.1.2; nothing shows a repeated code.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-redirect-uri-bytes",
        "The redirect URI is compared byte for byte: a final slash, a letter's case or a query"
        " makes another one.",
        "documented",
        f"{_GET_TOKEN}: must equal the registered URL; seen in 6 public projects.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-several-redirect-uris",
        "An application may register several redirect URIs; each can be asked for.",
        "documented",
        "MP, Application details: redirect URLs, in the plural.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-redirect-uri-keeps-query",
        "A redirect URI with a query keeps it; `code` is added with `&`.",
        "guess",
        "RFC 6749 section 3.1.2; the MP guide of 2017 advised such a query.",
        "redirect_uri_query",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-redirect-uri-first",
        "The redirect URI is judged before everything else that a request asks for.",
        "guess",
        "RFC 6749 section 4.1.2.1: nothing is sent to a URI that is not registered.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-error-page",
        "Whatever is wrong with an authorization request is told on an HTML page with HTTP 400.",
        "observed",
        "Seen in 6 public projects (MP); one of them tells the status.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-error-page-words",
        "The error page says that the application cannot connect, in Spanish, Portuguese or"
        " English.",
        "observed",
        "Seen in 6 public projects (es) and 1 (pt); ML, Authentication and Authorization (en).",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-operator-code",
        "The error page of a collaborator's account shows `invalid_operator_user_id`.",
        "documented",
        "ML, Authentication and Authorization; seen in 6 public projects (ML).",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-unknown-parameters",
        "Parameters that nobody documents (`prompt`, `site_id`, `show_dialog`) are ignored.",
        "guess",
        "Some clients send them; nothing shows an effect.",
    ),
    _row(
        Subject.AUTHORIZATION,
        "authorization-empty-parameters",
        "A parameter without a value counts as left out.",
        "guess",
        "RFC 6749 section 3.1.",
    ),
    # ---- requests to the token endpoint ----
    _row(
        Subject.REQUESTS,
        "token-url",
        "Tokens come from POST /oauth/token.",
        "documented",
        f"{_REFERENCE}.",
    ),
    _row(
        Subject.REQUESTS,
        "token-json",
        "The body may be JSON.",
        "documented",
        f"{_REFERENCE}; all current official SDKs.",
    ),
    _row(
        Subject.REQUESTS,
        "token-form",
        "The body may be a form.",
        "documented",
        "MP, split payments; the official Postman collection.",
    ),
    _row(
        Subject.REQUESTS,
        "token-media-type-parameters",
        "Parameters of the media type, such as `charset=UTF-8`, and its case make no difference.",
        "documented",
        "The official Go and PHP SDKs send a charset.",
    ),
    _row(
        Subject.REQUESTS,
        "token-other-headers",
        "Other headers make no difference, not even `Authorization: Bearer` or `X-Test-Token`.",
        "documented",
        "Five official SDKs send a bearer token here; so does the MP reference's example.",
    ),
    _row(
        Subject.REQUESTS,
        "token-idempotency-key",
        "`X-Idempotency-Key` has no effect.",
        "guess",
        "Six official SDKs send one; nothing documents an effect.",
    ),
    _row(
        Subject.REQUESTS,
        "token-http-basic",
        "HTTP Basic authentication is not read, so id and secret count as missing.",
        "guess",
        "Never documented, never seen.",
    ),
    _row(
        Subject.REQUESTS,
        "token-empty-values",
        "A field that is null or empty counts as missing.",
        "guess",
        "RFC 6749 section 3.2.",
    ),
    _row(
        Subject.REQUESTS,
        "token-client-id-number",
        "`client_id` may be a JSON number.",
        "guess",
        "A string in every document and SDK.",
    ),
    _row(
        Subject.REQUESTS,
        "token-test-token-values",
        'In `test_token`, JSON true, `"true"` and a form\'s `true` mean the same.',
        "observed",
        "Sent in these forms by 5 public projects; documented as a string.",
    ),
    _row(
        Subject.REQUESTS,
        "token-redirect-uri-needed",
        "A code exchange needs the `redirect_uri` again.",
        "documented",
        f"{_REFERENCE}: required.",
    ),
    _row(
        Subject.REQUESTS,
        "token-redirect-uri-of-the-request",
        "The redirect URI of an exchange must be that of its authorization request; another"
        " registered one is refused.",
        "guess",
        "RFC 6749 section 4.1.3; the MP reference only names a different redirect_uri as a cause.",
    ),
    _row(
        Subject.REQUESTS,
        "token-code-single-use",
        "A code is spent by its first successful exchange.",
        "documented",
        f"{_REFERENCE}: single use; RFC 6749 section 4.1.2.",
    ),
    _row(
        Subject.REQUESTS,
        "token-order-of-checks",
        "What is missing is told before anything is said about the code: first the application,"
        " then the fields, the code, the redirect URI, the verifier.",
        "guess",
        "One public ML report shows that a missing verifier is told before a bad code.",
    ),
    _row(
        Subject.REQUESTS,
        "token-client-credentials",
        "client_credentials gives a token of the application's owner.",
        "documented",
        f"{_GET_TOKEN}, client credentials; seen in 2 public captures.",
    ),
    _row(
        Subject.REQUESTS,
        "token-client-credentials-new-each-time",
        "Each client_credentials request gets a new token.",
        "documented",
        f"{_GET_TOKEN}, client credentials: a new token per call.",
    ),
    # ---- success answers ----
    _row(
        Subject.SUCCESS,
        "success-status",
        "The status is 200.",
        "documented",
        f"{_REFERENCE}; tests of the official SDKs.",
    ),
    _row(
        Subject.SUCCESS,
        "success-keys",
        "A code exchange answers `access_token`, `token_type`, `expires_in`, `scope`, `user_id`,"
        " `refresh_token`, `public_key`, `live_mode`, in this order.",
        "observed",
        "Seen in 4 public captures of 2021 to 2025; the MP reference has the same order.",
    ),
    _row(
        Subject.SUCCESS,
        "success-compact-json",
        "JSON comes without spaces.",
        "observed",
        "Every public capture that was pasted raw.",
    ),
    _row(
        Subject.SUCCESS,
        "success-expires-in-number",
        "`expires_in` is a number of seconds.",
        "documented",
        f"{_REFERENCE}; seen in 6 public captures.",
    ),
    _row(
        Subject.SUCCESS,
        "success-scope-separator",
        "`scope` is one text, its words separated by spaces.",
        "documented",
        f"{_REFERENCE}; every public capture.",
    ),
    _row(
        Subject.SUCCESS,
        "success-user-id-number",
        "`user_id` is a number: the seller's.",
        "documented",
        f"{_REFERENCE}; every public capture.",
    ),
    _row(
        Subject.SUCCESS,
        "success-public-key",
        "`public_key` is `APP_USR-` and a version 4 UUID in lower case.",
        "observed",
        "Seen in 5 public captures, live and test ones.",
    ),
    _row(
        Subject.SUCCESS,
        "success-public-key-of-the-link",
        "The public key stays the same for a seller and an application; the test one differs from"
        " the live one.",
        "guess",
        "Nothing shows two answers for one seller.",
    ),
    _row(
        Subject.SUCCESS,
        "success-test-token",
        "`test_token` gives sandbox credentials, with `live_mode` false.",
        "documented",
        f"{_GET_TOKEN}; seen in 2 public captures of 2021.",
    ),
    _row(
        Subject.SUCCESS,
        "success-test-token-refreshed",
        "Sandbox credentials stay sandbox credentials when they are refreshed.",
        "guess",
        "Nothing shows such a refresh.",
    ),
    _row(
        Subject.SUCCESS,
        "success-no-offline-access",
        "Without the `offline_access` scope there is no `refresh_token`.",
        "observed",
        "Seen in 3 public projects (one MP, two ML); that the key is absent, not null, is a guess.",
    ),
    _row(
        Subject.SUCCESS,
        "success-rotation",
        "A refresh gives a new access token and a new refresh token.",
        "documented",
        "MP, renewal; measured in 1 public project.",
    ),
    _row(
        Subject.SUCCESS,
        "success-client-credentials-keys",
        "client_credentials answers no `refresh_token` and no `public_key`.",
        "observed",
        "Seen in 2 public captures.",
    ),
    _row(
        Subject.SUCCESS,
        "format-code",
        "A code is `TG-`, 24 hex digits in lower case, `-` and the seller's number.",
        "documented",
        "MP, guide of 2021; ML, Authentication and Authorization; seen in more than 15 public"
        " projects.",
    ),
    _row(
        Subject.SUCCESS,
        "format-refresh-token",
        "A refresh token has the same shape as a code.",
        "observed",
        "Seen in more than 12 public projects.",
    ),
    _row(
        Subject.SUCCESS,
        "format-object-id",
        "The 24 hex digits are a MongoDB ObjectId: seconds, machine, process, counter.",
        "observed",
        "Inferred from public captures of 2018 to 2026: codes and tokens of one answer agree.",
    ),
    _row(
        Subject.SUCCESS,
        "format-process-bytes",
        "The process bytes of the ObjectId are `0001`.",
        "observed",
        "Every public capture since 2023.",
    ),
    _row(
        Subject.SUCCESS,
        "format-access-token",
        "An access token is `APP_USR-`, the client id, MMddHH, 32 hex digits and the user's number,"
        " joined by `-`.",
        "documented",
        f"{_REFERENCE}: five parts; seen in more than 12 public projects.",
    ),
    _row(
        Subject.SUCCESS,
        "format-user-in-access-token",
        "The number at the end of an access token is that of the seller who approved.",
        "observed",
        "Every public capture; one ML note of 2026 says so.",
    ),
    _row(
        Subject.SUCCESS,
        "format-client-id",
        "A client id has 16 digits.",
        "observed",
        "15 or 16 in more than 10 public projects.",
    ),
    _row(
        Subject.SUCCESS,
        "format-client-secret",
        "A client secret has 32 letters and digits.",
        "observed",
        "Seen in more than 10 public projects (MP and ML).",
    ),
    _row(
        Subject.SUCCESS,
        "header-content-type",
        "The content type is `application/json; charset=utf-8`.",
        "guess",
        "No public capture has the headers.",
    ),
    _row(
        Subject.SUCCESS,
        "header-request-id",
        "Every answer has an `x-request-id`, a UUID.",
        "documented",
        "Official SDKs read it; its form is a guess.",
    ),
    _row(
        Subject.SUCCESS,
        "header-cache-control",
        "Every answer has `cache-control: no-store`.",
        "guess",
        "RFC 6749 section 5.1.",
    ),
    # ---- refusals ----
    _row(
        Subject.REFUSALS,
        "refused-trio",
        "What a request lacks of grant_type, client_id and client_secret is listed in one"
        " sentence.",
        "observed",
        "A public MP thread of 2021 and 1 public project; a list of several is a guess.",
    ),
    _row(
        Subject.REFUSALS,
        "refused-one-field",
        "A missing `code`, `redirect_uri` or `refresh_token` is told as"
        " `<name> is a required parameter`.",
        "guess",
        "The pattern of the sentence about code_verifier, seen in 8 public projects (ML).",
    ),
    _row(
        Subject.REFUSALS,
        "refused-grant-sentence",
        "One sentence covers all that can be wrong with a code or refresh token.",
        "observed",
        "Seen in more than 10 public projects (ML) and 1 (MP); the MP reference lists the reasons.",
        "invalid_grant_final_period",
    ),
    _row(
        Subject.REFUSALS,
        "refused-client-sentence",
        "The sentence of `invalid_client` is `invalid client_id or client_secret`.",
        "observed",
        "Seen in 3 public projects (MP).",
    ),
    _row(
        Subject.REFUSALS,
        "refused-status",
        "The status of the token endpoint's other refusals is 400.",
        "documented",
        "The table of the MP reference.",
    ),
    _row(
        Subject.REFUSALS,
        "refused-rate-limit-status",
        "Too many requests are a 429.",
        "documented",
        "MP reference: 429 local_rate_limited.",
        "token_requests_per_minute",
    ),
    # ---- lifetimes and revocation ----
    _row(
        Subject.LIFETIMES,
        "lifetime-end",
        "The instant of expiry is already too late.",
        "guess",
        "Nothing shows the last instant.",
    ),
    _row(
        Subject.LIFETIMES,
        "lifetime-short-months",
        "Six months after 31 August is the last day of February.",
        "guess",
        "MP says 6 months, not how they are counted.",
    ),
    _row(
        Subject.LIFETIMES,
        "lifetime-refresh-after-expiry",
        "A refresh works after the access token has expired.",
        "documented",
        'MP, renewal: "expired or about to expire"; the same page also says the opposite.',
    ),
    _row(
        Subject.LIFETIMES,
        "revoked-unlinked",
        "A seller who unlinks ends all codes and tokens of the seller with that application, and"
        " of no other.",
        "documented",
        "MP, OAuth management: all tokens and temporary grants of the pair.",
    ),
    _row(
        Subject.LIFETIMES,
        "revoked-password",
        "A seller who changes the password ends the links with all applications.",
        "guess",
        "MP, OAuth management: in some flows; that it ends every link of the seller is a guess.",
    ),
    _row(
        Subject.LIFETIMES,
        "revoked-application",
        "Deleting an application ends it with all its links.",
        "documented",
        "MP, OAuth management.",
    ),
    _row(
        Subject.LIFETIMES,
        "revoked-clean-up",
        "A clean-up of sessions, and one after a fraud, ends the seller's links with all"
        " applications.",
        "guess",
        "MP, OAuth management, names both clean-ups; whose links they end is a guess.",
    ),
    _row(
        Subject.LIFETIMES,
        "revoked-secret",
        "A new client_secret ends every token that the application has obtained.",
        "guess",
        "ML, Authentication and Authorization; a guess for MP.",
    ),
    _row(
        Subject.LIFETIMES,
        "revoked-unused",
        "Four months without a call end a link; here they do so on demand.",
        "guess",
        "ML, Authentication and Authorization; a guess for MP.",
    ),
    _row(
        Subject.LIFETIMES,
        "revoked-link-again",
        "After a revocation the seller can link again; the old tokens stay dead.",
        "guess",
        "Nothing shows it; it follows from the documents.",
    ),
    # ---- PKCE ----
    _row(
        Subject.PKCE,
        "pkce-per-application",
        "PKCE is required of an application or not; where it is, an exchange needs a verifier.",
        "documented",
        f"{_GET_TOKEN}: PKCE; MP, Application details.",
    ),
    _row(
        Subject.PKCE,
        "pkce-challenge-binds",
        "A challenge that was sent is verified even where PKCE is not required.",
        "guess",
        "RFC 7636 section 4.6; public projects contradict each other.",
    ),
    _row(
        Subject.PKCE,
        "pkce-s256",
        "An S256 challenge is the unpadded base64url of the verifier's SHA-256.",
        "documented",
        f"{_GET_TOKEN}: PKCE; RFC 7636 section 4.2.",
    ),
    _row(
        Subject.PKCE,
        "pkce-method-names",
        "The methods are `S256`, exactly so, and `plain` in any case.",
        "documented",
        f"{_GET_TOKEN} writes Plain, ML plain; how tolerant the server is, is a guess.",
    ),
    _row(
        Subject.PKCE,
        "pkce-length",
        "Verifier and challenge have 43 to 128 characters of A-Z a-z 0-9 - . _ ~.",
        "documented",
        f"{_GET_TOKEN}: PKCE; RFC 7636 section 4.1.",
    ),
    # ---- resources ----
    _row(
        Subject.RESOURCES,
        "resource-users-me",
        "GET /users/me shows the seller of the access token.",
        "documented",
        "Official SDKs; measured in 1 public project: a token acts as the seller.",
    ),
    _row(
        Subject.RESOURCES,
        "resource-keys",
        "The profile has the keys of a test user of Brazil, in their order.",
        "documented",
        "The user fixture of the official Java SDK.",
    ),
    _row(
        Subject.RESOURCES,
        "resource-site",
        "`country_id` and `site_id` belong together: AR and MLA, BR and MLB, and so on.",
        "documented",
        "MP, split payments: one host for each site; the user fixture of the official Java SDK.",
    ),
    _row(
        Subject.RESOURCES,
        "resource-test-user",
        "The tags of a test seller hold `test_user`.",
        "documented",
        "The user fixture of the official Java SDK.",
    ),
    _row(
        Subject.RESOURCES,
        "resource-bearer-case",
        "The word Bearer may be written in any case.",
        "guess",
        "RFC 9110 section 11.1.",
    ),
    _row(
        Subject.RESOURCES,
        "resource-owners-token",
        "The token that the panel shows beside the client id is the owner's and does not expire.",
        "guess",
        "MP's panel shows it as production credentials; nothing tells an end.",
    ),
    _row(
        Subject.RESOURCES,
        "resource-no-www-authenticate",
        "No answer has a `WWW-Authenticate` header.",
        "guess",
        "No evidence of one.",
    ),
    _row(
        Subject.RESOURCES,
        "resource-not-found",
        "Everywhere else is a 404 whose sentence leads to the developers' site.",
        "observed",
        "Seen in 5 public projects (ML) and 2 (MP, the sentence).",
    ),
    _row(
        Subject.RESOURCES,
        "resource-payee",
        "A preference and a payment are collected by the seller of the access token.",
        "documented",
        "MP, split payments: the seller's token decides who is paid; official SDKs' fixtures.",
    ),
    _row(
        Subject.RESOURCES,
        "resource-idempotency",
        "The same `X-Idempotency-Key` of the same seller and application gets the same payment.",
        "documented",
        "MP, POST /v1/payments reference.",
    ),
    # ---- webhooks ----
    _row(
        Subject.WEBHOOKS,
        "webhook-request",
        "The request has the query, headers and body of the documented sample, keys in order.",
        "documented",
        "MP, Configure optional notifications (2026); numbers are computed, where the sample's"
        " contradict each other.",
    ),
    _row(
        Subject.WEBHOOKS,
        "webhook-signature",
        "`v1` is the HMAC-SHA256 of `id:…;request-id:…;ts:…;`; an absent part drops its pair.",
        "documented",
        "MP, Configure optional notifications; seven official SDK validators.",
    ),
    _row(
        Subject.WEBHOOKS,
        "webhook-accepted",
        "200 and 201 confirm a notification; anything else, and a redirect, does not.",
        "documented",
        "MP, Configure optional notifications; that redirects are not followed is a guess.",
    ),
    _row(
        Subject.WEBHOOKS,
        "webhook-timeout",
        "An answer may take 22 seconds.",
        "documented",
        "MP, Configure optional notifications: X-Socket-Timeout: 22000.",
    ),
    _row(
        Subject.WEBHOOKS,
        "webhook-deauthorized",
        "`application.deauthorized` is sent when the seller unlinks, and for no other revocation.",
        "guess",
        "MP, Configure optional notifications, names the action and no occasion.",
    ),
    _row(
        Subject.WEBHOOKS,
        "webhook-retry-count",
        "`X-Retry` counts from 0.",
        "guess",
        "0 in the documented sample; that it counts is a guess.",
    ),
    # ---- the sandbox's own ----
    _row(
        Subject.OWN,
        "own-state-limit",
        "`state` may have 8192 bytes.",
        "guess",
        "The sandbox's own limit.",
    ),
    _row(
        Subject.OWN,
        "own-judged-again",
        "A request is judged again when the seller answers.",
        "guess",
        "The sandbox's own: the application may have changed in between.",
    ),
    _row(
        Subject.OWN,
        "own-answered-once",
        "A consent form is answered once.",
        "guess",
        "The sandbox's own.",
    ),
    _row(
        Subject.OWN,
        "own-head",
        "A HEAD request for the authorization URL gets no code.",
        "guess",
        "The sandbox's own: link scanners ask so.",
    ),
    _row(
        Subject.OWN,
        "own-order-of-reasons",
        "The journal tells spent before revoked, and revoked before expired; the wire tells none.",
        "guess",
        "The sandbox's own.",
    ),
    _row(
        Subject.OWN,
        "own-lifetimes",
        "Each application may have lifetimes of its own.",
        "guess",
        "The sandbox's own, for tests without a moved clock.",
    ),
    _row(
        Subject.OWN,
        "own-seed",
        "With a seed and a frozen start, the same requests get the same bytes.",
        "guess",
        "The sandbox's own.",
    ),
    _row(
        Subject.OWN,
        "own-masked-journal",
        "The journal shows no code, token or secret whole.",
        "guess",
        "The sandbox's own.",
    ),
)
