"""The engine: clock, mint, store, profile and journal behind one verb, `serve(message)`.

Each message is decided by a pure function of `core/` inside one atomic store step; time
and luck are arguments, taken once.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from mp_oauth_sandbox.core.authenticate import client_id_of
from mp_oauth_sandbox.core.authorize import approve, consent_needed, judge, judge_seller
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.client_credentials import client_credentials
from mp_oauth_sandbox.core.consent import Consent
from mp_oauth_sandbox.core.messages import (
    Approve,
    Ask,
    Askable,
    ClientCredentials,
    CodeIssued,
    Deny,
    Message,
    Outcome,
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
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import (
    NOTHING,
    Application,
    Change,
    Keys,
    Notification,
    Record,
    Seller,
    View,
)
from mp_oauth_sandbox.core.redeem import redeem_code
from mp_oauth_sandbox.core.refresh import refresh
from mp_oauth_sandbox.core.refusals import missing, refuse
from mp_oauth_sandbox.core.use_token import use_token
from mp_oauth_sandbox.engine.clock import Clock
from mp_oauth_sandbox.engine.mint import Mint
from mp_oauth_sandbox.engine.rates import RateLimit
from mp_oauth_sandbox.faults import Asked, Fault, Faults, Reply
from mp_oauth_sandbox.journal import Happened, Journal, moment
from mp_oauth_sandbox.resources import ResourceTable
from mp_oauth_sandbox.stores.protocol import Decide, Store

T = TypeVar("T")

_GRANT_TYPES: dict[type, str] = {
    RedeemCode: "authorization_code",
    Refresh: "refresh_token",
    ClientCredentials: "client_credentials",
}


def grant_type_of(message: object) -> str | None:
    """The grant_type of a token request; None for anything else."""
    return _GRANT_TYPES.get(type(message))


class Courier(Protocol):
    """Who delivers notifications, as far as an engine knows."""

    def wake(self) -> None:
        """A notification was written, or the clock moved: something may be due."""
        ...

    def dropping(self) -> AbstractContextManager[None]:
        """Inside, everything is forgotten: nothing of before is recorded afterwards."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _StartState:
    """What a reset returns to."""

    records: list[Record]
    clock: tuple[int, int | None]
    consent: Consent
    profile: Profile
    faults: Sequence[Fault]


