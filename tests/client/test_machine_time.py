"""Properties of the client that are about one thing over a long time, or about many at once.

Each is a function of a client, so that it can be shown to fail for a broken one.
"""

import hashlib
import logging
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mp_oauth_sandbox.client import (
    Link,
    Linked,
    NotLinked,
    Reason,
)

from .machine_broken import (
    AssumesHalfAYear,
    Links,
    OneVerifierForAll,
    StatesDieEarly,
    StatesLiveForEver,
)
from .machine_flights import GOOD, Client
from .machine_properties import Properties
from .machine_world import START, World

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
#: How early the client renews, as it says itself.
SHARE, AT_MOST = 0.1, timedelta(days=15)
#: Nothing is decided in the last moments before a limit: each step takes some milliseconds.
LEEWAY = timedelta(milliseconds=500)

LIFETIMES = st.one_of(
    st.integers(60, 86_400), st.integers(1, 180).map(lambda days: days * 86_400)
).map(lambda seconds: timedelta(seconds=seconds))
#: Short enough that the refresh token, of six months, lives on when the access token is dead.
SHORTER = LIFETIMES.filter(lambda lifetime: lifetime <= 80 * DAY)
SHARES = st.floats(0, 1)

Holds = Callable[[Client, settings], None]
#: The same examples each time, and none made simpler: that it fails is all that is asked.
UNTIL_IT_FAILS = settings(
    max_examples=200,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.CRITICAL, logger="mercadopago.linking")


@contextmanager
def linked(client: Client, lifetime: timedelta, **more: Any) -> Iterator[World]:
    """A world in which account A has just linked the first seller."""
    with World(Properties, client=client, workers=1, **more) as world:
        world.set_lifetime(lifetime)
        link(world)
        yield world


def link(world: World) -> None:
    jar = world.jars[0]
    flight = world.run(world.deliver(world.begin(jar, world.sellers[0]), jar))
    assert isinstance(flight.outcome, Linked)


def margin(lifetime: timedelta) -> timedelta:
    return min(lifetime * SHARE, AT_MOST)


def renewals(world: World) -> int:
    return len(world.sandbox.journal.query(grant_type="refresh_token"))


def kept(world: World) -> Link:
    found = world.links.get("A")
    assert found is not None
    return found


def works(world: World) -> bool:
    return world.run(world.use("A")).outcome == 200


# ---- P5, P13: what is begun ----


def p5_states_live_for_ten_minutes(client: Client, hard: settings) -> None:
    """Accepted if and only if the state is younger than its lifetime, to the microsecond."""
    edge = timedelta(minutes=10)
    ages = st.one_of(
        st.sampled_from([-1, 0, 1]).map(lambda us: edge + timedelta(microseconds=us)),
        st.timedeltas(timedelta(), timedelta(minutes=20)),
        st.timedeltas(timedelta(), timedelta(days=3)),
    )

    @hard
    @given(age=ages, back=st.timedeltas(timedelta(), timedelta(minutes=5)))
    def check(age: timedelta, back: timedelta) -> None:
        with World(Properties, client=client, tick=timedelta()) as world:
            world.set_lifetime(DAY, code=timedelta(days=30))
            jar = world.jars[0]
            begun = world.begin(jar, world.sellers[0])
            # Part of the way with a clock that was set back.
            world.wait(age + back)
            world.set_skew(-back)
            outcome = world.run(world.deliver(begun, jar)).outcome
            assert isinstance(outcome, Linked) == (age < edge)
            if isinstance(outcome, NotLinked):
                assert outcome.reason is Reason.STATE_EXPIRED
            assert len(world.sandbox.journal.query(kind="token")) == (age < edge)

    check()


def p13_each_code_has_its_own_verifier(client: Client, hard: settings) -> None:
    """S256 of the verifier is the challenge of the same state; none comes twice or leaks."""

    @hard
    @given(order=st.permutations(range(12)))
    def check(order: list[int]) -> None:
        with World(Properties, client=client, if_taken="allow") as world:
            begun = [world.begin(world.jars[one % 4], world.sellers[one % 2]) for one in order]
            flights = [
                world.deliver(begun[one], jar)
                for one in sorted(order, key=order.index)
                for jar in world.jars
                if jar.name == begun[one].session[0]
            ]
            world.run_all()
            verifiers = {}
            for flight in flights:
                assert isinstance(flight.outcome, Linked)
                assert flight.begun is not None
                verifiers[flight.begun.challenge] = flight.last.fields["code_verifier"]
            assert len(set(verifiers.values())) == len(order)
            for challenge, verifier in verifiers.items():
                digest = hashlib.sha256(verifier.encode()).digest()
                assert urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
                assert verifier not in "".join(one.query + one.state for one in begun)
            world.sandbox.journal.assert_no_refusals()

    check()


