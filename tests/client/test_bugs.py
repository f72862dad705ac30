"""The bugs that public integrations have, each shown to be absent from this client.

They were counted in integrations that anybody can read; the numbers order them by kind. A
test's first line names its number and the bug in short. What an application's pages could
get wrong, and a library could not, is at the end, with the reason.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from re import findall
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox import Lifetimes
from mp_oauth_sandbox.client import (
    AsyncLinking,
    ConfigurationError,
    Link,
    Linked,
    Linking,
    LinkingError,
    MemoryTokenStore,
    NeedsRelinkError,
    NotificationError,
    NotLinked,
    NotLinkedError,
    NotSavedError,
    ProviderError,
    Reason,
    Renewals,
    SQLitePendingStore,
    SQLiteTokenStore,
    UnavailableError,
)
from mp_oauth_sandbox.client.steps import DEADLINE

from .world import CALLBACK, START, World, answer, interleave, notification, opened, signed

HALF_A_YEAR = timedelta(days=180)


def outcome_of(came: Any) -> Reason | str:
    """How a callback ended, in a word."""
    assert isinstance(came, Linked | NotLinked), came
    return "linked" if isinstance(came, Linked) else came.reason


# ---- the callback ----


@pytest.mark.parametrize(
    "query",
    [
        "code={code}",
        "code={code}&state=",
        "code={code}&state=shop-1",
        "code={code}&state=c2hvcC0x",
        "code={code}&state={other}",
        "code={code}&state={state}x",
        "code={code}&state={lower}",
        "code={code}&state={state}&state={state}",
        "code={code}&state={hash}",
        "",
    ],
)
def test_a_callback_whose_state_was_not_issued_reaches_nobody(query: str, world: World):
    """Rows 3, 3a and 3b: no state, one never read, or a raw identifier that can be guessed."""
    shop = world.worker()
    begun = shop.start("shop-1")
    given = dict(httpx.QueryParams(world.approved(begun.url)))
    state = given["state"]
    kept = next(iter(world.pending._records))  # type: ignore[attr-defined] # what a thief has read
    other = "A" * len(state)
    query = query.format(**given, other=other, lower=state.lower(), hash=kept)

    outcome = shop.callback(query, account="shop-1", binding=begun.binding)

    assert outcome == NotLinked(reason=Reason.STATE_UNKNOWN)
    assert world.exchanges() == 0
    assert shop.status("shop-1") == "unlinked"


def test_the_state_of_one_browser_is_worth_nothing_in_another(world: World):
    """Row 4: a genuine state that is not bound to the browser that began."""
    shop = world.worker()
    mine, theirs = shop.start("attacker"), shop.start("victim")
    query = world.approved(mine.url)

    for account, binding in [
        ("victim", theirs.binding),  # the attacker's code, brought to the victim's browser
        ("attacker", theirs.binding),  # the victim consented through the attacker's link
        ("victim", mine.binding),
        ("attacker", None),
        ("attacker", ""),
        ("", mine.binding),
    ]:
        outcome = shop.callback(query, account=account, binding=binding)
        assert outcome == NotLinked(reason=Reason.OTHER_SESSION), (account, binding)

    assert world.exchanges() == 0
    assert outcome_of(shop.callback(query, account="attacker", binding=mine.binding)) == "linked"


def test_accounts_and_bindings_do_not_run_into_each_other(world: World):
    """Row 4: bound to the account and its browser, not to a text that both make up."""
    shop = world.worker()
    begun = shop.start("shop 1", binding="2" * 16)
    query = world.approved(begun.url)

    outcome = shop.callback(query, account="shop", binding="1 " + "2" * 16)

    assert outcome == NotLinked(reason=Reason.OTHER_SESSION)


def test_a_state_works_once(world: World):
    """Row 5: a state that can be used again, later."""
    shop = world.worker()
    begun = shop.start("shop-1")
    first = world.approved(begun.url)
    assert outcome_of(shop.callback(first, account="shop-1", binding=begun.binding)) == "linked"
    again = world.approved(begun.url, seller=world.sandbox.create_seller())

    outcome = shop.callback(again, account="shop-1", binding=begun.binding)

    assert outcome == NotLinked(reason=Reason.STATE_SPENT)
    assert world.exchanges() == 1
    assert world.kept().seller_id == world.seller.user_id


@given(turns=st.lists(st.integers(0, 2), max_size=40))
def test_a_state_works_once_at_the_same_moment_too(turns: list[int]):
    """Row 5: a state that is looked up, then deleted, while another callback looks it up."""
    with opened() as world:
        workers = [world.worker() for _ in range(3)]
        begun = workers[0].start("shop-1")
        queries = [world.approved(begun.url) for _ in workers]
        flows = [
            worker.flows.callback(query, account="shop-1", binding=begun.binding)
            for worker, query in zip(workers, queries, strict=True)
        ]

        outcomes = interleave(flows, workers[0].send, world.clock, turns)

        assert sorted(map(outcome_of, outcomes)) == ["linked", "state_spent", "state_spent"]
        assert world.exchanges() == 1


@pytest.mark.parametrize(
    ("late", "reason"), [(-1, "linked"), (0, Reason.STATE_EXPIRED), (86400, Reason.STATE_EXPIRED)]
)
def test_a_state_dies_after_ten_minutes(late: float, reason: str, world: World):
    """Row 6: a state that never expires."""
    shop = world.worker()
    begun = shop.start("shop-1")
    world.clock.advance(minutes=10, seconds=min(late, 0))
    query = world.approved(begun.url)
    world.clock.advance(seconds=max(late, 0))

    outcome = shop.callback(query, account="shop-1", binding=begun.binding)

    assert outcome_of(outcome) == reason
    assert world.exchanges() == (reason == "linked")


def test_a_denial_is_read_and_spends_the_state(world: World):
    """Row 8: `error` is never read, and a code that is not there is presented."""
    shop = world.worker()
    begun = shop.start("shop-1")
    query = world.denied(begun.url)

    outcome = shop.callback(query, account="shop-1", binding=begun.binding)

    assert outcome == NotLinked(reason=Reason.DENIED)
    assert shop.sent == []
    later = world.approved(begun.url)
    assert (
        outcome_of(shop.callback(later, account="shop-1", binding=begun.binding))
        == Reason.STATE_SPENT
    )
    world.link(shop)


@pytest.mark.parametrize("code", ["", "undefined", "null", "None"])
def test_a_code_that_is_not_there_is_not_presented(code: str, world: World):
    """Row 8: a front end's `undefined` in place of a code. The state stays good."""
    shop = world.worker()
    begun = shop.start("shop-1")
    query = world.approved(begun.url)
    empty = httpx.QueryParams(query).set("code", code)

    outcome = shop.callback(str(empty), account="shop-1", binding=begun.binding)

    assert outcome == NotLinked(reason=Reason.CODE_MISSING)
    assert shop.sent == []
    assert outcome_of(shop.callback(query, account="shop-1", binding=begun.binding)) == "linked"


