"""A sandbox in virtual time, an application, a seller, and workers of a shop that link."""

import hashlib
import hmac
import json
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx

from mp_oauth_sandbox import Application, Sandbox, Seller
from mp_oauth_sandbox.client import (
    Flows,
    Link,
    Linked,
    MemoryPendingStore,
    MemoryTokenStore,
    PendingStore,
    Request,
    Response,
    Settings,
    TokenStore,
)
from mp_oauth_sandbox.client.steps import Answer, Call, Flow, Sleep, send
from mp_oauth_sandbox.engine.clock import Clock

T = TypeVar("T")
P = ParamSpec("P")

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
CALLBACK = "https://shop.example/mp/callback"
WEBHOOK_SECRET = "the-secret-of-the-webhook"

Send = Callable[[Request], Answer]
Now = Callable[[], datetime]


def perform(step: Any, send: Send, clock: Clock) -> object:
    """Do what a flow asks for; a pause moves the clock instead of taking any time."""
    if isinstance(step, Call):
        return step.make()
    if isinstance(step, Request):
        return send(step)
    assert isinstance(step, Sleep)
    return clock.advance(seconds=step.seconds)


def drive(flow: Flow[T], send: Send, clock: Clock) -> T:
    """Run a flow to its end in virtual time."""
    came: object = None
    raised: Exception | None = None
    try:
        while True:
            step = flow.send(came) if raised is None else flow.throw(raised)
            came, raised = None, None
            try:
                came = perform(step, send, clock)
            except Exception as error:  # noqa: BLE001 - the flow decides
                raised = error
    except StopIteration as end:
        return end.value


def interleave(
    flows: Sequence[Flow[Any]],
    send: Send,
    clock: Clock,
    turns: Iterable[int],
    *,
    tick: float = 0.0,
) -> list[Any]:
    """Run flows side by side: one step of one of them at each turn; results or exceptions.

    A turn takes `tick` seconds. After the last one they go on round robin. Who pauses is passed
    over until its time has come; when all pause, the clock moves to the first of them.
    """
    results: dict[int, Any] = {}
    steps: dict[int, Any] = {}
    wakes: dict[int, datetime] = {}

    def resume(at: int, came: object, raised: Exception | None = None) -> None:
        try:
            steps[at] = flows[at].send(came) if raised is None else flows[at].throw(raised)
        except StopIteration as end:
            results[at] = end.value
            steps.pop(at, None)
        except Exception as error:  # noqa: BLE001 - a result like another
            results[at] = error
            steps.pop(at, None)

    def turn(at: int) -> None:
        step = steps[at]
        if isinstance(step, Sleep):
            due = wakes.setdefault(at, clock() + timedelta(seconds=step.seconds))
            if due > clock():
                return
            del wakes[at]
            resume(at, None)
            return
        try:
            came = perform(step, send, clock)
        except Exception as error:  # noqa: BLE001 - the flow decides
            resume(at, None, error)
        else:
            resume(at, came)

    for at in range(len(flows)):
        resume(at, None)
    for at in turns:
        clock.advance(seconds=tick)
        if at % len(flows) in steps:
            turn(at % len(flows))
    while steps:
        if len(wakes) == len(steps):
            clock.travel(max(clock(), min(wakes.values())))
        for at in list(steps):
            turn(at)
    return [results[at] for at in range(len(flows))]


Verb = Callable[Concatenate[Any, P], Flow[T]]


