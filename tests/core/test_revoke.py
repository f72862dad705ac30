"""What ends a link. Source: Mercado Pago, OAuth management."""

import pytest

from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.refusals import explanation

from .world import World, why


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


@pytest.mark.parametrize("reason", ["unlinked", "password_changed"])
def test_a_seller_can_link_again_afterwards_and_the_old_tokens_stay_dead(world: World, reason: str):
    app, seller = world.application(), world.seller()
    old = world.link(app, seller)
    for _ in range(3):
        world.revoke(reason, app, seller)  # type: ignore[arg-type]  # the two above
        new = world.link(app, seller)
        assert world.accepts(new.access_token)
        assert why(world.try_refresh(app, old.refresh_token)) == "link_revoked"
        old = world.refresh(app, new)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("unlinked", "the seller unlinked the application"),
        ("password_changed", "the seller changed the password"),
    ],
)
def test_the_explanation_names_the_reason(world: World, reason: str, words: str):
    app, seller = world.application(), world.seller()
    tokens = world.link(app, seller)
    world.revoke(reason, app, seller)  # type: ignore[arg-type]  # the two above
    for refused in (world.use(tokens.access_token), world.try_refresh(app, tokens.refresh_token)):
        assert isinstance(refused, Refused)
        assert words in explanation(refused)


def test_there_is_nothing_to_revoke_where_nothing_is(world: World):
    app, seller = world.application(), world.seller()
    assert not world.revoke("unlinked", app, seller)
    assert not world.revoke("password_changed")
    assert not world.revoke("application_deleted")
