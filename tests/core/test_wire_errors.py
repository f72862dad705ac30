"""What the wire says about each refusal, word for word.

Sources: Mercado Pago, POST /oauth/token reference; public captures of its errors.
"""

import pytest

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.profile import DEFAULT, LEGACY, Profile
from mp_oauth_sandbox.core.refusals import RULES, missing, missing_of_trio, refuse, wire_error

INVALID_GRANT = (
    "Error validating grant. Your authorization code or refresh token may be expired or it was"
    " already used"
)

#: The six documented reasons and their kin that one sentence covers.
ONE_SENTENCE = {
    Cause.CHALLENGE_MISSING,
    Cause.CODE_UNKNOWN,
    Cause.CODE_EXPIRED,
    Cause.CODE_ALREADY_REDEEMED,
    Cause.CODE_OF_ANOTHER_APPLICATION,
    Cause.CODE_BURNT,
    Cause.REDIRECT_URI_MISMATCH,
    Cause.VERIFIER_MALFORMED,
    Cause.VERIFIER_MISMATCH,
    Cause.VERIFIER_UNEXPECTED,
    Cause.REFRESH_UNKNOWN,
    Cause.REFRESH_EXPIRED,
    Cause.REFRESH_REPLACED,
    Cause.REFRESH_OF_ANOTHER_APPLICATION,
    Cause.LINK_REVOKED,
    Cause.GRANT_DISPLACED,
    Cause.GRANT_REPLAYED,
}


def wire(cause: Cause, profile: Profile = DEFAULT) -> tuple[int, str, str]:
    error = wire_error(refuse(cause), profile)
    return error.status, error.error, error.message


def test_one_sentence_covers_all_that_can_be_wrong_with_a_grant():
    # Mercado Pago, POST /oauth/token reference: invalid_grant; more than 10 public captures.
    assert {cause for cause in Cause if RULES[cause].error == "invalid_grant"} == ONE_SENTENCE
    for cause in ONE_SENTENCE:
        assert wire(cause) == (400, "invalid_grant", INVALID_GRANT)
        assert wire(cause, LEGACY) == (400, "invalid_grant", INVALID_GRANT + ".")


@pytest.mark.parametrize(
    "cause",
    [Cause.APPLICATION_UNKNOWN, Cause.APPLICATION_DELETED, Cause.SECRET_MISMATCH],
)
def test_one_sentence_covers_all_that_can_be_wrong_with_the_application(cause: Cause):
    # Three public projects (MP); 401 is what RFC 6749 section 5.2 allows.
    sentence = "invalid client_id or client_secret"
    assert wire(cause) == (400, "invalid_client", sentence)
    assert wire(cause, Profile(invalid_client_status=401)) == (401, "invalid_client", sentence)


def test_a_missing_parameter_is_named_in_the_captured_sentences():
    # A public Mercado Pago thread of 2021, and 8 public projects for code_verifier.
    trio = wire_error(missing_of_trio(["client_id"]), DEFAULT)
    assert (trio.status, trio.error, trio.message) == (
        400,
        "invalid_request",
        "the following parameters are required: grant_type, client_id, client_secret."
        " Missing parameters: client_id",
    )
    several = wire_error(missing_of_trio(["grant_type", "client_secret"]), DEFAULT)
    assert several.message.endswith("Missing parameters: grant_type, client_secret")
    for name in ("code", "redirect_uri", "refresh_token"):
        error = wire_error(missing(name), DEFAULT)
        assert (error.status, error.error) == (400, "invalid_request")
        assert error.message == f"{name} is a required parameter"
    assert wire(Cause.VERIFIER_MISSING) == (
        400,
        "invalid_request",
        "code_verifier is a required parameter",
    )


@pytest.mark.parametrize(
    ("cause", "switch", "error"),
    [
        (Cause.GRANT_TYPE_UNSUPPORTED, "unsupported_grant_type_message", "unsupported_grant_type"),
        (Cause.SCOPE_INVALID, "invalid_scope_message", "invalid_scope"),
        (Cause.OFFLINE_ACCESS_MISSING, "unauthorized_client_message", "unauthorized_client"),
        (Cause.APPLICATION_BLOCKED, "forbidden_message", "forbidden"),
    ],
)
def test_a_sentence_nobody_has_seen_can_be_chosen(cause: Cause, switch: str, error: str):
    # Mercado Pago, POST /oauth/token reference: the names only.
    assert wire(cause) == (400, error, getattr(DEFAULT, switch))
    chosen = Profile(**{switch: "own {words}"})  # type: ignore[arg-type]  # all four are text
    assert wire(cause, chosen) == (400, error, "own {words}")


def test_a_blocked_application_is_400_or_403():
    # 400 in Mercado Pago's table, 403 in Mercado Libre's.
    assert wire(Cause.APPLICATION_BLOCKED, Profile(forbidden_status=403))[0] == 403


def test_a_resource_says_401_in_two_sentences():
    # Seen in 5 public projects.
    assert wire(Cause.TOKEN_MISSING) == (401, "unauthorized", "authorization value not present")
    for cause in (
        Cause.TOKEN_MALFORMED,
        Cause.TOKEN_UNKNOWN,
        Cause.TOKEN_EXPIRED,
        Cause.TOKEN_REVOKED,
    ):
        assert wire(cause) == (401, "unauthorized", "invalid access token")


def test_too_many_requests_and_an_unknown_resource_have_statuses_of_their_own():
    # Mercado Pago, POST /oauth/token reference: 429 local_rate_limited.
    assert wire(Cause.RATE_LIMITED)[:2] == (429, "local_rate_limited")
    assert wire(Cause.RESOURCE_UNKNOWN)[:2] == (404, "resource not found")
    assert wire(Cause.SELLER_DENIED)[1] == "access_denied"
