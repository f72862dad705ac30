"""What people send by mistake in an exchange, and which credentials they ask for.

Sources: Mercado Pago, POST /oauth/token reference and guides of 2019 to 2021; public captures.
"""

import pytest

from mp_oauth_sandbox.core.causes import Mistake
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.profile import Profile

from .world import World, proof_of, why


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