# ---- P15 to P18, P21: what is kept alive ----

ZONES = st.sampled_from(
    [
        UTC,
        timezone(timedelta(hours=14)),
        timezone(timedelta(hours=-9, minutes=-30)),
        ZoneInfo("America/Santiago"),
        ZoneInfo("America/Sao_Paulo"),
        ZoneInfo("Europe/Lisbon"),
    ]
)


def p15_expiry_is_the_answer_plus_expires_in(client: Client, hard: settings) -> None:
    """For each renewal, of whatever lifetime, in whatever zone, however slow the answer is."""

    @hard
    @given(
        lives=st.lists(st.tuples(LIFETIMES, st.integers(0, 15)), min_size=1, max_size=4),
        zone=ZONES,
        touches=st.integers(0, 2),
    )
    def check(lives: list[tuple[timedelta, int]], zone: tzinfo, touches: int) -> None:
        with World(Properties, client=client, workers=1) as world:
            world.zone = zone
            world.set_lifetime(lives[0][0])
            link(world)
            for lifetime, slow in lives:
                world.set_lifetime(lifetime)
                due = kept(world).renew_at
                assert due is not None
                world.wait_until(due.astimezone(UTC))
                flight = world.use("A")
                assert world.until_request(flight)
                asked = world.now().astimezone(UTC)
                world.wait(slow * SECOND)
                world.run(flight)
                answered = world.now().astimezone(UTC)
                for _ in range(touches):
                    # Another change of the row moves nothing.
                    old = kept(world)
                    other = replace(old, generation=old.generation + 1, public_key="another")
                    assert world.links.replace(other, expected=old.generation)
                expires_at = kept(world).expires_at.astimezone(UTC)
                assert asked - LEEWAY <= expires_at - lifetime <= answered

    check()


def p16_links_live_on(client: Client, hard: settings) -> None:
    """With a job or a call at least once in each margin, nobody has to do anything."""

    @hard
    @given(
        lifetime=LIFETIMES,
        acts=st.lists(st.tuples(st.booleans(), SHARES), min_size=1, max_size=30),
    )
    def check(lifetime: timedelta, acts: list[tuple[bool, float]]) -> None:
        with linked(client, lifetime) as world:
            began = world.now()
            turn = 0
            while world.now() < began + 3 * lifetime:
                job, share = acts[turn % len(acts)]
                turn += 1
                world.wait((margin(lifetime) - LEEWAY) * (0.5 + share / 2))
                assert world.now() < kept(world).expires_at
                if job:
                    world.run(world.renew_due())
                else:
                    assert works(world)
            assert world.status("A") == "linked"
            assert works(world)
            assert len(world.begun) == 1

    check()


def p17_renewals_are_bounded(client: Client, hard: settings) -> None:
    """At most T / (L - margin) + 1 in a time T, however often the API is called; and one if due."""

    @hard
    @given(
        lifetime=SHORTER,
        gaps=st.lists(st.one_of(SHARES, st.floats(0, 0.01)), min_size=1, max_size=40),
    )
    def check(lifetime: timedelta, gaps: list[float]) -> None:
        with linked(client, lifetime) as world:
            began = world.now()
            for gap in gaps:
                world.wait(gap * lifetime)
                assert works(world)
            passed = world.now() - began
            assert renewals(world) <= passed / (lifetime - margin(lifetime)) + 1
            if passed > lifetime:
                assert renewals(world) >= 1

    check()


def p18_outages_within_the_margin_are_not_seen(client: Client, hard: settings) -> None:
    """No call fails and the link stays linked, while renewals fail for less than the margin."""

    @hard
    @given(
        lifetime=SHORTER,
        # Before the renewal is due, or after a call has had the time to renew.
        begins=st.one_of(st.just(0.0), st.floats(-1, 0), st.floats(0.5, 1.5)),
        lasts=st.one_of(st.just(1.0), SHARES),
        fate=st.sampled_from(["never sent", "lost before", "500", "blocked"]),
        gaps=st.lists(st.floats(0.02, 0.4), min_size=1, max_size=10),
    )
    def check(
        lifetime: timedelta, begins: float, lasts: float, fate: str, gaps: list[float]
    ) -> None:
        with linked(client, lifetime) as world:
            early = margin(lifetime)
            renew_at = kept(world).renew_at
            assert renew_at is not None
            begin = renew_at + begins * early
            end = begin + (early - SECOND) * lasts
            turn = 0
            world.wait_until(min(begin, renew_at) - LEEWAY)
            while world.now() < renew_at + 3 * early:
                flight = world.use("A")
                while not flight.over:
                    out = begin <= world.now() < end
                    world.run(flight, most=1, fate=fate if out else "fine")
                assert flight.outcome == 200, world.told()
                assert world.status("A") == "linked"
                world.wait(early * gaps[turn % len(gaps)])
                turn += 1
            assert renewals(world) >= 1

    check()