def test_the_same_callback_again_has_the_same_outcome(world: World):
    """Row 28: a reloaded callback turns success into an error."""
    shop = world.worker()
    begun = shop.start("shop-1")
    query = world.approved(begun.url)

    first = shop.callback(query, account="shop-1", binding=begun.binding)
    world.clock.advance(hours=1)
    second = world.worker().callback(query, account="shop-1", binding=begun.binding)

    assert isinstance(first, Linked)
    assert second == first
    assert world.exchanges() == 1


@given(turns=st.lists(st.integers(0, 1), max_size=30))
def test_two_callbacks_at_once_have_one_outcome(turns: list[int]):
    """Row 28: a browser that asks twice gets a success and an error."""
    with opened() as world:
        workers = [world.worker(), world.worker()]
        begun = workers[0].start("shop-1")
        query = world.approved(begun.url)
        flows = [
            worker.flows.callback(query, account="shop-1", binding=begun.binding)
            for worker in workers
        ]

        first, second = interleave(flows, workers[0].send, world.clock, turns)

        assert isinstance(first, Linked)
        assert second == first
        assert world.exchanges() == 1


def test_a_reloaded_success_does_not_outlive_the_link(world: World):
    """Row 28: nor does the second outcome say linked when that is no longer true."""
    shop = world.worker()
    begun = shop.start("shop-1")
    query = world.approved(begun.url)
    shop.callback(query, account="shop-1", binding=begun.binding)
    shop.unlink("shop-1")

    outcome = shop.callback(query, account="shop-1", binding=begun.binding)

    assert outcome == NotLinked(reason=Reason.STATE_SPENT)


