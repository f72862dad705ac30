"""What people do at Mercado Pago itself: the developer panel and the sellers' own accounts."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from msgspec.structs import replace

from mp_oauth_sandbox.core import revoke as revocation
from mp_oauth_sandbox.core.consent import Consent
from mp_oauth_sandbox.core.records import (
    NOTHING,
    Application,
    Change,
    Keys,
    Registration,
    Seller,
    View,
)
from mp_oauth_sandbox.core.registration import (
    InvalidInputError,
    NewApplication,
    NewSeller,
    check_application,
    check_seller,
    create_seller,
    register_application,
    saved_webhook,
)
from mp_oauth_sandbox.core.targets import check_webhook
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.modes import edited


class Panel:
    """Registers, edits and revokes through an engine; it keeps nothing of its own."""

    def __init__(self, engine: Engine) -> None:
        """Work on this engine's records."""
        self._engine = engine

    def application(self, client_id: str) -> Application | None:
        """The application with that client id."""
        return self._engine.store.read(Keys(client_id=client_id)).application

    def seller(self, user_id: int) -> Seller | None:
        """The seller with that user id."""
        return self._engine.store.read(Keys(user_id=user_id)).seller

    def sellers(self, *, limit: int = 500) -> list[Seller]:
        """Sellers in order of creation, without the accounts made to own an application."""
        return list(islice((one for one in self._all_sellers() if not one.platform), limit))

    def _all_sellers(self) -> Iterator[Seller]:
        after = ""
        while batch := self._engine.store.page(Seller, after=after, limit=500):
            yield from batch
            after = str(batch[-1].user_id)

    def seller_named(self, nickname: str) -> Seller | None:
        """The first seller of that nickname, in any case of letters."""
        wanted = nickname.casefold()
        return next((one for one in self._all_sellers() if one.nickname.casefold() == wanted), None)

    def register_application(self, wanted: NewApplication) -> Application:
        """Register an application. Raises InvalidInputError naming the field at fault.

        Without an owner the application gets an account of its own, so that the platform's
        token and its sellers' tokens are of different people, as in production.
        """
        check_application(wanted, self._engine.profile)
        check_webhook(wanted.webhook, self._engine.webhook_hosts)
        now, fresh, profile = self._engine.clock(), self._engine.mint(), self._engine.profile
        client_id = wanted.client_id or fresh.client_id()
        owner = self._engine.mint().user_id() if wanted.owner is None else wanted.owner

        def decide(view: View) -> tuple[Change, Application]:
            account = NOTHING
            if wanted.owner is None:
                platform = NewSeller(nickname=f"PLATFORM{client_id[-6:]}", platform=True)
                account, seller = create_seller(view, platform, user_id=owner, now=now)
                view = replace(view, seller=seller)
            registered, application = register_application(
                view, wanted, owner=owner, now=now, fresh=fresh, profile=profile
            )
            return Change(put=(*account.put, *registered.put)), application

        return self._engine.transact(Keys(client_id=client_id, user_id=owner), decide, now=now)

    def update_application(
        self, client_id: str, change: Callable[[Application], Application]
    ) -> Application:
        """Edit an application. Raises InvalidInputError if it does not exist or is invalid."""
        names, profile = list[str](), self._engine.profile

        def decide(view: View) -> tuple[Change, Application]:
            if view.application is None:
                raise InvalidInputError("client_id", f"there is no application {client_id[:40]}")
            changed = change(view.application)
            if changed.client_id != client_id or changed.owner != view.application.owner:
                raise InvalidInputError("client_id", "client_id and owner cannot be changed")
            said: dict[str, Any] = {
                name: getattr(changed, name) for name in Registration.__struct_fields__
            }
            wanted = NewApplication(
                **said, client_secret=changed.client_secret, scopes=changed.scopes
            )
            check_application(wanted, profile)
            # Another object is a save, even of what was there already.
            if changed.webhook is not view.application.webhook:
                check_webhook(changed.webhook, self._engine.webhook_hosts)
                webhook = saved_webhook(changed.webhook, fresh=self._engine.mint, profile=profile)
                changed = replace(changed, webhook=webhook)
            names[:] = edited(view.application, changed)
            return Change(put=(changed,)), changed

        now = self._engine.clock()
        changed = self._engine.transact(Keys(client_id=client_id), decide, now=now)
        if names:
            self._engine.note(f"application edited: {', '.join(names)}", client_id=client_id)
        return changed

    def create_seller(self, wanted: NewSeller) -> Seller:
        """Create a test seller. Raises InvalidInputError naming the field at fault."""
        check_seller(wanted)
        now = self._engine.clock()
        if wanted.collaborator_of is not None and self.seller(wanted.collaborator_of) is None:
            raise InvalidInputError(
                "collaborator_of", f"there is no seller {wanted.collaborator_of}"
            )
        user_id = self._engine.mint().user_id() if wanted.user_id is None else wanted.user_id
        return self._engine.transact(
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
    ) -> revocation.Ended:
        """End links from Mercado Pago's side; the record it concerns, as it is now.

        What each reason concerns, and so which ids it needs, is told by
        `core.revoke.REVOCATIONS`. Raises InvalidInputError for an id that is missing, unknown
        or too many, and where there is nothing to revoke.
        """
        engine, concerns = self._engine, revocation.REVOCATIONS[reason].concerns
        self._check_concern(reason, "user_id", user_id, wanted=concerns != "application")
        self._check_concern(reason, "client_id", client_id, wanted=concerns != "seller")
        if user_id is not None and self.seller(user_id) is None:
            raise InvalidInputError("user_id", f"there is no seller {user_id}")
        known = None if client_id is None else self.application(client_id)
        if client_id is not None and known is None:
            raise InvalidInputError("client_id", f"there is no application {client_id[:40]}")
        own = known.access_token if known and concerns == "application" else None
        now, fresh = engine.clock(), engine.mint()
        ended = engine.transact(
            Keys(client_id=client_id, user_id=user_id, secret=own),
            lambda view: revocation.revoke(
                view, reason, now=now, fresh=fresh, profile=engine.profile
            ),
            now=now,
        )
        if ended is None:
            problem = f"there is nothing to revoke by {reason!r} here"
            if concerns == "link":
                problem += f": seller {user_id} has never been linked to application {client_id}"
            raise InvalidInputError("reason", problem)
        engine.note(f"revocation: {reason}", client_id=client_id, user_id=user_id)
        return ended

    def _check_concern(
        self, reason: revocation.Reason, name: str, given: object, *, wanted: bool
    ) -> None:
        if wanted and given is None:
            raise InvalidInputError(name, f"{reason} needs it")
        if not wanted and given is not None:
            concerns = revocation.REVOCATIONS[reason].concerns
            raise InvalidInputError(
                name, f"{reason} ends every link of the {concerns}; leave {name} out"
            )

    def set_consent(self, consent: Consent) -> None:
        """Choose how sellers answer. Raises as `checked_consent`."""
        self._engine.set_consent(self.checked_consent(consent))

    def checked_consent(self, consent: Consent) -> Consent:
        """How sellers are to answer, if they can. Raises InvalidInputError for an unknown seller.

        `auto` without a seller means the first one, fixed now.
        """
        if consent.seller is not None and self.seller(consent.seller) is None:
            raise InvalidInputError("seller", f"there is no seller {consent.seller}")
        if consent.mode == "auto" and consent.seller is None:
            first = next(iter(self.sellers()), None)
            if first is None:
                raise InvalidInputError("seller", "there is no seller yet; create one first")
            consent = replace(consent, seller=first.user_id)
        return consent
