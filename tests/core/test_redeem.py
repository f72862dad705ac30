"""Redeeming a code. Sources: RFC 6749 section 4.1.3; Mercado Pago, POST /oauth/token reference."""

from datetime import timedelta

import pytest

from mp_oauth_sandbox.core.lifetimes import Lifetimes
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import Keys

from .world import CALLBACK, CHALLENGE, VERIFIER, World, proof_of, why

MICROSECOND = timedelta(microseconds=1)
S256 = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


def test_a_code_becomes_the_tokens_of_the_seller_who_approved(world: World):
    # Mercado Pago, POST /oauth/token reference: 15552000 s, both tokens, public_key, live_mode.
    app, seller = world.application(), world.seller()
    tokens = world.redeem(app, world.approve(app, seller))
    assert tokens.user_id == seller.user_id != app.owner
    assert tokens.whose.client_id == app.client_id
    assert tokens.expires_in == timedelta(seconds=15_552_000)
    assert tokens.scopes == ("offline_access", "payments", "read", "write")
    assert tokens.refresh_token is not None
    assert tokens.live_mode
    assert tokens.public_key is not None
    assert tokens.public_key.startswith("APP_USR-")
    assert tokens.access_token.endswith(f"-{seller.user_id}")


def test_a_code_works_once(world: World):
    # RFC 6749 section 4.1.2: MUST NOT use the authorization code more than once.
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller)
    tokens = world.redeem(app, code)
    assert why(world.try_redeem(app, code)) == "code_already_redeemed"
    # Section 4.1.2 says SHOULD revoke; unknown for Mercado Pago, so off by default.
    assert world.accepts(tokens.access_token)
    world.refresh(app, tokens)


def test_a_replayed_code_revokes_its_tokens_under_that_profile():
    # RFC 6749 section 4.1.2, second half of the sentence.
    world = World(Profile(code_replay_revokes_tokens=True))
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller)
    other = world.link(app, seller)
    tokens = world.redeem(app, code)
    assert why(world.try_redeem(app, code)) == "code_already_redeemed"
    assert why(world.use(tokens.access_token)) == "token_revoked"
    assert why(world.try_refresh(app, tokens.refresh_token)) == "grant_replayed"
    assert why(world.try_redeem(app, code)) == "code_already_redeemed"
    assert world.accepts(other.access_token), "another approval's tokens are not its family"


def test_a_code_of_another_application_presented_by_mistake_revokes_nothing():
    world = World(Profile(code_replay_revokes_tokens=True))
    app, stranger, seller = world.application(), world.application(), world.seller()
    code = world.approve(app, seller)
    tokens = world.redeem(app, code)
    assert why(world.try_redeem(stranger, code)) == "code_of_another_application"
    assert world.accepts(tokens.access_token)


def test_a_code_lives_ten_minutes_and_the_instant_of_expiry_is_too_late(world: World):
    # Mercado Pago, POST /oauth/token reference: 10 minutes.
    app, seller = world.application(), world.seller()
    early, late = world.approve(app, seller), world.approve(app, seller)
    world.wait(timedelta(minutes=10) - MICROSECOND)
    world.redeem(app, early)
    world.wait(MICROSECOND)
    assert why(world.try_redeem(app, late)) == "code_expired"


def test_a_code_lifetime_of_zero_expires_every_code_at_once(world: World):
    app = world.application(lifetimes=Lifetimes(authorization_code=timedelta()))
    assert why(world.try_redeem(app, world.approve(app, world.seller()))) == "code_expired"


def test_spent_is_told_before_revoked_and_revoked_before_expired(world: World):
    app, seller = world.application(), world.seller()
    spent, unspent = world.approve(app, seller), world.approve(app, seller)
    expired = world.approve(app, other := world.seller())
    world.redeem(app, spent)
    world.revoke("unlinked", app, seller)
    world.wait(seconds=600)
    assert why(world.try_redeem(app, spent)) == "code_already_redeemed"
    assert why(world.try_redeem(app, unspent)) == "link_revoked"
    assert why(world.try_redeem(app, expired)) == "code_expired"
    world.revoke("unlinked", app, other)
    assert why(world.try_redeem(app, expired)) == "link_revoked"


@pytest.mark.parametrize(
    "redirect_uri",
    [CALLBACK + "/", CALLBACK[:-1], CALLBACK.replace("https", "http"), CALLBACK.upper(), "x"],
)
def test_the_redirect_uri_must_be_that_of_the_authorization_request(redirect_uri: str):
    # RFC 6749 section 4.1.3: their values MUST be identical.
    world = World()
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller)
    refused = world.try_redeem(app, code, redirect_uri=redirect_uri)
    assert why(refused) == "redirect_uri_mismatch"


def test_another_registered_redirect_uri_is_not_the_one_of_the_request(world: World):
    # RFC 6749 section 4.1.3 compares with the request, not with the registration.
    second = "https://shop.example/second"
    app, seller = world.application(redirect_uris=(CALLBACK, second)), world.seller()
    code = world.approve(app, seller)
    assert why(world.try_redeem(app, code, redirect_uri=second)) == "redirect_uri_mismatch"
    world.redeem(app, world.approve(app, seller, redirect_uri=second), redirect_uri=second)