def test_a_reloaded_success_does_not_speak_for_a_later_link(world: World):
    """Row 28: nor is another link, made since, taken for its own."""
    shop = world.worker()
    begun = shop.start("shop-1")
    query = world.approved(begun.url)
    shop.callback(query, account="shop-1", binding=begun.binding)
    world.clock.advance(minutes=1)
    world.link(shop)

    outcome = shop.callback(query, account="shop-1", binding=begun.binding)

    assert outcome == NotLinked(reason=Reason.STATE_SPENT)


# ---- the exchange ----


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "lose-response"}, Reason.COMMIT_UNKNOWN),
        ({"kind": "drop-before-commit"}, Reason.COMMIT_UNKNOWN),
        ({"kind": "refuse", "status": 503}, Reason.COMMIT_UNKNOWN),
        ({"kind": "refuse", "status": 429}, Reason.UNAVAILABLE),
        ({"kind": "garble", "how": "truncated"}, Reason.BAD_ANSWER),
        ({"kind": "refuse", "cause": "code_expired"}, Reason.CODE_REFUSED),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_a_code_is_presented_once_whatever_becomes_of_it(
    fault: dict[str, Any], reason: Reason, world: World
):
    """Row 23: an exchange that may have taken effect is sent again."""
    shop = world.worker()
    begun = shop.start("shop-1")
    query = world.approved(begun.url)
    world.fault(**fault, on="exchange")

    for _ in range(2):
        outcome = shop.callback(query, account="shop-1", binding=begun.binding)
        assert outcome == NotLinked(reason=reason)

    assert len(shop.sent) == 1
    assert shop.status("shop-1") == "unlinked"
    world.link(shop)


def test_both_steps_name_the_configured_redirect_uri_byte_for_byte(world: World):
    """Row 21: the request and the exchange disagree on redirect_uri."""
    shop = world.worker()
    begun = shop.start("shop-1")

    shop.callback(world.approved(begun.url), account="shop-1", binding=begun.binding)

    assert httpx.URL(begun.url).params["redirect_uri"] == CALLBACK
    assert shop.bodies[0]["redirect_uri"] == CALLBACK


def test_an_application_that_wants_pkce_is_linked_and_the_verifier_stays_here(world: World):
    """Row 31: PKCE that cannot be sent, or a verifier that the browser sees."""
    world.application = world.sandbox.register_application(
        redirect_uris=[CALLBACK], pkce_required=True
    )
    shop = world.worker()
    begun = shop.start("shop-1")
    query = world.approved(begun.url)

    assert outcome_of(shop.callback(query, account="shop-1", binding=begun.binding)) == "linked"

    verifier = shop.bodies[0]["code_verifier"]
    assert verifier not in begun.url + query + begun.binding


@pytest.mark.parametrize("secret", ["APP_USR-1-030212-0123-77", "TEST-1-030212-0123-77"])
def test_an_access_token_is_not_taken_for_a_secret(secret: str, world: World):
    """Row 32: the access token in place of client_secret."""
    with pytest.raises(ConfigurationError, match="is an access token") as refused:
        world.settings(client_secret=secret)
    assert secret not in str(refused.value)


@pytest.mark.parametrize("linking", ["sync", "async"])
def test_no_wait_on_the_network_is_endless(linking: str, world: World):
    """Row 22: no timeout on the token request, so that a page hangs and is reloaded."""
    kinds = {"sync": Linking, "async": AsyncLinking}
    made = kinds[linking](world.settings(), world.links, world.pending)

    assert all(wait and wait <= 10 for wait in made.http.timeout.as_dict().values())
    assert DEADLINE <= 30


# ---- what is kept ----


def test_what_the_exchange_gave_is_there_after_a_restart(world: World, tmp_path: Path):
    """Row 10: the refresh token is not even stored."""
    path = tmp_path / "links.db"
    world.links, world.pending = SQLiteTokenStore(path), SQLitePendingStore(path)
    first = world.link(world.worker())
    world.links, world.pending = SQLiteTokenStore(path), SQLitePendingStore(path)
    world.clock.advance(days=170)

    renewed = world.worker().access("shop-1")

    assert first.refresh_token is not None
    assert renewed.access_token != first.access_token
    assert world.calls(renewed) == 200


