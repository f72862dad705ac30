"""Refreshing. Sources: RFC 6749 section 6; Mercado Pago, POST /oauth/token and its renewal page."""

from datetime import UTC, datetime, timedelta

import pytest

from mp_oauth_sandbox.core.causes import Mistake
from mp_oauth_sandbox.core.lifetimes import Lifetimes
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.profile import LEGACY, Profile

from .world import START, World, granted, proof_of, why

MICROSECOND = timedelta(microseconds=1)


def test_a_refresh_gives_new_tokens_of_the_same_seller(world: World):
    # Mercado Pago, renewal: a new access token and a new refresh token each time.
    app, seller = world.application(), world.seller()
    first = world.link(app, seller)
    second = world.refresh(app, first)
    assert second.user_id == seller.user_id
    assert second.access_token != first.access_token
    assert second.refresh_token != first.refresh_token
    assert second.expires_in == timedelta(seconds=15_552_000)
    assert (second.public_key, second.scopes, second.live_mode) == (
        first.public_key,
        first.scopes,
        first.live_mode,
    )
    assert world.accepts(second.access_token)


def test_a_refresh_token_works_once(world: World):
    # Mercado Pago, POST /oauth/token reference: single use, invalid afterwards.
    app = world.application()
    first = world.link(app, world.seller())
    second = world.refresh(app, first)
    assert why(world.try_refresh(app, first.refresh_token)) == "refresh_replaced"
    world.refresh(app, second)


def test_a_refresh_token_can_be_reused_under_that_profile():
    # Mercado Pago, OAuth overview: it "can be reused".
    world = World(Profile(refresh_reusable=True))
    app = world.application()
    first = world.link(app, world.seller())
    second = world.refresh(app, first)
    world.refresh(app, first)
    world.refresh(app, second)


def test_reuse_revokes_nothing_by_default_and_the_family_under_that_profile():
    # RFC 9700 section 4.14.2; no evidence that Mercado Pago does.
    world = World()
    app, seller = world.application(), world.seller()
    first, other = world.link(app, seller), world.link(app, seller)
    second = world.refresh(app, first)
    assert why(world.try_refresh(app, first.refresh_token)) == "refresh_replaced"
    assert world.accepts(second.access_token)
    world.switch(Profile(refresh_reuse_revokes_family=True))
    assert why(world.try_refresh(app, first.refresh_token)) == "refresh_replaced"
    for tokens in (first, second):
        assert why(world.use(tokens.access_token)) == "token_revoked"
    assert why(world.try_refresh(app, second.refresh_token)) == "grant_replayed"
    assert why(world.try_refresh(app, first.refresh_token)) == "refresh_replaced"
    assert world.accepts(other.access_token)


def test_another_application_cannot_revoke_a_family(world: World):
    world.switch(Profile(refresh_reuse_revokes_family=True))
    app, stranger = world.application(), world.application()
    first = world.link(app, world.seller())
    second = world.refresh(app, first)
    refused = world.try_refresh(stranger, first.refresh_token)
    assert why(refused) == "refresh_of_another_application"
    world.refresh(app, second)


def test_the_old_access_token_lives_on_or_dies_as_the_profile_says():
    # Unknown for Mercado Pago; the documents only say "exchanged for a new one".
    world = World()
    app = world.application()
    first = world.link(app, world.seller())
    second = world.refresh(app, first)
    assert world.accepts(first.access_token)
    world.switch(Profile(refresh_revokes_access_token=True))
    assert why(world.use(first.access_token)) == "token_revoked"
    assert world.accepts(second.access_token)


def test_a_refresh_works_after_the_access_token_expired(world: World):
    # Mercado Pago, renewal: "expired or about to expire"; 6 months are longer than 180 days.
    app = world.application()
    tokens = world.link(app, world.seller())
    world.wait(days=180)
    assert why(world.use(tokens.access_token)) == "token_expired"
    world.refresh(app, tokens)


def test_a_refresh_token_lives_six_calendar_months_and_the_last_instant_is_too_late(world: World):
    # Mercado Pago, OAuth overview: 6 months.
    app = world.application()
    early, late = world.link(app, world.seller()), world.link(app, world.seller())
    world.now = START.replace(month=11) - MICROSECOND
    world.refresh(app, early)
    world.wait(MICROSECOND)
    assert why(world.try_refresh(app, late.refresh_token)) == "refresh_expired"


def test_a_refresh_token_issued_on_31_august_ends_with_february():
    world = World(start=datetime(2026, 8, 31, 12, tzinfo=UTC))
    app = world.application()
    tokens = world.link(app, world.seller())
    world.now = datetime(2027, 2, 28, 12, tzinfo=UTC)
    assert why(world.try_refresh(app, tokens.refresh_token)) == "refresh_expired"


def test_each_refresh_starts_six_new_months(world: World):
    app = world.application()
    tokens = world.link(app, world.seller())
    for _ in range(4):
        world.wait(days=175)
        tokens = world.refresh(app, tokens)
    assert world.accepts(tokens.access_token)


def test_lifetimes_can_be_shortened_per_application(world: World):
    app = world.application(
        lifetimes=Lifetimes(access_token=timedelta(seconds=2), refresh_token=timedelta(seconds=5))
    )
    tokens = world.link(app, world.seller())
    assert tokens.expires_in == timedelta(seconds=2)
    world.wait(seconds=2)
    assert why(world.use(tokens.access_token)) == "token_expired"
    world.wait(seconds=3)
    assert why(world.try_refresh(app, tokens.refresh_token)) == "refresh_expired"