def p21_a_clock_that_is_set_back_makes_no_storm(client: Client, hard: settings) -> None:
    """However the clock is set, each setting costs one renewal at most, and no link."""
    hours = st.integers(-72, 72).map(lambda count: timedelta(hours=count))

    @hard
    @given(
        lifetime=st.integers(6, 24 * 180).map(lambda count: timedelta(hours=count)),
        jumps=st.lists(hours, min_size=1, max_size=8),
        calls=st.integers(1, 12),
    )
    def check(lifetime: timedelta, jumps: list[timedelta], calls: int) -> None:
        with linked(client, lifetime) as world:
            began = world.sandbox.clock()
            for jump in jumps:
                world.set_skew(jump)
                for _ in range(calls):
                    world.wait(timedelta(minutes=1))
                    flight = world.run(world.use("A"))
                    # A clock that is wrong by hours may use a token that has died.
                    assert flight.outcome == 200
                assert kept(world).expires_at - kept(world).issued_at == lifetime
            passed = world.sandbox.clock() - began
            settings = len(jumps)
            natural = passed / (lifetime - margin(lifetime)) + 1
            # After a setting: one because it is due, one for a 401 at most.
            assert renewals(world) <= 2 * settings + natural

    check()


PROPERTIES = [
    p5_states_live_for_ten_minutes,
    p13_each_code_has_its_own_verifier,
    p15_expiry_is_the_answer_plus_expires_in,
    p16_links_live_on,
    p17_renewals_are_bounded,
    p18_outages_within_the_margin_are_not_seen,
    p21_a_clock_that_is_set_back_makes_no_storm,
]


@pytest.mark.hypothesis
@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda one: one.__name__)
def test_the_client_keeps(holds: Holds):
    holds(GOOD, settings())


# ---- and broken ones do not ----


class RenewsWhenExpired(Links):
    """Without any margin."""

    def read(self, link: Link) -> Link:
        return link if link.renew_at is None else replace(link, renew_at=link.expires_at)

    def due(self, now: Any, limit: int) -> list[Link]:
        return [one for one in super().due(now, limit) if one.expires_at <= now]


class AssumesFiveMinutes(Links):
    def read(self, link: Link) -> Link:
        if link.renew_at is None:
            return link
        return replace(link, renew_at=link.issued_at + timedelta(minutes=5))


class DistrustsTheFuture(Links):
    """What was issued in the future cannot be right; and the latest date is kept."""

    def read(self, link: Link) -> Link:
        future = link.renew_at is not None and link.issued_at > self.now()
        return replace(link, renew_at=START) if future else link

    def written(self, link: Link) -> Link:
        old = self.links.get(link.account)
        return link if old is None else replace(link, issued_at=max(link.issued_at, old.issued_at))

    def now(self) -> Any:
        world: Any = getattr(self.links, "_world")  # noqa: B009 - for pyright
        return world.now()


@pytest.mark.parametrize(
    ("fails", "client"),
    [
        (p5_states_live_for_ten_minutes, Client(pending=StatesLiveForEver)),
        (p5_states_live_for_ten_minutes, Client(pending=StatesDieEarly)),
        (p13_each_code_has_its_own_verifier, Client(pending=OneVerifierForAll)),
        (p15_expiry_is_the_answer_plus_expires_in, Client(links=AssumesHalfAYear)),
        (p16_links_live_on, Client(links=RenewsWhenExpired)),
        (p17_renewals_are_bounded, Client(links=AssumesFiveMinutes)),
        pytest.param(
            p18_outages_within_the_margin_are_not_seen,
            Client(links=RenewsWhenExpired),
            marks=pytest.mark.nightly,  # It takes longer than all the others.
        ),
        (p21_a_clock_that_is_set_back_makes_no_storm, Client(links=DistrustsTheFuture)),
    ],
    ids=["P5 for ever", "P5 early", "P13", "P15", "P16", "P17", "P18", "P21"],
)
def test_a_broken_client_does_not_keep(fails: Holds, client: Client):
    with pytest.raises(AssertionError):
        fails(client, UNTIL_IT_FAILS)
