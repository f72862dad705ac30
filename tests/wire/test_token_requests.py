"""What POST /oauth/token makes of a request: fields, types, places, and the order of checks."""

import json
from itertools import combinations
from urllib.parse import urlencode

import pytest

from mp_oauth_sandbox.core.profile import DEFAULT, STRICT

TRIO = ("grant_type", "client_id", "client_secret")
MISSING = (
    "the following parameters are required: grant_type, client_id, client_secret."
    " Missing parameters: "
)
UNREADABLE = "the request body could not be read"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}

MISSING_SETS = [names for size in (1, 2, 3) for names in combinations(TRIO, size)]


def assert_invalid_request(answer, message):
    assert answer.status_code == 400
    assert answer.json() == {
        "message": message,
        "error": "invalid_request",
        "status": 400,
        "cause": [],
    }


def post(world, content, headers, **more):
    return world.http.post("/oauth/token", content=content, headers=headers, **more)


# ---- the required trio ----


@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
@pytest.mark.parametrize("names", MISSING_SETS, ids=" ".join)
def test_what_is_missing_of_the_trio_is_listed(world, names, form):
    body = {name: value for name, value in world.exchange("x").items() if name not in names}

    answer = world.http.post("/oauth/token", **({"data": body} if form else {"json": body}))

    assert_invalid_request(answer, MISSING + ", ".join(names))
    assert world.cause() == "parameter_missing"


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_the_empty_string_count_as_missing(world, nothing):
    answer = world.http.post("/oauth/token", json=world.exchange("x") | {"client_id": nothing})

    assert_invalid_request(answer, f"{MISSING}client_id")


@pytest.mark.parametrize("headers", [{}, JSON, FORM], ids=["no type", "json", "form"])
def test_an_empty_body_lacks_all_three(world, headers):
    assert_invalid_request(post(world, b"", headers), MISSING + ", ".join(TRIO))


def test_http_basic_is_no_way_to_say_them(world):
    body = {"grant_type": "authorization_code", "code": "x"}

    answer = world.http.post(
        "/oauth/token", data=body, auth=(world.app.client_id, world.app.client_secret)
    )

    assert_invalid_request(answer, f"{MISSING}client_id, client_secret")


def test_other_headers_change_nothing(world):
    headers = {
        "authorization": "Bearer nonsense",
        "x-idempotency-key": "9" * 39,
        "x-test-token": "true",
        "accept": "text/html",
        "origin": "https://shop.example",
    }

    answer = world.http.post("/oauth/token", json=world.exchange(), headers=headers)

    assert answer.status_code == 200
    assert answer.json()["live_mode"] is True


# ---- types ----


def test_a_client_id_may_be_a_json_number(world):
    body = world.exchange() | {"client_id": int(world.app.client_id)}

    assert world.post(body).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grant_type", ["authorization_code"]),
        ("client_id", True),
        ("client_id", 1.5),
        ("client_secret", 1),
        ("code", 7),
        ("redirect_uri", {"a": 1}),
        ("code_verifier", [1]),
        ("code", "\ud800"),
    ],
)
def test_a_value_of_another_type_is_malformed(world, name, value):
    body = json.dumps(world.exchange("x") | {name: value}).encode()

    assert_invalid_request(post(world, body, JSON), f"{name} is malformed")


def test_an_absurdly_long_client_id_is_just_unknown(world):
    answer = world.post(world.exchange("x") | {"client_id": 10**200})

    assert answer.json()["error"] == "invalid_client"


def test_form_values_that_are_not_utf_8_are_malformed(world):
    answer = post(world, urlencode(world.exchange("x")).encode() + b"&test_token=%FF", FORM)

    assert_invalid_request(answer, "test_token is malformed")


# ---- the same name twice ----


def test_a_name_twice_in_a_form_is_refused(world):
    content = urlencode(world.exchange()).encode() + b"&code=TG-another"

    assert_invalid_request(post(world, content, FORM), "code must be sent only once")
    assert world.cause() == "parameter_duplicated"


