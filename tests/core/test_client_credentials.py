"""Client credentials. Sources: RFC 6749 section 4.4; Mercado Pago, Get Access Token."""

from datetime import timedelta

import pytest

from mp_oauth_sandbox.core.lifetimes import Lifetimes
from mp_oauth_sandbox.core.profile import Profile

from .world import World, granted, proof_of, why


def test_the_token_is_the_owners_for_six_hours_without_a_refresh_token(world: World):
    # Mercado Pago, Get Access Token: 21600 s; captures have neither refresh_token nor public_key.
    app = world.application()
    tokens = granted(world.client_credentials(app))
    assert tokens.user_id == app.owner
    assert tokens.expires_in == timedelta(seconds=21_600)
    assert (tokens.refresh_token, tokens.public_key) == (None, None)
    assert tokens.live_mode
    assert tokens.scopes == app.scopes
    world.wait(seconds=21_600 - 1)
    assert world.accepts(tokens.access_token)
    world.wait(seconds=1)
    assert why(world.use(tokens.access_token)) == "token_expired"


def test_each_call_gets_a_new_token_and_the_old_ones_stay(world: World):
    # Mercado Pago, Get Access Token: a new token per call.
    app = world.application()
    tokens = {granted(world.client_credentials(app)).access_token for _ in range(5)}
    assert len(tokens) == 5
    assert all(world.accepts(token) for token in tokens)


def test_the_lifetime_can_be_shortened(world: World):
    app = world.application(lifetimes=Lifetimes(client_credentials_token=timedelta(seconds=1)))
    assert granted(world.client_credentials(app)).expires_in == timedelta(seconds=1)


def test_neither_linking_nor_refreshing_of_others_ends_the_owners_tokens():
    world = World(Profile(reauthorization="revokes_all", refresh_revokes_access_token=True))
    app, seller = world.application(), world.seller()
    token = granted(world.client_credentials(app)).access_token
    world.refresh(app, world.link(app, seller))
    world.revoke("unlinked", app, seller)
    assert world.accepts(token)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"secret": "wrong"}, "secret_mismatch"),
        ({"client_id": "1"}, "application_unknown"),
        ({"client_id": None}, "application_unknown"),
    ],
)
def test_an_application_must_prove_itself(world: World, change: dict[str, str], cause: str):
    # RFC 6749 section 4.4.2: the client MUST authenticate.
    app = world.application()
    assert why(world.client_credentials(app, proof_of(app, **change))) == cause


@pytest.mark.parametrize(
    ("status", "cause"), [("deleted", "application_deleted"), ("blocked", "application_blocked")]
)
def test_an_application_that_may_not_act_gets_none(world: World, status: str, cause: str):
    app = world.application()
    world.edit(app, status=status)
    assert why(world.client_credentials(app)) == cause
    wrong = proof_of(app, secret="wrong")
    assert why(world.client_credentials(app, wrong)) == "secret_mismatch"
