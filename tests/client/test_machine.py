"""The client under everything that can happen to it, and clients that do not survive that.

Of those, the ones that are caught at once are caught in every run, and all of them by night. What
the machine has found is kept at the end, as plain tests.
"""

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from mp_oauth_sandbox.client import (
    Link,
    Linked,
    Linking,
    MemoryPendingStore,
    NeedsRelinkError,
    NotLinked,
    Reason,
)
from mp_oauth_sandbox.client.vault import LEASE

from .machine import ClientMachine
from .machine_broken import BROKEN, Broken, Links
from .machine_flights import Client
from .machine_properties import Properties, Violation
from .machine_world import START, World


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture):
    """What the client logs of thousands of mishaps hides what is reported."""
    caplog.set_level(logging.CRITICAL, logger="mercadopago.linking")


@pytest.mark.timeout(7200)
class TestClient(ClientMachine.TestCase):
    """Workers that share a store in memory."""


class OnDisk(ClientMachine):
    on_disk = True


@pytest.mark.timeout(7200)
class TestClientOnDisk(OnDisk.TestCase):
    """Workers that share a SQLite file."""

    settings = settings(max_examples=max(5, settings().max_examples // 10))


#: Found within some tenth of a second, each by another property of the machine or another mishap.
CAUGHT_AT_ONCE = {
    "P5 states live for ever",
    "P6 ignores the binding",
    "P7 links the last account",
    "P13 sends no verifier",
    "P14 ignores expiry",
    "P15 assumes half a year",
    "P19 uses its own token",
    "P23 keeps the first refresh token",
    "P24 never gives up",
    "P25 says linked",
    "P28 uses another account's link",
    "P29 hears no events",
}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(one, marks=() if str(one) in CAUGHT_AT_ONCE else pytest.mark.nightly)
        for one in BROKEN
    ],
    ids=str,
)
def test_a_broken_client_is_caught(broken: Broken):
    class Machine(ClientMachine):
        client = broken.client
        only = broken.number
        mishap = broken.mishap
        pkce = True

    with pytest.raises(AssertionError, match=f"^{broken.number}: "):
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=2000,
                stateful_step_count=20,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                report_multiple_bugs=False,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            ),
        )


@pytest.mark.parametrize("refusals", range(4))
def test_the_machine_calls_the_api_as_the_client_does(refusals: int):
    """P20: one renewal and one retry, also through httpx, however many 401s there are."""
    seen: list[list[str]] = []
    for through_httpx in (True, False):
        with World(Properties) as world:
            linked(world, timedelta(days=180))
            begun = world.sandbox.journal.newest
            if through_httpx:
                if refusals:
                    world.sandbox.faults.sequence(*["token_unknown"] * refusals, on="resource")
                call_through_httpx(world)
            else:
                world.run(world.use("A", lies=refusals))
            entries = world.sandbox.journal.entries(after=begun)
            seen.append(
                [f"{one.kind} {one.status}" for one in entries if one.kind in {"token", "resource"}]
            )
    assert seen[0] == seen[1]
    assert len([one for one in seen[0] if one.startswith("token")]) == min(refusals, 1)


def call_through_httpx(world: World) -> None:
    transport = world.sandbox.transport()
    with (
        httpx.Client(transport=transport) as http,
        Linking(
            world.settings, world.links, MemoryPendingStore(), http=http, now=world.now
        ) as linking,
        httpx.Client(transport=transport, auth=linking.auth("A")) as client,
        suppress(NeedsRelinkError),
    ):
        client.get(f"{world.sandbox.url}/users/me")


# ---- what the machine has found ----


def linked(world: World, lifetime: timedelta) -> None:
    world.set_lifetime(lifetime)
    jar = world.jars[0]
    assert isinstance(
        world.run(world.deliver(world.begin(jar, world.sellers[0]), jar)).outcome, Linked
    )


def until_due(world: World) -> None:
    link = world.links.get("A")
    assert link is not None
    assert link.renew_at is not None
    world.wait_until(link.renew_at)


