"""What goes on in a world of the machine: who holds what, what flies, what was presented."""

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, cast

from mp_oauth_sandbox.client import Flows, Link, PendingStore, Request, Response, TokenStore
from mp_oauth_sandbox.client.steps import Answer
from mp_oauth_sandbox.driver.monitors import CallbackDelivery, LogInSession
from mp_oauth_sandbox.journal import Entry

Flow = Generator[Any, Any, Any]

#: What may become of a request: a fault of the sandbox, or something on the way.
FATES: Mapping[str, Mapping[str, object]] = {
    "fine": {},
    "never sent": {},
    "lost before": {"kind": "drop-before-commit"},
    "lost after": {"kind": "lose-response"},
    "bad gateway after": {},
    "500": {"kind": "refuse", "status": 500},
    "503": {"kind": "refuse", "status": 503, "retry_after": 30},
    "429": {"kind": "refuse", "status": 429, "retry_after": 7},
    "invalid_client": {"kind": "refuse", "cause": "secret_mismatch"},
    "blocked": {"kind": "refuse", "cause": "application_blocked"},
    "truncated": {"kind": "garble", "how": "truncated"},
    "html": {"kind": "garble", "how": "html"},
    "empty": {"kind": "garble", "how": "empty"},
    "odd types": {"kind": "garble", "how": "odd-types"},
    "no access token": {"kind": "garble", "how": "missing-field"},
    "no user": {"kind": "garble", "how": "missing-field", "field": "user_id"},
    "more fields": {"kind": "garble", "how": "extra-fields"},
    "another user": {"kind": "garble", "how": "other-user"},
    "no refresh token": {"kind": "garble", "how": "no-refresh-token"},
    "short life": {"kind": "garble", "how": "other-expires-in", "expires_in": 45},
}


class StoreFailedError(Exception):
    """What a store raises when it has lost its database."""


@dataclass(frozen=True)
class Get:
    """A step of our own beside the client's: a call of the API with this token."""

    token: str


@dataclass
class Jar:
    """A browser, and the login in it."""

    name: str
    account: str
    login: int = 1
    binding: str | None = None

    @property
    def session(self) -> LogInSession:
        return self.name, self.login


@dataclass(frozen=True)
class Begun:
    """A linking that a person began and answered: the callback that the browser holds."""

    state: str
    session: LogInSession
    account: str
    binding: str
    started_at: datetime
    challenge: str | None
    seller: int | None
    code: str | None
    query: str


@dataclass(eq=False)
class Family:
    """The tokens of one approval: `begun` says whose, `exchanged_at` since when (server)."""

    begun: Begun
    seller: int
    exchanged_at: datetime
    issued: list[str] = field(default_factory=list[str])


@dataclass(eq=False)
class Event:
    """A notification that Mercado Pago made, and when (server)."""

    seller: int
    created_at: datetime
    number: int


@dataclass(eq=False)
class Presentation:
    """A code or refresh token on its way, in ticks of the world.

    `over` is when nothing more comes of it: what it brought is kept, or its flow is gone.
    `cut_short` by a fault; `in_vain` was a refusal for a worker who had lost the lease.
    """

    flight: "Flight"
    kind: Literal["code", "refresh"]
    secret: str
    fields: Mapping[str, str]
    claimed_at: datetime
    asked: int
    uses: int
    again: bool
    arrived: int | None = None
    entry: Entry | None = None
    fate: str = "fine"
    told: Literal["nothing", "granted", "refused", "other"] = "nothing"
    ended: int | None = None
    over: int | None = None
    held: timedelta = timedelta()
    kept: bool = False
    cut_short: bool = False
    in_vain: bool = False

    @property
    def consumed(self) -> bool:
        return self.entry is not None and "issued_access_token" in self.entry.facts

    def finish(self, tick: int, now: datetime) -> None:
        if self.over is None:
            self.over, self.held = tick, now - self.claimed_at
            self.ended = tick if self.ended is None else self.ended
            self.cut_short |= self.told in {"nothing", "other"} or self.fate == "no refresh token"