def test_each_account_keeps_its_own_seller(world: World):
    """Row 30: one global credential, and the last seller wins."""
    shop = world.worker()
    sellers = [world.sandbox.create_seller() for _ in range(3)]
    begun = [shop.start(f"shop-{at}") for at in range(3)]
    queries = [
        world.approved(one.url, seller=seller) for one, seller in zip(begun, sellers, strict=True)
    ]

    for at in (2, 0, 1):
        shop.callback(queries[at], account=f"shop-{at}", binding=begun[at].binding)

    assert [shop.access(f"shop-{at}").seller_id for at in range(3)] == [
        seller.user_id for seller in sellers
    ]


@pytest.mark.parametrize("policy", ["refuse", "move", "allow"])
def test_a_seller_who_is_linked_elsewhere_is_noticed(policy: str, world: World):
    """Row 27: two accounts on one seller, unnoticed."""
    shop = world.worker(if_taken=policy)
    world.link(shop, "shop-1")
    begun = shop.start("shop-2")

    outcome = shop.callback(world.approved(begun.url), account="shop-2", binding=begun.binding)

    states = (outcome_of(outcome), shop.status("shop-1"), shop.status("shop-2"))
    assert (
        states
        == {
            "refuse": (Reason.SELLER_TAKEN, "linked", "unlinked"),
            "move": ("linked", "unlinked", "linked"),
            "allow": ("linked", "linked", "linked"),
        }[policy]
    )


@pytest.mark.parametrize("policy", ["refuse", "move"])
@given(
    turns=st.lists(st.integers(0, 1), max_size=40),
    early=st.integers(0, 1),
    ahead=st.integers(-2, 2).map(lambda seconds: timedelta(seconds=seconds)),
)
def test_of_two_accounts_that_link_one_seller_at_once_both_never_keep_it(
    policy: str, turns: list[int], early: int, ahead: timedelta
):
    """Row 27: and unnoticed at the same moment, by workers whose clocks disagree."""
    with opened() as world:
        workers = [
            world.worker(if_taken=policy),
            world.worker(if_taken=policy, now=lambda: world.clock() + ahead),
        ]
        flows = []
        for at, worker in enumerate(workers):
            begun = worker.start(f"shop-{at}")
            query = world.approved(begun.url)
            flows.append(worker.flows.callback(query, account=f"shop-{at}", binding=begun.binding))

        def delivered(request: Any) -> Any:
            # One exchange takes longer, so that the links do not begin in the order of their end.
            world.clock.advance(seconds=early)
            return workers[0].deliver(request)

        outcomes = interleave(flows, delivered, world.clock, turns)

        told = [isinstance(outcome, Linked) for outcome in outcomes]
        linked = [workers[0].status(f"shop-{at}") == "linked" for at in range(2)]
        if policy == "refuse":
            assert linked.count(True) <= 1
            assert linked == told
        else:
            assert linked.count(True) == 1
            assert told[linked.index(True)]


def test_a_renewal_that_is_about_another_seller_changes_nothing(world: World):
    """Row 27: user_id is not looked at in a renewal."""
    shop = world.worker()
    link = world.link(shop)
    world.clock.advance(days=170)
    world.fault("garble", how="other-user", on="refresh")

    assert shop.access("shop-1").access_token == link.access_token

    assert world.kept().access_token == link.access_token
    assert world.kept().seller_id == world.seller.user_id


# ---- renewal ----


