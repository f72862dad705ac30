"""What GET /authorization sends a browser back with, byte for byte, and what it never sends."""

import httpx
import pytest

PKCE = {"redirect_uris": ["https://shop.example/cb"], "pkce_required": True}
CODE = "code=TG-"


def state_of(answer):
    """What stands behind `&state=`, as it is."""
    assert answer.status_code == 302, answer.text
    return answer.headers["location"].partition("&state=")[2]


def assert_page(world, answer, cause):
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert world.cause() == cause


# ---- success ----


def test_the_code_comes_first_and_then_the_state(world):
    answer = world.authorize(state="abc")

    location = answer.headers["location"]
    code = httpx.URL(location).params["code"]
    assert location == f"{world.app.redirect_uris[0]}?code={code}&state=abc"
    assert answer.content == b""
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_without_a_state_none_comes_back(world):
    location = world.authorize().headers["location"]

    assert "state" not in location
    assert location.startswith(f"{world.app.redirect_uris[0]}?{CODE}")


@pytest.mark.parametrize("status", [302, 303])
def test_the_redirect_s_status_is_a_switch(world, status):
    world.sandbox.change_profile(redirect_status=status)

    assert world.authorize().status_code == status
    world.sandbox.deny()
    assert world.authorize().status_code == status


def test_a_redirect_uri_with_a_query_keeps_it(make_world):
    world = make_world(app={"redirect_uris": ["https://shop.example/cb?tenant=7&x=%20"]})

    location = world.authorize(state="s").headers["location"]

    assert location.startswith(f"https://shop.example/cb?tenant=7&x=%20&{CODE}")
    assert location.endswith("&state=s")


def test_each_registered_uri_can_be_asked_for(make_world):
    uris = ["https://shop.example/a", "http://localhost:3000/b", "http://127.0.0.1/c"]
    world = make_world(app={"redirect_uris": uris})

    for uri in uris:
        answer = world.authorize(redirect_uri=uri)
        assert answer.status_code == 302, answer.text
        assert answer.headers["location"].startswith(f"{uri}?{CODE}")


def test_parameters_nobody_documents_are_ignored(world):
    answer = world.authorize(
        platform_id="mp",
        prompt="login",
        site_id="MLU",
        show_dialog="true",
        scope="offline_access nonsense",
    )

    assert answer.status_code == 302


def test_a_parameter_without_a_value_counts_as_left_out(world):
    answer = world.authorize(code_challenge="", code_challenge_method="", scope="")

    assert answer.status_code == 302, answer.text


def test_every_authorization_gives_another_code(world):
    assert len({world.code() for _ in range(20)}) == 20


# ---- state ----


@pytest.mark.parametrize(
    ("sent", "returned"),
    [
        ("abc-._~XYZ019", "abc-._~XYZ019"),
        ("a%20b%26%C3%A7%FF", "a%20b%26%C3%A7%FF"),
        ("a+b", "a%20b"),
        ("%2B", "%2B"),
        ("%e7", "%E7"),
        ("%41", "A"),
        ("%", "%25"),
        ("%zz", "%25zz"),
        ("%00%0d%0aSet-Cookie:x", "%00%0D%0ASet-Cookie%3Ax"),
        ("<script>'\"", "%3Cscript%3E%27%22"),
        ("x=y=z", "x%3Dy%3Dz"),
    ],
)
def test_the_bytes_of_the_state_come_back_safely_encoded(world, sent, returned):
    answer = world.authorize(f"state={sent}")

    assert state_of(answer) == returned
    assert "&state=" in answer.headers["location"]


def test_over_a_socket_too_bytes_that_are_no_text_come_back_the_same(make_world):
    world = make_world(live=True)

    assert state_of(world.authorize("state=a%20b%26%C3%A7%FF")) == "a%20b%26%C3%A7%FF"


@pytest.mark.parametrize("live", [False, True], ids=["in process", "socket"])
def test_8_kilobytes_of_state_are_the_limit(make_world, live):
    world = make_world(live=live)

    assert state_of(world.authorize("state=" + "%F1" * 8192)) == "%F1" * 8192
    assert_page(world, world.authorize("state=" + "x" * 8193), "parameter_malformed")


def test_two_states_are_refused(world):
    assert_page(world, world.authorize("state=a&state=a"), "parameter_duplicated")


@pytest.mark.parametrize(
    "twice", ["client_id=1", "redirect_uri=https://shop.example/x", "scope=&scope="]
)
def test_other_parameters_twice_are_refused_too(world, twice):
    assert_page(world, world.authorize(twice), "parameter_duplicated")


def test_a_name_hidden_by_percent_signs_is_the_same_name(world):
    assert_page(world, world.authorize("state=a&%73tate=b"), "parameter_duplicated")


# ---- denial ----


@pytest.mark.parametrize(
    ("switches", "query"),
    [
        ({}, "error=access_denied&state=a%20b"),
        ({"denial_echoes_state": False}, "error=access_denied"),
        (
            {"denial_error_description": True},
            "error=access_denied&error_description=User+denied+access&state=a%20b",
        ),
    ],
)
def test_a_denial_is_a_redirect_with_an_error(world, switches, query):
    world.sandbox.change_profile(**switches)
    world.sandbox.deny()

    answer = world.authorize("state=a+b")

    assert answer.status_code == 302
    assert answer.headers["location"] == f"{world.app.redirect_uris[0]}?{query}"
    assert world.cause() == "seller_denied"