@dataclass(eq=False)
class Flight:
    """One flow under way in one worker. `step` is what it waits for, None once it is over."""

    kind: Literal["use", "callback", "unlink", "notified", "renew_due"]
    number: int
    worker: "Worker"
    flow: Flow
    account: str | None
    step: object = None
    began: int = 0
    ended: int | None = None
    times: list[datetime] = field(default_factory=list[datetime])
    answer: Answer | None = None
    outcome: object = None
    error: Exception | None = None
    killed: bool = False
    store_failed: bool = False
    presented: list[Presentation] = field(default_factory=list[Presentation])
    used: list[tuple[str, Entry]] = field(default_factory=list[tuple[str, Entry]])
    sleeps: int = 0
    # Of a callback: what was delivered, and what in it belongs to whom.
    delivery: CallbackDelivery | None = None
    begun: Begun | None = None
    own: bool = False
    spliced: bool = False
    # Of a notification, and of an unlinking: what it met.
    event: Event | None = None
    genuine: bool = True
    met: tuple[Link, ...] = ()
    # How many of its calls of the API a liar answers with 401.
    lies: int = 0

    @property
    def over(self) -> bool:
        return self.step is None

    @property
    def faulted(self) -> bool:
        return self.killed or self.store_failed

    @property
    def at_request(self) -> bool:
        return isinstance(self.step, Request)

    @property
    def last(self) -> Presentation:
        return self.presented[-1]


class Watcher(Protocol):
    """What a world tells of itself, as it happens."""

    def started(self, begun: Begun, url: str) -> None: ...
    def presenting(self, one: Presentation) -> None: ...
    def arrived(self, one: Presentation) -> None: ...
    def heard(self, one: Presentation) -> None: ...
    def using(self, flight: Flight, token: str, entry: Entry) -> None: ...
    def kept(self, flight: Flight, old: Link | None, new: Link) -> None: ...
    def over(self, flight: Flight) -> None: ...


@dataclass(eq=False)
class Worker:
    """A process: what it remembers is gone when it is killed."""

    number: int
    flows: Flows


UseFlow = Callable[[Flows, str], Flow]


def use(flows: Flows, account: str) -> Flow:
    """A call of the API as `SellerAuth` makes it: after a 401 once more with another token.

    For B as with AsyncLinking, which first looks whether anything has to be done.
    """
    ready = (yield from flows.usable(account)) if account == "B" else None
    link = ready or (yield from flows.access(account))
    for again in (True, False):
        status = yield Get(link.access_token or "")
        if status != 401:
            return status
        link = yield from flows.refused(account, link.access_token or "")
        if not again:
            return status
    raise AssertionError("not reached")


@dataclass(frozen=True, kw_only=True)
class Client:
    """The client under test, or a broken copy of it."""

    flows: type[Flows] = Flows
    use: UseFlow = use
    links: Callable[[TokenStore], TokenStore] = lambda links: links
    pending: Callable[[PendingStore], PendingStore] = lambda pending: pending


GOOD = Client()


ISSUED = ("issued_access_token", "issued_refresh_token")


def object_of(answer: Answer) -> dict[str, object]:
    """The JSON object of an answer, if it has one."""
    if not isinstance(answer, Response):
        return {}
    try:
        found: object = json.loads(answer.body)
    except ValueError:
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def about_another(fields: Mapping[str, object], entry: Entry | None) -> bool:
    """Whether an answer names another seller than the one whose tokens it has."""
    user_id = fields.get("user_id")
    return entry is not None and user_id is not None and str(user_id) != str(entry.user_id)


def told(answer: Answer, one: Presentation) -> Literal["granted", "refused", "other"]:
    """What an answer tells whoever can read."""
    fields = object_of(answer)
    if not isinstance(answer, Response):
        return "other"
    if answer.status == 400 and fields.get("error") == "invalid_grant":
        return "refused"
    usable = isinstance(fields.get("access_token"), str) and not about_another(fields, one.entry)
    if one.kind == "code" and fields.get("user_id") is None:
        usable = False
    if not isinstance(fields.get("refresh_token", ""), str):
        usable = False
    return "granted" if answer.status == 200 and usable else "other"