@pytest.mark.parametrize("workers", [2, 3])
@given(data=st.data())
def test_one_refresh_is_in_flight_for_a_seller(workers: int, data: st.DataObject):
    """Row 1: no lock around the refresh, so that the loser keeps a dead token."""
    turns = data.draw(st.lists(st.integers(0, workers - 1), max_size=60))
    jobs = data.draw(st.lists(st.booleans(), min_size=workers, max_size=workers))
    expired = data.draw(st.booleans())
    with opened() as world:
        all_of_them = [world.worker() for _ in range(workers)]
        world.link(all_of_them[0])
        world.clock.advance(days=181 if expired else 170)
        flows: list[Any] = [
            worker.flows.renew_due() if job else worker.flows.access("shop-1")
            for worker, job in zip(all_of_them, jobs, strict=True)
        ]

        came = interleave(flows, all_of_them[0].send, world.clock, turns)

        assert world.refreshes() == 1
        for job, result in zip(jobs, came, strict=True):
            assert not isinstance(result, Exception)
            if not job and expired:
                assert world.calls(result) == 200
        world.clock.advance(days=170)
        assert world.calls(all_of_them[0].access("shop-1")) == 200


def test_threads_that_meet_share_one_refresh():
    """Row 1: the same between real threads, over real connections."""
    with opened(live=True) as world:
        world.link(world.worker())
        world.clock.advance(days=181)
        with (
            Linking(world.settings(), world.links, world.pending, now=world.clock) as linking,
            ThreadPoolExecutor(16) as threads,
        ):
            links = list(threads.map(linking.access, ["shop-1"] * 16))

        assert len({link.access_token for link in links}) == 1
        assert world.refreshes() == 1


def test_links_live_on_for_two_years(world: World):
    """Row 9: no renewal, and every seller is lost on day 180."""
    shop = world.worker()
    world.link(shop)
    world.link(shop, "shop-2", seller=world.sandbox.create_seller())

    for _ in range(2 * 365):
        world.clock.advance(days=1)
        shop.renew_due()
        assert world.calls(world.kept("shop-1")) == 200
        assert world.calls(world.kept("shop-2")) == 200

    assert world.refreshes() == 2 * 4


def test_a_call_renews_where_no_scheduler_runs(world: World):
    """Row 9: nothing but calls, one a month."""
    shop = world.worker()
    world.link(shop)

    for _ in range(24):
        world.clock.advance(days=30)
        assert world.calls(shop.access("shop-1")) == 200


