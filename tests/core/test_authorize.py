"""The authorization endpoint. Sources: RFC 6749 section 4.1.1; Mercado Pago, Get Access Token."""

import pytest

from mp_oauth_sandbox.core.authorize import consent_needed, judge
from mp_oauth_sandbox.core.causes import Mistake
from mp_oauth_sandbox.core.messages import CodeIssued, Refused
from mp_oauth_sandbox.core.profile import STRICT, Profile
from mp_oauth_sandbox.core.records import Keys

from .world import CALLBACK, CHALLENGE, VERIFIER, World, asking, why


def test_an_approval_gives_a_code_bound_to_seller_and_application(world: World):
    # Mercado Pago, Get Access Token: the code arrives at redirect_uri, state comes back as sent.
    app, seller = world.application(), world.seller()
    issued = world.try_approve(asking(app, state="%00%FF"), seller.user_id)
    assert isinstance(issued, CodeIssued)
    assert (issued.redirect_uri, issued.state) == (CALLBACK, "%00%FF")
    assert issued.whose[:2] == (app.client_id, seller.user_id)
    assert issued.code.startswith("TG-")
    assert issued.code.endswith(f"-{seller.user_id}")


def test_state_is_optional(world: World):
    # Mercado Pago, Get Access Token: state is recommended, not required.
    app, seller = world.application(), world.seller()
    issued = world.try_approve(asking(app, state=None), seller.user_id)
    assert isinstance(issued, CodeIssued)
    assert issued.state is None


@pytest.mark.parametrize("profile", [Profile(state_required=True), STRICT])
def test_a_profile_may_ask_for_a_state(world: World, profile: Profile):
    # MP's OpenAPI repository of 2026 calls it mandatory.
    app, seller = world.application(), world.seller()
    world.switch(profile)
    assert why(world.try_approve(asking(app, state=None), seller.user_id)) == "parameter_missing"
    assert isinstance(world.try_approve(asking(app), seller.user_id), CodeIssued)


def test_a_challenge_for_an_application_without_pkce_is_verified_or_refused(world: World):
    seller, s256 = world.seller(), {"code_challenge_method": "S256", "code_challenge": CHALLENGE}
    off, on = world.application(), world.application(pkce=True)
    code = world.approve(off, seller, **s256)
    assert why(world.try_redeem(off, code)) == "verifier_missing"
    assert world.redeem(off, code, verifier=VERIFIER)

    world.switch(Profile(challenge_without_pkce="error_page"))

    assert why(world.try_approve(asking(off, **s256), seller.user_id)) == "challenge_unexpected"
    assert why(world.try_approve(asking(off, code_challenge="x"), seller.user_id)) == (
        "challenge_unexpected"
    )
    assert world.redeem(off, world.approve(off, seller))
    assert world.redeem(on, world.approve(on, seller, **s256), verifier=VERIFIER)


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"client_id": None}, "parameter_missing"),
        ({"client_id": "1"}, "application_unknown"),
        ({"redirect_uri": None}, "parameter_missing"),
        ({"redirect_uri": CALLBACK + "/"}, "redirect_uri_not_registered"),
        ({"redirect_uri": CALLBACK + "?a=b"}, "redirect_uri_not_registered"),
        ({"response_type": None}, "parameter_missing"),
        ({"response_type": "token"}, "response_type_unsupported"),
        ({"response_type": "Code"}, "response_type_unsupported"),
        ({"code_challenge": "short"}, "challenge_malformed"),
        ({"code_challenge": ""}, "challenge_malformed"),
        ({"code_challenge": CHALLENGE + "="}, "challenge_malformed"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "s256"}, "challenge_malformed"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "S512"}, "challenge_malformed"),
    ],
)
def test_what_cannot_be_shown_to_a_seller_is_refused(
    world: World, fields: dict[str, str | None], cause: str
):
    app, seller = world.application(), world.seller()
    assert why(judge_of(world, app.client_id, fields)) == cause
    assert why(world.try_approve(asking(app, **fields), seller.user_id)) == cause


def judge_of(world: World, client_id: str, fields: dict[str, str | None]) -> Refused | None:
    application = world.store.read(Keys(client_id=client_id)).application
    assert application is not None
    request = asking(application, **fields)
    named = request.client_id == application.client_id
    return judge(application if named else None, request, world.profile)


def test_the_redirect_uri_is_judged_before_all_else_about_the_request(world: World):
    # RFC 6749 section 4.1.2.1: nothing is sent to a URI that is not registered.
    app, seller = world.application(), world.seller()
    request = asking(
        app, redirect_uri="https://evil.example/", response_type="token", code_challenge="short"
    )
    assert why(world.try_approve(request, seller.user_id)) == "redirect_uri_not_registered"


@pytest.mark.parametrize(
    ("status", "cause"), [("deleted", "application_deleted"), ("blocked", "application_blocked")]
)
def test_an_application_that_may_not_act_shows_no_page(world: World, status: str, cause: str):
    app, seller = world.application(), world.seller()
    world.edit(app, status=status)
    assert why(world.try_approve(asking(app, redirect_uri="x"), seller.user_id)) == cause


def test_an_application_without_production_credentials_connects_nobody(world: World):
    app, seller = world.application(), world.seller()
    tokens = world.link(app, seller)
    world.edit(app, activated=False)
    assert why(world.try_approve(asking(app), seller.user_id)) == "application_not_activated"
    # What else the real one refuses then is not known.
    assert world.accepts(world.refresh(app, tokens).access_token)


