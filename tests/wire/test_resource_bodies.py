"""GET /users/me and everything that is not there, byte for byte."""

import pytest

from mp_oauth_sandbox.core.profile import DEFAULT, STRICT

MISSING = '{"code":"unauthorized","message":"authorization value not present"}'
INVALID = '{"code":"unauthorized","message":"invalid access token"}'
NOT_FOUND = (
    '{"message":"Si quieres conocer los recursos de la API que se encuentran disponibles visita'
    " el Sitio de Desarrolladores de MercadoLibre (http://developers.mercadolibre.com)"
    '","error":"resource not found"}'
)

# The order of an official fixture (Java SDK).
PROFILE_KEYS = (
    "id nickname registration_date first_name last_name gender country_id email identification"
    " address phone alternative_phone user_type tags logo points site_id permalink"
    " shipping_modes seller_experience bill_data seller_reputation buyer_reputation status"
    " secure_email company credit context registration_identifiers"
)


def me(world, token, scheme="Bearer"):
    authorization = f"{scheme} {token}".encode()
    return world.http.get("/users/me", headers={"authorization": authorization})


@pytest.mark.parametrize(
    ("country", "site"),
    [
        ("AR", "MLA"),
        ("BR", "MLB"),
        ("CL", "MLC"),
        ("CO", "MCO"),
        ("MX", "MLM"),
        ("PE", "MPE"),
        ("UY", "MLU"),
    ],
)
def test_a_token_shows_its_seller_in_the_fixture_s_order(world, country, site):
    seller = world.sandbox.create_seller(country=country, nickname="Doña Rosa")
    world.sandbox.auto_consent(seller)

    answer = me(world, world.tokens()["access_token"])

    assert answer.status_code == 200
    profile = answer.json()
    assert " ".join(profile) == PROFILE_KEYS
    assert list(profile["identification"]) == ["number", "type"]
    assert list(profile["address"]) == ["address", "city", "state", "zip_code"]
    assert list(profile["phone"]) == ["area_code", "extension", "number", "verified"]
    assert answer.text.startswith(f'{{"id":{seller.user_id},"nickname":"Doña Rosa","registration')
    assert (profile["country_id"], profile["site_id"]) == (country, site)
    assert "test_user" in profile["tags"]


def test_a_client_credentials_token_shows_the_owner(world):
    answer = me(world, world.post(world.own()).json()["access_token"])

    assert answer.json()["id"] == world.app.owner


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_s_letters_have_no_case(world, scheme):
    assert me(world, world.app.access_token, scheme).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer"}, {"authorization": "Bearer   "}, {"authorization": "Basic x"}],
)
def test_no_token_is_told_as_such(world, headers):
    answer = world.http.get("/users/me", headers=headers)

    assert (answer.status_code, answer.text) == (401, MISSING)
    assert world.cause() == "token_missing"


def test_every_bad_token_gets_one_sentence_and_the_journal_tells_why(world):
    tokens = world.tokens()
    own = world.app.access_token
    never_issued = f"APP_USR-{own.split('-')[1]}-051721-{'0' * 32}-{world.seller.user_id}"
    causes = []

    def refused(token):
        answer = me(world, token)
        assert (answer.status_code, answer.text) == (401, INVALID)
        causes.append(world.cause())

    refused("garbage")
    refused("ñandú")
    refused(tokens["refresh_token"])
    refused(never_issued)
    world.sandbox.clock.advance(days=180)
    refused(tokens["access_token"])
    world.sandbox.unlink(world.app, world.seller)
    refused(tokens["access_token"])

    assert causes == [
        "token_malformed",
        "token_malformed",
        "token_malformed",
        "token_unknown",
        "token_expired",
        "token_revoked",
    ]


def test_a_token_is_good_until_the_last_moment(world):
    token = world.tokens()["access_token"]

    world.sandbox.clock.advance(days=179, hours=23, minutes=59, seconds=59)
    assert me(world, token).status_code == 200
    world.sandbox.clock.advance(seconds=1)
    assert me(world, token).status_code == 401