@pytest.mark.parametrize("seconds", [60, 3600, 21600, 10800 * 7, 2592000, 15552000])
def test_every_lifetime_is_respected(seconds: int, world: World):
    """Row 11: expires_in is ignored."""
    world.sandbox.update_application(
        world.application.client_id,
        lambda known: replace(
            known,
            lifetimes=Lifetimes(
                access_token=timedelta(seconds=seconds), refresh_token=timedelta(days=365)
            ),
        ),
    )
    shop = world.worker()
    world.link(shop)

    for _ in range(60):
        world.clock.advance(seconds=seconds / 20)
        assert world.calls(shop.access("shop-1")) == 200

    assert world.refreshes() == 3  # one for each lifetime, at nine tenths of it


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 8, 31, 23, 30, tzinfo=UTC),
        datetime(2028, 2, 29, 12, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
def test_expiry_is_counted_in_seconds_from_the_request(at: datetime, world: World):
    """Row 12: a calendar's months, or another beginning, in place of `expires_in`."""
    world.clock.travel(at)

    link = world.link(world.worker())

    assert link.expires_at == at + timedelta(seconds=15552000)
    assert link.expires_at.utcoffset() == timedelta()


def test_a_slow_answer_shortens_what_is_left(world: World):
    """Row 12: counted from the arrival of a slow answer."""
    usual = world.worker()

    def slowly(request: Any) -> Any:
        came = usual.deliver(request)
        world.clock.advance(seconds=15)
        return came

    shop = world.worker(deliver=slowly)
    link = world.link(shop)
    assert link.expires_at == START + HALF_A_YEAR

    world.clock.advance(days=170)
    asked_at = world.clock()
    assert shop.access("shop-1").expires_at == asked_at + HALF_A_YEAR


def test_later_changes_do_not_move_the_expiry(world: World):
    """Row 12: a date that any change of the record moves."""
    shop = world.worker()
    link = world.link(shop)
    world.clock.advance(days=100)
    kept = world.kept()
    touched = replace(kept, generation=kept.generation + 1, failures=0)
    assert world.links.replace(touched, expected=kept.generation)

    assert world.kept().expires_at == link.expires_at
    world.clock.advance(days=81)
    assert world.calls(shop.access("shop-1")) == 200
    assert world.refreshes() == 1


def test_without_expires_in_a_day_is_assumed(world: World):
    """Row 13: six hours, half a year, zero or NaN in place of an absent `expires_in`."""
    shop = world.worker()
    world.fault("garble", how="missing-field", field="expires_in", times="always")
    link = world.link(shop)

    for _ in range(20):
        world.clock.advance(hours=6)
        assert world.calls(shop.access("shop-1")) == 200

    assert link.expires_at == START + timedelta(days=1)
    assert world.refreshes() == 5


def test_two_hours_without_the_token_endpoint_cost_no_sale(world: World):
    """Row 14: renewed only after expiry, with no second chance."""
    shop = world.worker()
    link = world.link(shop)
    world.clock.travel(link.expires_at - timedelta(hours=1))
    world.fault("refuse", status=503, on="refresh", times="always")

    assert world.calls(shop.access("shop-1")) == 200  # renewal was due days ago: the old one does
    world.sandbox.faults.clear()
    world.clock.advance(minutes=50)
    assert world.calls(shop.access("shop-1")) == 200
    world.clock.advance(hours=2)
    assert world.calls(shop.access("shop-1")) == 200
    assert link.renew_at == link.expires_at - timedelta(days=15)


FAILURES: dict[str, tuple[dict[str, Any], type[LinkingError]]] = {
    "503": ({"kind": "refuse", "status": 503}, UnavailableError),
    "429": ({"kind": "refuse", "status": 429, "retry_after": 7}, UnavailableError),
    "dropped": ({"kind": "drop-before-commit"}, UnavailableError),
    "garbled": ({"kind": "garble", "how": "html"}, ProviderError),
    "secret": ({"kind": "refuse", "cause": "secret_mismatch"}, ConfigurationError),
}


@pytest.mark.parametrize("how", FAILURES)
def test_an_expired_token_is_not_used_because_its_renewal_failed(how: str, world: World):
    """Row 15: the stale token after a failed refresh."""
    shop = world.worker()
    fault, error = FAILURES[how]
    world.link(shop)
    world.clock.advance(days=180)
    world.fault(**fault, on="refresh", times="always")

    with pytest.raises(error):
        shop.access("shop-1")


def test_no_other_token_stands_in_for_one_that_is_lost(world: World):
    """Row 16: the platform's own token, and the buyer's money goes to the platform."""
    shop = world.worker()
    world.link(shop)
    world.link(shop, "shop-2", seller=world.sandbox.create_seller())
    world.sandbox.unlink(world.application, world.seller)
    linking = Linking(world.settings(), world.links, world.pending, http=world.http, now=shop.clock)

    for _ in range(3):
        with pytest.raises(NeedsRelinkError):
            world.http.post("/v1/payments", auth=linking.auth("shop-1"))
    with pytest.raises(NotLinkedError):
        world.http.post("/v1/payments", auth=linking.auth("shop-3"))

    calls = world.sandbox.journal.query(kind="resource")
    assert [call.cause for call in calls] == ["token_revoked"]


@pytest.mark.parametrize("how", [how for how in FAILURES if how != "garbled"])
def test_what_passes_by_itself_unlinks_nobody(how: str, world: World):
    """Row 17: a network's blip, or a wrong secret, disconnects every seller."""
    shop = world.worker()
    fault, _ = FAILURES[how]
    sellers = [world.sandbox.create_seller() for _ in range(5)]
    for at, seller in enumerate(sellers):
        world.link(shop, f"shop-{at}", seller=seller)
    world.clock.advance(days=170)
    world.fault(**fault, on="refresh", times="always")

    for _ in range(3):
        shop.renew_due()
        assert [shop.status(f"shop-{at}") for at in range(5)] == ["linked"] * 5
        assert all(world.calls(shop.access(f"shop-{at}")) == 200 for at in range(5))
        world.clock.advance(minutes=10)
    world.sandbox.faults.clear()
    world.clock.advance(hours=2)
    done = shop.renew_due()

    assert done == Renewals(renewed=5)


def test_a_wrong_secret_is_tried_once_a_run(world: World):
    """Row 17: and the endpoint is not hammered meanwhile."""
    shop = world.worker()
    for at in range(5):
        world.link(shop, f"shop-{at}", seller=world.sandbox.create_seller())
    world.clock.advance(days=170)
    world.fault("refuse", cause="secret_mismatch", on="refresh", times="always")

    assert shop.renew_due().stopped is True

    assert world.refreshes() == 1


class Failing(MemoryTokenStore):
    """A store that fails so many times when a pair comes that is new to it."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = 0
        self._most = times

    def replace(self, record: Link, /, *, expected: int) -> bool:
        current = self.get(record.key)
        new = current is not None and record.refresh_token not in {None, current.refresh_token}
        if new and self.times < self._most:
            self.times += 1
            raise OSError("disk full")
        return super().replace(record, expected=expected)


@pytest.mark.parametrize("times", [1, 3, 4, 5, 9])
def test_a_pair_that_the_store_did_not_take_is_not_lost(times: int, world: World):
    """Row 18: the rotated token is gone when saving fails once."""
    world.links = Failing(times)
    shop = world.worker()
    first = world.link(shop)
    world.clock.advance(days=170)

    links = [shop.access("shop-1") for _ in range(3)]

    assert world.refreshes() == 1
    assert all(world.calls(link) == 200 for link in links)
    assert world.kept().refresh_token != first.refresh_token
    world.clock.advance(days=170)
    assert world.calls(shop.access("shop-1")) == 200
    assert shop.status("shop-1") == "linked"


def test_while_the_store_fails_nothing_that_is_not_kept_is_used(world: World):
    """Row 18: a pair is stored before it is used."""
    world.links = Failing(10**6)
    shop = world.worker()
    world.link(shop)
    world.clock.advance(days=181)

    for _ in range(2):
        with pytest.raises((NotSavedError, UnavailableError)):
            shop.access("shop-1")

    assert world.refreshes() == 1
    assert shop.status("shop-1") != "needs_relink"
    assert len(world.happened("not_saved")) >= 1


def test_each_renewal_presents_what_the_one_before_gave(world: World):
    """Row 19: the first refresh token for ever."""
    shop = world.worker()
    given = [world.link(shop).refresh_token]
    for _ in range(5):
        world.clock.advance(days=170)
        given.append(shop.access("shop-1").refresh_token)

    presented = [body["refresh_token"] for body in shop.bodies[1:]]

    assert presented == given[:-1]
    assert len(set(given)) == 6


@pytest.mark.parametrize("minutes", [-5, 5])
def test_clocks_that_disagree_by_minutes_cost_no_call(minutes: int, world: World):
    """Row 34: a clock that is wrong, and nobody counts with it."""
    off = timedelta(minutes=minutes)
    shop = world.worker(now=lambda: world.clock() + off)
    world.link(shop)

    for _ in range(80):
        world.clock.advance(days=5)
        assert world.calls(shop.access("shop-1")) == 200

    assert world.refreshes() == 2


def test_clocks_that_disagree_by_an_hour_are_mended_by_one_renewal(world: World):
    """Row 34: short tokens, an hour's difference: the 401 is what says so."""
    world.sandbox.update_application(
        world.application.client_id,
        lambda known: replace(known, lifetimes=Lifetimes(access_token=timedelta(minutes=30))),
    )
    shop = world.worker(now=lambda: world.clock() - timedelta(hours=1))
    link = world.link(shop)
    world.clock.advance(minutes=31)
    late = replace(link, generation=link.generation + 1, renew_at=world.clock() + HALF_A_YEAR)
    world.links.replace(replace(late, expires_at=late.renew_at), expected=link.generation)
    stale = shop.access("shop-1")
    assert world.calls(stale) == 401

    mended = shop.refused("shop-1", stale.access_token or "")

    assert world.calls(mended) == 200
    assert world.refreshes() == 1


# ---- the end of a link ----


def test_a_seller_who_unlinks_is_unlinked_here(world: World):
    """Row 2: nobody listens for `application.deauthorized`."""
    shop = world.worker()
    world.link(shop)
    world.clock.advance(days=1)
    at, seller_id = world.clock(), world.seller.user_id

    shop.notified(
        f"data.id={seller_id}&type=mp-connect",
        signed(data_id=str(seller_id), at=at),
        notification(seller_id=seller_id, at=at),
    )

    assert shop.status("shop-1") == "unlinked"
    assert world.kept().access_token is None
    assert world.kept().refresh_token is None
    with pytest.raises(NotLinkedError):
        shop.access("shop-1")
    assert world.link(shop).status == "linked"


def test_a_seller_who_unlinks_unheard_is_noticed_at_the_first_refusal(world: World):
    """Row 2: and where no notification comes, the 401 tells."""
    shop = world.worker()
    link = world.link(shop)
    world.sandbox.unlink(world.application, world.seller)

    with pytest.raises(NeedsRelinkError):
        shop.refused("shop-1", link.access_token or "")

    assert shop.status("shop-1") == "needs_relink"
    for _ in range(3):
        with pytest.raises(NeedsRelinkError):
            shop.access("shop-1")
    assert world.refreshes() == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-signature": ""},
        {"x-signature": "ts=1772452800"},
        {"x-signature": f"ts=1772452800,v1={'0' * 64}"},
        {"x-signature": "v1=true"},
    ],
)
def test_a_notification_that_nobody_signed_is_not_believed(headers: dict[str, str], world: World):
    """Row 29: the signature is not verified."""
    shop = world.worker()
    world.link(shop)
    seller_id = world.seller.user_id

    with pytest.raises(NotificationError):
        shop.notified(
            f"data.id={seller_id}", headers, notification(seller_id=seller_id, at=world.clock())
        )

    assert shop.status("shop-1") == "linked"