def test_the_verifier_of_the_challenge_is_needed(world: World):
    # RFC 7636 section 4.6.
    app, seller = world.application(pkce=True), world.seller()
    code = world.approve(app, seller, **S256)
    assert why(world.try_redeem(app, code, verifier="x" * 43)) == "verifier_mismatch"
    assert why(world.try_redeem(app, code, verifier="x" * 42)) == "verifier_malformed"
    assert why(world.try_redeem(app, code, verifier="x" * 42 + "=")) == "verifier_malformed"
    assert why(world.try_redeem(app, code, verifier="x" * 129)) == "verifier_malformed"
    assert why(world.try_redeem(app, code, verifier="á" * 50)) == "verifier_malformed"
    world.redeem(app, code, verifier=VERIFIER)


def test_a_challenge_binds_the_code_even_where_pkce_is_not_required(world: World):
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller, **S256)
    assert why(world.try_redeem(app, code)) == "verifier_missing"
    assert why(world.try_redeem(app, code, verifier="y" * 43)) == "verifier_mismatch"
    world.redeem(app, code, verifier=VERIFIER)


@pytest.mark.parametrize("method", ["plain", "Plain", None])
def test_a_plain_challenge_is_its_own_verifier(world: World, method: str | None):
    # RFC 7636 section 4.3: without a method it is plain. Mercado Pago spells it "Plain".
    app, seller = world.application(), world.seller()
    fields = {} if method is None else {"code_challenge_method": method}
    code = world.approve(app, seller, code_challenge=VERIFIER, **fields)
    assert why(world.try_redeem(app, code, verifier=CHALLENGE)) == "verifier_mismatch"
    world.redeem(app, code, verifier=VERIFIER)


def test_a_stray_verifier_is_ignored_or_refused_as_the_profile_says(world: World):
    # Ignored: two public projects. Refused: RFC 9700 section 2.1.1; one Mercado Libre note.
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller)
    world.switch(Profile(stray_verifier="refuse"))
    assert why(world.try_redeem(app, code, verifier=VERIFIER)) == "verifier_unexpected"
    world.switch(Profile())
    world.redeem(app, code, verifier=VERIFIER)


def test_a_pkce_application_without_a_challenge_fails_at_the_exchange(world: World):
    # Mercado Libre: the page issues a code and only the exchange fails (two public reports).
    app, seller = world.application(pkce=True), world.seller()
    code = world.approve(app, seller)
    assert why(world.try_redeem(app, code)) == "verifier_missing"
    assert why(world.try_redeem(app, code, verifier=VERIFIER)) == "challenge_missing"


# ---- the order of checks ----


def test_the_application_is_judged_before_everything_else(world: World):
    app = world.application(pkce=True)
    wrong = proof_of(app, secret="wrong")
    outcome = world.try_redeem(app, None, redirect_uri=None, authentication=wrong)
    assert why(outcome) == "secret_mismatch"


def test_missing_fields_are_told_one_after_the_other_before_the_code_is_looked_at(world: World):
    # A missing code_verifier is reported even when the code is bad: seen with Mercado Libre.
    app = world.application(pkce=True)

    def names(outcome: object) -> str:
        assert isinstance(outcome, Refused)
        return f"{outcome.cause.value} {outcome.facts.get('names', '')}".strip()

    assert names(world.try_redeem(app, None, redirect_uri=None)) == "parameter_missing code"
    assert names(world.try_redeem(app, "", redirect_uri=None)) == "parameter_missing code"
    outcome = world.try_redeem(app, "bad", redirect_uri=None)
    assert names(outcome) == "parameter_missing redirect_uri"
    assert names(world.try_redeem(app, "bad", redirect_uri="wrong")) == "verifier_missing"
    outcome = world.try_redeem(app, "bad", redirect_uri="wrong", verifier="short")
    assert names(outcome) == "code_unknown"


def test_the_code_is_judged_before_the_redirect_uri_and_that_before_the_verifier(world: World):
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller, **S256)
    assert why(world.try_redeem(app, code, redirect_uri="wrong")) == "redirect_uri_mismatch"
    world.wait(seconds=600)
    assert why(world.try_redeem(app, code, redirect_uri="wrong")) == "code_expired"


def test_whose_code_it_is_comes_before_what_became_of_it(world: World):
    app, stranger, seller = world.application(), world.application(), world.seller()
    code = world.approve(app, seller)
    world.redeem(app, code)
    world.wait(days=1)
    assert why(world.try_redeem(stranger, code)) == "code_of_another_application"


def test_a_refusal_changes_nothing_in_the_store(world: World):
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller)
    world.redeem(app, code)
    before = world.store.snapshot()
    assert why(world.try_redeem(app, code)) == "code_already_redeemed"
    assert world.store.snapshot() == before
    assert world.store.read(Keys(secret="")).credential is None
