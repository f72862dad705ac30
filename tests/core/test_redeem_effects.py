"""What an exchange does to its code when it fails, and to earlier tokens when it succeeds.

Unknown for Mercado Pago; RFC 6749 section 4.1.2, and hints in public threads.
"""

from typing import Any

import pytest

from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.profile import Profile

from .world import CHALLENGE, VERIFIER, World, proof_of, why

S256 = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


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
    assert why(world.try_refresh(app, second.refresh_token)) == "grant_displaced"
    world.refresh(app, third)


def test_linking_again_kills_all_earlier_tokens_under_that_profile():
    world = World(Profile(reauthorization="revokes_all"))
    app, seller, bystander = world.application(), world.seller(), world.seller()
    first, other = world.link(app, seller), world.link(app, bystander)
    second = world.link(app, seller)
    assert why(world.use(first.access_token)) == "token_revoked"
    assert why(world.try_refresh(app, first.refresh_token)) == "grant_displaced"
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
