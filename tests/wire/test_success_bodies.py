"""Success bodies of POST /oauth/token, byte for byte: names, order, formats, switches."""

import re
from uuid import UUID

import pytest

from mp_oauth_sandbox import Profile
from mp_oauth_sandbox.core.profile import PRESETS

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SCOPES = "offline_access payments read write"


def full_body(world, *, prefix="APP_USR", live="true", token_type="Bearer", scope=SCOPES):
    user, app = world.seller.user_id, world.app.client_id
    return (
        rf'\{{"access_token":"{prefix}-{app}-051721-[0-9a-f]{{32}}-{user}",'
        rf'"token_type":"{token_type}","expires_in":15552000,"scope":"{scope}",'
        rf'"user_id":{user},"refresh_token":"TG-[0-9a-f]{{24}}-{user}",'
        rf'"public_key":"{prefix}-{UUID4}","live_mode":{live}\}}'
    )


def application_body(world, *, live_mode=',"live_mode":true', token_type="Bearer"):
    owner, app = world.app.owner, world.app.client_id
    return (
        rf'\{{"access_token":"APP_USR-{app}-051721-[0-9a-f]{{32}}-{owner}",'
        rf'"token_type":"{token_type}","expires_in":21600,"scope":"{SCOPES}",'
        rf'"user_id":{owner}{live_mode}\}}'
    )


def assert_body(answer, pattern):
    assert answer.status_code == 200, answer.text
    assert re.fullmatch(pattern, answer.text), answer.text


def test_a_code_exchange_answers_eight_fields_in_their_order(world):
    assert_body(world.post(world.exchange()), full_body(world))


def test_a_refresh_answers_the_same_eight_fields_with_new_tokens(world):
    first = world.tokens()

    answer = world.post(world.renewal(first["refresh_token"]))

    assert_body(answer, full_body(world))
    second = answer.json()
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert second["public_key"] == first["public_key"]


def test_client_credentials_answer_six_fields_for_the_owner_for_six_hours(world):
    assert_body(world.post(world.own()), application_body(world))


@pytest.mark.parametrize("profile", PRESETS.values(), ids=list(PRESETS))
def test_each_preset_answers_all_three_grants(make_world, profile):
    world = make_world(profile=profile)
    word = profile.token_type

    first = world.post(world.exchange())
    assert_body(first, full_body(world, token_type=word))
    renewed = world.post(world.renewal(first.json()["refresh_token"]))
    assert_body(renewed, full_body(world, token_type=word))
    own = world.post(world.own())
    assert_body(own, application_body(world, token_type=word))


@pytest.mark.parametrize("profile", ["default", "strict"])
@pytest.mark.parametrize(("linked", "sent"), [(True, "false"), (False, "true")])
def test_test_token_in_a_refresh_changes_nothing(make_world, profile, linked, sent):
    world = make_world(profile=profile)
    first = world.tokens(test_token=linked)

    renewed = world.post(world.renewal(first["refresh_token"], test_token=sent))

    assert renewed.status_code == 200
    assert first["live_mode"] is renewed.json()["live_mode"] is not linked


@pytest.mark.parametrize("content_type", ["json", "form"])
def test_form_and_json_get_the_same_answer(world, content_type):
    sent = {"json": world.exchange()} if content_type == "json" else {"data": world.exchange()}

    assert_body(world.http.post("/oauth/token", **sent), full_body(world))


# ---- test credentials ----


@pytest.mark.parametrize("sent", [True, "true", "True"], ids=repr)
def test_test_token_true_in_json_gets_sandbox_credentials(world, sent):
    answer = world.post(world.exchange(test_token=sent))

    assert_body(answer, full_body(world, prefix="TEST", live="false"))


@pytest.mark.parametrize("sent", [False, "false", ""], ids=repr)
def test_test_token_false_in_json_gets_production_credentials(world, sent):
    assert_body(world.post(world.exchange(test_token=sent)), full_body(world))


@pytest.mark.parametrize(("sent", "live"), [("true", "false"), ("false", "true")])
def test_test_token_in_a_form_is_understood(world, sent, live):
    answer = world.http.post("/oauth/token", data=world.exchange(test_token=sent))

    assert f'"live_mode":{live}}}' in answer.text


@pytest.mark.parametrize("sent", [1, "yes", ["true"], {}])
def test_a_test_token_that_is_neither_is_refused(world, sent):
    answer = world.post(world.exchange(test_token=sent))

    assert answer.status_code == 400
    assert answer.json()["message"] == "test_token is malformed"


def test_sandbox_credentials_stay_sandbox_credentials_when_refreshed(world):
    tokens = world.tokens(test_token=True)

    answer = world.post(world.renewal(tokens["refresh_token"]))

    assert_body(answer, full_body(world, prefix="TEST", live="false"))
    assert answer.json()["public_key"] == tokens["public_key"]