@pytest.mark.parametrize("client_id", ["12345678", "123456789", "4294967295"])
def test_a_user_id_in_place_of_the_applications_is_recognised(world: World, client_id: str):
    seller = world.seller()
    refused = world.try_approve(asking(world.application(), client_id=client_id), seller.user_id)
    assert isinstance(refused, Refused)
    assert (why(refused), refused.mistake) == ("application_unknown", Mistake.USER_ID_AS_CLIENT_ID)


@pytest.mark.parametrize("client_id", ["1234567", "12345678901", "1234567890123456"])
def test_any_other_number_is_just_unknown(world: World, client_id: str):
    refused = world.try_approve(asking(world.application(), client_id=client_id), 1)
    assert isinstance(refused, Refused)
    assert (why(refused), refused.mistake) == ("application_unknown", None)


def test_the_request_is_judged_again_when_the_seller_says_yes(world: World):
    app, seller = world.application(), world.seller()
    request = asking(app)
    assert judge(app, request, world.profile) is None
    world.edit(app, redirect_uris=("https://shop.example/new",))
    assert why(world.try_approve(request, seller.user_id)) == "redirect_uri_not_registered"


def test_a_seller_nobody_knows_cannot_approve(world: World):
    assert why(world.try_approve(asking(world.application()), 5)) == "seller_unknown"


def test_a_collaborator_cannot_approve(world: World):
    # Mercado Libre, Authentication and Authorization: invalid_operator_user_id.
    app, main = world.application(), world.seller()
    operator = world.seller(collaborator_of=main.user_id)
    assert why(world.try_approve(asking(app), operator.user_id)) == "operator_account"


def test_platform_id_is_ignored_unless_the_profile_requires_it():
    # Required in Mercado Pago's Postman collection, absent from its PKCE sample.
    world = World()
    app, seller = world.application(), world.seller()
    world.approve(app, seller, platform_id="ml")
    world.switch(Profile(platform_id_required=True))
    world.approve(app, seller)
    for sent in (None, "ml"):
        request = asking(app, platform_id=sent)
        assert why(world.try_approve(request, seller.user_id)) == "parameter_missing"


def test_scope_is_ignored_unless_the_profile_restricts(world: World):
    # Undocumented for Mercado Pago; one integrator reports the error page for some names.
    app, seller = world.application(scopes=("offline_access", "read", "write")), world.seller()
    granted = world.redeem(app, world.approve(app, seller, scope="read nonsense"))
    assert granted.scopes == ("offline_access", "read", "write")
    world.switch(Profile(authorization_scope="restrict"))
    request = asking(app, scope="offline_access payments")
    assert why(world.try_approve(request, seller.user_id)) == "scope_invalid"
    granted = world.redeem(app, world.approve(app, seller, scope="read offline_access"))
    assert granted.scopes == ("offline_access", "read")


@pytest.mark.parametrize("nothing", ["", " ", "\t\n"])
def test_a_scope_of_nothing_but_spaces_asks_for_nothing_less(nothing: str):
    world = World(Profile(authorization_scope="restrict"))
    app, seller = world.application(), world.seller()
    granted = world.redeem(app, world.approve(app, seller, scope=nothing))
    assert granted.scopes == app.scopes


def test_a_pkce_application_without_challenge_gets_a_code_or_the_error_page():
    # A code: Mercado Libre, two reports of 2026. The page: one Mercado Pago project.
    world = World()
    app, seller = world.application(pkce=True), world.seller()
    world.approve(app, seller)
    world.switch(Profile(challenge_missing="error_page"))
    assert why(world.try_approve(asking(app), seller.user_id)) == "challenge_missing"
    world.approve(world.application(), seller)


def test_a_challenge_without_method_is_plain_or_refused():
    # RFC 7636 section 4.3: plain; unknown for Mercado Pago.
    world = World()
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller, code_challenge=VERIFIER)
    world.redeem(app, code, verifier=VERIFIER)
    world.switch(Profile(challenge_without_method="refuse"))
    request = asking(app, code_challenge=VERIFIER)
    assert why(world.try_approve(request, seller.user_id)) == "challenge_malformed"


def test_consent_is_asked_each_time_unless_the_profile_skips_it(world: World):
    # Unknown for Mercado Pago.
    app, seller = world.application(), world.seller()
    skip = Profile(skip_repeated_consent=True)

    def link():
        return world.store.read(Keys(client_id=app.client_id, user_id=seller.user_id)).link

    assert consent_needed(link(), skip)
    world.approve(app, seller)
    assert consent_needed(link(), Profile())
    assert not consent_needed(link(), skip)
    world.revoke("unlinked", app, seller)
    assert consent_needed(link(), skip)


def test_the_strict_profile_refuses_what_the_documentation_says_is_refused():
    world = World(STRICT)
    app, seller = world.application(pkce=True), world.seller()
    assert why(world.try_approve(asking(app), seller.user_id)) == "challenge_missing"
    request = asking(app, code_challenge=CHALLENGE)
    assert why(world.try_approve(request, seller.user_id)) == "challenge_malformed"
    tokens = world.link(app, seller)
    assert world.accepts(tokens.access_token)