# ---- what is shown ----


def test_nothing_of_an_error_answer_reaches_a_seller_or_an_error(world: World):
    """Row 26: the provider's error text is shown, or put into a URL."""
    canary = "<script>canary</script>"
    body = {"error": canary, "message": canary, "error_description": canary}
    for error in [canary, "invalid_grant", "invalid_client", "local_rate_limited"]:
        reply = answer(400, body | {"error": error})
        shop = world.worker(deliver=lambda _, reply=reply: reply)
        begun = shop.start("shop-1")
        query = world.approved(begun.url)

        outcome = shop.callback(query, account="shop-1", binding=begun.binding)

        assert isinstance(outcome, NotLinked)
        said = [outcome.for_seller(language) for language in ("es", "pt", "en")]
        assert "canary" not in "".join([*said, repr(outcome), str(world.events)])


def test_nothing_of_a_callback_reaches_a_seller(world: World):
    """Row 26: markup in `error` and `error_description`."""
    shop = world.worker()
    begun = shop.start("shop-1")
    state = httpx.URL(begun.url).params["state"]
    query = f"error=%3Cb%3Ecanary&error_description=canary%0d%0a&state={state}"

    outcome = shop.callback(query, account="shop-1", binding=begun.binding)

    assert isinstance(outcome, NotLinked)
    assert outcome.reason == Reason.PROVIDER_ERROR
    assert "canary" not in repr(outcome) + outcome.for_seller("en") + str(world.events)