def test_a_run_of_renew_due_leaves_alone_what_another_worker_is_renewing():
    with World(Properties) as world:
        linked(world, timedelta(days=180))
        until_due(world)
        first, second = (world.renew_due(worker=worker) for worker in (0, 1))
        assert world.until_request(first)
        world.run(second)
        world.run(first)
        assert len(world.sandbox.journal.query(grant_type="refresh_token")) == 1


def test_a_renewal_whose_worker_has_died_is_no_renewal():
    with World(Properties) as world:
        linked(world, timedelta(days=180))
        assert world.until_request(world.use("A", worker=1, lies=1))
        world.kill(world.workers[1], arrives=False)
        assert world.status("A") == "renewing"
        world.wait(LEASE)
        assert world.status("A") == "linked"
        assert world.run(world.use("A")).outcome == 200


def test_summer_time_moves_no_expiry():
    with World(Properties) as world:
        world.zone = ZoneInfo("America/Santiago")
        linked(world, timedelta(days=180))
        link = world.links.get("A")
        assert link is not None
        late = link.expires_at.astimezone(UTC) - (START + timedelta(days=180))
        assert abs(late) < timedelta(seconds=1)


def test_no_pause_after_failures_outlasts_the_token():
    with World(Properties) as world:
        linked(world, timedelta(seconds=60))
        until_due(world)
        for pause in (0, 1, 2):
            world.wait(timedelta(seconds=pause, milliseconds=1))
            assert world.run(world.use("A"), fate="500").outcome == 200
        # The next pause would take 4 seconds, and the token lives for 3.
        world.wait(timedelta(seconds=3))
        assert world.run(world.use("A")).outcome == 200


def refused_as_taken(world: World) -> None:
    """A and B link one seller at the same time: each sees the other, and takes its link back."""
    jars = world.jars[0], world.jars[2]
    flights = [world.deliver(world.begin(jar, world.sellers[1]), jar) for jar in jars]
    while not all(flight.over for flight in flights):
        for flight in flights:
            world.step(flight)
    assert {flight.outcome for flight in flights} == {NotLinked(reason=Reason.SELLER_TAKEN)}


def test_a_lost_link_that_is_put_back_is_not_given_up_by_that():
    with World(Properties) as world:
        linked(world, timedelta(days=180))
        world.sandbox.change_password(world.sellers[0])
        until_due(world)
        world.run(world.use("A"))
        assert world.status("A") == "needs_relink"
        refused_as_taken(world)
        assert world.status("A") == "needs_relink"


def test_a_lost_link_that_is_put_back_while_it_is_renewed_stays_lost():
    with World(Properties) as world:
        linked(world, timedelta(days=180))
        world.run(world.use("A", lies=2))
        assert world.status("A") == "needs_relink"
        world.wait(timedelta(hours=1))
        renewal = world.use("A")
        assert world.until_request(renewal)
        refused_as_taken(world)
        world.run(renewal, fate="500")
        world.wait(LEASE)
        world.run(world.use("A"), fate="500")
        assert world.status("A") == "needs_relink"


def test_a_refusal_of_what_was_put_back_meanwhile_is_heard_once_the_lease_is_over():
    with World(Properties) as world:
        linked(world, timedelta(days=180))
        world.sandbox.change_password(world.sellers[0])
        until_due(world)
        renewal = world.renew_due()
        assert world.until_request(renewal)
        refused_as_taken(world)
        world.run(renewal)
        assert world.status("A") == "renewing"
        world.wait(LEASE)
        world.run(world.renew_due())
        assert world.status("A") == "needs_relink"


class PutsBackALostOne(Links):
    def written(self, link: Link) -> Link:
        old = self.links.get(link.account)
        earlier = old is not None and link.linked_at < old.linked_at
        return replace(link, status="needs_relink", renew_at=None) if earlier else link


def test_a_live_link_that_is_put_back_as_a_lost_one_is_given_up():
    with World(Properties, client=Client(links=PutsBackALostOne)) as world:
        linked(world, timedelta(days=180))
        with pytest.raises(Violation, match=r"^P24: a link is given up after: nothing"):
            refused_as_taken(world)