def test_a_name_twice_in_json_is_refused(world):
    content = b'{"grant_type":"authorization_code","grant_type":"refresh_token"}'

    assert_invalid_request(post(world, content, JSON), "grant_type must be sent only once")
    assert world.cause() == "parameter_duplicated"


# ---- the query string ----


def test_parameters_in_the_query_are_not_seen(world):
    answer = world.http.post("/oauth/token", params=world.exchange(), headers=FORM)

    assert_invalid_request(answer, MISSING + ", ".join(TRIO))
    beside = world.http.post("/oauth/token", params={"code": "TG-x"}, json=world.exchange())
    assert beside.status_code == 200


@pytest.mark.parametrize("headers", [{}, JSON, FORM], ids=["no type", "json", "form"])
def test_parameters_in_the_query_may_be_accepted(world, headers):
    world.sandbox.change_profile(query_parameters="accept")

    answer = world.http.post("/oauth/token", params=world.exchange(), headers=headers)

    assert answer.status_code == 200


def test_where_the_query_is_accepted_the_body_has_the_last_word(world):
    world.sandbox.change_profile(query_parameters="accept")

    answer = world.http.post("/oauth/token", params={"code": "TG-x"}, json=world.exchange())

    assert answer.status_code == 200


def test_parameters_in_the_query_may_be_refused(world):
    world.sandbox.change_profile(query_parameters="refuse")

    answer = world.http.post("/oauth/token", params={"code": "TG-x"}, json=world.exchange())

    assert_invalid_request(answer, "unsupported parameter in the query: code")
    assert world.cause() == "parameter_in_query"


# ---- surplus fields ----


def test_surplus_fields_are_ignored_by_default_and_refused_by_strict(make_world):
    relaxed, strict = make_world(), make_world(profile="strict")
    body = {"state": "x"}

    assert relaxed.post(relaxed.exchange() | body).status_code == 200
    answer = strict.post(strict.exchange() | body)

    assert_invalid_request(answer, "unsupported parameter: state")
    assert strict.cause() == "parameter_surplus"


def test_strict_refuses_the_query_and_a_challenge_without_method(make_world):
    world = make_world(profile="strict")

    answer = world.http.post("/oauth/token?x=1", json=world.exchange())
    page = world.authorize(code_challenge="c" * 43, state="s1")

    assert_invalid_request(answer, "unsupported parameter in the query: x")
    assert page.status_code == 400
    assert world.cause() == "challenge_malformed"


# ---- the body's form ----


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=UTF-8",
        "Application/JSON;charset=utf-8",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded;charset=UTF-8",
    ],
)
def test_both_media_types_are_known_with_and_without_charset(world, content_type):
    body = world.exchange()
    content = urlencode(body) if "form" in content_type else json.dumps(body)

    answer = post(world, content.encode(), {"content-type": content_type})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "multipart/form-data; boundary=x", "application/xml"]
)
def test_a_body_of_another_media_type_is_not_read(world, content_type):
    headers = {} if content_type is None else {"content-type": content_type}

    assert_invalid_request(post(world, b'{"a":1}', headers), UNREADABLE)
    assert world.cause() == "body_unreadable"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"7",
        b'{"code":NaN}',
        b'{"code":"\xff"}',
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b'{"client_id":' + b"9" * 5_000 + b"}",
    ],
    ids=lambda content: content[:14].decode("latin-1"),
)
def test_json_that_is_no_object_is_not_read(world, content):
    assert_invalid_request(post(world, content, JSON), UNREADABLE)


def test_a_body_of_more_than_64_kilobytes_is_refused(world):
    at_the_limit = json.dumps(world.exchange() | {"x": ""})
    at_the_limit = at_the_limit.replace('"x": ""', f'"x": "{"y" * (65536 - len(at_the_limit))}"')

    assert post(world, at_the_limit.encode(), JSON).status_code == 200
    answer = post(world, at_the_limit.encode() + b" ", JSON)

    assert_invalid_request(answer, "the request body is too large")
    assert world.cause() == "body_too_large"


