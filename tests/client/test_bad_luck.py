"""Rare coincidences, each of which once had a worse end than it need have."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mp_oauth_sandbox.client import (
    ConfigurationError,
    Link,
    Linked,
    MemoryPendingStore,
    MemoryTokenStore,
    MisuseError,
    NeedsRelinkError,
    NotLinked,
    Pending,
    Reason,
    Request,
    Response,
    UnavailableError,
)

from .world import Worker, World, answer, granting, interleave


def test_an_api_that_refuses_good_tokens_costs_the_link_an_hour_and_not_the_seller(world: World):
    shop = world.worker()
    first = world.link(shop)
    second = shop.refused("shop-1", first.access_token)

    with pytest.raises(NeedsRelinkError):
        shop.refused("shop-1", second.access_token)
    for _ in range(5):
        with pytest.raises(NeedsRelinkError):
            shop.access("shop-1")
    assert shop.status("shop-1") == "needs_relink"
    assert world.refreshes() == 1

    world.clock.advance(hours=1)

    assert world.calls(shop.access("shop-1")) == 200
    assert shop.status("shop-1") == "linked"
    assert world.refreshes() == 2


def test_a_seller_who_revoked_stays_lost_after_that_hour(world: World):
    shop = world.worker()
    second = shop.refused("shop-1", world.link(shop).access_token)
    with pytest.raises(NeedsRelinkError):
        shop.refused("shop-1", second.access_token)
    world.sandbox.unlink(world.application, world.seller)
    world.clock.advance(hours=1)

    for _ in range(3):
        with pytest.raises(NeedsRelinkError):
            shop.access("shop-1")

    assert world.refreshes() == 2


def test_a_failure_after_that_hour_does_not_make_it_look_linked(world: World):
    shop = world.worker()
    second = shop.refused("shop-1", world.link(shop).access_token)
    with pytest.raises(NeedsRelinkError):
        shop.refused("shop-1", second.access_token)
    world.clock.advance(hours=1)
    world.fault("refuse", status=503, on="refresh", times=1)

    with pytest.raises(UnavailableError):
        shop.access("shop-1")

    assert shop.status("shop-1") == "needs_relink"


def test_a_clock_that_went_back_makes_no_token_young(world: World):
    ahead = timedelta(days=3)
    shop = world.worker(now=lambda: world.clock() + ahead)
    second = shop.refused("shop-1", world.link(shop).access_token)
    ahead = timedelta()

    assert shop.refused("shop-1", second.access_token).status == "linked"


def test_of_two_accounts_that_move_a_seller_at_once_one_has_the_seller(world: World):
    shops = [world.worker(if_taken="move") for _ in range(2)]
    flows = []
    for shop, account in zip(shops, ("shop-1", "shop-2"), strict=True):
        begun = shop.start(account)
        query = world.approved(begun.url)
        flows.append(shop.flows.callback(query, account=account, binding=begun.binding))
    # Both look who else has the seller after both have stored their links.
    outcomes = interleave(flows, shops[0].send, world.clock, [])

    # The one that began later keeps it, and the other is told so.
    assert isinstance(outcomes[1], Linked)
    assert outcomes[0] == NotLinked(reason=Reason.SELLER_TAKEN)
    assert [shops[0].status(one) for one in ("shop-1", "shop-2")] == ["unlinked", "linked"]


def test_a_lost_link_keeps_nobody_else_from_linking_the_seller(world: World):
    shop = world.worker()
    world.link(shop, "shop-1")
    world.sandbox.change_password(world.seller)
    with pytest.raises(NeedsRelinkError):
        shop.refused("shop-1", world.kept().access_token)

    assert world.link(shop, "shop-2").seller_id == world.seller.user_id


class Forgetful(MemoryPendingStore):
    """Fails when an outcome is to be written down."""

    def replace(self, record: Pending, /, *, expected: int) -> bool:
        if record.ended is not None:
            raise OSError("disk full")
        return super().replace(record, expected=expected)


def assert_the_outcome_is_known(world: World, shop: Worker) -> None:
    begun = shop.start("shop-1")
    query = world.approved(begun.url)
    before, exchanges = world.clock(), world.exchanges()

    first = shop.callback(query, account="shop-1", binding=begun.binding)
    assert world.clock() - before < timedelta(seconds=10)
    again = shop.callback(query, account="shop-1", binding=begun.binding)

    assert isinstance(first, Linked)
    assert isinstance(again, Linked)
    assert world.exchanges() == exchanges + 1


def test_an_outcome_that_cannot_be_written_down_is_known_all_the_same(world: World):
    assert_the_outcome_is_known(world, world.worker(pending=Forgetful()))


@pytest.mark.parametrize("ahead", [0, 5])
def test_so_is_that_of_a_move_from_an_account_whose_clock_is_ahead(world: World, ahead: int):
    world.link(world.worker(now=lambda: world.clock() + timedelta(seconds=ahead)), "shop-2")

    assert_the_outcome_is_known(world, world.worker(pending=Forgetful(), if_taken="move"))


def test_a_reload_after_the_link_was_lost_does_not_say_linked(world: World):
    shop = world.worker()
    begun = shop.start("shop-1")
    query = world.approved(begun.url)
    shop.callback(query, account="shop-1", binding=begun.binding)
    world.sandbox.change_password(world.seller)
    with pytest.raises(NeedsRelinkError):
        shop.refused("shop-1", world.kept().access_token)

    again = shop.callback(query, account="shop-1", binding=begun.binding)

    assert again == NotLinked(reason=Reason.STATE_SPENT)


class Silent(MemoryPendingStore):
    """Its author forgot the return."""

    def replace(self, record: Pending, /, *, expected: int) -> bool:
        super().replace(record, expected=expected)
        return None  # pyright: ignore[reportReturnType]


def test_a_store_that_does_not_say_what_it_kept_is_found_at_the_start(world: World):
    with pytest.raises(MisuseError, match="pending: its replace must say"):
        world.worker(pending=Silent()).start("shop-1")


def test_a_send_that_raises_is_a_lost_answer(world: World):
    def broken(_: Request) -> object:
        raise ValueError("not an HTTP answer")

    shop = world.worker(deliver=broken)  # pyright: ignore[reportArgumentType]
    begun = shop.start("shop-1")
    query = world.approved(begun.url)

    outcome = shop.callback(query, account="shop-1", binding=begun.binding)

    assert outcome == NotLinked(reason=Reason.COMMIT_UNKNOWN)
    assert len(shop.sent) == 1


class Damaged(MemoryTokenStore):
    """Cannot read one of its records."""

    def get(self, key: str, /) -> Link | None:
        if key == "shop-2":
            raise ValueError("cannot decrypt")
        return super().get(key)


def test_a_record_that_cannot_be_read_does_not_keep_the_others_from_renewal(world: World):
    linked = world.link(world.worker())
    world.links = Damaged()
    for account in ("shop-1", "shop-2", "shop-3"):
        world.links.replace(replace(linked, account=account), expected=0)
    world.clock.advance(days=170)

    run = world.worker(deliver=lambda _: granting(user_id=linked.seller_id)).renew_due()

    assert (run.renewed, run.postponed) == (2, 1)


def test_a_long_retry_after_ends_the_run(world: World):
    shop = world.worker(deliver=lambda _: answer(429, retry_after="3600"), if_taken="allow")
    for account in ("shop-1", "shop-2", "shop-3"):
        world.link(world.worker(if_taken="allow"), account)
    world.clock.advance(days=170)

    run = shop.renew_due()

    assert (run.postponed, run.stopped) == (1, True)
    assert len(shop.sent) == 1


def test_what_holds_a_renewal_back_is_said(world: World):
    shop = world.worker()
    world.link(shop)
    world.clock.advance(days=181)
    world.sandbox.rotate_secret(world.application)
    with pytest.raises(ConfigurationError):
        shop.access("shop-1")

    with pytest.raises(UnavailableError, match="invalid_client"):
        shop.access("shop-1")


@pytest.mark.parametrize("setting", ["client_id", "client_secret", "redirect_uri", "api_url"])
@pytest.mark.parametrize("value", [None, 7, "", "text\n"])
def test_a_setting_of_another_type_is_named(setting: str, value: object, world: World):
    with pytest.raises(ConfigurationError, match=f"^{setting}: "):
        world.settings(**{setting: value})


def test_an_account_is_a_text(world: World):
    with pytest.raises(MisuseError, match=r"^account: "):
        world.worker().start(7)  # pyright: ignore[reportArgumentType]


def test_a_late_answer_without_a_new_refresh_token_brings_no_refused_one_back(world: World):
    world.link(world.worker())
    world.clock.advance(days=181)
    other = world.worker(deliver=lambda _: answer(400, {"error": "invalid_grant"}))

    def late(_: Request) -> Response:
        world.clock.advance(minutes=2)  # the lease is over, and another worker takes it
        with pytest.raises(NeedsRelinkError):
            other.access("shop-1")
        return granting(user_id=world.seller.user_id, refresh_token=...)

    with pytest.raises(NeedsRelinkError):
        world.worker(deliver=late).access("shop-1")

    assert world.kept().status == "needs_relink"


class LostMeanwhile(MemoryTokenStore):
    """Keeps the first link and fails all the same, while another worker finds it refused."""

    failed = False

    def replace(self, record: Link, /, *, expected: int) -> bool:
        kept = super().replace(record, expected=expected)
        if not self.failed:
            self.failed = True
            lost = replace(record, status="needs_relink", access_token=None, renew_at=None)
            super().replace(replace(lost, generation=2), expected=record.generation)
            raise OSError("the connection broke")
        return kept


def test_a_link_that_was_kept_and_lost_again_is_not_kept_twice(world: World):
    shop = world.worker(links=LostMeanwhile())

    world.link(shop)

    assert shop.status("shop-1") == "needs_relink"


class Dies(MemoryTokenStore):
    """The process ends after so many changes."""

    left = 1_000

    def replace(self, record: Link, /, *, expected: int) -> bool:
        kept = super().replace(record, expected=expected)
        self.left -= 1
        if not self.left:
            raise SystemExit
        return kept


@pytest.mark.parametrize("changes", [1, 2])
def test_a_process_that_ends_in_a_move_leaves_no_seller_at_two_accounts(changes: int, world: World):
    links = Dies()
    shop = world.worker(if_taken="move", links=links)
    world.link(shop, "shop-2")
    begun = shop.start("shop-1")
    query = world.approved(begun.url)

    links.left = changes
    with pytest.raises(SystemExit):
        shop.callback(query, account="shop-1", binding=begun.binding)

    statuses = [shop.status(account) for account in ("shop-1", "shop-2")]
    assert statuses == (["unlinked", "unlinked"] if changes == 1 else ["linked", "unlinked"])


@pytest.mark.parametrize("rate", [0, -1.0, float("nan")])
def test_a_rate_that_renews_nothing_is_refused(rate: float, world: World):
    with pytest.raises(MisuseError, match="per_second: must be more than 0"):
        world.worker().renew_due(per_second=rate)