def test_spent_is_told_before_revoked_and_revoked_before_expired(world: World):
    app, seller, other = world.application(), world.seller(), world.seller()
    first, expired = world.link(app, seller), world.link(app, other)
    second = world.refresh(app, first)
    world.revoke("unlinked", app, seller)
    world.wait(days=200)
    assert why(world.try_refresh(app, first.refresh_token)) == "refresh_replaced"
    assert why(world.try_refresh(app, second.refresh_token)) == "link_revoked"
    assert why(world.try_refresh(app, expired.refresh_token)) == "refresh_expired"


def test_the_order_of_checks_is_application_field_token(world: World):
    app, stranger = world.application(), world.application()
    tokens = world.link(app, world.seller())
    wrong = proof_of(app, secret="wrong")
    assert why(world.try_refresh(app, None, authentication=wrong)) == "secret_mismatch"
    assert why(world.try_refresh(app, None)) == "parameter_missing"
    assert why(world.try_refresh(app, "")) == "parameter_missing"
    world.refresh(app, tokens)
    replaced = world.try_refresh(stranger, tokens.refresh_token)
    assert why(replaced) == "refresh_of_another_application"


@pytest.mark.parametrize(
    ("sent", "mistake"),
    [
        ("code", Mistake.CODE_AS_REFRESH_TOKEN),
        ("access", Mistake.ACCESS_TOKEN_AS_GRANT),
        ("TG-unknown", None),
    ],
)
def test_what_people_send_instead_of_a_refresh_token_is_recognised(
    world: World, sent: str, mistake: Mistake | None
):
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller)
    named = {"code": code, "access": world.link(app, seller).access_token}
    refused = world.try_refresh(app, named.get(sent, sent))
    assert isinstance(refused, Refused)
    assert (why(refused), refused.mistake) == ("refresh_unknown", mistake)
    world.redeem(app, code)


# ---- scope ----


def test_a_refresh_may_ask_for_less_without_losing_anything_for_later(world: World):
    # RFC 6749 section 6: a new refresh token has the scope of the one it replaces.
    app = world.application()
    tokens = world.link(app, world.seller())
    narrow = granted(world.try_refresh(app, tokens.refresh_token, scope="write read"))
    assert narrow.scopes == ("read", "write")
    assert narrow.refresh_token is not None
    assert world.refresh(app, narrow).scopes == app.scopes


@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_empty_scope_means_all_of_them(world: World, nothing: str):
    app = world.application()
    tokens = world.link(app, world.seller())
    assert granted(world.try_refresh(app, tokens.refresh_token, scope=nothing)).scopes == app.scopes


def test_a_refresh_cannot_ask_for_more_and_such_a_try_costs_nothing(world: World):
    # RFC 6749 section 6: MUST NOT include any scope not originally granted.
    app = world.application(scopes=("offline_access", "read"))
    tokens = world.link(app, world.seller())
    refused = world.try_refresh(app, tokens.refresh_token, scope="read write")
    assert why(refused) == "scope_invalid"
    world.refresh(app, tokens)


def test_scope_is_ignored_in_a_refresh_under_that_profile():
    world = World(Profile(refresh_scope="ignore"))
    app = world.application(scopes=("offline_access", "read"))
    tokens = world.link(app, world.seller())
    outcome = granted(world.try_refresh(app, tokens.refresh_token, scope="nonsense"))
    assert outcome.scopes == app.scopes


def test_an_application_that_lost_offline_access_cannot_refresh(world: World):
    # Mercado Pago, POST /oauth/token reference: unauthorized_client.
    app = world.application()
    tokens = world.link(app, world.seller())
    reduced = world.edit(app, scopes=("read",))
    assert why(world.try_refresh(reduced, tokens.refresh_token)) == "offline_access_missing"
    world.edit(reduced, scopes=app.scopes)
    world.refresh(app, tokens)


# ---- without a client_id ----


def test_a_legacy_refresh_finds_the_application_by_the_refresh_token(world: World):
    # Mercado Pago's Postman collection sends client_secret and refresh_token only.
    world.switch(LEGACY)
    app = world.application()
    tokens = world.link(app, world.seller())
    postman = proof_of(app, client_id=None)
    outcome = world.try_refresh(app, tokens.refresh_token, authentication=postman)
    renewed = granted(outcome)
    go = proof_of(app, client_id=None, secret=app.access_token)
    granted(world.try_refresh(app, renewed.refresh_token, authentication=go))


def test_a_legacy_refresh_needs_the_secret_all_the_same(world: World):
    world.switch(LEGACY)
    app = world.application()
    tokens = world.link(app, world.seller())
    wrong = proof_of(app, client_id=None, secret="wrong")
    refused = world.try_refresh(app, tokens.refresh_token, authentication=wrong)
    assert why(refused) == "secret_mismatch"


def test_a_legacy_refresh_with_an_unknown_token_is_told_so(world: World):
    world.switch(LEGACY)
    app = world.application()
    postman = proof_of(app, client_id=None)
    refused = world.try_refresh(app, "TG-unknown", authentication=postman)
    assert why(refused) == "refresh_unknown"
    slip = world.try_refresh(app, app.access_token + "0", authentication=postman)
    assert isinstance(slip, Refused)
    assert slip.mistake is Mistake.ACCESS_TOKEN_AS_GRANT


def test_a_legacy_refresh_without_any_refresh_token_is_told_so(world: World):
    # What the Node SDK 1.5 sends.
    world.switch(LEGACY)
    app = world.application()
    node = proof_of(app, client_id=None, secret=app.access_token)
    assert why(world.try_refresh(app, None, authentication=node)) == "parameter_missing"
