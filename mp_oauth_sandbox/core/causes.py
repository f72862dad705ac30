"""The true reasons for a refusal. The wire tells six of them apart at most; we tell all."""

from enum import StrEnum


class Cause(StrEnum):
    """Why a request was refused. `refusals.py` says what each means and what to do."""

    # The shape of a request.
    BODY_UNREADABLE = "body_unreadable"
    BODY_TOO_LARGE = "body_too_large"
    BODY_TOO_SLOW = "body_too_slow"
    PARAMETER_MISSING = "parameter_missing"
    PARAMETER_DUPLICATED = "parameter_duplicated"
    PARAMETER_MALFORMED = "parameter_malformed"
    PARAMETER_SURPLUS = "parameter_surplus"
    PARAMETER_IN_QUERY = "parameter_in_query"
    # The application.
    APPLICATION_UNKNOWN = "application_unknown"
    APPLICATION_DELETED = "application_deleted"
    APPLICATION_BLOCKED = "application_blocked"
    APPLICATION_NOT_ACTIVATED = "application_not_activated"
    SECRET_MISMATCH = "secret_mismatch"  # noqa: S105 - a name, not a secret
    # The authorization request.
    RESPONSE_TYPE_UNSUPPORTED = "response_type_unsupported"
    REDIRECT_URI_NOT_REGISTERED = "redirect_uri_not_registered"
    CHALLENGE_MISSING = "challenge_missing"
    CHALLENGE_MALFORMED = "challenge_malformed"
    CHALLENGE_UNEXPECTED = "challenge_unexpected"
    SCOPE_INVALID = "scope_invalid"
    OPERATOR_ACCOUNT = "operator_account"
    SELLER_UNKNOWN = "seller_unknown"
    PAGE_EXPIRED = "page_expired"
    SELLER_DENIED = "seller_denied"
    # The token endpoint.
    GRANT_TYPE_UNSUPPORTED = "grant_type_unsupported"
    CODE_UNKNOWN = "code_unknown"
    CODE_EXPIRED = "code_expired"
    CODE_ALREADY_REDEEMED = "code_already_redeemed"
    CODE_OF_ANOTHER_APPLICATION = "code_of_another_application"
    CODE_BURNT = "code_burnt"
    REDIRECT_URI_MISMATCH = "redirect_uri_mismatch"
    VERIFIER_MISSING = "verifier_missing"
    VERIFIER_MALFORMED = "verifier_malformed"
    VERIFIER_MISMATCH = "verifier_mismatch"
    VERIFIER_UNEXPECTED = "verifier_unexpected"
    REFRESH_UNKNOWN = "refresh_unknown"
    REFRESH_EXPIRED = "refresh_expired"
    REFRESH_REPLACED = "refresh_replaced"
    REFRESH_OF_ANOTHER_APPLICATION = "refresh_of_another_application"
    OFFLINE_ACCESS_MISSING = "offline_access_missing"
    LINK_REVOKED = "link_revoked"
    GRANT_DISPLACED = "grant_displaced"
    GRANT_REPLAYED = "grant_replayed"
    RATE_LIMITED = "rate_limited"
    SERVER_FAILED = "server_failed"
    NOT_SAVED = "not_saved"
    # Resources.
    TOKEN_MISSING = "token_missing"  # noqa: S105 - a name, not a secret
    TOKEN_MALFORMED = "token_malformed"  # noqa: S105 - a name, not a secret
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105 - a name, not a secret
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a name, not a secret
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a name, not a secret
    TOKEN_FORBIDDEN = "token_forbidden"  # noqa: S105 - a name, not a secret
    APPLICATION_FORBIDDEN = "application_forbidden"
    TYPE_FORBIDDEN = "type_forbidden"
    RESOURCE_UNKNOWN = "resource_unknown"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    TEST_USER_IN_LIVE_MODE = "test_user_in_live_mode"


class Mistake(StrEnum):
    """A slip that people really make, recognised so that it gets its own explanation."""

    SECRET_BEFORE_ROTATION = "secret_before_rotation"  # noqa: S105 - a name, not a secret
    ACCESS_TOKEN_AS_SECRET = "access_token_as_secret"  # noqa: S105 - a name, not a secret
    CODE_AS_REFRESH_TOKEN = "code_as_refresh_token"  # noqa: S105 - a name, not a secret
    REFRESH_TOKEN_AS_CODE = "refresh_token_as_code"  # noqa: S105 - a name, not a secret
    ACCESS_TOKEN_AS_GRANT = "access_token_as_grant"  # noqa: S105 - a name, not a secret
    PARAMETERS_IN_QUERY = "parameters_in_query"
    BASIC_AUTHENTICATION = "basic_authentication"
    CODE_STILL_ENCODED = "code_still_encoded"
    REDIRECT_URI_STILL_ENCODED = "redirect_uri_still_encoded"
    REDIRECT_URI_ALMOST = "redirect_uri_almost"
    USER_ID_AS_CLIENT_ID = "user_id_as_client_id"
    REVOCATION_ENDPOINT = "revocation_endpoint"
    REFRESH_TOKEN_AS_BEARER = "refresh_token_as_bearer"  # noqa: S105 - a name, not a secret
