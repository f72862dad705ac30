"""What can be registered. Sources: Mercado Pago, Application details; public captures."""

import re
from typing import Any

import pytest

from mp_oauth_sandbox.core.profile import STRICT, Profile
from mp_oauth_sandbox.core.records import Keys, Webhook
from mp_oauth_sandbox.core.registration import (
    SITES,
    InvalidInputError,
    NewApplication,
    NewSeller,
    check_application,
    check_seller,
)

from .world import CALLBACK, VERIFIER, World, asking


def test_an_application_gets_a_number_a_secret_and_the_owners_token(world: World):
    # 15 or 16 digits and 32 letters and digits in more than 10 public captures.
    owner = world.seller()
    app = world.application(owner=owner.user_id)
    assert re.fullmatch(r"\d{16}", app.client_id)
    assert re.fullmatch(r"[A-Za-z0-9]{32}", app.client_secret)
    assert app.access_token.startswith(f"APP_USR-{app.client_id}-")
    assert app.access_token.endswith(f"-{owner.user_id}")
    assert app.scopes == ("offline_access", "payments", "read", "write")
    assert not app.pkce_required
    assert world.accepts(app.access_token)


def test_a_chosen_id_and_secret_are_kept(world: World):
    app = world.application(client_id="1234567890", client_secret="fake-secret")
    assert (app.client_id, app.client_secret) == ("1234567890", "fake-secret")
    world.link(app, world.seller())


def test_scopes_are_the_profiles_unless_given_and_none_can_be_given(world: World):
    world.switch(Profile(default_scopes=("offline_access", "read", "write")))
    assert world.application().scopes == ("offline_access", "read", "write")
    assert world.application(scopes=("write", "read", "write")).scopes == ("read", "write")
    assert world.application(scopes=()).scopes == ()


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "  "}),
        ("name", {"name": "x" * 201}),
        ("redirect_uris", {"redirect_uris": ()}),
        ("redirect_uris[0]", {"redirect_uris": ("javascript:alert(1)",)}),
        ("redirect_uris[1]", {"redirect_uris": (CALLBACK, "https://a b/")}),
        ("client_id", {"client_id": "abc"}),
        ("client_id", {"client_id": ""}),
        ("client_id", {"client_id": "1" * 21}),
        ("client_id", {"client_id": "١٢٣"}),
        ("client_id", {"client_id": "1\n"}),
        ("client_secret", {"client_secret": ""}),
        ("client_secret", {"client_secret": "a b"}),
        ("client_secret", {"client_secret": "ñ"}),
        ("client_secret", {"client_secret": "x" * 257}),
        ("scopes", {"scopes": ("read", "admin")}),
        ("application_type", {"application_type": "Online"}),
    ],
)
def test_a_field_that_cannot_be_used_is_named(field: str, wanted: dict[str, Any]):
    fields = {"name": "Shop", "redirect_uris": (CALLBACK,)} | wanted
    with pytest.raises(InvalidInputError) as caught:
        check_application(NewApplication(**fields), Profile())
    assert caught.value.field == field
    assert str(caught.value) == f"{field}: {caught.value.problem}"


@pytest.mark.parametrize("uri", ["http://shop.example/cb", CALLBACK + "?tenant=1"])
def test_the_strict_profile_registers_less(uri: str):
    wanted = NewApplication(name="Shop", redirect_uris=(uri,))
    check_application(wanted, Profile())
    with pytest.raises(InvalidInputError, match="under the profile strict"):
        check_application(wanted, STRICT)


def test_a_client_id_is_taken_only_once(world: World):
    world.application(client_id="77")
    with pytest.raises(InvalidInputError, match="77 is already registered"):
        world.application(client_id="77")


def test_an_owner_must_exist(world: World):
    with pytest.raises(InvalidInputError, match="there is no seller 5"):
        world.application(owner=5)


def test_a_failed_registration_leaves_nothing_behind(world: World):
    before = world.store.snapshot()
    with pytest.raises(InvalidInputError):
        world.application(owner=5)
    assert world.store.snapshot() == before


@pytest.mark.parametrize("country", SITES)
def test_each_country_of_mercado_pago_has_sellers(world: World, country: str):
    seller = world.seller(country=country)
    assert (seller.country, seller.registered_at) == (country, world.now)
    assert seller.nickname == f"TESTUSER{seller.user_id}"
    assert 100_000_000 <= seller.user_id < 3_600_000_000


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("country", {"country": "ES"}),
        ("country", {"country": "ar"}),
        ("nickname", {"nickname": ""}),
        ("nickname", {"nickname": "x" * 61}),
        ("nickname", {"nickname": "a\nb"}),
        ("nickname", {"nickname": "<b>"}),
        ("user_id", {"user_id": 0}),
        ("user_id", {"user_id": -1}),
        ("user_id", {"user_id": 2**63}),
    ],
)
def test_a_sellers_field_that_cannot_be_used_is_named(field: str, wanted: dict[str, Any]):
    with pytest.raises(InvalidInputError) as caught:
        check_seller(NewSeller(**wanted))
    assert caught.value.field == field


def test_a_user_id_is_taken_only_once(world: World):
    assert world.seller(user_id=2**63 - 1, nickname="ÑANDÚ_1").user_id == 2**63 - 1
    with pytest.raises(InvalidInputError, match="already exists"):
        world.seller(user_id=2**63 - 1)


def test_no_record_and_no_message_shows_a_secret_when_printed(world: World):
    app, seller = world.application(), world.seller()
    plain = {"code_challenge": VERIFIER, "code_challenge_method": "plain"}
    request = asking(app, **plain)
    issued = world.try_approve(request, seller.user_id)
    code = world.approve(app, seller, **plain)
    tokens = world.redeem(app, code, verifier=VERIFIER)
    refused = world.try_redeem(app, code, verifier=VERIFIER)
    app = world.edit(app, webhook=Webhook(url="https://shop.example/hook", secret="hook-secret"))
    views = [world.store.read(Keys(secret=secret)) for secret in world.secrets]
    wanted = NewApplication(name="Shop", redirect_uris=(CALLBACK,), client_secret="chosen-secret")
    fresh = world.mint()
    shown = repr([request, issued, tokens, refused, views, world.store.snapshot(), wanted, fresh])
    assert VERIFIER in world.secrets
    for secret in {*world.secrets, "hook-secret", "chosen-secret", repr(fresh.randomness)[2:20]}:
        assert secret not in shown
