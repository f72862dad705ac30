"""Redeeming a code. Sources: RFC 6749 section 4.1.3; Mercado Pago, POST /oauth/token reference."""

from datetime import timedelta
from typing import Any

import pytest

from mp_oauth_sandbox.core.causes import Mistake
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
    assert tokens.client_id == app.client_id
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
    assert why(world.try_refresh(app, tokens.refresh_token)) == "link_revoked"
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


# ---- slips ----


@pytest.mark.parametrize(
    ("sent", "mistake"),
    [
        ("refresh", Mistake.REFRESH_TOKEN_AS_CODE),
        ("access", Mistake.ACCESS_TOKEN_AS_GRANT),
        ("TG-5f0a%2D1", Mistake.CODE_STILL_ENCODED),
        ("TG-unknown", None),
    ],
)
def test_what_people_send_instead_of_a_code_is_recognised(sent: str, mistake: Mistake | None):
    world = World()
    app, seller = world.application(), world.seller()
    tokens = world.link(app, seller)
    named = {"refresh": tokens.refresh_token, "access": tokens.access_token}
    refused = world.try_redeem(app, named.get(sent, sent))
    assert why(refused) == "code_unknown"
    assert isinstance(refused, Refused)
    assert refused.mistake is mistake


def test_the_access_token_as_client_secret_is_recognised(world: World):
    # Mercado Pago guides of 2019 to 2021 said so; a log of 2026 shows invalid_client.
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller)
    legacy = proof_of(app, secret=app.access_token)
    refused = world.try_redeem(app, code, authentication=legacy)
    assert isinstance(refused, Refused)
    assert (why(refused), refused.mistake) == ("secret_mismatch", Mistake.ACCESS_TOKEN_AS_SECRET)
    world.redeem(app, code)


@pytest.mark.parametrize("with_client_id", [True, False])
def test_the_legacy_profile_takes_the_access_token_as_client_secret(with_client_id: bool):
    # What the Go, Java, .NET, Python and Ruby SDKs' examples send.
    world = World(Profile(access_token_as_secret=True))
    app, seller = world.application(), world.seller()
    legacy = proof_of(
        app, secret=app.access_token, client_id=app.client_id if with_client_id else None
    )
    world.redeem(app, world.approve(app, seller))
    outcome = world.try_redeem(app, world.approve(app, seller), authentication=legacy)
    assert not isinstance(outcome, Refused)


def test_the_legacy_profile_takes_no_other_access_token(world: World):
    world.switch(Profile(access_token_as_secret=True))
    app, other, seller = world.application(), world.application(), world.seller()
    code = world.approve(app, seller)
    for token in (other.access_token, world.link(app, seller).access_token):
        proof = proof_of(app, secret=token)
        assert why(world.try_redeem(app, code, authentication=proof)) == "secret_mismatch"


# ---- test credentials ----


def test_test_token_gives_test_credentials(world: World):
    # Mercado Pago, Get Access Token; captures of 2021 have TEST- in token and public key.
    app, seller = world.application(), world.seller()
    tokens = world.try_redeem(app, world.approve(app, seller), test_token=True)
    assert not isinstance(tokens, Refused)
    assert not tokens.live_mode
    assert tokens.access_token.startswith("TEST-")
    assert tokens.public_key is not None
    assert tokens.public_key.startswith("TEST-")
    again = world.refresh(app, tokens)
    assert not again.live_mode
    assert again.public_key == tokens.public_key != world.link(app, seller).public_key


def test_test_credentials_may_look_like_live_ones_under_that_profile():
    # Newer test credentials of other Mercado Pago products start with APP_USR-.
    world = World(Profile(test_token_prefix="APP_USR"))
    app, seller = world.application(), world.seller()
    tokens = world.try_redeem(app, world.approve(app, seller), test_token=True)
    assert not isinstance(tokens, Refused)
    assert not tokens.live_mode
    assert tokens.access_token.startswith("APP_USR-")
    assert (tokens.public_key or "").startswith("APP_USR-")


def test_public_keys_stay_the_same_for_a_link_and_differ_between_links(world: World):
    app, seller = world.application(), world.seller()
    first, second = world.link(app, seller), world.link(app, seller)
    assert first.public_key == second.public_key
    assert first.public_key != world.link(app, world.seller()).public_key


def test_without_offline_access_there_is_no_refresh_token(world: World):
    # Seen in three public projects.
    app = world.application(scopes=("read", "write"))
    tokens = world.link(app, world.seller())
    assert tokens.refresh_token is None
    assert tokens.scopes == ("read", "write")


# ---- what a failed exchange does to the code ----


#: Exchanges that fail although the code stands, each by another fault.
FAULTS: dict[str, dict[str, Any]] = {
    "redirect_uri_mismatch": {"redirect_uri": "https://wrong.example/", "verifier": VERIFIER},
    "verifier_mismatch": {"verifier": "wrong" * 10},
    "verifier_malformed": {"verifier": "short"},
    "verifier_missing": {"verifier": None},
    "parameter_missing": {"redirect_uri": None, "verifier": VERIFIER},
}


@pytest.mark.parametrize("pkce", [True, False])
def test_a_failed_exchange_leaves_the_code_usable(world: World, pkce: bool):
    # Unknown; one Mercado Libre client retries the same code, so its author believes it.
    app, stranger, seller = world.application(pkce=pkce), world.application(), world.seller()
    code = world.approve(app, seller, **S256)
    for cause, fault in FAULTS.items():
        assert why(world.try_redeem(app, code, **fault)) == cause
    assert why(world.try_redeem(stranger, code)) == "code_of_another_application"
    world.redeem(app, code, verifier=VERIFIER)