def test_a_token_travels_in_the_header_alone(world: World):
    """Row 25: the access token in a query, where every proxy keeps it."""
    shop = world.worker()
    link = world.link(shop)
    linking = Linking(world.settings(), world.links, world.pending, http=world.http, now=shop.clock)

    came = world.http.get("/users/me?x=1", auth=linking.auth("shop-1"))

    assert came.status_code == 200
    assert str(came.request.url) == f"{world.sandbox.url}/users/me?x=1"
    assert came.request.headers["authorization"] == f"Bearer {link.access_token}"


# ---- what this file does not show, and why ----

ELSEWHERE = {
    7: "plain comparison: no caller can measure it; owner and signature go through compare_digest",
    20: "redirect_uri from Host headers: the client sees no request, Settings has the only one",
    24: "tokens in logs, pages, browsers: test_secrecy.py reads everything that leaves the client",
    33: "client_secret in shipped files: an application's packaging; reprs are in test_secrecy.py",
}


def test_every_bug_of_the_count_is_shown_or_explained():
    source = Path(__file__).read_text(encoding="utf-8")
    named = findall(r'"""Rows? ([^:]*):', source)
    shown = {int(row) for rows in named for row in findall(r"\d+", rows)}

    assert shown | set(ELSEWHERE) == set(range(1, 35))
    assert shown.isdisjoint(ELSEWHERE)
