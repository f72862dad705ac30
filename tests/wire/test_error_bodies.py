"""Error bodies of POST /oauth/token, byte for byte: sentences, statuses, switches, headers."""

from dataclasses import replace
from uuid import UUID

import pytest

from mp_oauth_sandbox import Lifetimes
from mp_oauth_sandbox.core.profile import PRESETS

GRANT = (
    "Error validating grant. Your authorization code or refresh token may be expired or it was"
    " already used"
)
CLIENT = "invalid client_id or client_secret"
TRIO = (
    "the following parameters are required: grant_type, client_id, client_secret."
    " Missing parameters: "
)


def body_of(message, error, status=400):
    return f'{{"message":"{message}","error":"{error}","status":{status},"cause":[]}}'


def assert_refused(answer, message, error, status=400):
    assert (answer.status_code, answer.text) == (status, body_of(message, error, status))


def block(world):
    world.sandbox.update_application(
        world.app.client_id, lambda application: replace(application, status="blocked")
    )


# ---- one sentence for each error ----


@pytest.mark.parametrize(
    ("changes", "message", "error", "cause"),
    [
        ({"client_secret": "0" * 32}, CLIENT, "invalid_client", "secret_mismatch"),
        ({"client_id": "123"}, CLIENT, "invalid_client", "application_unknown"),
        ({"code": None}, "code is a required parameter", "invalid_request", "parameter_missing"),
        (
            {"redirect_uri": None},
            "redirect_uri is a required parameter",
            "invalid_request",
            "parameter_missing",
        ),
        (
            {"grant_type": "password"},
            "unsupported grant_type",
            "unsupported_grant_type",
            "grant_type_unsupported",
        ),
        ({"code": "TG-000000000000000000000000-1"}, GRANT, "invalid_grant", "code_unknown"),
        (
            {"redirect_uri": "https://shop.example/mp/callback/"},
            GRANT,
            "invalid_grant",
            "redirect_uri_mismatch",
        ),
    ],
)
def test_a_refused_exchange_says_this_and_no_more(world, changes, message, error, cause):
    answer = world.post(world.exchange() | changes)

    assert_refused(answer, message, error)
    assert world.cause() == cause


def test_six_reasons_share_one_sentence_and_the_journal_tells_them_apart(make_world):
    world = make_world(app={"redirect_uris": ["https://shop.example/cb"]})
    other = world.sandbox.register_application(redirect_uris=["https://other.example/cb"])
    by_the_other = {"client_id": other.client_id, "client_secret": other.client_secret}
    used = world.exchange()
    world.post(used)
    unlinked = world.exchange()
    world.sandbox.unlink(world.app, world.seller)
    foreign = world.exchange(**by_the_other)
    wrong_uri = world.exchange(redirect_uri="https://shop.example/cB")
    late = world.exchange()

    causes = []
    for body in (used, unlinked, foreign, wrong_uri):
        assert_refused(world.post(body), GRANT, "invalid_grant")
        causes.append(world.cause())
    world.sandbox.clock.advance(minutes=10)
    assert_refused(world.post(late), GRANT, "invalid_grant")
    causes.append(world.cause())

    assert causes == [
        "code_already_redeemed",
        "link_revoked",
        "code_of_another_application",
        "redirect_uri_mismatch",
        "code_expired",
    ]


@pytest.mark.parametrize("days", [0, 183, 400])
def test_a_refused_refresh_says_the_same(world, days):
    """Six months from 18 May end on 18 November: 184 days."""
    tokens = world.tokens()
    if days == 0:
        world.post(world.renewal(tokens["refresh_token"]))
    world.sandbox.clock.advance(days=days)

    answer = world.post(world.renewal(tokens["refresh_token"]))

    if days == 183:
        assert answer.status_code == 200
    else:
        assert_refused(answer, GRANT, "invalid_grant")
        assert world.cause() == ("refresh_expired" if days else "refresh_replaced")


def test_a_refresh_without_its_token_names_it(world):
    body = world.renewal("")

    assert_refused(world.post(body), "refresh_token is a required parameter", "invalid_request")


def test_a_missing_verifier_is_named_and_a_wrong_one_is_not(make_world):
    world = make_world(app={"redirect_uris": ["https://shop.example/cb"], "pkce_required": True})
    code = world.code(code_challenge="c" * 43, code_challenge_method="plain")

    missing = world.post(world.exchange(code))
    wrong = world.post(world.exchange(code, code_verifier="d" * 43))

    assert_refused(missing, "code_verifier is a required parameter", "invalid_request")
    assert_refused(wrong, GRANT, "invalid_grant")
    assert world.post(world.exchange(code, code_verifier="c" * 43)).status_code == 200


def test_a_wider_scope_a_lost_permission_and_a_blocked_application_have_errors_of_their_own(world):
    token = world.tokens()["refresh_token"]
    wider = world.post(world.renewal(token, scope="read everything"))
    assert_refused(wider, "invalid scope", "invalid_scope")

    world.sandbox.update_application(
        world.app.client_id, lambda application: replace(application, scopes=("read",))
    )
    lost = world.post(world.renewal(token))
    assert_refused(lost, "the application is not authorized for this grant", "unauthorized_client")

    block(world)
    assert_refused(world.post(world.renewal(token)), "the application is blocked", "forbidden")


def test_a_deleted_application_is_an_invalid_client(world):
    body = world.exchange()
    world.sandbox.delete_application(world.app)

    assert_refused(world.post(body), CLIENT, "invalid_client")
    assert world.cause() == "application_deleted"