def _verb(flow: Verb[P, T]) -> Callable[Concatenate["Worker", P], T]:
    def method(self: "Worker", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.run(flow(self.flows, *args, **kwargs))

    return method


@dataclass(kw_only=True)
class Worker:
    """One process of the shop: what Linking is, in virtual time and with an ear on the wire."""

    flows: Flows
    clock: Clock
    deliver: Send
    sent: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Answer:
        self.sent.append(request)
        return self.deliver(request)

    def run(self, flow: Flow[T]) -> T:
        return drive(flow, self.send, self.clock)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What it sent to the token endpoint."""
        return [json.loads(request.body) for request in self.sent]

    start = _verb(Flows.start)
    callback = _verb(Flows.callback)
    access = _verb(Flows.access)
    refused = _verb(Flows.refused)
    status = _verb(Flows.status)
    unlink = _verb(Flows.unlink)
    notified = _verb(Flows.notified)
    renew_due = _verb(Flows.renew_due)


@dataclass(kw_only=True)
class World:
    """Everything that a story needs."""

    sandbox: Sandbox
    application: Application
    seller: Seller
    http: httpx.Client
    links: TokenStore = field(default_factory=MemoryTokenStore)
    pending: PendingStore = field(default_factory=MemoryPendingStore)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    api_url: str | None = None

    @property
    def clock(self) -> Clock:
        return self.sandbox.clock

    def settings(self, **changes: Any) -> Settings:
        usual: dict[str, Any] = {
            "client_id": self.application.client_id,
            "client_secret": self.application.client_secret,
            "redirect_uri": CALLBACK,
            "auth_url": f"{self.sandbox.url}/authorization",
            "api_url": self.api_url or self.sandbox.url,
            "webhook_secrets": (WEBHOOK_SECRET,),
        }
        return Settings(**(usual | changes))

    def worker(
        self,
        *,
        deliver: Send | None = None,
        now: Now | None = None,
        links: TokenStore | None = None,
        pending: PendingStore | None = None,
        **changes: Any,
    ) -> Worker:
        """Another process over the same stores, with the same settings but for these."""
        flows = Flows(
            self.settings(**changes),
            links or self.links,
            pending or self.pending,
            now=now or self.clock,
            observe=lambda event, facts: self.events.append((event, facts)),
        )
        return Worker(flows=flows, clock=self.clock, deliver=deliver or partial(send, self.http))

    def approved(self, url: str, *, seller: Seller | None = None) -> str:
        """The query with which the browser comes back, after that seller said yes."""
        self.sandbox.auto_consent(seller or self.seller)
        answer = self.http.get(url)
        assert answer.status_code == 302, answer.text
        return str(httpx.URL(answer.headers["location"]).query, "ascii")

    def denied(self, url: str) -> str:
        """The query with which the browser comes back, after the seller said no."""
        self.sandbox.deny()
        return str(httpx.URL(self.http.get(url).headers["location"]).query, "ascii")

    def link(
        self, worker: Worker, account: str = "shop-1", *, seller: Seller | None = None
    ) -> Link:
        """Link an account from the button to the tokens."""
        begun = worker.start(account)
        query = self.approved(begun.url, seller=seller)
        outcome = worker.callback(query, account=account, binding=begun.binding)
        assert isinstance(outcome, Linked), outcome
        return outcome.link

    def fault(self, kind: str, **fields: Any) -> None:
        """Arm a fault of the sandbox."""
        self.sandbox.faults.add(kind, **fields)

    def kept(self, account: str = "shop-1") -> Link:
        """The link as the store has it."""
        link = self.links.get(account)
        assert link is not None
        return link

    def exchanges(self) -> int:
        """How many codes were presented to the sandbox."""
        return len(self.sandbox.journal.query(kind="token", grant_type="authorization_code"))

    def refreshes(self) -> int:
        """How many refresh tokens were presented to the sandbox."""
        return len(self.sandbox.journal.query(kind="token", grant_type="refresh_token"))

    def calls(self, link: Link) -> int:
        """The status of an API call with the link's token."""
        headers = {"Authorization": f"Bearer {link.access_token}"}
        return self.http.get("/users/me", headers=headers).status_code

    def happened(self, event: str) -> list[dict[str, object]]:
        """The facts of every such event."""
        return [facts for name, facts in self.events if name == event]


@contextmanager
def opened(**options: Any) -> Generator[World]:
    """A world on a sandbox with these options. Nothing in it listens, and nothing waits."""
    with (
        Sandbox(**{"live": False, "start": START, "frozen": True, **options}) as sandbox,
        httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as http,
    ):
        yield World(
            sandbox=sandbox,
            application=sandbox.register_application(redirect_uris=[CALLBACK]),
            seller=sandbox.create_seller(country="AR"),
            http=http,
        )


def granting(**changes: Any) -> Response:
    """A good answer of the token endpoint, but for these fields; ... leaves one out."""
    fields: dict[str, Any] = {
        "access_token": "APP_USR-1-030212-0123456789abcdef0123456789abcdef-77",
        "token_type": "Bearer",
        "expires_in": 15552000,
        "scope": "offline_access payments read write",
        "user_id": 77,
        "refresh_token": "TG-0123456789abcdef01234567-77",
        "public_key": "APP_USR-0f6c3ea3-8f35-4ee8-9b3b-8e3c1c6d3b1a",
        "live_mode": True,
    }
    fields |= changes
    return answer(200, {name: value for name, value in fields.items() if value is not ...})


def answer(status: int, body: object = b"", **headers: str) -> Response:
    """An answer; a body that is not bytes already becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=names, body=content)


def signed(
    *,
    data_id: str,
    at: datetime,
    request_id: str | None = "4ed4fa2b-0b31-42ec-a62f-ad793c486c59",
    secret: str = WEBHOOK_SECRET,
    ts: str | None = None,
) -> dict[str, str]:
    """The headers of a notification about that id, as Mercado Pago documents them."""
    ts = ts or str(int(at.timestamp()))
    pairs = [("id", data_id.lower()), ("request-id", request_id or "")]
    manifest = "".join(f"{name}:{value};" for name, value in pairs if value) + f"ts:{ts};"
    v1 = hmac.new(secret.encode(), manifest.encode(), hashlib.sha256).hexdigest()
    headers = {"X-Signature": f"ts={ts},v1={v1}"}
    return headers if request_id is None else headers | {"X-Request-Id": request_id}


def notification(
    *, seller_id: int, at: datetime, action: str = "application.deauthorized", **changes: Any
) -> bytes:
    """The body of a notification, its keys in the documented order; ... leaves one out."""
    told: dict[str, Any] = {
        "action": action,
        "api_version": "v1",
        "data": {"id": str(seller_id)},
        "date_created": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "id": 100000000000,
        "live_mode": True,
        "type": "mp-connect",
        "user_id": seller_id,
    }
    told |= changes
    kept = {name: value for name, value in told.items() if value is not ...}
    return json.dumps(kept, separators=(",", ":")).encode()
