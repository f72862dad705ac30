"""Anything that sellers, browsers, workers, stores, networks and time can do to the client.

Several flows are under way at once, each a worker's; Hypothesis chooses whose next step is
made, what becomes of requests and store calls, and which worker is killed between two steps.
At the end everything goes on without faults, and what the client says of itself must be true.

Which property is judged by what (J: the journal; D: what which browser delivered; S: what the
store was told; U: for whom the API was called):

====  ===================================================================  ============
P1    a code is exchanged only for the session its state was issued to     J, D
P2    a state leads to one exchange at most                                J, D
P5    ... and only while it lives; no younger one is called expired        J, D; alone
P6    another session's callback sends nothing and changes nothing         J, D, S
P7    an account holds only what it approved itself                        J, D, S
P11   the same callback again: linked again, and no second exchange        D, J
P13   verifiers belong to their states, never repeat, never leak           D; alone
P14   no token is used after its expiry, but for jumps of the clock        J
P15   stored expiry is the answer's moment plus expires_in                 S; alone
P16   with a job or call in each margin a link lives on                    alone
P17   renewals are bounded by time                                         alone
P18   an outage shorter than the margin is not seen                        alone
P19   no other token stands in, and failures are clean                     J, U
P20   after a 401 one renewal and one retry, then success or lost          J, U
P21   a clock that is set back makes no storm                              alone
P22   a refresh token is not presented twice, and the kept one works       J, S
P23   what is presented is what was kept last                              J, S
P24   invalid_grant ends a link, nothing transient does                    J, S
P25   linked if and only if the next call works                            U, S
P26   a consumed token comes once more at most, for each unheard answer    J
P27   no other seller's tokens are kept, no refresh token is forgotten     J, S
P28   calls for an account carry its own grant's tokens                    J, D, U
P29   after an end nothing old is used; old, forged, repeated events       J, S, U
====  ===================================================================  ============

"Alone": in `test_machine_time.py`, by a property of its own.
"""

import tempfile
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from mp_oauth_sandbox.client.steps import Call
from mp_oauth_sandbox.core.registration import InvalidInputError

from .machine_flights import FATES, GOOD, Client, Flight
from .machine_properties import Properties
from .machine_world import WEBHOOK_SECRET, World

SWITCHES = st.fixed_dictionaries(
    {
        "reauthorization": st.sampled_from(["keeps", "revokes_refresh_token", "revokes_all"]),
        "refresh_reusable": st.sampled_from([False, False, True]),
        "refresh_reuse_revokes_family": st.booleans(),
        "refresh_revokes_access_token": st.booleans(),
        "code_replay_revokes_tokens": st.booleans(),
        "failed_exchange_burns_code": st.booleans(),
        "refresh_body": st.sampled_from(["full", "short"]),
    }
)
SETTINGS = st.fixed_dictionaries(
    {
        "pkce": st.sampled_from([True, True, False]),
        "if_taken": st.sampled_from(["refuse", "move", "allow"]),
    }
)
#: How far apart the clocks may be, and how far the client's may jump: declared tolerances.
SKEWS = st.sampled_from([0, 0, 0, 20, -20]).map(lambda seconds: timedelta(seconds=seconds))
JUMPS = st.sampled_from([-5, -1, 1, 5]).map(lambda seconds: timedelta(seconds=seconds))
LIFETIMES = st.sampled_from(
    [
        timedelta(minutes=2),
        timedelta(hours=6),
        timedelta(days=1),
        timedelta(days=180),
    ]
)
#: Whose a code is, the answer alone says: nobody can tell a lie about it.
EXCHANGE_FATES = [fate for fate in FATES if fate != "another user"]
EXCHANGES = st.sampled_from(["fine"] * len(EXCHANGE_FATES) + EXCHANGE_FATES)
#: The mishap of calls of the API: two 401s for tokens that are good.
LIES = "lies"
#: How far a flow gets at once: its request arrives, its answer is heard and not yet kept, ...
UNTIL = st.sampled_from(
    ["begun", "arrived", "heard", "killed", "not kept", "over", "over", "over", "over"]
)
PICKS = st.integers(0, 6)
ACCOUNTS = st.sampled_from(["A", "B"])
WORKERS = st.integers(0, 2)
WAITS = st.sampled_from(
    [
        timedelta(milliseconds=100),
        timedelta(seconds=2),
        timedelta(seconds=25),
        timedelta(seconds=61),
        timedelta(minutes=10),
        timedelta(hours=3),
        timedelta(days=2),
    ]
)
#: How long a person takes, around the ten minutes that a state lives.
PAUSES = st.sampled_from([0, 0, 0, 0, 60, 599.986, 599.993, 600]).map(
    lambda seconds: timedelta(seconds=seconds)
)
AROUND = st.sampled_from([-30.0, -0.004, 0.0, 1.0]).map(lambda around: timedelta(seconds=around))


