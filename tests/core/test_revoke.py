"""What ends a link. Source: Mercado Pago, OAuth management."""

import pytest

from mp_oauth_sandbox.core.messages import Refused, TokensIssued
from mp_oauth_sandbox.core.records import Application, Keys, Seller
from mp_oauth_sandbox.core.refusals import explanation
from mp_oauth_sandbox.core.revoke import REVOCATIONS, Reason
from mp_oauth_sandbox.core.revoke import revoke as revoke_in

from .world import World, granted, why


def test_unlinking_ends_all_tokens_and_codes_of_the_pair_and_nothing_else(world: World):
    # Mercado Pago, OAuth management: all tokens and temporary grants of seller and application.
    app, other_app = world.application(), world.application()
    seller, other_seller = world.seller(), world.seller()
    first, second, code = world.link(app, seller), world.link(app, seller), None
    code = world.approve(app, seller)
    elsewhere, somebody = world.link(other_app, seller), world.link(app, other_seller)
    assert world.revoke("unlinked", app, seller)
    for tokens in (first, second):
        assert why(world.use(tokens.access_token)) == "token_revoked"
        assert why(world.try_refresh(app, tokens.refresh_token)) == "link_revoked"
    assert why(world.try_redeem(app, code)) == "link_revoked"
    for application, tokens in ((other_app, elsewhere), (app, somebody)):
        assert world.accepts(tokens.access_token)
        world.refresh(application, tokens)


def test_a_password_change_ends_every_link_of_the_seller(world: World):
    # Mercado Pago, OAuth management: the seller's password change.
    one, other, seller = world.application(), world.application(), world.seller()
    tokens = [(app, world.link(app, seller)) for app in (one, other)]
    bystander = world.link(one, world.seller())
    assert world.revoke("password_changed", seller=seller)
    for app, issued in tokens:
        assert why(world.use(issued.access_token)) == "token_revoked"
        assert why(world.try_refresh(app, issued.refresh_token)) == "link_revoked"
    assert world.accepts(bystander.access_token)


def test_deleting_the_application_ends_it_with_all_its_links(world: World):
    # Mercado Pago, OAuth management: deleting the application.
    app, other, seller = world.application(), world.application(), world.seller()
    tokens, code, kept = world.link(app, seller), world.approve(app, seller), None
    kept = world.link(other, seller)
    assert world.revoke("application_deleted", app)
    assert why(world.try_redeem(app, code)) == "application_deleted"
    assert why(world.try_refresh(app, tokens.refresh_token)) == "application_deleted"
    assert why(world.use(tokens.access_token)) == "token_revoked"
    assert why(world.use(app.access_token)) == "token_revoked"
    assert world.accepts(kept.access_token)


RELINKABLE: list[Reason] = [reason for reason in REVOCATIONS if reason != "application_deleted"]


def now(world: World, app: Application) -> Application:
    found = world.store.read(Keys(client_id=app.client_id)).application
    assert found is not None
    return found


def revoke(world: World, reason: Reason, app: Application, seller: Seller) -> bool:
    concerns = REVOCATIONS[reason].concerns
    return world.revoke(
        reason,
        None if concerns == "seller" else app,
        None if concerns == "application" else seller,
    )


@pytest.mark.parametrize("reason", RELINKABLE)
def test_a_seller_can_link_again_afterwards_and_the_old_tokens_stay_dead(
    world: World, reason: Reason
):
    app, seller = world.application(), world.seller()
    old = world.link(app, seller)
    for _ in range(3):
        assert revoke(world, reason, app, seller)
        app = now(world, app)
        new = world.link(app, seller)
        assert world.accepts(new.access_token)
        assert why(world.use(old.access_token)) == "token_revoked"
        assert why(world.try_refresh(app, old.refresh_token)) == "link_revoked"
        old = world.refresh(app, new)


@pytest.mark.parametrize("reason", RELINKABLE)
def test_the_explanation_names_the_reason(world: World, reason: Reason):
    app, seller = world.application(), world.seller()
    tokens, code = world.link(app, seller), world.approve(app, seller)
    revoke(world, reason, app, seller)
    app = now(world, app)
    for refused in (
        world.use(tokens.access_token),
        world.try_refresh(app, tokens.refresh_token),
        world.try_redeem(app, code),
    ):
        assert isinstance(refused, Refused)
        assert REVOCATIONS[reason].explanation in explanation(refused)


@pytest.mark.parametrize("reason", REVOCATIONS)
def test_each_reason_ends_just_what_it_concerns(world: World, reason: Reason):
    app, other_app = world.application(), world.application()
    seller, other_seller = world.seller(), world.seller()
    pairs = {
        (app, seller): world.link(app, seller),
        (other_app, seller): world.link(other_app, seller),
        (app, other_seller): world.link(app, other_seller),
        (other_app, other_seller): world.link(other_app, other_seller),
    }
    revoke(world, reason, app, seller)
    hit = {
        "link": {(app, seller)},
        "seller": {(app, seller), (other_app, seller)},
        "application": {(app, seller), (app, other_seller)},
    }[REVOCATIONS[reason].concerns]
    for pair, tokens in pairs.items():
        assert world.accepts(tokens.access_token) == (pair not in hit)
        if pair not in hit:
            world.refresh(now(world, pair[0]), tokens)


def test_every_reason_says_what_happened_and_how_well_that_is_known():
    for row in REVOCATIONS.values():
        assert row.explanation
        assert row.source.startswith(("MP, ", "ML, "))


def test_a_rotation_makes_a_new_secret_each_time_and_refuses_the_one_before(world: World):
    # Mercado Libre, Authentication and Authorization: change of the client secret.
    app = world.application()
    assert world.revoke("secret_rotated", app)
    rotated = now(world, app)
    assert len(rotated.client_secret) == 32
    assert rotated.client_secret != app.client_secret
    refused = world.client_credentials(app)
    assert why(refused) == "secret_mismatch"
    assert isinstance(refused, Refused)
    assert "before it was rotated" in explanation(refused)
    for secret in (app.client_secret, rotated.client_secret):
        assert secret not in repr(rotated)
    assert isinstance(world.client_credentials(rotated), TokensIssued)


def test_a_rotation_ends_the_application_s_own_short_tokens_but_not_the_platform_s(world: World):
    app = world.application()
    short = granted(world.client_credentials(app))
    for _ in range(2):
        world.store.transact(
            Keys(client_id=app.client_id, secret=app.access_token),
            lambda view: revoke_in(
                view, "secret_rotated", now=world.now, fresh=world.mint(), profile=world.profile
            ),
            now=world.now,
        )
    assert why(world.use(short.access_token)) == "token_revoked"
    assert world.accepts(app.access_token)


def test_there_is_nothing_to_revoke_where_nothing_is(world: World):
    app, seller = world.application(), world.seller()
    assert not world.revoke("unlinked", app, seller)
    assert not world.revoke("password_changed")
    assert not world.revoke("application_deleted")
    world.revoke("application_deleted", app)
    assert not world.revoke("secret_rotated", app)