def test_live_and_test_public_keys_of_a_link_differ_and_each_stays_the_same(world):
    live, test = world.tokens()["public_key"], world.tokens(test_token=True)["public_key"]

    assert live.removeprefix("APP_USR-") != test.removeprefix("TEST-")
    assert world.tokens()["public_key"] == live
    assert world.tokens(test_token=True)["public_key"] == test


def test_sandbox_credentials_may_have_the_production_prefix(world):
    world.sandbox.change_profile(test_token_prefix="APP_USR")

    answer = world.post(world.exchange(test_token=True))

    assert_body(answer, full_body(world, live="false"))


# ---- switches ----


def test_the_documents_word_for_the_token_type_is_lower_case(world):
    world.sandbox.change_profile(token_type="bearer")

    assert_body(world.post(world.exchange()), full_body(world, token_type="bearer"))


def test_scopes_may_come_in_the_documents_order(world):
    world.sandbox.change_profile(scope_order="documented")
    scope = "read write offline_access payments"

    assert_body(world.post(world.exchange()), full_body(world, scope=scope))


def test_applications_may_be_registered_without_payments_by_default(make_world):
    old = Profile(default_scopes=("offline_access", "read", "write"))
    world = make_world(profile=old)

    assert world.tokens()["scope"] == "offline_access read write"


def test_without_offline_access_there_is_no_refresh_token(make_world):
    world = make_world(app={"scopes": ["write", "read"]})

    tokens = world.tokens()

    assert tokens["scope"] == "read write"
    assert list(tokens) == [
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "user_id",
        "public_key",
        "live_mode",
    ]


def test_a_refresh_may_answer_five_fields(world):
    tokens = world.tokens()
    world.sandbox.change_profile(refresh_body="short")

    answer = world.post(world.renewal(tokens["refresh_token"]))

    user, app = world.seller.user_id, world.app.client_id
    assert_body(
        answer,
        rf'\{{"access_token":"APP_USR-{app}-051721-[0-9a-f]{{32}}-{user}",'
        rf'"token_type":"Bearer","expires_in":15552000,"scope":"{SCOPES}",'
        rf'"refresh_token":"TG-[0-9a-f]{{24}}-{user}"\}}',
    )
    assert_body(world.post(world.exchange()), full_body(world))


def test_client_credentials_may_answer_without_live_mode(world):
    world.sandbox.change_profile(client_credentials_live_mode=False)

    assert_body(world.post(world.own()), application_body(world, live_mode=""))


def test_a_refresh_may_narrow_the_access_token_or_the_field_is_ignored(world):
    """RFC 6749 section 6: the refresh token keeps the scope it had."""
    token = world.tokens()["refresh_token"]
    scopes = []

    for change in ({"scope": "read"}, {}, {"scope": "write offline_access"}):
        renewed = world.post(world.renewal(token, **change)).json()
        token = renewed["refresh_token"]
        scopes.append(renewed["scope"])
    assert scopes == ["read", SCOPES, "offline_access write"]

    world.sandbox.change_profile(refresh_scope="ignore")
    assert world.post(world.renewal(token, scope="nonsense")).json()["scope"] == SCOPES


# ---- formats ----


def test_the_hour_in_an_access_token_is_told_in_utc_minus_4_or_in_utc(world):
    assert world.tokens()["access_token"].split("-")[2] == "051721"

    world.sandbox.change_profile(token_hour_zone="UTC")

    assert world.tokens()["access_token"].split("-")[2] == "051801"


def test_codes_and_refresh_tokens_hold_object_ids_of_the_same_machine(world):
    code = world.code()
    refresh_token = world.tokens(code=code)["refresh_token"]

    ids = [bytes.fromhex(secret.split("-")[1]) for secret in (code, refresh_token)]

    now = int(world.sandbox.clock().timestamp())
    assert [int.from_bytes(object_id[:4]) for object_id in ids] == [now, now]
    assert ids[0][4:9] == ids[1][4:9]
    assert ids[0][7:9] == b"\x00\x01"
    assert ids[0][9:] != ids[1][9:]


def test_ids_and_secrets_have_the_shapes_of_real_ones(world):
    assert re.fullmatch(r"\d{16}", world.app.client_id)
    assert re.fullmatch(r"[A-Za-z0-9]{32}", world.app.client_secret)
    assert re.fullmatch(r"\d{9,10}", str(world.seller.user_id))
    assert UUID(world.tokens()["public_key"].removeprefix("APP_USR-")).version == 4
    assert len(world.tokens()["access_token"]) in {74, 75}
