"""The client's flows beside a sandbox, one step at a time: who acts when is for a test to say.

Nothing here judges. What happens is told to a `Watcher`; `machine_properties.py` has one.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import parse_qs, urlsplit

import httpx

from mp_oauth_sandbox import Lifetimes, Sandbox
from mp_oauth_sandbox.client import (
    Failure,
    Flows,
    Link,
    MemoryPendingStore,
    MemoryTokenStore,
    PendingStore,
    Request,
    Response,
    Settings,
    SQLitePendingStore,
    SQLiteTokenStore,
    TokenStore,
)
from mp_oauth_sandbox.client.steps import Answer, Call, Sleep
from mp_oauth_sandbox.core.lifetimes import AUTHORIZATION_CODE
from mp_oauth_sandbox.core.records import Notification, Seller
from mp_oauth_sandbox.driver.monitors import CallbackDelivery, LogInSession
from mp_oauth_sandbox.journal import Entry
from mp_oauth_sandbox.webhooks.request import Signing, body, signature, timestamp

from .machine_flights import (
    FATES,
    GOOD,
    ISSUED,
    Begun,
    Client,
    Event,
    Family,
    Flight,
    Flow,
    Get,
    Jar,
    Presentation,
    StoreFailedError,
    Watcher,
    Worker,
    about_another,
    object_of,
    told,
)

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
CALLBACK = "https://shop.example/mp/callback"
WEBHOOK_SECRET = "webhook-secret-of-the-shop"
#: What each step takes, so that no two things happen at the same instant.
TICK = timedelta(milliseconds=7)
#: Worlds end; so many steps are more than any of them needs.
MOST_STEPS = 30_000


class WatchedLinks:
    """A store that tells who changed which link."""

    blocking = False

    def __init__(self, links: TokenStore, world: "World") -> None:
        self._links, self._world = links, world

    def get(self, key: str, /) -> Link | None:
        return self._links.get(key)

    def of_seller(self, seller_id: int, /) -> Sequence[Link]:
        return self._links.of_seller(seller_id)

    def due(self, now: datetime, limit: int) -> Sequence[Link]:
        return self._links.due(now, limit)

    def replace(self, record: Link, /, *, expected: int) -> bool:
        old = self._links.get(record.account)
        done = self._links.replace(record, expected=expected)
        if done:
            self._world.kept(old, record)
        else:
            self._world.not_kept()
        return done


class World:
    """A sandbox, two accounts with two browsers each, two sellers, and workers."""

    def __init__(
        self,
        watcher: Callable[["World"], Watcher],
        *,
        client: Client = GOOD,
        switches: Mapping[str, object] | None = None,
        folder: Path | None = None,
        workers: int = 3,
        skew: timedelta = timedelta(),
        tick: timedelta = TICK,
        **settings: Any,
    ) -> None:
        self.sandbox = Sandbox(live=False, start=START, frozen=True, seed="machine")
        self.sandbox.change_profile(**(switches or {}))
        self.app = self.sandbox.register_application(redirect_uris=[CALLBACK])
        self.sellers = [self.sandbox.create_seller(country=one) for one in ("AR", "BR")]
        # No fate is slow: a timeout would judge the machine that this runs on.
        self.http = httpx.Client(transport=self.sandbox.transport(), timeout=None)  # noqa: S113
        self.skew, self.skews = skew, [skew]
        self.zone: tzinfo = UTC
        self.settings = Settings(
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
            redirect_uri=CALLBACK,
            auth_url=f"{self.sandbox.url}/authorization",
            api_url=self.sandbox.url,
            webhook_secrets=(WEBHOOK_SECRET,),
            **settings,
        )
        self.client = client
        self.ticks, self._tick = 0, tick
        self.jars = [Jar(f"{account}{number}", account) for account in "AB" for number in (1, 2)]
        self.begun: list[Begun] = []
        self.events: list[Event] = []
        self.flights: list[Flight] = []
        self.presented: dict[str, list[Presentation]] = {}
        self.deliveries: list[CallbackDelivery] = []
        self.issued: dict[str, set[LogInSession]] = {}
        self.codes: dict[str, str] = {}
        self.families: dict[str, Family] = {}
        self.granting: dict[str, Presentation] = {}
        self.labels: dict[str, str] = {}
        self.foreign: set[str] = set()
        self.lied: set[str] = set()
        self.lifetime = Lifetimes().access_token
        self.lifetimes: dict[Presentation, timedelta] = {}
        self.story: list[str] = []
        self.broken = False
        self._acting: Flight | None = None
        self._folder = folder
        self._memory = MemoryTokenStore(), MemoryPendingStore()
        self._opened: list[SQLiteTokenStore | SQLitePendingStore] = []
        self.links, _ = self._stores()
        self.watcher = watcher(self)
        self.workers = [Worker(number, self._flows()) for number in range(workers)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for flight in self.flights:
            flight.flow.close()
        for store in self._opened:
            store.close()
        self.http.close()
        self.sandbox.close()

    def _stores(self) -> tuple[TokenStore, PendingStore]:
        """As a process has them: its own objects, the same records."""
        if self._folder is None:
            return self._memory
        links = SQLiteTokenStore(self._folder / "links.db")
        pending = SQLitePendingStore(self._folder / "links.db")
        self._opened += [links, pending]
        return links, pending

    def _flows(self) -> Flows:
        links, pending = self._stores()
        watched = self.client.links(WatchedLinks(links, self))
        return self.client.flows(self.settings, watched, self.client.pending(pending), now=self.now)

    # ---- time ----

    def now(self) -> datetime:
        """The client's clock."""
        return (self.sandbox.clock() + self.skew).astimezone(self.zone)

    def wait(self, duration: timedelta) -> None:
        # Without a note in the journal for each step.
        offset, frozen_at = self.sandbox.clock.state()
        assert frozen_at is not None
        moved = frozen_at + duration // timedelta(microseconds=1)
        self.sandbox.clock.restore((offset, moved))

    def wait_until(self, at: datetime) -> None:
        """Until the client's clock says so, if it does not say so already."""
        self.wait(max(timedelta(), at - self.now()))

    def set_skew(self, skew: timedelta) -> None:
        self.skew = skew
        self.skews.append(skew)

    @property
    def steady(self) -> bool:
        """Whether the client's clock has never jumped."""
        return len(set(self.skews)) == 1

    def tick(self) -> None:
        self.ticks += 1
        self.wait(self._tick)

    # ---- people ----

    def begin(
        self, jar: Jar, seller: Seller | None, *, worker: int = 0, together: bool = True
    ) -> Begun:
        """A person clicks, signs in and answers; the browser then holds the callback.

        `together`: the session already holds the binding of an earlier start.
        """
        self.tick()
        flows = self.workers[worker % len(self.workers)].flows
        binding = jar.binding if together else None
        start = self._at_once(flows.start(jar.account, binding=binding))
        jar.binding = start.binding
        asked = {name: values[0] for name, values in parse_qs(urlsplit(start.url).query).items()}
        if seller is None:
            self.sandbox.deny()
        else:
            self.sandbox.auto_consent(seller)
        location = urlsplit(self.http.get(start.url).headers["location"])
        given = parse_qs(location.query)
        code = given["code"][0] if "code" in given else None
        begun = Begun(
            state=asked["state"],
            session=jar.session,
            account=jar.account,
            binding=start.binding,
            started_at=self.now(),
            challenge=asked.get("code_challenge"),
            seller=None if seller is None else seller.user_id,
            code=code,
            query=location.query,
        )
        self.begun.append(begun)
        self.issued.setdefault(begun.state, set()).add(jar.session)
        if code is not None:
            self.codes[self.sandbox.journal.last("authorization").facts["code"]] = code
        self.note(f"{jar.name} (login {jar.login}) begins for {jar.account}: {begun.seller}")
        self.watcher.started(begun, start.url)
        return begun

    def login(self, jar: Jar, account: str) -> None:
        """A new session: an application forgets the binding then."""
        jar.account, jar.login, jar.binding = account, jar.login + 1, None
        self.note(f"{jar.name} logs in as {account}")

    # ---- flights ----

    def deliver(
        self,
        begun: Begun,
        jar: Jar,
        *,
        query: str | None = None,
        other: Begun | None = None,
        worker: int = 0,
    ) -> Flight:
        """A browser opens a callback: its own, another's, one with the code of `other`."""
        text = begun.query if query is None else query
        if other is not None and other.code is not None and begun.code is not None:
            text = text.replace(begun.code, other.code)
        given = parse_qs(text)
        state, code = given.get("state", [None])[0], given.get("code", [None])[0]
        delivery = CallbackDelivery(
            session=jar.session, state=state, code=code, begun=self.sandbox.journal.newest
        )
        self.deliveries.append(delivery)
        flows = self._worker(worker).flows
        flow = flows.callback(text, account=jar.account, binding=jar.binding)
        known = next((one for one in self.begun if one.state == state), None)
        spliced = known is not None and code != known.code
        return self._launch(
            "callback",
            worker,
            flow,
            jar.account,
            delivery=delivery,
            begun=known,
            own=known is not None and (jar.account, jar.binding) == (known.account, known.binding),
            spliced=spliced,
            said=f"{jar.name} delivers state of {known.session if known else None}"
            f"{' with another code' if spliced else ''}",
        )

    def use(self, account: str, *, worker: int = 0, lies: int = 0) -> Flight:
        flow = self.client.use(self._worker(worker).flows, account)
        return self._launch("use", worker, flow, account, lies=lies, said=f"lies {lies}")

    def renew_due(self, *, worker: int = 0) -> Flight:
        return self._launch("renew_due", worker, self._worker(worker).flows.renew_due(), None)

    def unlink(self, account: str, *, worker: int = 0) -> Flight:
        link = self.links.get(account)
        met = () if link is None else (link,)
        flow = self._worker(worker).flows.unlink(account)
        return self._launch("unlink", worker, flow, account, met=met)

    def notify(
        self,
        event: Event,
        *,
        worker: int = 0,
        secret: str | None = WEBHOOK_SECRET,
        delay: timedelta = timedelta(),
    ) -> Flight:
        """Deliver a notification, signed so long ago; with another secret it is a forgery."""
        notification = Notification(
            notification_id=event.number,
            client_id=self.app.client_id,
            user_id=event.seller,
            action="application.deauthorized",
            data_id=str(event.seller),
            live_mode=True,
            created_at=event.created_at,
            due_at=event.created_at,
        )
        ts = timestamp(self.sandbox.clock() - delay, "seconds")
        signing = Signing(secret=secret, request_id=f"request-{event.number}", ts=ts)
        signed = signature(signing, data_id=notification.data_id)
        headers = {"X-Request-Id": f"request-{event.number}", "X-Signature": signed or ""}
        flow = self._worker(worker).flows.notified(
            f"data.id={event.seller}&type=mp-connect", headers, body(notification)
        )
        return self._launch(
            "notified",
            worker,
            flow,
            None,
            event=event,
            genuine=secret == WEBHOOK_SECRET,
            met=tuple(self.links.of_seller(event.seller)),
            said=f"seller {event.seller}, created {event.created_at:%d %H:%M:%S.%f}, "
            f"{'genuine' if secret == WEBHOOK_SECRET else 'forged'}, {delay} late",
        )

    def _launch(
        self,
        kind: Any,
        worker: int,
        flow: Flow,
        account: str | None,
        said: str = "",
        **more: Any,
    ) -> Flight:
        number = len(self.story)
        flight = Flight(kind, number, self._worker(worker), flow, account, **more)
        self.note(f"#{number} {kind} {account or ''} in worker {flight.worker.number} {said}")
        self.flights.append(flight)
        flight.began = self.ticks
        self._resume(flight)
        return flight

    def _worker(self, number: int) -> Worker:
        return self.workers[number % len(self.workers)]

    @property
    def under_way(self) -> list[Flight]:
        return [one for one in self.flights if not one.over]

    # ---- steps ----

    def step(self, flight: Flight, *, fate: str = "fine") -> None:
        """Let one flow make its next step: a request arrives, then its answer is delivered."""
        step = flight.step
        if isinstance(step, Call):
            self._resume(flight, *self._called(flight, step))
        elif isinstance(step, Request):
            if flight.answer is None:
                self._arrive(flight, step, fate)
            else:
                self._hear(flight, flight.answer)
        elif isinstance(step, Sleep):
            flight.sleeps += 1
            self._resume(flight)

    def run(self, flight: Flight, *, most: int = MOST_STEPS, fate: str = "fine") -> Flight:
        """To its end, its pauses included."""
        for _ in range(most):
            if flight.over:
                break
            if isinstance(flight.step, Sleep):
                self.wait(timedelta(seconds=flight.step.seconds))
            self.step(flight, fate=fate)
        return flight

    def until_request(self, flight: Flight) -> bool:
        """Up to its next request, if it makes one."""
        while not flight.over and not flight.at_request:
            self.step(flight)
        return not flight.over

    def run_all(self) -> None:
        """All that is under way, in turns, to the end."""
        for _ in range(MOST_STEPS):
            under_way = self.under_way
            if not under_way:
                return
            for flight in under_way:
                if isinstance(flight.step, Sleep):
                    self.wait(timedelta(seconds=flight.step.seconds))
                self.step(flight)
        waiting = [(one.number, one.kind, one.step) for one in self.under_way]
        raise AssertionError(f"never at an end: {waiting}\n{self.told()}")

    def fail_store(self, flight: Flight, *, after: bool) -> None:
        """The store fails in the flow's next call, before or after it did what it was asked."""
        step = flight.step
        assert isinstance(step, Call)
        if after:
            self._called(flight, step)
        flight.store_failed = True
        for one in flight.presented:
            one.cut_short |= one.over is None
        self.note(f"#{flight.number} the store fails {'after' if after else 'before'} a call")
        self._resume(flight, None, StoreFailedError("no store"))

    def lose_answer(self, flight: Flight) -> None:
        """The answer that is on its way does not come."""
        assert flight.answer is not None
        self._hear(flight, Failure(problem="ReadError"))

    def kill(self, worker: Worker, *, arrives: bool) -> None:
        """End a process; requests that it has just sent may still arrive."""
        self.note(f"worker {worker.number} is killed")
        for flight in self.under_way:
            if flight.worker is worker:
                if isinstance(flight.step, Request) and flight.answer is None and arrives:
                    self._arrive(flight, flight.step, "lost after")
                flight.killed = True
                for one in flight.presented:
                    one.cut_short |= one.over is None
                flight.flow.close()
                self._over(flight)
        self.workers[worker.number] = Worker(worker.number, self._flows())

    def _called(self, flight: Flight, call: Call) -> tuple[object, Exception | None]:
        with self._as(flight):
            try:
                return call.make(), None
            except AssertionError:
                raise
            except Exception as error:  # noqa: BLE001 - the flow decides, as in the drivers
                return None, error

    @contextmanager
    def _as(self, flight: Flight) -> Iterator[None]:
        self._acting = flight
        try:
            yield
        finally:
            self._acting = None

    def _resume(self, flight: Flight, came: object = None, error: Exception | None = None) -> None:
        """Hand over what came of a step, and take the next; calls of the API are made at once."""
        while True:
            self.tick()
            flight.times.append(self.now())
            try:
                step = flight.flow.throw(error) if error is not None else flight.flow.send(came)
            except StopIteration as end:
                flight.outcome = end.value
            except AssertionError:
                raise
            except Exception as raised:  # noqa: BLE001 - looked at when it is over
                flight.error = raised
            else:
                flight.step = step
                if not (isinstance(step, Call) or flight.store_failed):
                    self._finish(flight)
                if isinstance(step, Get):
                    came, error = self._get(flight, step), None
                    continue
                if isinstance(step, Request):
                    self._present(flight, step)
                return
            self._over(flight)
            return

    def _over(self, flight: Flight) -> None:
        flight.step, flight.ended = None, self.ticks
        ended = self.sandbox.journal.newest
        if flight.delivery is not None:
            place = self.deliveries.index(flight.delivery)
            flight.delivery = self.deliveries[place] = replace(flight.delivery, ended=ended)
        self._finish(flight)
        self.note(
            f"#{flight.number} {'killed' if flight.killed else 'over'}: "
            f"{getattr(flight.outcome, 'reason', flight.outcome)} {flight.error or ''}"
        )
        self.watcher.over(flight)

    def _finish(self, flight: Flight) -> None:
        """Nothing more comes of what the flow has presented: it goes on to something else."""
        for one in flight.presented:
            one.finish(self.ticks, self.now())

    # ---- the network ----

    def _present(self, flight: Flight, request: Request) -> None:
        fields = json.loads(request.body)
        kind = "code" if "code" in fields else "refresh"
        secret = fields.get("code") or fields.get("refresh_token")
        # A claim is the step before, unless it is sent once more.
        earlier = flight.presented[-1] if flight.presented else None
        claimed_at = flight.times[-2] if len(flight.times) > 1 else flight.times[-1]
        again = earlier is not None and (earlier.secret, earlier.fate) == (secret, "never sent")
        one = Presentation(
            flight,
            kind,
            secret,
            fields,
            earlier.claimed_at if earlier is not None and again else claimed_at,
            asked=self.ticks,
            uses=len(flight.used),
            again=again,
        )
        if not again:
            self._finish(flight)
        flight.presented.append(one)
        self.note(f"#{flight.number} presents {kind} {self.name(secret)}")
        self.watcher.presenting(one)
        self.presented.setdefault(secret, []).append(one)

    def _arrive(self, flight: Flight, request: Request, fate: str) -> None:
        one = flight.last
        one.fate = fate
        self.tick()
        if fate == "never sent":
            one.told = "other"
            one.finish(self.ticks, self.now())
            self.note(f"#{flight.number} is not sent")
            self._resume(flight, Failure(problem="ConnectError", sent=False))
            return
        on = "exchange" if one.kind == "code" else "refresh"
        before = self.sandbox.journal.newest
        with self._fault(FATES[fate], on=on):
            answer = self._post(request)
        if fate == "bad gateway after" and isinstance(answer, Response):
            answer = replace(answer, status=502, body=b"<html>502</html>")
        one.arrived, flight.answer = self.ticks, answer
        entries = self.sandbox.journal.entries(after=before)
        one.entry = next((entry for entry in entries if entry.kind == "token"), None)
        if one.entry is not None:
            self._learn(one, one.entry, answer)
            self.note(f"   {one.entry.line} [{fate}]")
        self.watcher.arrived(one)

    def _post(self, request: Request) -> Answer:
        try:
            got = self.http.post(request.url, content=request.body, headers=request.headers)
        except httpx.RequestError as error:
            return Failure(problem=type(error).__name__)
        headers = {name.lower(): value for name, value in got.headers.items()}
        return Response(status=got.status_code, headers=headers, body=got.content)

    @contextmanager
    def _fault(self, fields: Mapping[str, object], *, on: str) -> Iterator[None]:
        if not fields:
            yield
            return
        given = dict(fields)
        armed = self.sandbox.faults.add(cast("str", given.pop("kind")), on=on, **given)
        try:
            yield
        finally:
            self.sandbox.faults.remove(armed.name)

    def _hear(self, flight: Flight, answer: Answer) -> None:
        one = flight.last
        flight.answer = None
        one.told, one.ended = told(answer, one), self.ticks
        self.note(f"#{flight.number} hears {one.told}")
        self.watcher.heard(one)
        self._resume(flight, answer)

    def _learn(self, one: Presentation, entry: Entry, answer: Answer) -> None:
        """Whose tokens were issued, by their short ids; and which secrets these stand for."""
        presented = entry.facts.get("code") or entry.facts.get("refresh_token")
        if presented is not None:
            self.labels[one.secret] = presented
        if not one.consumed:
            return
        issued = [entry.facts[name] for name in ISSUED if name in entry.facts]
        self.lifetimes[one] = self.lifetime
        if one.kind == "code":
            begun = next(known for known in self.begun if known.code == one.secret)
            family = Family(begun, entry.user_id or 0, entry.at)
        else:
            family = self.families[self.labels[one.secret]]
        family.issued += issued
        self.granting |= dict.fromkeys(issued, one)
        self.families |= dict.fromkeys(issued, family)
        fields = object_of(answer)
        for name, fact in zip(("access_token", "refresh_token"), ISSUED, strict=True):
            secret = fields.get(name)
            if isinstance(secret, str) and fact in entry.facts:
                self.labels[secret] = entry.facts[fact]
                if about_another(fields, entry):
                    self.foreign.add(secret)

    def _get(self, flight: Flight, step: Get) -> int:
        lie = flight.lies > len(flight.used)
        fault = {"kind": "refuse", "cause": "token_unknown"} if lie else {}
        if lie and flight.account is not None:
            self.lied.add(flight.account)
        before = self.sandbox.journal.newest
        headers = {"authorization": f"Bearer {step.token}"}
        with self._fault(fault, on="resource"):
            status = self.http.get(f"{self.sandbox.url}/users/me", headers=headers).status_code
        entries = self.sandbox.journal.entries(after=before)
        entry = next(one for one in entries if one.kind == "resource")
        flight.used.append((step.token, entry))
        self.note(f"#{flight.number} uses {self.name(step.token)}: {status}{' (lie)' * lie}")
        self.watcher.using(flight, step.token, entry)
        return status

    # ---- the store ----

    def kept(self, old: Link | None, new: Link) -> None:
        flight = self._acting
        if flight is None:
            return
        one = self.granting.get(self.labels.get(new.access_token or "", ""))
        if one is not None and not one.kept:
            one.kept = True
            one.finish(self.ticks, self.now())
        # After any other answer the lease is given back, or the link is lost.
        for one in flight.presented:
            if one.told in {"refused", "other"}:
                one.finish(self.ticks, self.now())
        self.note(
            f"#{flight.number} keeps {new.account}: {new.status}, seller {new.seller_id}, "
            f"{self.name(new.access_token)} {self.name(new.refresh_token)}"
        )
        self.watcher.kept(flight, old, new)

    def not_kept(self) -> None:
        """Another worker was faster: what a refusal ends is not this worker's any more."""
        presented = [] if self._acting is None else self._acting.presented
        for one in presented:
            one.in_vain |= one.over is None and one.told == "refused"

    def family(self, secret: str | None) -> Family | None:
        return self.families.get(self.labels.get(secret or "", ""))

    def status(self, account: str) -> str:
        """What the client says of an account."""
        return self._at_once(self.workers[0].flows.status(account))

    def lifetime_told(self, one: Presentation) -> timedelta:
        """How long the access token lives that this has brought, as the answer said."""
        if one.fate == "short life":
            return timedelta(seconds=45)
        return self.lifetimes[one]

    # ---- what happens at Mercado Pago ----

    def unlink_at_provider(self, seller: Seller) -> Event:
        self.tick()
        self.sandbox.unlink(self.app, seller)
        event = Event(seller.user_id, self.sandbox.clock(), 1000 + len(self.events))
        self.events.append(event)
        self.note(f"seller {seller.user_id} unlinks at the provider")
        return event

    def set_lifetime(self, lifetime: timedelta, *, code: timedelta = AUTHORIZATION_CODE) -> None:
        self.lifetime = lifetime
        lifetimes = Lifetimes(access_token=lifetime, authorization_code=code)
        self.sandbox.update_application(
            self.app.client_id, lambda known: replace(known, lifetimes=lifetimes)
        )
        self.note(f"access tokens live {lifetime} from now on")

    # ---- small parts ----

    def _at_once(self, flow: Flow) -> Any:
        """The result of a flow that only calls stores."""
        try:
            step = next(flow)
            while True:
                assert isinstance(step, Call)
                step = flow.send(step.make())
        except StopIteration as end:
            return end.value

    def name(self, secret: str | None) -> str:
        """A secret as the journal shows it."""
        return "-" if secret is None else self.labels.get(secret, "unknown")

    def note(self, what: str) -> None:
        self.story.append(f"{self.now():%d %H:%M:%S.%f} {what}")

    def told(self, shown: int = 300) -> str:
        left_out = len(self.story) - shown
        before = [f"(left out: {left_out} lines)"] if left_out > 0 else []
        return "\n".join(before + self.story[-shown:])