def test_a_denial_without_state_has_none(world):
    world.sandbox.deny()

    location = world.authorize().headers["location"]

    assert location == f"{world.app.redirect_uris[0]}?error=access_denied"


# ---- never a redirect to what is not registered ----


@pytest.mark.parametrize(
    ("parameters", "cause"),
    [
        ({"client_id": None}, "parameter_missing"),
        ({"client_id": "1"}, "application_unknown"),
        ({"redirect_uri": None}, "parameter_missing"),
        ({"redirect_uri": "https://shop.example/mp/callback/"}, "redirect_uri_not_registered"),
        ({"redirect_uri": "https://SHOP.example/mp/callback"}, "redirect_uri_not_registered"),
        ({"redirect_uri": "https://shop.example/mp/callback?x=1"}, "redirect_uri_not_registered"),
        ({"redirect_uri": "https://evil.example/"}, "redirect_uri_not_registered"),
        ({"response_type": None}, "parameter_missing"),
        ({"response_type": "token"}, "response_type_unsupported"),
        ({"code_challenge": "short"}, "challenge_malformed"),
        (
            {"code_challenge": "c" * 43, "code_challenge_method": "s256"},
            "challenge_malformed",
        ),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "deny"])
def test_a_bad_request_gets_a_page_and_no_redirect(world, parameters, cause, mode):
    if mode == "deny":
        world.sandbox.deny()

    assert_page(world, world.authorize(**parameters), cause)


def test_the_behaviour_of_2015_redirects_to_a_registered_uri_only(world):
    world.sandbox.change_profile(bad_authorization_request="redirect")

    answer = world.authorize(redirect_uri="https://evil.example/", state="s")

    assert answer.status_code == 302
    assert answer.headers["location"] == (
        f"{world.app.redirect_uris[0]}?error=redirect_uri_mismatch&error_description="
        "Your+client+callback+must+be+the+same+as+your+redirect_uri"
    )
    assert_page(world, world.authorize(client_id="1"), "application_unknown")


@pytest.mark.parametrize(
    ("switches", "parameters", "cause"),
    [
        ({"platform_id_required": True}, {}, "parameter_missing"),
        ({"authorization_scope": "restrict"}, {"scope": "read nonsense"}, "scope_invalid"),
        (
            {"challenge_without_method": "refuse"},
            {"code_challenge": "c" * 43},
            "challenge_malformed",
        ),
    ],
)
def test_what_the_evidence_leaves_open_can_be_refused(world, switches, parameters, cause):
    assert world.authorize(**parameters).status_code == 302

    world.sandbox.change_profile(**switches)

    assert_page(world, world.authorize(**parameters), cause)


def test_a_restricted_scope_is_what_the_tokens_have(world):
    world.sandbox.change_profile(authorization_scope="restrict")

    code = world.code(scope="write offline_access")

    assert world.tokens(code=code)["scope"] == "offline_access write"


# ---- PKCE ----


def test_a_missing_challenge_shows_at_the_exchange_or_at_once(make_world):
    world = make_world(app=PKCE)
    answer = world.post(world.exchange(code_verifier="v" * 43))
    assert (answer.json()["error"], world.cause()) == ("invalid_grant", "challenge_missing")

    world.sandbox.change_profile(challenge_missing="error_page")

    assert_page(world, world.authorize(), "challenge_missing")


@pytest.mark.parametrize(
    ("parameters", "verifier"),
    [
        (
            {
                # RFC 7636 appendix B.
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                "code_challenge_method": "S256",
            },
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
        ({"code_challenge": "p" * 128, "code_challenge_method": "plain"}, "p" * 128),
        ({"code_challenge": "p" * 43, "code_challenge_method": "Plain"}, "p" * 43),
        ({"code_challenge": "p" * 43}, "p" * 43),
    ],
)
def test_the_right_verifier_is_accepted(make_world, parameters, verifier):
    world = make_world(app=PKCE)
    code = world.code(**parameters)

    assert world.post(world.exchange(code, code_verifier=verifier)).status_code == 200


def test_a_stray_verifier_is_ignored_or_refused(world):
    assert world.post(world.exchange(code_verifier="v" * 43)).status_code == 200

    world.sandbox.change_profile(stray_verifier="refuse")

    answer = world.post(world.exchange(code_verifier="v" * 43))
    assert (answer.json()["error"], world.cause()) == ("invalid_grant", "verifier_unexpected")


# ---- consent ----


def test_a_seller_who_has_linked_already_is_asked_again_or_not(world):
    world.tokens()
    world.sandbox.show_consent_page()
    assert world.authorize().status_code == 200

    world.sandbox.change_profile(skip_repeated_consent=True)

    # Nobody is signed in in this browser, so there still is somebody to be asked who it is.
    assert world.authorize().status_code == 200


def test_a_collaborator_gets_the_error_page(world):
    operator = world.sandbox.create_seller(collaborator_of=world.seller)
    world.sandbox.auto_consent(operator)

    answer = world.authorize()

    assert_page(world, answer, "operator_account")
    assert "invalid_operator_user_id" in answer.text