def test_a_refresh_leaves_the_earlier_access_token_alone_or_kills_it(world):
    first = world.tokens()
    second = world.post(world.renewal(first["refresh_token"])).json()
    assert me(world, first["access_token"]).status_code == 200

    world.sandbox.change_profile(refresh_revokes_access_token=True)

    assert me(world, first["access_token"]).status_code == 401
    assert world.cause() == "token_revoked"
    assert me(world, second["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("variant", "missing", "invalid"),
    [
        ("code_message", MISSING, INVALID),
        (
            "invalid_token",
            '{"message":"invalid_token","cause":[],"error":"not_found","status":401}',
            '{"message":"invalid_token","cause":[],"error":"not_found","status":401}',
        ),
        (
            "code_5",
            '{"message":"Must provide your access_token to proceed","error":"unauthorized",'
            '"status":401,"cause":[{"code":5,"description":'
            '"Must provide your access_token to proceed","data":null}]}',
            '{"message":"invalid access token","error":"unauthorized","status":401,"cause":'
            '[{"code":5,"description":"invalid access token","data":null}]}',
        ),
    ],
)
def test_a_401_comes_in_three_forms(world, variant, missing, invalid):
    world.sandbox.change_profile(unauthorized_body=variant)

    none, garbage = world.http.get("/users/me"), me(world, "garbage")

    assert (none.status_code, none.text) == (401, missing)
    assert (garbage.status_code, garbage.text) == (401, invalid)


WRITTEN = {
    "Bearer {}": True,
    "Bearer {} ": True,
    "Bearer {}\t": True,
    "bEARER  {}": True,
    "Bearer         {}": True,
    "Bearer \t{}": False,
    "Bearer \t {}": False,
    "Bearer {};": None,
    'Bearer "{}"': None,
    "Bearer {} {}": None,
    "Bearer =": None,
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_token_is_written_as_rfc_6750_has_it_where_the_profile_says_so(world, written):
    field = {"Authorization": written.format(*[world.app.access_token] * 2)}
    right = WRITTEN[written]

    # None: no token that was ever issued looks so, and a lenient server says that of it.
    lenient = world.http.get("/users/me", headers=field)
    assert lenient.text == INVALID if right is None else lenient.status_code == 200

    for change in ({"bearer_syntax": "rfc6750"}, None):
        if change is None:
            world.sandbox.profile = STRICT
        else:
            world.sandbox.change_profile(**change)
        answer = world.http.get("/users/me", headers=field)
        if right:
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.text) == (401, MISSING)
            assert "RFC 6750" in (world.sandbox.journal.last().explanation or "")


def test_of_two_authorization_fields_the_first_counts_or_none(world):
    good = ("Authorization", f"Bearer {world.app.access_token}")
    fields = [good, ("Authorization", "Bearer other")]
    assert world.http.get("/users/me", headers=fields).status_code == 200
    assert world.sandbox.journal.last().facts["authorization_fields"] == "2"
    assert world.http.get("/users/me", headers=fields[::-1]).text == INVALID

    world.sandbox.profile = STRICT

    for sent in (fields, fields[::-1], [good, good], [good, ("authorization", "")]):
        answer = world.http.get("/users/me", headers=sent)
        assert (answer.status_code, answer.text) == (401, MISSING)
        assert "it has 2 Authorization fields" in world.sandbox.journal.last().explanation
    assert world.http.get("/users/me", headers=[good]).status_code == 200


@pytest.mark.parametrize("profile", [DEFAULT, STRICT])
def test_two_joined_authorization_fields_are_no_token(world, profile):
    world.sandbox.profile = profile
    token = world.app.access_token

    answer = me(world, f"{token}, Bearer {token}")

    assert (answer.status_code, answer.text) == (401, INVALID)
    assert "a comma is in it" in world.sandbox.journal.last().explanation


def test_a_repeated_idempotency_key_is_refused(world):
    fields = [("Authorization", f"Bearer {world.app.access_token}"), ("X-Idempotency-Key", "a")]
    answer = world.http.post("/v1/payments", headers=[*fields, ("x-idempotency-key", "b")], json={})

    assert (answer.status_code, world.cause()) == (400, "parameter_duplicated")


def test_a_token_in_the_query_is_not_seen_or_accepted(world):
    params = {"access_token": world.app.access_token}
    answer = world.http.get("/users/me", params=params)
    assert (answer.status_code, answer.text) == (401, MISSING)
    assert "query" in (world.sandbox.journal.last().explanation or "")

    world.sandbox.change_profile(access_token_in_query=True)

    assert world.http.get("/users/me", params=params).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/oauth/token"), ("PUT", "/oauth/token"), ("POST", "/authorization")],
)
def test_linking_knows_no_other_method(world, method, path):
    answer = world.http.request(method, path)

    assert (answer.status_code, answer.text) == (404, NOT_FOUND)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert world.cause() == "resource_unknown"