class ClientMachine(RuleBasedStateMachine):
    """Two accounts with two browsers each, two sellers, three workers over one store."""

    client: ClassVar[Client] = GOOD
    only: ClassVar[str | None] = None
    #: What every mishap of a request is (or LIES), and whether there is PKCE, if not left to luck.
    mishap: ClassVar[str] = ""
    pkce: ClassVar[bool | None] = None
    on_disk: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.folder: tempfile.TemporaryDirectory[str] | None = None

    @initialize(
        switches=SWITCHES, settings=SETTINGS, skew=SKEWS, lifetime=LIFETIMES, linked=st.booleans()
    )
    def open(
        self,
        switches: dict[str, object],
        settings: dict[str, Any],
        skew: timedelta,
        lifetime: timedelta,
        linked: bool,
    ) -> None:
        if self.on_disk:
            self.folder = tempfile.TemporaryDirectory()
        if self.pkce is not None:
            settings = settings | {"pkce": self.pkce}
        self.world = World(
            partial(Properties, only=self.only),
            client=self.client,
            switches=switches,
            folder=Path(self.folder.name) if self.folder else None,
            skew=skew,
            **settings,
        )
        world = self.world
        world.note(f"{switches} {settings} skew {skew}")
        world.set_lifetime(lifetime)
        jars = [world.jars[0], world.jars[2]] if linked else [world.jars[0]]
        for jar, seller in zip(jars, world.sellers, strict=False):
            world.run(world.deliver(world.begin(jar, seller), jar))

    @property
    def here(self) -> World:
        assert self.world is not None
        return self.world

    def one_under_way(self, pick: int) -> Flight:
        """One of those under way: 0 is the newest."""
        under_way = self.here.under_way
        return under_way[-1 - pick % len(under_way)]

    def waiting(self, kind: type) -> list[Flight]:
        return [one for one in self.here.under_way if isinstance(one.step, kind)]

    # ---- people ----

    @rule(jar=PICKS, seller=PICKS, worker=WORKERS, together=st.booleans())
    def begin(self, jar: int, seller: int, worker: int, together: bool) -> None:
        world = self.here
        answers = [*world.sellers, *world.sellers, None]
        world.begin(world.jars[jar % 4], answers[seller % 5], worker=worker, together=together)

    @rule(
        jar=PICKS,
        seller=PICKS,
        worker=WORKERS,
        fate=EXCHANGES,
        elsewhere=st.sampled_from([0, 0, 0, 0, 1, 2]),
        pause=PAUSES,
        until=UNTIL,
    )
    def link(
        self,
        jar: int,
        seller: int,
        worker: int,
        fate: str,
        elsewhere: int,
        pause: timedelta,
        until: str,
    ) -> None:
        """Begun, answered and delivered; sometimes late, sometimes by another browser."""
        world = self.here
        one = world.jars[jar % 4]
        begun = world.begin(one, world.sellers[seller % 2], worker=worker)
        world.wait(pause)
        flight = world.deliver(begun, world.jars[(jar + elsewhere) % 4], worker=worker + 1)
        self.meet(flight, fate, until)

    @precondition(lambda self: self.here.begun)
    @rule(begun=PICKS, worker=WORKERS, times=st.sampled_from([1, 1, 2, 3]))
    def come_back(self, begun: int, worker: int, times: int) -> None:
        """The browser that began opens the callback, perhaps several times at once."""
        world = self.here
        one = world.begun[-1 - begun % len(world.begun)]
        jar = next(jar for jar in world.jars if jar.name == one.session[0])
        for more in range(times):
            world.deliver(one, jar, worker=worker + more)

    @precondition(lambda self: self.here.begun)
    @rule(
        begun=PICKS,
        jar=PICKS,
        worker=WORKERS,
        how=st.sampled_from(["as it is", "other code", "mutated", "bare"]),
        other=PICKS,
    )
    def come_elsewhere(self, begun: int, jar: int, worker: int, how: str, other: int) -> None:
        """Any browser opens anybody's callback, changed or not."""
        world = self.here
        one = world.begun[-1 - begun % len(world.begun)]
        query, another = one.query, None
        if how == "other code":
            another = world.begun[-1 - other % len(world.begun)]
        elif how == "mutated":
            query = query.replace(
                one.state, one.state[:-1] + ("A" if one.state[-1] != "A" else "B")
            )
        elif how == "bare":
            query = f"code={one.code or ''}"
        world.deliver(one, world.jars[jar % 4], query=query, other=another, worker=worker)

    @rule(jar=PICKS, account=ACCOUNTS)
    def log_in(self, jar: int, account: str) -> None:
        self.here.login(self.here.jars[jar % 4], account)

    # ---- the application's work ----

    @rule(
        account=ACCOUNTS,
        worker=WORKERS,
        lies=st.sampled_from([0, 0, 0, 1, 2]),
        until=st.sampled_from(["begun", "over"]),
    )
    def use(self, account: str, worker: int, lies: int, until: str) -> None:
        lies = 2 if self.mishap == LIES else lies
        self.meet(self.here.use(account, worker=worker, lies=lies), "fine", until)

    @rule(account=ACCOUNTS, around=AROUND, workers=st.lists(WORKERS, min_size=2, max_size=4))
    def use_together_when_due(self, account: str, around: timedelta, workers: list[int]) -> None:
        world = self.here
        link = world.links.get(account)
        if link is not None and link.due_at is not None:
            world.wait_until(link.due_at + around)
        for number, worker in enumerate(workers):
            if number % 3 == 2:
                world.renew_due(worker=worker)
            else:
                world.use(account, worker=worker)

    @rule(
        account=ACCOUNTS,
        worker=WORKERS,
        due=st.sampled_from(["renew_at", "expires_at"]),
        fate=st.sampled_from(["fine"] * 8 + list(FATES)),
        until=UNTIL,
    )
    def use_when_due(self, account: str, worker: int, due: str, fate: str, until: str) -> None:
        """A call of the API when its token is old, and what becomes of the renewal."""
        world = self.here
        link = world.links.get(account)
        if link is not None and link.status != "unlinked":
            world.wait_until(getattr(link, due) or link.expires_at)
            fate = self.mishap if self.mishap in FATES else fate
            self.meet(world.use(account, worker=worker), fate, until)

    def meet(self, flight: Flight, fate: str, until: str) -> None:
        """Let a flow's next request meet its fate, and the flow go on so far."""
        world = self.here
        if until == "begun":
            return
        if self.mishap in FATES and fate != "fine":
            fate = self.mishap
        if self.to_request(flight):
            known = fate in EXCHANGE_FATES or flight.last.kind == "refresh"
            world.step(flight, fate=fate if known else "fine")
        if until in {"heard", "killed", "not kept"} and flight.answer is not None:
            world.step(flight)
        if until == "killed" and not flight.over:
            world.kill(flight.worker, arrives=True)
        if until == "not kept":
            self.fail_calls(flight, after=False, times=30)
        if until == "over":
            world.run(flight, most=60)

    def to_request(self, flight: Flight) -> bool:
        """Up to a request that is not answered yet."""
        for _ in range(20):
            if flight.over or (flight.at_request and flight.answer is None):
                break
            self.here.step(flight)
        return flight.at_request and flight.answer is None

    def fail_calls(self, flight: Flight, *, after: bool, times: int) -> None:
        """The store fails whenever it is asked, in so many steps."""
        for _ in range(times):
            if isinstance(flight.step, Call):
                self.here.fail_store(flight, after=after)
            elif not flight.over and not flight.at_request:
                self.here.step(flight)

    @rule(worker=WORKERS)
    def renew_due(self, worker: int) -> None:
        self.here.renew_due(worker=worker)

    @rule(account=ACCOUNTS, worker=WORKERS)
    def unlink(self, account: str, worker: int) -> None:
        self.here.unlink(account, worker=worker)

    # ---- steps, and what becomes of them ----

    @precondition(lambda self: self.here.under_way)
    @rule(picks=st.lists(PICKS, min_size=1, max_size=12))
    def go_on(self, picks: list[int]) -> None:
        """Whoever is picked makes one step."""
        for pick in picks:
            if self.here.under_way:
                self.here.step(self.one_under_way(pick))

    @precondition(lambda self: self.here.under_way)
    @rule(pick=PICKS)
    def run(self, pick: int) -> None:
        """One goes on to its end, or to where it has to wait for others."""
        flight = self.one_under_way(pick)
        self.here.run(flight, most=60)

    @precondition(lambda self: self.here.under_way)
    @rule(pick=PICKS, fate=st.sampled_from(list(FATES)))
    def arrive(self, pick: int, fate: str) -> None:
        """A flow's next request meets a fate."""
        self.meet(self.one_under_way(pick), fate, "arrived")

    @precondition(lambda self: any(one.answer for one in self.here.under_way))
    @rule(pick=PICKS)
    def lose_answer(self, pick: int) -> None:
        flights = [one for one in self.here.under_way if one.answer is not None]
        self.here.lose_answer(flights[pick % len(flights)])

    @precondition(lambda self: self.waiting(Call))
    @rule(pick=PICKS, after=st.booleans(), times=st.sampled_from([1, 1, 2, 12]))
    def fail_store(self, pick: int, after: bool, times: int) -> None:
        """The store fails in one flow's next calls."""
        flights = self.waiting(Call)
        self.fail_calls(flights[pick % len(flights)], after=after, times=times)

    @rule(worker=WORKERS, arrives=st.booleans())
    def kill(self, worker: int, arrives: bool) -> None:
        self.here.kill(self.here.workers[worker], arrives=arrives)

    # ---- time ----

    @rule(duration=WAITS)
    def wait(self, duration: timedelta) -> None:
        self.here.wait(duration)
        self.here.note(f"{duration} pass")

    @rule(
        account=ACCOUNTS,
        what=st.sampled_from(["renew_at", "expires_at", "leased_until", "retry_at"]),
        around=AROUND,
    )
    def wait_for(self, account: str, what: str, around: timedelta) -> None:
        link = self.here.links.get(account)
        at = None if link is None else getattr(link, what)
        if at is not None:
            self.here.wait_until(at + around)
            self.here.note(f"until {what} of {account} {around}")

    @precondition(lambda self: not self.here.steady or self.here.ticks % 3 == 0)
    @rule(jump=JUMPS)
    def jump(self, jump: timedelta) -> None:
        """The client's clock is set, within what is tolerated."""
        world = self.here
        if abs(world.skew + jump) <= timedelta(seconds=30):
            world.set_skew(world.skew + jump)
            world.note(f"the client's clock jumps by {jump}")

    @rule(lifetime=LIFETIMES)
    def change_lifetimes(self, lifetime: timedelta) -> None:
        self.here.set_lifetime(lifetime)

    # ---- Mercado Pago ----

    @rule(
        seller=PICKS,
        jar=PICKS,
        worker=WORKERS,
        then=st.sampled_from(["nothing", "told", "linked again", "told after linking again"]),
    )
    def unlink_at_provider(self, seller: int, jar: int, worker: int, then: str) -> None:
        world = self.here
        one = world.sellers[seller % 2]
        with suppress(InvalidInputError):  # who has never linked cannot unlink
            event = world.unlink_at_provider(one)
            if "again" in then:
                browser = world.jars[jar % 4]
                world.run(world.deliver(world.begin(browser, one), browser), most=60)
            if "told" in then:
                world.run(world.notify(event, worker=worker), most=60)

    @rule(seller=PICKS, how=st.sampled_from(["change_password", "clean_fraud", "leave_unused"]))
    def revoke(self, seller: int, how: str) -> None:
        world = self.here
        one = world.sellers[seller % 2]
        world.note(f"{how} of {one.user_id}")
        with suppress(InvalidInputError):
            if how == "leave_unused":
                world.sandbox.leave_unused(world.app, one)
            else:
                getattr(world.sandbox, how)(one)

    @precondition(lambda self: self.here.events)
    @rule(
        event=PICKS,
        worker=WORKERS,
        secret=st.sampled_from([WEBHOOK_SECRET, WEBHOOK_SECRET, "a guess", None]),
        delay=st.sampled_from([0, 0, 250, 400]).map(lambda seconds: timedelta(seconds=seconds)),
    )
    def notify(self, event: int, worker: int, secret: str | None, delay: timedelta) -> None:
        """An event, new or old, once or again, late or forged."""
        events = self.here.events
        self.here.notify(
            events[-1 - event % len(events)], worker=worker, secret=secret, delay=delay
        )

    # ---- the end ----

    def teardown(self) -> None:
        world = self.world
        if world is None:
            return
        try:
            if not world.broken:
                self.finish(world)
        finally:
            world.close()
            if self.folder is not None:
                self.folder.cleanup()

    def finish(self, world: World) -> None:
        """Everything comes to its end without faults; then all must be as it says."""
        properties = world.watcher
        assert isinstance(properties, Properties)
        world.run_all()
        properties.one_seller_for_one_account()
        # Past every lease and pause.
        world.wait(timedelta(hours=2))
        world.note("no faults from here on")
        for account in "AB":
            properties.p25_the_status_is_true(account)
