"""The engine: decides what is asked, with the clock, the mint, the store and the profile.

Each message is decided by a pure function of `core/`, inside one atomic store step if it changes
anything; time and luck are arguments, taken once.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from mp_oauth_sandbox.core.authenticate import client_id_of
from mp_oauth_sandbox.core.authorize import approve, consent_needed, judge, judge_seller
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.client_credentials import client_credentials
from mp_oauth_sandbox.core.consent import Consent, told
from mp_oauth_sandbox.core.messages import (
    NOBODY,
    Approve,
    Ask,
    Askable,
    ClientCredentials,
    CodeIssued,
    Deny,
    Message,
    RedeemCode,
    Refresh,
    Refused,
    TokenAccepted,
    TokenRequest,
    TokensIssued,
    UseToken,
    Whose,
)
from mp_oauth_sandbox.core.paths import Endpoint
from mp_oauth_sandbox.core.profile import Profile, spelled_out
from mp_oauth_sandbox.core.records import (
    Application,
    Change,
    Keys,
    Notification,
    Record,
    Seller,
    View,
    secrets_of,
)
from mp_oauth_sandbox.core.redeem import redeem_code
from mp_oauth_sandbox.core.refresh import refresh
from mp_oauth_sandbox.core.refusals import denied, missing, refuse
from mp_oauth_sandbox.core.use_token import use_token
from mp_oauth_sandbox.engine.clock import Clock, ClockState
from mp_oauth_sandbox.engine.mint import Mint
from mp_oauth_sandbox.engine.profiles import switched
from mp_oauth_sandbox.engine.rates import RateLimit
from mp_oauth_sandbox.engine.settings import Settings, encoded, save
from mp_oauth_sandbox.faults import Asked, Fault, Faults, Reply
from mp_oauth_sandbox.journal import Happened, Journal, moment
from mp_oauth_sandbox.resources import ResourceTable
from mp_oauth_sandbox.stores.protocol import Decide, Store, StoreError

T = TypeVar("T")
Outcome = TypeVar("Outcome", TokensIssued, TokenAccepted, CodeIssued)

#: Of so many applications no secret is shown in a refusal.
_LOOKED_THROUGH = 1000

#: What was decided, and when.
_Decided = tuple[Outcome | Refused, datetime]

#: The grant_type of a token request, by what it asks for.
GRANT_TYPES: dict[type, str] = {
    RedeemCode: "authorization_code",
    Refresh: "refresh_token",
    ClientCredentials: "client_credentials",
}


_NOTHING_LEFT = Settings()


class Courier(Protocol):
    """Who delivers notifications, as far as an engine knows."""

    def wake(self) -> None:
        """A notification was written, or the clock moved: something may be due."""
        ...

    def dropping(self) -> AbstractContextManager[None]:
        """Inside, everything is forgotten: nothing of before is recorded afterwards."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StartState:
    """What a reset returns to."""

    records: list[Record]
    clock: ClockState
    consent: Consent
    profile: Profile
    faults: Sequence[Fault]


