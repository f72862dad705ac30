"""Refusals on demand: what is heard is what such a refusal always sounds like."""

import httpx
import pytest

from mp_oauth_sandbox import Cause, InvalidInputError
from mp_oauth_sandbox.core.refusals import RULES
from mp_oauth_sandbox.faults import Refuse

from .conftest import World


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, "internal_server_error"),
        (502, "bad_gateway"),
        (503, "service_unavailable"),
        (504, "gateway_timeout"),
    ],
)
def test_a_server_that_fails_answers_in_the_shape_of_an_error(
    world: World, status: int, error: str
):
    code = world.code()
    world.sandbox.faults.add("refuse", status=status, on="exchange")

    answer, after = world.exchange(code), world.exchange(code)

    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert list(answer.json()) == ["message", "error", "status", "cause"]
    assert after.status_code == 200, "nothing was decided"


@pytest.mark.parametrize("profile", [None, 5])
@pytest.mark.parametrize("retry_after", [None, 0, 30])
def test_a_429_has_the_retry_after_of_the_fault_or_else_of_the_profile(
    world: World, retry_after: int | None, profile: int | None
):
    seconds = profile if retry_after is None else retry_after
    world.sandbox.change_profile(retry_after=profile)
    world.sandbox.faults.add(Refuse(status=429, retry_after=retry_after, on="token"))

    answer = world.exchange()

    assert answer.status_code == 429
    assert answer.json()["error"] == "local_rate_limited"
    assert answer.headers.get("retry-after") == (None if seconds is None else str(seconds))
    assert world.sandbox.journal.last().cause == "rate_limited"


def test_a_gateway_may_refuse_without_a_word(world: World):
    code, token = world.code(), world.exchange().json()["access_token"]
    world.sandbox.faults.add("refuse", status=403, on="token")
    world.sandbox.faults.add("refuse", status=403, on="/users/me")

    answers = [world.exchange(code), world.me(token)]

    for answer in answers:
        assert (answer.status_code, answer.content) == (403, b"")
        assert answer.headers["content-length"] == "0"
        assert "content-type" not in answer.headers
        assert "x-request-id" in answer.headers
    assert [entry.status for entry in world.sandbox.journal][-2:] == [403, 403]
    assert world.exchange(code).status_code == 200, "nothing was decided"
    assert world.me(token).status_code == 200


def test_a_refusal_without_a_word_is_none_of_the_authorization_endpoint_s(world: World):
    world.sandbox.faults.add("refuse", status=403, on="/*", times="always")

    assert world.authorize().status_code == 302
    assert world.token(grant_type="client_credentials").status_code == 403


def test_a_cause_sounds_as_it_always_does(world: World):
    code = world.code()
    world.exchange(code)
    genuine = world.exchange(code)
    fresh = world.code()
    world.sandbox.faults.add("refuse", cause="code_already_redeemed", on="exchange")

    made = world.exchange(fresh)

    assert (made.status_code, made.content) == (genuine.status_code, genuine.content)
    entry = world.sandbox.journal.last()
    assert entry.cause == "code_already_redeemed"
    assert entry.faults == ("f1 refuse (match 1)",)


TOKEN_CAUSES = [cause for cause, rule in RULES.items() if "token" in rule.endpoints]


@pytest.mark.parametrize("cause", TOKEN_CAUSES)
def test_every_cause_of_the_token_endpoint_can_be_had(world: World, cause: Cause):
    world.sandbox.faults.add(Refuse(cause=cause, on="token"))

    answer = world.token(grant_type="client_credentials")

    assert answer.status_code >= 400
    assert "{" not in answer.json()["message"]
    entry = world.sandbox.journal.last()
    assert entry.cause == cause
    assert "(not known)" not in (entry.explanation or "")


@pytest.mark.parametrize(
    "cause", ["token_expired", "token_revoked", "token_unknown", "token_forbidden"]
)
def test_a_resource_can_be_refused(world: World, cause: str):
    token = world.exchange().json()["access_token"]
    world.sandbox.faults.add("refuse", cause=cause, on="/users/me")

    refused, after = world.me(token), world.me(token)

    assert refused.status_code in {401, 403}
    assert after.status_code == 200


def test_a_denial_can_be_had_without_a_seller_who_denies(world: World):
    world.sandbox.faults.add("refuse", cause="seller_denied", on="authorization")

    location = world.authorize().headers["location"]

    assert location.endswith("?error=access_denied&state=s1")


def test_the_authorization_endpoint_can_fail_as_a_server(world: World):
    world.sandbox.faults.add("refuse", status=503, retry_after=7, on="authorization")

    answer = world.authorize()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.headers["content-type"].startswith("text/html")
    assert httpx.URL(world.authorize().headers["location"]).params["code"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"cause": "nonsense"}, "cause"),
        ({"cause": "token_expired"}, "cause"),
        ({"cause": "seller_denied"}, "cause"),
        ({"cause": "code_expired", "status": 503}, "cause"),
        ({"status": 404}, "status"),
        ({"status": 403, "on": "authorization"}, "status"),
        ({"status": 403, "retry_after": 3}, "retry_after"),
        ({"status": 500, "retry_after": 3}, "retry_after"),
        ({"retry_after": -1}, "retry_after"),
        ({"on": "nonsense"}, "on"),
        ({"on": "webhook"}, "on"),
        ({"times": 0}, "times"),
        ({"first": 0}, "first"),
        ({"surplus": 1}, "surplus"),
    ],
)
def test_what_cannot_be_names_its_field(world: World, fields: dict[str, object], field: str):
    with pytest.raises(InvalidInputError) as caught:
        world.sandbox.faults.add("refuse", **fields)
    over_http = world.http.post("/_sandbox/faults", json={"kind": "refuse", **fields})

    assert caught.value.field == field
    assert (over_http.status_code, over_http.json()["field"]) == (400, field)