@pytest.mark.parametrize("token", [None, "nonsense", "good"])
@pytest.mark.parametrize("body", [{}, {"data": {"token": "TG-x"}}, {"json": {"token": "x"}}])
def test_there_is_no_endpoint_to_revoke_tokens_and_no_token_is_asked_for(world, token, body):
    good = world.tokens()["access_token"]
    headers = {"Authorization": f"Bearer {good if token == 'good' else token}"} if token else {}

    answer = world.http.post("/oauth/revoke", headers=headers, **body)

    assert (answer.status_code, answer.text) == (404, NOT_FOUND)
    assert world.cause() == "resource_unknown"
    assert "no endpoint that revokes" in world.sandbox.journal.last().explanation
    me = world.http.get("/users/me", headers={"Authorization": f"Bearer {good}"})
    assert me.status_code == 200, "nothing was revoked"


def test_a_revocation_endpoint_can_be_added_and_meets_faults(world):
    world.sandbox.faults.add("refuse", status=503, on="/oauth/revoke")
    failed = world.http.post("/oauth/revoke")
    world.sandbox.resources.add("POST", "/oauth/revoke")

    asked = world.http.post("/oauth/revoke")
    token = world.tokens()["access_token"]
    answer = world.http.post("/oauth/revoke", headers={"Authorization": f"Bearer {token}"})

    assert [failed.status_code, asked.status_code, answer.status_code] == [503, 401, 200]


ELSEWHERE = [
    ("GET", "/oauth/revoke"),
    ("POST", "/oauth/token/"),
    ("POST", "/users/me"),
    ("GET", "/users/me/"),
    ("GET", "/users/1"),
    ("PUT", "/v1/payments"),
    ("GET", "/v1/payments/1?x=%FF"),
    ("DELETE", "/users/1/applications/2"),
    ("GET", "/authorize"),
    ("GET", "/nothing/%2e%2e/at/all"),
    ("GET", "/users%2Fme"),
    ("GET", "//users/me"),
    ("GET", "/%FF"),
]


@pytest.mark.parametrize(("method", "path"), ELSEWHERE)
def test_elsewhere_a_good_token_gets_the_documented_404(world, method, path):
    token = world.tokens()["access_token"]

    answer = world.http.request(method, path, headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.text) == (404, NOT_FOUND)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert world.cause() == "resource_unknown"
    assert world.sandbox.journal.last().user_id == world.seller.user_id


@pytest.mark.parametrize(("method", "path"), ELSEWHERE)
def test_elsewhere_too_a_token_is_asked_for_first(world, method, path):
    answer = world.http.request(method, path)

    assert answer.status_code == 401
    assert answer.json() == {
        "code": "unauthorized",
        "message": "authorization value not present",
    }
    assert world.cause() == "token_missing"
    assert "there is nothing at" in world.sandbox.journal.last().explanation