class Engine:
    """Everything the sandbox decides, without any HTTP."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        mint: Mint,
        profile: Profile,
        consent: Consent,
        webhook_hosts: Iterable[str] = (),
        left: Settings = _NOTHING_LEFT,
    ) -> None:
        """Take up the journal that the store keeps of an earlier run, if it does.

        `webhook_hosts` are those beyond this machine to which notifications may go, and `left` is
        what is taken up of an earlier run's settings.
        """
        self.store = store
        self.clock = clock
        self.mint = mint
        self.profile = profile
        self.consent = consent
        # Around saving, taking on and noting: what was saved last is what is in effect, and what
        # the journal says last. Entered again by a listener of the journal that changes more.
        self._changing = threading.RLock()
        self.journal = Journal(
            clock=clock,
            save=store.append_journal,
            kept=store.journal(1000),
            secrets=self._secrets,
        )
        self.faults = Faults(note=self.note)
        self.resources = ResourceTable()
        self.left = left
        self.webhook_hosts = frozenset(host.lower() for host in webhook_hosts)
        self._courier: Courier | None = None
        self._at_reset: list[Callable[[], None]] = []
        self._rates = RateLimit()
        self.start: StartState | None = None
        """What a reset returns to, once `mark_start` has said what that is."""
        clock.watch(
            before=lambda state: save(store, Settings(clock=state)), after=self._clock_moved
        )

    def employ(self, courier: Courier) -> None:
        """Let this one deliver notifications; until then they wait in the store."""
        self._courier = courier

    def at_reset(self, forget: Callable[[], None]) -> None:
        """Let this be called after each reset, by whoever remembers something of their own."""
        self._at_reset.append(forget)

    # ---- requests that are answered as the armed faults will have it ----

    async def token(self, message: TokenRequest | Refused, *, request: str) -> Reply[TokensIssued]:
        """Decide a request for tokens, and how its answer is delivered.

        `request` is method and path, as they came. A refusal in place of a message is one that
        parsing has found already; faults meet it like any other request.
        """
        return await self._served("token", request, message, self._token)

    async def resource(self, message: UseToken | Refused, *, request: str) -> Reply[TokenAccepted]:
        """Decide whether a token is good for a resource; see `token`."""
        return await self._served("resource", request, message, self._use)

    async def authorization(self, message: Approve | Deny, *, request: str) -> Reply[CodeIssued]:
        """Decide what sends the browser back to the application; see `token`.

        A fault is for an answer to the seller's yes or no, not for a page that says what is wrong
        with the request: so where faults are armed, it is judged before they meet it.
        """
        if self.faults.armed:
            asked = self.ask(Ask(request=message.request, user_id=message.user_id))
            if isinstance(asked, Refused):
                whose = self._presented_by(message)
                return Reply(outcome=asked, at=self.clock(), whose=whose)
        return await self._served("authorization", request, message, self._consented)

    async def _served(
        self,
        endpoint: Endpoint,
        request: str,
        message: Message | Refused,
        decide: Callable[[Any], _Decided[Outcome]],
    ) -> Reply[Outcome]:
        if not self.faults.armed:
            return self._decided(message, decide)
        whose = self._presented_by(message)
        asked = Asked(
            endpoint=endpoint,
            request=request,
            grant_type=GRANT_TYPES.get(type(message)),
            client_id=whose.client_id,
            user_id=whose.user_id,
        )

        async def decided(_asked: Asked) -> Reply[Outcome]:
            # What a gate has held is decided now, not when it came.
            return self._decided(message, decide)

        reply = await self.faults.serve(asked, decided)
        return reply if reply.at else replace(reply, at=self.clock(), whose=whose)

    def _decided(
        self, message: Message | Refused, decide: Callable[[Any], _Decided[Outcome]]
    ) -> Reply[Outcome]:
        if isinstance(message, Refused):
            return Reply(outcome=message, at=self.clock())
        outcome, at = decide(message)
        if isinstance(outcome, Refused):
            return Reply(outcome=outcome, at=at, whose=self._presented_by(message))
        return Reply(outcome=outcome, at=at, whose=outcome.whose)

    def _presented_by(self, message: Message | Refused) -> Whose:
        """Which application, seller and grant a request is about, by the credential in it."""
        match message:
            case RedeemCode(code=secret) | Refresh(refresh_token=secret):
                return self._by_secret(secret, client_id_of(message.authentication))
            case ClientCredentials():
                client_id = client_id_of(message.authentication)
                application = self._application(client_id)
                return Whose(client_id, application.owner if application else None)
            case UseToken(token=secret):
                return self._by_secret(secret, None)
            case Ask() | Approve() | Deny():
                return Whose(message.request.client_id, message.user_id)
            case Refused():
                return NOBODY

    def _by_secret(self, secret: str | None, client_id: str | None) -> Whose:
        grant = self.store.read(Keys(secret=secret)).grant if secret else None
        if grant is None:
            return Whose(client_id)
        return Whose(client_id or grant.client_id, grant.user_id, grant.grant_id)

    # ---- decisions ----

    def transact(self, keys: Keys, decide: Decide[T], *, now: datetime) -> T:
        """A store step that may write notifications; whoever delivers them is told."""
        change, outcome = self.store.transact(keys, decide, now=now)
        if Notification in map(type, change.put):
            self._wake()
        return outcome

    def _wake(self) -> None:
        """A notification waits in the store, or may be due."""
        if self._courier is not None:
            self._courier.wake()

    def _token(self, request: TokenRequest) -> _Decided[TokensIssued]:
        client_id = request.authentication.client_id or client_id_of(request.authentication)
        if self.profile.token_requests_per_minute is not None:
            counted, now = client_id or self._presented_by(request).client_id, self.clock()
            limited = self._rates.refusal(counted, now, self.profile)
            if limited is not None:
                return limited, now
        match request:
            case RedeemCode():
                keys = Keys(client_id=client_id, secret=request.code)
                return self._stepped(keys, partial(redeem_code, request=request))
            case Refresh():
                keys = Keys(client_id=client_id, secret=request.refresh_token)
                return self._stepped(keys, partial(refresh, request=request))
            case ClientCredentials():
                keys = Keys(client_id=client_id)
                return self._stepped(keys, partial(client_credentials, request=request))

    def _use(self, request: UseToken) -> _Decided[TokenAccepted]:
        now = self.clock()
        view = self.store.read(Keys(secret=request.token)) if request.token else View()
        return use_token(view, request, now=now, profile=self.profile), now

    def _consented(self, message: Approve | Deny) -> _Decided[CodeIssued]:
        if isinstance(message, Deny):
            now, asked = (
                self.clock(),
                self.ask(Ask(request=message.request, user_id=message.user_id)),
            )
            return asked if isinstance(asked, Refused) else denied(message.by), now
        keys = Keys(client_id=message.request.client_id, user_id=message.user_id)
        decide = partial(approve, request=message.request, user_id=message.user_id)
        return self._stepped(keys, decide)

    def _stepped(
        self, keys: Keys, decide: Callable[..., tuple[Change, T]]
    ) -> tuple[T | Refused, datetime]:
        """One store step, with time and luck; and the instant of it."""
        now, fresh, profile = self.clock(), self.mint(), self.profile
        decide = partial(decide, now=now, fresh=fresh, profile=profile)
        try:
            change, outcome = self.store.transact(keys, decide, now=now)
        except StoreError as error:
            return refuse(Cause.NOT_SAVED, problem=str(error)), now
        if Notification in map(type, change.put):
            self._wake()
        return outcome, now

    def ask(self, message: Ask) -> Askable | Refused:
        """Whether an authorization request may be put before a seller; it changes nothing."""
        request = message.request
        view = View()
        if request.client_id is not None:
            view = self.store.read(Keys(client_id=request.client_id, user_id=message.user_id))
        refused = judge(view.application, request, self.profile)
        if refused is not None or view.application is None:
            return refused or missing("client_id")
        link = None
        # Without a signed-in seller the view holds the owner, who says nothing here.
        if message.user_id is not None and view.seller is not None:
            refused = judge_seller(view.seller)
            if refused is not None:
                return refused
            link = view.link
        return Askable(
            application=view.application, consent_needed=consent_needed(link, self.profile)
        )

    def _secrets(self) -> list[str]:
        applications = self.store.page(Application, limit=_LOOKED_THROUGH)
        return [secret for one in applications for secret in secrets_of(one).values()]

    def _application(self, client_id: str | None) -> Application | None:
        return self.store.read(Keys(client_id=client_id)).application if client_id else None

    # ---- settings, start and reset: saved before they are taken on ----

    def set_consent(self, consent: Consent) -> None:
        """Choose how sellers answer, for requests from now on.

        Raises StoreError if that cannot be saved: then all is as it was.
        """
        with self._changing:
            save(self.store, Settings(consent=consent))
            was, self.consent = self.consent, consent
            if consent != was:
                self.note(f"consent: {told(consent.mode, consent.seller)}")

    def set_profile(self, profile: Profile) -> None:
        """Change the switches, for requests from now on. Raises as `set_consent`."""
        with self._changing:
            save(self.store, Settings(profile=profile))
            was, self.profile = self.profile, profile
            if profile != was:
                self.note(f"profile: {spelled_out(profile.name, switched(profile))}")

    def _clock_moved(self) -> None:
        self.note(f"clock: {moment(self.clock())}")
        self._wake()

    def note(self, what: str, *, client_id: str | None = None, user_id: int | None = None) -> None:
        """Write into the journal what a test did to the world."""
        self.journal.record(
            Happened(
                kind="control",
                request="sandbox",
                status=200,
                outcome=what,
                whose=Whose(client_id=client_id, user_id=user_id),
                delivery="delivered",
            )
        )

    def mark_start(self, kept: Iterable[Application | Seller]) -> None:
        """Remember the present state as what `reset` returns to."""
        records: list[Record] = []
        for one in kept:
            view = View(seller=one) if isinstance(one, Seller) else View()
            if isinstance(one, Application):
                view = self.store.read(Keys(client_id=one.client_id, secret=one.access_token))
            for record in (view.application, view.seller, view.link, view.grant, view.credential):
                if record is not None and record not in records:
                    records.append(record)
        self.resources.mark_start()
        self.start = StartState(
            records=records,
            clock=self.clock.state(),
            consent=self.consent,
            profile=self.profile,
            faults=self.faults.faults(),
        )

    def reset(self) -> None:
        """Return to the state right after start; codes, tokens, journal and clock moves go.

        Faults that were there at the start are armed anew; whatever waits at one goes on.
        Raises StoreError if that cannot be saved: then all is as it was.
        """
        if (start := self.start) is None:
            return
        settings = Settings(clock=start.clock, profile=start.profile, consent=start.consent)
        with self._courier.dropping() if self._courier is not None else nullcontext():
            with self._changing:
                # With the clock held: else a move in between would be saved, and not in effect.
                emptied = partial(self.store.reset, start.records, encoded(settings))
                self.clock.restore(start.clock, before=emptied)
                self.consent, self.profile = start.consent, start.profile
            self.faults.rearm(start.faults)
            self.journal.clear()
        self.resources.reset()
        self._rates = RateLimit()
        for forget in self._at_reset:
            forget()

    def close(self) -> None:
        """Let go of what waits at a fault, save what is left and release the store."""
        self.faults.rearm(())
        self.journal.close()
        self.store.close()
