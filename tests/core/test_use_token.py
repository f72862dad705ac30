"""Access tokens at a resource. Sources: RFC 6750; the 401 of api.mercadopago.com."""

from datetime import timedelta

import pytest

from mp_oauth_sandbox.core.causes import Mistake
from mp_oauth_sandbox.core.messages import Refused, TokenAccepted, Whose

from .world import World, why


def test_a_token_acts_as_the_seller_for_the_application(world: World):
    app, seller = world.application(), world.seller()
    tokens = world.link(app, seller)
    world.wait(days=2)
    accepted = world.use(tokens.access_token)
    assert isinstance(accepted, TokenAccepted)
    assert accepted == TokenAccepted(
        whose=Whose(app.client_id, seller.user_id, accepted.whose.grant_id),
        seller=seller,
        live_mode=True,
        age=timedelta(days=2),
    )


def test_a_token_lives_180_days_and_the_instant_of_expiry_is_too_late(world: World):
    # Mercado Pago, POST /oauth/token reference: 15552000 s.
    tokens = world.link(world.application(), world.seller())
    world.wait(timedelta(days=180) - timedelta(microseconds=1))
    assert world.accepts(tokens.access_token)
    world.wait(timedelta(microseconds=1))
    assert why(world.use(tokens.access_token)) == "token_expired"


def test_the_platforms_own_token_does_not_expire(world: World):
    # Mercado Pago's panel shows it beside the client id.
    app = world.application()
    world.wait(days=4000)
    accepted = world.use(app.access_token)
    assert isinstance(accepted, TokenAccepted)
    assert accepted.seller.user_id == app.owner


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_token_is_told_apart_from_a_wrong_one(world: World, nothing: str | None):
    # "authorization value not present", seen in 5 public projects.
    assert why(world.use(nothing)) == "token_missing"


@pytest.mark.parametrize(
    ("sent", "cause", "mistake"),
    [
        ("refresh", "token_malformed", Mistake.REFRESH_TOKEN_AS_BEARER),
        ("code", "token_malformed", Mistake.REFRESH_TOKEN_AS_BEARER),
        ("TG-from-elsewhere", "token_malformed", Mistake.REFRESH_TOKEN_AS_BEARER),
        ("nonsense", "token_malformed", None),
        (f"APP_USR-1234-010203-{'0' * 32}-5", "token_unknown", None),
        (f"TEST-1234-010203-{'0' * 32}-5", "token_unknown", None),
        (f"APP_USR-1234-010203-{'0' * 31}-5", "token_malformed", None),
    ],
)
def test_what_is_no_access_token_is_explained(
    world: World, sent: str, cause: str, mistake: Mistake | None
):
    app, seller = world.application(), world.seller()
    named = {"refresh": world.link(app, seller).refresh_token, "code": world.approve(app, seller)}
    refused = world.use(named.get(sent, sent))
    assert isinstance(refused, Refused)
    assert (why(refused), refused.mistake) == (cause, mistake)


def test_revoked_is_told_before_expired(world: World):
    app, seller = world.application(), world.seller()
    tokens = world.link(app, seller)
    world.wait(days=180)
    world.revoke("unlinked", app, seller)
    assert why(world.use(tokens.access_token)) == "token_revoked"


def test_a_blocked_application_may_not_use_the_tokens_it_has(world: World):
    # The 403 of a policy, seen in 6 public projects (MP); that a block causes it is a guess.
    app = world.application()
    tokens = world.link(app, world.seller())
    world.edit(app, status="blocked")
    assert why(world.use(tokens.access_token)) == "token_forbidden"


def test_a_token_without_the_read_permission_sees_no_resource(world: World):
    app = world.application(scopes=("offline_access",))
    tokens = world.link(app, world.seller())
    assert why(world.use(tokens.access_token)) == "token_forbidden"