def test_a_large_body_in_pieces_of_unknown_number_is_refused_too(world):
    pieces = (b"x" * 1000 for _ in range(70))

    answer = post(world, pieces, FORM)

    assert_invalid_request(answer, "the request body is too large")


# ---- the order of checks ----


def test_checks_come_in_their_order(make_world):
    """Everything is wrong at first; each step repairs what was told, and the next is told."""
    pkce = {"redirect_uris": ["https://shop.example/cb"], "pkce_required": True}
    world = make_world(app=pkce)
    code = world.code(code_challenge="c" * 43, code_challenge_method="plain")
    body = {}
    told = []
    for repair in (
        {},
        {"grant_type": "password"},
        {"client_id": "1", "client_secret": "wrong"},
        {"grant_type": "authorization_code"},
        {"client_id": world.app.client_id},
        {"client_secret": world.app.client_secret},
        {"code": "TG-unknown"},
        {"redirect_uri": "https://elsewhere.example/"},
        {"code_verifier": "short"},
        {"code": code},
        {"redirect_uri": "https://shop.example/cb"},
        {"code_verifier": "d" * 43},
        {"code_verifier": "c" * 43},
    ):
        body |= repair
        world.post(body)
        told.append(world.cause())

    assert told == [
        "parameter_missing",
        "parameter_missing",
        "grant_type_unsupported",
        "application_unknown",
        "secret_mismatch",
        "parameter_missing",
        "parameter_missing",
        "verifier_missing",
        "code_unknown",
        "redirect_uri_mismatch",
        "verifier_malformed",
        "verifier_mismatch",
        None,
    ]


def test_spent_is_told_before_revoked_and_revoked_before_expired(world):
    spent, fresh = world.exchange(), world.exchange()
    assert world.post(spent).status_code == 200
    world.sandbox.change_password(world.seller)
    world.sandbox.clock.advance(days=1)

    causes = []
    for body in (spent, fresh):
        world.post(body)
        causes.append(world.cause())

    assert causes == ["code_already_redeemed", "link_revoked"]


# ---- fields that may come once ----


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Type", "application/json"),
        ("content-type", "text/plain"),
        ("Host", "localhost"),
        ("Content-Length", "1"),
        ("X-Idempotency-Key", "b"),
    ],
)
@pytest.mark.parametrize("profile", [DEFAULT, STRICT])
def test_a_field_that_may_come_once_is_refused_when_it_comes_twice(world, name, value, profile):
    world.sandbox.profile = profile
    content = json.dumps(world.exchange("x")).encode()
    own = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    fields = [("Host", "localhost"), *own, ("X-Idempotency-Key", "a")]

    answer = post(world, content, [*fields, (name, value)])

    shown = next(one for one, _ in fields if one.lower() == name.lower())
    assert_invalid_request(answer, f"{shown} must be sent only once")
    assert world.cause() == "parameter_duplicated"
    assert world.sandbox.journal.last().status == 400


@pytest.mark.parametrize(
    ("content_type", "taken"),
    [
        ("application/json, application/json", False),
        ("application/json; charset=utf-8, text/plain", False),
        ('application/json;a="b", text/plain', False),
        ('application/json; a="b, \\" c"', True),
        ("Application/JSON ; charset=utf-8", True),
    ],
)
def test_a_content_type_of_several_media_types_is_refused(world, content_type, taken):
    content = json.dumps(world.exchange()).encode()

    answer = post(world, content, {"content-type": content_type})

    if taken:
        assert answer.status_code == 200
    else:
        assert_invalid_request(answer, UNREADABLE)
        assert "several media types" in world.sandbox.journal.last().explanation