def test_a_code_lifetime_of_zero_makes_every_code_late(make_world):
    nothing = Lifetimes(authorization_code=Lifetimes().authorization_code * 0)
    world = make_world(app={"redirect_uris": ["https://shop.example/cb"], "lifetimes": nothing})

    assert_refused(world.post(world.exchange()), GRANT, "invalid_grant")
    assert world.cause() == "code_expired"


# ---- switches ----


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("message", body_of(CLIENT, "invalid_client")),
        (
            "error_description",
            f'{{"error_description":"{CLIENT}","error":"invalid_client","status":400,"cause":[]}}',
        ),
        ("two_keys", f'{{"message":"{CLIENT}","error":"invalid_client"}}'),
    ],
)
def test_error_bodies_come_in_three_shapes(world, variant, expected):
    world.sandbox.change_profile(error_body=variant)

    assert world.post(world.exchange("x", client_secret="wrong")).text == expected


def test_the_grant_sentence_may_end_in_a_period(world):
    world.sandbox.change_profile(invalid_grant_final_period=True)

    assert_refused(world.post(world.exchange("TG-x")), f"{GRANT}.", "invalid_grant")
    assert_refused(world.post(world.exchange("x", client_id="1")), CLIENT, "invalid_client")


@pytest.mark.parametrize("profile", PRESETS.values(), ids=list(PRESETS))
def test_each_preset_refuses_with_its_own_punctuation(make_world, profile):
    world = make_world(profile=profile)
    period = "." if profile.name == "legacy" else ""

    assert_refused(world.post(world.exchange("TG-x")), f"{GRANT}{period}", "invalid_grant")


def test_invalid_client_may_be_a_401(world):
    world.sandbox.change_profile(invalid_client_status=401)

    answer = world.post(world.exchange("x", client_secret="wrong"))

    assert_refused(answer, CLIENT, "invalid_client", 401)


def test_forbidden_may_be_a_403(world):
    block(world)
    world.sandbox.change_profile(forbidden_status=403)

    answer = world.post(world.exchange("x"))

    assert_refused(answer, "the application is blocked", "forbidden", 403)


def test_sentences_that_nobody_has_seen_can_be_chosen(world):
    world.sandbox.change_profile(
        unsupported_grant_type_message="no such grant", forbidden_message="go away"
    )
    unsupported = world.post(world.exchange("x", grant_type="device"))
    assert_refused(unsupported, "no such grant", "unsupported_grant_type")
    block(world)
    assert_refused(world.post(world.exchange("x")), "go away", "forbidden")


# ---- too many requests ----


@pytest.mark.parametrize(
    ("variant", "content_type", "expected"),
    [
        (
            "json",
            "application/json; charset=utf-8",
            body_of("too many requests, please try again", "local_rate_limited", 429),
        ),
        ("plain", "text/plain", "local_rate_limited"),
        (
            "too_many_requests",
            "application/json; charset=utf-8",
            '{"status":429,"error":"too_many_requests","message":"Too Many Requests"}',
        ),
    ],
)
def test_one_request_too_many_within_a_minute_is_a_429(world, variant, content_type, expected):
    world.sandbox.change_profile(token_requests_per_minute=2, rate_limited_body=variant)
    body = world.exchange("TG-x")

    statuses = [world.post(body).status_code for _ in range(2)]
    answer = world.post(body)

    assert [*statuses, answer.status_code, answer.text] == [400, 400, 429, expected]
    assert answer.headers["content-type"] == content_type
    assert answer.headers.get("retry-after") == "1"
    assert world.cause() == "rate_limited"


def test_by_default_a_429_has_an_error_body(world):
    world.sandbox.change_profile(token_requests_per_minute=0)

    answer = world.post(world.exchange("TG-x"))

    message = "too many requests, please try again"
    assert_refused(answer, message, "local_rate_limited", 429)


def test_a_429_may_say_when_to_come_back_and_the_next_minute_is_free(world):
    world.sandbox.change_profile(token_requests_per_minute=1, retry_after=30)
    code = world.code()
    assert world.post(world.exchange("TG-x")).status_code == 400

    limited = world.post(world.exchange(code))
    world.sandbox.clock.advance(seconds=60)

    assert (limited.status_code, limited.headers["retry-after"]) == (429, "30")
    assert world.post(world.exchange(code)).status_code == 200


def test_a_profile_may_leave_retry_after_out(world):
    world.sandbox.change_profile(token_requests_per_minute=0, retry_after=None)

    assert "retry-after" not in world.post(world.exchange("TG-x")).headers


def test_the_limit_is_one_for_each_application(world):
    world.sandbox.change_profile(token_requests_per_minute=1)
    other = world.sandbox.register_application(redirect_uris=["https://other.example/cb"])
    own = {"client_id": other.client_id, "client_secret": other.client_secret}

    world.post(world.exchange("TG-x"))

    assert world.post(world.exchange("TG-x")).status_code == 429
    assert world.post(world.exchange("TG-x", **own)).status_code == 400


# ---- headers ----


def test_every_answer_has_the_same_three_headers(world):
    answers = [
        world.post(world.exchange()),
        world.post(world.exchange("TG-x")),
        world.http.get("/users/me"),
        world.http.get("/users/me", headers={"authorization": f"Bearer {world.app.access_token}"}),
        world.http.get("/v1/payments"),
        world.http.post("/oauth/token", content=b"{"),
    ]

    for answer in answers:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        request_id = answer.headers["x-request-id"]
        assert str(UUID(request_id)) == request_id
        assert "www-authenticate" not in answer.headers
        assert "set-cookie" not in answer.headers
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