@pytest.mark.parametrize("pkce", [True, False])
@pytest.mark.parametrize("cause", FAULTS)
def test_any_failed_exchange_spends_the_code_under_that_profile(pkce: bool, cause: str):
    world = World(Profile(failed_exchange_burns_code=True))
    app, seller = world.application(pkce=pkce), world.seller()
    code = world.approve(app, seller, **S256)
    assert why(world.try_redeem(app, code, **FAULTS[cause])) == cause
    for _ in range(2):
        assert why(world.try_redeem(app, code, verifier=VERIFIER)) == "code_burnt"


def test_another_applications_attempt_spends_the_code_under_that_profile():
    world = World(Profile(failed_exchange_burns_code=True))
    app, stranger, seller = world.application(), world.application(), world.seller()
    code = world.approve(app, seller)
    assert why(world.try_redeem(stranger, code)) == "code_of_another_application"
    assert why(world.try_redeem(app, code)) == "code_burnt"


def test_only_an_application_that_proved_itself_burns_a_code_and_only_one_that_stands():
    world = World(Profile(failed_exchange_burns_code=True))
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller)
    wrong = proof_of(app, secret="wrong")
    assert why(world.try_redeem(app, code, authentication=wrong)) == "secret_mismatch"
    world.wait(seconds=600)
    assert why(world.try_redeem(app, code, redirect_uri="wrong")) == "code_expired"
    assert why(world.try_redeem(app, code)) == "code_expired"


def test_a_refresh_token_sent_as_a_code_is_not_spent_by_it():
    world = World(Profile(failed_exchange_burns_code=True))
    app, seller = world.application(), world.seller()
    tokens = world.link(app, seller)
    assert why(world.try_redeem(app, tokens.refresh_token)) == "code_unknown"
    world.refresh(app, tokens)


# ---- a seller who links again ----


def test_linking_again_keeps_the_earlier_tokens(world: World):
    # Unknown for Mercado Pago; several tokens per seller and application are possible.
    app, seller = world.application(), world.seller()
    first, second = world.link(app, seller), world.link(app, seller)
    assert world.accepts(first.access_token)
    assert world.accepts(second.access_token)
    world.refresh(app, first)
    world.refresh(app, second)


def test_linking_again_kills_the_earlier_refresh_token_under_that_profile():
    # Hint: a Mercado Libre thread of 2021, several developers authorizing one seller.
    world = World(Profile(reauthorization="revokes_refresh_token"))
    app, seller = world.application(), world.seller()
    first = world.link(app, seller)
    code = world.approve(app, seller)
    world.refresh(app, first)
    second = world.redeem(app, code)
    assert world.accepts(first.access_token)
    assert why(world.try_refresh(app, first.refresh_token)) == "refresh_replaced"
    third = world.link(app, seller)
    assert why(world.try_refresh(app, second.refresh_token)) == "link_revoked"
    world.refresh(app, third)


def test_linking_again_kills_all_earlier_tokens_under_that_profile():
    world = World(Profile(reauthorization="revokes_all"))
    app, seller, bystander = world.application(), world.seller(), world.seller()
    first, other = world.link(app, seller), world.link(app, bystander)
    second = world.link(app, seller)
    assert why(world.use(first.access_token)) == "token_revoked"
    assert why(world.try_refresh(app, first.refresh_token)) == "link_revoked"
    assert world.accepts(second.access_token)
    assert world.accepts(other.access_token)
    world.refresh(app, second)


@pytest.mark.parametrize("effect", ["revokes_refresh_token", "revokes_all"])
def test_two_approvals_in_two_tabs_can_both_be_redeemed(effect: str):
    # Tokens die by a newer exchange; a code that still waits for its own does not.
    world = World(Profile(reauthorization=effect))  # type: ignore[arg-type]  # the two above
    app, seller = world.application(), world.seller()
    one, other = world.approve(app, seller), world.approve(app, seller)
    world.redeem(app, one)
    world.refresh(app, world.redeem(app, other))


def test_an_owner_who_links_the_own_application_keeps_the_platforms_token():
    world = World(Profile(reauthorization="revokes_all"))
    owner = world.seller()
    app = world.application(owner=owner.user_id)
    credentials = world.client_credentials(app)
    assert not isinstance(credentials, Refused)
    world.link(app, owner)
    assert world.accepts(app.access_token)
    assert world.accepts(credentials.access_token)


def test_a_code_issued_under_another_profile_gives_tokens_that_refresh():
    world = World(Profile(reauthorization="revokes_refresh_token"))
    app, seller = world.application(), world.seller()
    waiting = world.approve(app, seller)
    world.link(app, seller)
    world.switch(Profile())
    world.refresh(app, world.redeem(app, waiting))


def test_a_refusal_changes_nothing_in_the_store(world: World):
    app, seller = world.application(), world.seller()
    code = world.approve(app, seller)
    world.redeem(app, code)
    before = world.store.snapshot()
    assert why(world.try_redeem(app, code)) == "code_already_redeemed"
    assert world.store.snapshot() == before
    assert world.store.read(Keys(secret="")).credential is None
