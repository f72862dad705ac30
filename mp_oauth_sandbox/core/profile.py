"""What the evidence about Mercado Pago leaves open, as switches of one frozen profile.

Nothing here was measured by calling the live service. Each switch gives the default, the
alternatives, and what speaks for each: documented, seen in public captures, or a guess.
"MP" below is Mercado Pago's own documentation, "ML" that of Mercado Libre, which shares
the same authorization platform.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import msgspec

from mp_oauth_sandbox.core.records import DEFAULT_SCOPES, KNOWN_SCOPES

#: The key of a switch's evidence, on one line, in the metadata of its field.
EVIDENCE = "evidence"

_Value = TypeVar("_Value")


def _switch(default: _Value, evidence: str) -> _Value:
    """A field, with what speaks for its default and for the alternatives."""
    return field(default=default, metadata={EVIDENCE: " ".join(evidence.split())})


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One way for Mercado Pago to behave. The defaults are the best-supported ones."""

    name: str = "default"
    """Shown in the health answer and the start-up text; no behaviour hangs on it."""

    # ---- bodies and statuses of the token endpoint ----

    error_body: Literal["message", "error_description", "two_keys"] = _switch(
        "message",
        """Keys of an error body. `message`: message, error, status, cause; seen in MP captures of
        2019 and 2021 and ML captures of 2021 and 2026. `error_description`: that name instead of
        message (ML documentation). `two_keys`: message and error alone (an MP log of 2026 and a
        public test; both may be trimmed).""",
    )

    invalid_grant_final_period: bool = _switch(
        False,
        """A period at the end of the invalid_grant sentence: MP capture of 2019 and older MP
        documents have it; every capture of 2021 to 2026 (ML) has none.""",
    )

    token_type: Literal["Bearer", "bearer"] = _switch(
        "Bearer",
        "`bearer` in the documents and captures up to 2022, `Bearer` in captures since 2023.",
    )

    scope_order: Literal["sorted", "documented"] = _switch(
        "sorted",
        """Order of `scope` in answers. Captures are alphabetical; the MP reference example prints
        `read write offline_access`.""",
    )

    default_scopes: tuple[str, ...] = _switch(
        DEFAULT_SCOPES,
        """Scopes of a new application. With `payments` in captures of 2021, 2024, 2025 and 2026,
        without in three captures of 2021 to 2023.""",
    )

    invalid_client_status: Literal[400, 401] = _switch(
        400,
        """400 in four MP sources, the newest measured in 2026, and the MP reference; MP's OpenAPI
        repository (2026) lists a generic 401, which RFC 6749 section 5.2 allows.""",
    )

    forbidden_status: Literal[400, 403] = _switch(
        400,
        "400 in the table of the MP reference, 403 in ML's.",
    )

    rate_limited_body: Literal["json", "plain", "too_many_requests"] = _switch(
        "json",
        """Body of a 429. The MP reference names `local_rate_limited` without a body; `plain` is
        that word alone (what Envoy answers; the official Python SDK takes it for a failing server
        since 3.4.0); `too_many_requests` is that of MP's OpenAPI repository (2026): status, error
        and message, without `cause`.""",
    )

    retry_after: int | None = _switch(
        1,
        """Whole seconds in the Retry-After header of a 429. MP's OpenAPI repository (2026) lists it
        for POST /oauth/token, and official SDKs read it; no capture shows one, and how many seconds
        is a guess. None leaves it out.""",
    )

    token_requests_per_minute: int | None = _switch(
        None,
        "Token requests per application and minute before a 429. No number is published, so off.",
    )

    unsupported_grant_type_message: str = _switch(
        "unsupported grant_type",
        "Guess: the MP reference documents the error's name, no capture shows its text.",
    )

    invalid_scope_message: str = _switch(
        "invalid scope",
        "Guess: as above.",
    )

    unauthorized_client_message: str = _switch(
        "the application is not authorized for this grant",
        "Guess: as above.",
    )

    forbidden_message: str = _switch(
        "the application is blocked",
        "Guess: as above.",
    )

    # ---- what the token endpoint accepts ----

    query_parameters: Literal["ignore", "accept", "refuse"] = _switch(
        "ignore",
        """Parameters in the URL of POST /oauth/token. MP best practices: do not send them. `ignore`
        takes them for missing, `accept` is what old ML SDKs relied on, `refuse` is 400.""",
    )

    surplus_fields: Literal["ignore", "refuse"] = _switch(
        "ignore",
        """Unknown body fields. MP best practices call them an error; a capture with many of them
        succeeded.""",
    )

    refresh_without_client_id: bool = _switch(
        False,
        """Accept a refresh without client_id. Required in the MP reference and, for every grant,
        in MP's OpenAPI repository (2026); absent from the official Postman collection and from
        three SDKs. An MP capture of 2021 refuses it.""",
    )

    access_token_as_secret: bool = _switch(
        False,
        """Accept the owner's access token as client_secret, as MP guides of 2019 to 2021 told. An
        MP log of 2026 shows `invalid_client`. MP contradicts itself: maintainers of the official
        Go and .NET SDKs say that it suffices; who reported it for Go succeeded only with
        client_id.""",
    )

    # ---- tokens ----

    test_token_prefix: Literal["TEST", "APP_USR"] = _switch(
        "TEST",
        """Prefix of sandbox credentials (`test_token` true). `TEST` in two captures of 2021 and one
        MP project of 2026, its public key too; newer test credentials of other products start with
        `APP_USR`. MP's guides for assistants (2026) contradict each other: `TEST-` is discontinued,
        or both are issued.""",
    )

    refresh_reusable: bool = _switch(
        False,
        """A refresh token stays usable after it was used. MP contradicts itself: "can be reused"
        (overview) against single use (reference); measured by integrators: it rotates.""",
    )

    refresh_reuse_revokes_family: bool = _switch(
        False,
        """Presenting a replaced refresh token revokes every token of its grant (RFC 9700 section
        4.14.2). No evidence that Mercado Pago does.""",
    )

    refresh_revokes_access_token: bool = _switch(
        False,
        """A refresh kills the previous access token at once. Unknown; documents only say that it is
        "exchanged for a new one".""",
    )

    code_replay_revokes_tokens: bool = _switch(
        False,
        """A second redemption revokes the tokens of the first (RFC 6749 section 4.1.2: SHOULD).
        Unknown for Mercado Pago.""",
    )

    reauthorization: Literal["keeps", "revokes_refresh_token", "revokes_all"] = _switch(
        "keeps",
        """What a new exchange for a linked seller does to the earlier tokens. Unknown; an ML thread
        of 2021 hints that a newer grant may displace the older refresh token.""",
    )

    failed_exchange_burns_code: bool = _switch(
        False,
        """Any failed exchange by an authenticated application spends the code. Unknown; one ML
        client retries the same code after a failure, so its author believes it does not.""",
    )

    refresh_body: Literal["full", "short"] = _switch(
        "full",
        """`short` leaves user_id, public_key and live_mode out of a refresh answer, as in the Java
        SDK's fixture; PHP, .NET and Node use the full type.""",
    )

    refresh_scope: Literal["narrow", "ignore"] = _switch(
        "narrow",
        """A `scope` field in a refresh. MP's renewal page says that scopes can be narrowed but not
        how; RFC 6749 section 6 names the field.""",
    )

    client_credentials_live_mode: bool = _switch(
        True,
        "`live_mode` in a client_credentials answer: one MP capture has it, an older one has not.",
    )

    token_hour_zone: Literal["UTC-4", "UTC"] = _switch(
        "UTC-4",
        """Zone of the MMddHH inside an access token. UTC-4 in 9 of 9 pairs since 2023, UTC in two
        pairs of 2021 and 2022.""",
    )

    refresh_token_lifetime: Literal["6 months", "180 days"] = _switch(
        "6 months",
        """How long a refresh token lives where the application's lifetimes do not say. MP's OAuth
        overview and ML say 6 months; 180 days is the life of the access token.""",
    )

    # ---- the authorization endpoint ----

    bad_authorization_request: Literal["error_page", "redirect"] = _switch(
        "error_page",
        """A redirect URI that is not registered. The error page is what people see today.
        `redirect` is the behaviour of 2015: an error sent back by redirect; here always to the
        application's first registered URI, never to the one that was sent.""",
    )

    http_redirect_uris: Literal["any", "localhost", "none"] = _switch(
        "any",
        """Which http (not https) redirect URIs may be registered. The panel asks for https, and
        integrators of 2026 report that it refuses localhost; two say that it takes it. `none` is
        the panel's own rule: recommended where tests run against a registered https URI.""",
    )

    redirect_uri_query: Literal["allow", "refuse"] = _switch(
        "allow",
        """A query string in a registered redirect URI. Advised by the MP guide of 2017, refused by
        today's documentation ("static, use state").""",
    )

    platform_id_required: bool = _switch(
        False,
        """Refuse an authorization request without `platform_id=mp`. Required in the official
        Postman collection, absent from the official PKCE sample; MP's support called it not
        standard (one MP project, 2026).""",
    )

    state_required: bool = _switch(
        False,
        """Refuse an authorization request without `state`. MP's OpenAPI repository (2026) calls it
        mandatory, "Get Access Token" recommends it, and MP's split payments show a callback without
        it.""",
    )

    authorization_scope: Literal["ignore", "restrict"] = _switch(
        "ignore",
        """The undocumented `scope` of an authorization request. `restrict` grants only what is
        asked and answers scopes that the application lacks with the error page. Guess: one MP
        integrator reports the error page for some values of scope.""",
    )

    challenge_missing: Literal["issue_code", "error_page"] = _switch(
        "issue_code",
        """A PKCE application that sends no challenge. ML: a code is issued and the exchange fails
        (two reports of 2026); two MP projects report an error.""",
    )

    challenge_without_pkce: Literal["verify", "error_page"] = _switch(
        "verify",
        """A challenge sent for an application that has PKCE off. Four integrators (MP, 2026)
        believe that it leads to the error page, and none of them has shown it alone; by default it
        binds the code, as RFC 7636 section 4.4 has it.""",
    )

    challenge_without_method: Literal["plain", "refuse"] = _switch(
        "plain",
        "A challenge without code_challenge_method. RFC 7636 section 4.3: plain; unknown for MP.",
    )

    stray_verifier: Literal["ignore", "refuse"] = _switch(
        "ignore",
        """A code_verifier where no challenge was sent. Two projects: ignored; one ML note: it can
        cause invalid_grant.""",
    )

    skip_repeated_consent: bool = _switch(
        False,
        "Approve at once when the seller has already linked this application. Unknown.",
    )

    denial_error_description: bool = _switch(
        False,
        "Add `error_description` to a denial. Unknown: clients' own tests assume it.",
    )

    denial_echoes_state: bool = _switch(
        True,
        """Send `state` back with a denial. The official Node SDK (2026) says that it comes back
        unchanged; RFC 6749 section 4.1.2.1 requires it.""",
    )

    redirect_status: Literal[302, 303] = _switch(
        302,
        "Status of the redirect back to the application. Guess: 302.",
    )

    # ---- resources ----

    unauthorized_body: Literal["code_message", "invalid_token", "code_5"] = _switch(
        "code_message",
        """Body of a resource's 401. `code_message`: 5 public projects (MP); `invalid_token`: ML,
        2014; `code_5`: an older MP payments stack, seen in 2018 and 2025.""",
    )

    access_token_in_query: bool = _switch(
        False,
        "Accept `?access_token=`. Old SDKs used it; ML requires the header since 2021-06.",
    )

    bearer_syntax: Literal["lenient", "rfc6750"] = _switch(
        "lenient",
        """How a bearer token is written in Authorization. Unknown for Mercado Pago. `rfc6750`: the
        word, one or more spaces, and a token of letters, digits and -._~+/ with = at its end (RFC
        6750 section 2.1, RFC 9110 section 11.4); anything else is no token. `lenient`: a tab before
        the token, or another character in it, is taken as it comes, as many servers do.""",
    )

    repeated_authorization: Literal["first", "refuse"] = _switch(
        "first",
        """Two Authorization fields. Unknown for Mercado Pago; RFC 9110 section 5.3: a client must
        not send them. `first` takes the first of them, as most frameworks do; `refuse` takes
        none.""",
    )

    payment_idempotency_key: Literal["required", "optional"] = _switch(
        "required",
        """X-Idempotency-Key on POST /v1/payments. The MP reference: required for integrations made
        since 2023-11-01; the error without it is seen in public projects. Official SDKs send one by
        themselves.""",
    )

    live_payment_of_test_user: Literal["accept", "refuse"] = _switch(
        "accept",
        """POST /v1/payments with a token whose `live_mode` is true. Every seller here is a test
        user, and for those public projects (MP, 2026) show `user_allowed_only_in_test`: one asks
        for `test_token` at the exchange then. Accepted by default, so that an integration made for
        real sellers can be tested unchanged.""",
    )

    application_resource: bool = _switch(
        False,
        """Answer GET /applications/{id} to a token of the application's owner, and PUT and POST
        with 403. Seen by 3 integrators (MP, 2026); not documented, so it is the 404 by default.""",
    )

    # ---- webhooks ----

    webhook_ts: Literal["seconds", "milliseconds"] = _switch(
        "seconds",
        """Unit of `ts` in x-signature. Seconds in MP's samples of this topic, and in the tolerance
        check of six official SDKs; MP's text and the Go SDK say milliseconds.""",
    )

    webhook_data_id: Literal["user_id", "client_id"] = _switch(
        "user_id",
        """What `data.id` names. In MP's sample it equals `user_id`; its meaning is not documented.
        One MP project (2026) takes the id of a delivery in its panel for the seller's. `client_id`
        is a guess.""",
    )

    webhook_authorized_at: Literal["exchange", "consent"] = _switch(
        "exchange",
        """When `application.authorized` is sent: with the tokens, or as soon as the seller
        approves. Unknown; the exchange is a guess. Either way again for each new authorization.""",
    )

    webhook_signed_id: Literal["lower_case", "as_sent"] = _switch(
        "lower_case",
        """How a `data.id` with capital letters goes into x-signature. MP's code samples and the
        official Java SDK lower the letters before they compare; real notifications of orders were
        seen signed over the id as it was sent (one MP project, 2026), as the official Python SDK
        compares. The ids of mp-connect are digits: it shows with a simulated notification that has
        an id of its own.""",
    )

    webhook_save: Literal["keeps_secret", "new_secret"] = _switch(
        "keeps_secret",
        """What saving an application's webhook does to its secret. `new_secret`: each save makes
        another one, whatever was given, even where nothing was changed; one MP project (2026) saw
        the panel do so. By default the secret is the one given, so that tests can know it.""",
    )

    webhook_retries: Literal["2026", "2022", "24 hours"] = _switch(
        "2026",
        """When a notification that was not confirmed is sent again. `2026`, MP's page of that year:
        every 15 minutes, after three failures at growing intervals, until it is confirmed (how they
        grow is a guess: doubling, at most 4 days). `2022`, MP's earlier page: after 5 minutes, 45
        minutes, 6 hours, 2 days and 4 days, then never; 22 s for the first answer and 5 s for later
        ones. `24 hours`, MP's webhooks guide for assistants (2026), against that page: at growing
        intervals and after about 24 hours never (here doubling from 15 minutes, the last one 24
        hours after the first: a guess).""",
    )

    def __post_init__(self) -> None:
        """Raise ValueError for a number or scope that no server could mean."""
        for name in ("retry_after", "token_requests_per_minute"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} must be 0 or more")
        unknown = sorted(set(self.default_scopes) - KNOWN_SCOPES)
        if unknown:
            known = ", ".join(sorted(KNOWN_SCOPES))
            raise ValueError(f"default_scopes: {unknown[0]!r} is not one of {known}")


DEFAULT = Profile()

#: What the documentation says is refused, is refused; so is what the RFCs do not know.
STRICT = Profile(
    name="strict",
    query_parameters="refuse",
    surplus_fields="refuse",
    http_redirect_uris="localhost",
    redirect_uri_query="refuse",
    state_required=True,
    challenge_missing="error_page",
    challenge_without_method="refuse",
    bearer_syntax="rfc6750",
    repeated_authorization="refuse",
)

#: What older SDKs need: Go, Java, .NET and the Python and Ruby examples.
LEGACY = replace(
    DEFAULT,
    name="legacy",
    access_token_as_secret=True,
    refresh_without_client_id=True,
    token_type="bearer",  # noqa: S106 - a name, not a secret
    invalid_grant_final_period=True,
)

PresetName = Literal["default", "strict", "legacy"]

PRESETS: dict[str, Profile] = {"default": DEFAULT, "strict": STRICT, "legacy": LEGACY}


def spelled_out(name: str, switches: Mapping[str, object]) -> str:
    """A profile for people: its name, and what these switches say instead of its preset."""
    said = [f"{one} = {msgspec.json.encode(value).decode()}" for one, value in switches.items()]
    return f"{name} with {', '.join(said)}" if said else name