class Engine:
    """Everything the sandbox decides, without any HTTP."""

    def __init__(self, *, store: Store, clock: Clock, mint: Mint, profile: Profile) -> None:
        """Take up what the store remembers of an earlier run, if anything."""
        self.store = store
        self.clock = clock
        self.mint = mint
        self.profile = profile
        self.consent = Consent()
        self.journal = Journal(clock=clock, save=store.append_journal, kept=store.journal(1000))
        self.on_reset: Callable[[], None] | None = None
        """Called after each reset: the pages then sign browsers out."""
        self.faults = Faults(note=self.note)
        self.resources = ResourceTable()
        self.deliverer: Courier | None = None
        """Told of notifications; without one they wait in the store."""
        self.webhook_hosts: frozenset[str] = frozenset()
        """Hosts beyond this machine to which notifications may go."""
        self._rates = RateLimit()
        clock.on_move = self._clock_moved
        self._start: _StartState | None = None

    async def answer(
        self, message: Message | Refused, *, endpoint: Endpoint, request: str
    ) -> Reply:
        """Decide a message as the armed faults will have it, and how its answer is delivered.

        `request` is method and path. A refusal in place of a message is one that parsing has
        found already; faults meet it like any other request.
        """
        if not self.faults:
            # What faults tell requests apart by need not be looked up.
            return Reply(outcome=self._outcome(message))
        whose = self._presented_by(message)
        asked = Asked(
            endpoint=endpoint,
            request=request,
            grant_type=grant_type_of(message),
            client_id=whose.client_id,
            user_id=whose.user_id,
        )

        async def decide(_asked: Asked) -> Reply:
            return Reply(outcome=self._outcome(message))

        return await self.faults.serve(asked, decide)

    def _outcome(self, message: Message | Refused) -> Outcome:
        return message if isinstance(message, Refused) else self.serve(message)

    def whose(self, message: Message | Refused, outcome: Outcome | None) -> Whose:
        """Whose a decided request was: as its answer says, else by what it presented."""
        match outcome:
            case TokensIssued() | CodeIssued():
                return Whose(
                    client_id=outcome.client_id,
                    user_id=outcome.user_id,
                    grant_id=outcome.grant_id,
                )
            case TokenAccepted(seller=seller):
                return Whose(
                    client_id=outcome.client_id,
                    user_id=seller.user_id,
                    grant_id=outcome.grant_id,
                )
            case _:
                return self._presented_by(message)

    def _presented_by(self, message: Message | Refused) -> Whose:
        """Which application, seller and grant a request is about, by the credential in it."""
        match message:
            case RedeemCode(code=secret) | Refresh(refresh_token=secret):
                return self._by_secret(secret, client_id_of(message.authentication))
            case ClientCredentials():
                client_id = client_id_of(message.authentication)
                application = self._application(client_id)
                owner = application.owner if application else None
                return Whose(client_id=client_id, user_id=owner)
            case UseToken(token=secret):
                return self._by_secret(secret, None)
            case Ask() | Approve() | Deny():
                return Whose(client_id=message.request.client_id, user_id=message.user_id)
            case Refused():
                return Whose()

    def _by_secret(self, secret: str | None, client_id: str | None) -> Whose:
        grant = self.store.read(Keys(secret=secret)).grant if secret else None
        if grant is None:
            return Whose(client_id=client_id)
        return Whose(
            client_id=client_id or grant.client_id,
            user_id=grant.user_id,
            grant_id=grant.grant_id,
        )

    def transact(self, keys: Keys, decide: Decide[T], *, now: datetime) -> T:
        """A store step that may write notifications; whoever delivers them is told."""
        change = NOTHING

        def seen(view: View) -> tuple[Change, T]:
            nonlocal change
            change, outcome = decide(view)
            return change, outcome

        outcome = self.store.transact(keys, seen, now=now)
        if self.deliverer is not None and any(type(one) is Notification for one in change.put):
            self.deliverer.wake()
        return outcome

    def serve(self, message: Message) -> Outcome:
        """Decide one message and make its change, atomically."""
        match message:
            case RedeemCode() | Refresh() | ClientCredentials():
                return self._token(message)
            case UseToken():
                return self._use(message)
            case Approve():
                return self._approve(message)
            case Ask():
                return self._ask(message)
            case Deny():
                application = self._application(message.request.client_id)
                refused = judge(application, message.request, self.profile)
                return refused or refuse(Cause.SELLER_DENIED)

    def _token(self, request: TokenRequest) -> Outcome:
        now, fresh, profile = self.clock(), self.mint(), self.profile
        client_id = client_id_of(request.authentication)
        limited = self._rates.refusal(client_id or self._issuer(request), now, profile)
        if limited is not None:
            return limited
        match request:
            case RedeemCode():
                keys = Keys(client_id=client_id, secret=request.code)
                return self.transact(
                    keys,
                    lambda view: redeem_code(view, request, now=now, fresh=fresh, profile=profile),
                    now=now,
                )
            case Refresh():
                keys = Keys(client_id=client_id, secret=request.refresh_token)
                return self.store.transact(
                    keys,
                    lambda view: refresh(view, request, now=now, fresh=fresh, profile=profile),
                    now=now,
                )
            case ClientCredentials():
                return self.store.transact(
                    Keys(client_id=client_id),
                    lambda view: client_credentials(
                        view, request, now=now, fresh=fresh, profile=profile
                    ),
                    now=now,
                )

    def _issuer(self, request: TokenRequest) -> str | None:
        """Whose refresh token it is, where the profile lets client_id be left out."""
        if not isinstance(request, Refresh) or request.refresh_token is None:
            return None
        grant = self.store.read(Keys(secret=request.refresh_token)).grant
        return grant.client_id if grant else None

    def _use(self, request: UseToken) -> Outcome:
        view = self.store.read(Keys(secret=request.token)) if request.token else View()
        return use_token(view, request, now=self.clock(), profile=self.profile)

    def _approve(self, message: Approve) -> Outcome:
        request, now, fresh = message.request, self.clock(), self.mint()
        return self.transact(
            Keys(client_id=request.client_id, user_id=message.user_id),
            lambda view: approve(
                view,
                request,
                user_id=message.user_id,
                now=now,
                fresh=fresh,
                profile=self.profile,
            ),
            now=now,
        )

    def _ask(self, message: Ask) -> Outcome:
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

    def _application(self, client_id: str | None) -> Application | None:
        return self.store.read(Keys(client_id=client_id)).application if client_id else None

    # ---- settings, start and reset ----

    def set_consent(self, consent: Consent) -> None:
        """Choose how sellers answer, for requests from now on."""
        self.consent = consent
        self.save_settings()

    def set_profile(self, profile: Profile) -> None:
        """Change the switches, for requests from now on."""
        self.profile = profile
        self.save_settings()

    def _clock_moved(self) -> None:
        self.save_settings()
        self.note(f"clock: {moment(self.clock())}")
        if self.deliverer is not None:
            self.deliverer.wake()

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

    def save_settings(self) -> None:
        """Let the store remember clock, profile and consent mode."""
        encode = msgspec.json.encode
        self.store.save_settings(
            {
                "clock": encode(self.clock.state()).decode(),
                "profile": encode(self.profile).decode(),
                "consent": encode(self.consent).decode(),
            }
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
        self._start = _StartState(
            records=records,
            clock=self.clock.state(),
            consent=self.consent,
            profile=self.profile,
            faults=self.faults.faults(),
        )

    def reset(self) -> None:
        """Return to the state right after start; codes, tokens, journal and clock moves go.

        Faults that were there at the start are armed anew; whatever waits at one goes on.
        """
        if (start := self._start) is None:
            return
        self.consent, self.profile = start.consent, start.profile
        with self.deliverer.dropping() if self.deliverer is not None else nullcontext():
            self.store.reset(start.records)
            self.clock.restore(start.clock)
            self.faults.rearm(start.faults)
            self.journal.clear()
        self.resources.reset()
        self._rates = RateLimit()
        self.save_settings()
        if self.on_reset is not None:
            self.on_reset()

    def close(self) -> None:
        """Let go of what waits at a fault, save what is left and release the store."""
        self.faults.rearm(())
        self.journal.close()
        self.store.close()
