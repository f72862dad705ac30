"""The engine: clock, mint, store, profile and journal behind one verb, `serve(message)`.

Each message is decided by a pure function of `core/` inside one atomic store step; time
and luck are arguments, taken once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import msgspec

from mp_oauth_sandbox.clock import Clock
from mp_oauth_sandbox.core import revoke as revocation
from mp_oauth_sandbox.core.authenticate import client_id_of
from mp_oauth_sandbox.core.authorize import approve, consent_needed, judge
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.client_credentials import client_credentials
from mp_oauth_sandbox.core.messages import (
    Approve,
    Ask,
    Askable,
    ClientCredentials,
    Deny,
    Message,
    Outcome,
    RedeemCode,
    Refresh,
    Refused,
    TokenRequest,
    UseToken,
)
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import (
    Application,
    Change,
    Keys,
    Record,
    Seller,
    View,
)
from mp_oauth_sandbox.core.redeem import redeem_code
from mp_oauth_sandbox.core.refresh import refresh
from mp_oauth_sandbox.core.refusals import missing, refuse
from mp_oauth_sandbox.core.registration import (
    InvalidInputError,
    NewApplication,
    NewSeller,
    check_application,
    check_seller,
    create_seller,
    register_application,
)
from mp_oauth_sandbox.core.use_token import use_token
from mp_oauth_sandbox.journal import Journal, moment
from mp_oauth_sandbox.mint import Mint
from mp_oauth_sandbox.stores.protocol import Store

ConsentMode = Literal["auto", "page", "deny"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """How sellers answer: a page for people, or at once yes or no.

    `seller` is who says yes when nobody is signed in in the browser.
    """

    mode: ConsentMode = "page"
    seller: int | None = None


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
        self._rates = RateLimit()
        clock.on_move = self._clock_moved
        self._start: tuple[list[Record], tuple[int, int | None], Consent, Profile] | None = None

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
        limited = self._rates.refusal(client_id, now, profile)
        if limited is not None:
            return limited
        match request:
            case RedeemCode():
                keys = Keys(client_id=client_id, secret=request.code)
                return self.store.transact(
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

    def _use(self, request: UseToken) -> Outcome:
        view = self.store.read(Keys(secret=request.token)) if request.token else View()
        return use_token(view, request, now=self.clock(), profile=self.profile)

    def _approve(self, message: Approve) -> Outcome:
        request, now, fresh = message.request, self.clock(), self.mint()
        return self.store.transact(
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
        # Without a signed-in seller the view holds the owner's link, which says nothing here.
        link = view.link if message.user_id is not None else None
        return Askable(
            application=view.application, consent_needed=consent_needed(link, self.profile)
        )

    def _application(self, client_id: str | None) -> Application | None:
        return None if client_id is None else self.application(client_id)

    # ---- what Mercado Pago's panel does ----

    def application(self, client_id: str) -> Application | None:
        """The application with that client id."""
        return self.store.read(Keys(client_id=client_id)).application

    def seller(self, user_id: int) -> Seller | None:
        """The seller with that user id."""
        return self.store.read(Keys(user_id=user_id)).seller

    def sellers(self, *, limit: int = 500) -> list[Seller]:
        """Sellers in order of creation, without the accounts that own an application."""
        applications = self.store.page(Application, limit=limit)
        owners = {application.owner for application in applications}
        return [
            seller
            for seller in self.store.page(Seller, limit=limit)
            if seller.user_id not in owners
        ]

    def seller_named(self, nickname: str) -> Seller | None:
        """The first seller of that nickname, in any case of letters."""
        after, wanted = "", nickname.casefold()
        while batch := self.store.page(Seller, after=after, limit=500):
            for seller in batch:
                if seller.nickname.casefold() == wanted:
                    return seller
            after = str(batch[-1].user_id)
        return None

    def register_application(self, wanted: NewApplication) -> Application:
        """Register an application. Raises InvalidInputError naming the field at fault.

        Without an owner the application gets an account of its own, so that the platform's
        token and its sellers' tokens are of different people, as in production.
        """
        check_application(wanted, self.profile)
        now, fresh = self.clock(), self.mint()
        client_id = wanted.client_id or fresh.client_id()
        if wanted.owner is None and self.application(client_id) is None:
            account = NewSeller(nickname=f"PLATFORM{client_id[-6:]}")
            wanted = replace(wanted, owner=self.create_seller(account).user_id)
        owner = wanted.owner or 0
        return self.store.transact(
            Keys(client_id=client_id, user_id=owner),
            lambda view: register_application(
                view, wanted, owner=owner, now=now, fresh=fresh, profile=self.profile
            ),
            now=now,
        )

    def update_application(
        self, client_id: str, change: Callable[[Application], Application]
    ) -> Application:
        """Edit an application. Raises InvalidInputError if it does not exist or is invalid."""

        def decide(view: View) -> tuple[Change, Application]:
            if view.application is None:
                raise InvalidInputError("client_id", f"there is no application {client_id[:40]}")
            changed = change(view.application)
            wanted = NewApplication(
                name=changed.name,
                redirect_uris=changed.redirect_uris,
                client_secret=changed.client_secret,
                scopes=changed.scopes,
                lifetimes=changed.lifetimes,
            )
            check_application(wanted, self.profile)
            return Change(put=(changed,)), changed

        return self.store.transact(Keys(client_id=client_id), decide, now=self.clock())

    def create_seller(self, wanted: NewSeller) -> Seller:
        """Create a test seller. Raises InvalidInputError naming the field at fault."""
        check_seller(wanted)
        now = self.clock()
        if wanted.collaborator_of is not None and self.seller(wanted.collaborator_of) is None:
            raise InvalidInputError(
                "collaborator_of", f"there is no seller {wanted.collaborator_of}"
            )
        user_id = self.mint().user_id() if wanted.user_id is None else wanted.user_id
        return self.store.transact(
            Keys(user_id=user_id),
            lambda view: create_seller(view, wanted, user_id=user_id, now=now),
            now=now,
        )

    def revoke(
        self,
        reason: revocation.Reason,
        *,
        client_id: str | None = None,
        user_id: int | None = None,
    ) -> None:
        """End links from Mercado Pago's side. Raises InvalidInputError if nothing is named."""
        if not self.store.transact(
            Keys(client_id=client_id, user_id=user_id),
            lambda view: revocation.revoke(view, reason),
            now=self.clock(),
        ):
            raise InvalidInputError("reason", f"there is nothing to revoke by {reason!r} here")
        self.note(f"revocation: {reason}", client_id=client_id, user_id=user_id)

    # ---- settings, start and reset ----

    def set_consent(self, consent: Consent) -> None:
        """Choose how sellers answer. Raises InvalidInputError for an unknown seller.

        `auto` without a seller means the first one, fixed now.
        """
        if consent.seller is not None and self.seller(consent.seller) is None:
            raise InvalidInputError("seller", f"there is no seller {consent.seller}")
        if consent.mode == "auto" and consent.seller is None:
            first = next(iter(self.sellers()), None)
            if first is None:
                raise InvalidInputError("seller", "there is no seller yet; create one first")
            consent = replace(consent, seller=first.user_id)
        self.consent = consent
        self.save_settings()

    def set_profile(self, profile: Profile) -> None:
        """Change the switches, for requests from now on."""
        self.profile = profile
        self.save_settings()

    def _clock_moved(self) -> None:
        self.save_settings()
        self.note(f"clock: {moment(self.clock())}")

    def note(self, what: str, *, client_id: str | None = None, user_id: int | None = None) -> None:
        """Write into the journal what a test did to the world."""
        self.journal.record(
            kind="control",
            request="sandbox",
            status=200,
            outcome=what,
            client_id=client_id,
            user_id=user_id,
        ).delivery = "delivered"

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

    def mark_start(self, presets: Iterable[Application | Seller]) -> None:
        """Remember the present state as what `reset` returns to."""
        records: list[Record] = []
        for preset in presets:
            view = View(seller=preset) if isinstance(preset, Seller) else View()
            if isinstance(preset, Application):
                view = self.store.read(Keys(client_id=preset.client_id, secret=preset.access_token))
            for record in (view.application, view.seller, view.link, view.grant, view.credential):
                if record is not None and record not in records:
                    records.append(record)
        self._start = (records, self.clock.state(), self.consent, self.profile)

    def reset(self) -> None:
        """Return to the state right after start; codes, tokens, journal and clock moves go."""
        if self._start is None:
            return
        records, clock, self.consent, self.profile = self._start
        self.store.reset(records)
        self.clock.restore(clock)
        self._rates = RateLimit()
        self.journal.clear()
        self.save_settings()

    def close(self) -> None:
        """Save what is left and release the store."""
        self.journal.flush()
        self.store.close()


class RateLimit:
    """Counts token requests per application and minute of virtual time."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._counted: dict[str | None, tuple[int, int]] = {}

    def refusal(self, client_id: str | None, now: datetime, profile: Profile) -> Refused | None:
        """Count one request, and refuse it if its minute is full."""
        limit = profile.token_requests_per_minute
        if limit is None:
            return None
        minute = int(now.timestamp()) // 60
        counted_minute, count = self._counted.get(client_id, (minute, 0))
        count = count + 1 if counted_minute == minute else 1
        if len(self._counted) > 1000:
            self._counted.clear()
        self._counted[client_id] = (minute, count)
        return refuse(Cause.RATE_LIMITED, limit=limit) if count > limit else None
