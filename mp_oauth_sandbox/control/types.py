"""The control API's inputs and outputs, as types."""

from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.consent import ConsentMode
from mp_oauth_sandbox.core.lifetimes import LONGEST, CalendarMonths, Lifetimes
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import Application, ApplicationStatus, Seller, Webhook
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.core.revoke import Concern, Reason
from mp_oauth_sandbox.journal import Delivery, Entry, Kind

_Seconds = Annotated[int, Meta(ge=0, le=int(LONGEST.total_seconds()))]


class _Secretive(Struct):
    """A type that holds secrets, and shows none when it is printed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class LifetimesIn(Struct, forbid_unknown_fields=True):
    """Lifetimes in seconds; what is left out keeps its value, at first Mercado Pago's."""

    authorization_code: _Seconds | None = None
    access_token: _Seconds | None = None
    refresh_token: _Seconds | None = None
    client_credentials_token: _Seconds | None = None

    def over(self, lifetimes: Lifetimes) -> Lifetimes:
        """These lifetimes, with what is given here in their place."""
        given = {
            name: timedelta(seconds=value)
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not None
        }
        return replace(lifetimes, **given)


class WebhookIn(_Secretive, forbid_unknown_fields=True):
    """Where notifications go, and the secret that signs them; kept with the application."""

    url: Annotated[str, Meta(pattern=r"^https?://[!-~]+$", max_length=2048)]
    secret: Annotated[str, Meta(min_length=1, max_length=256)]
    enabled: bool = True

    def webhook(self) -> Webhook:
        """As the engine knows it."""
        return Webhook(url=self.url, secret=self.secret, enabled=self.enabled)


class ApplicationIn(_Secretive, forbid_unknown_fields=True):
    """A new application. `owner` is the user id of a seller; without it one is made."""

    name: str
    redirect_uris: list[str]
    pkce_required: bool = False
    client_id: str | None = None
    client_secret: str | None = None
    owner: int | None = None
    lifetimes: LifetimesIn | None = None
    scopes: list[str] | None = None
    webhook: WebhookIn | None = None


class ApplicationChange(_Secretive, forbid_unknown_fields=True):
    """What to change of an application; what is left out stays."""

    name: str | UnsetType = UNSET
    redirect_uris: list[str] | UnsetType = UNSET
    pkce_required: bool | UnsetType = UNSET
    lifetimes: LifetimesIn | UnsetType = UNSET
    scopes: list[str] | UnsetType = UNSET
    webhook: WebhookIn | UnsetType | None = UNSET
    status: Literal["active", "blocked"] | UnsetType = UNSET

    def applied_to(self, application: Application) -> Application:
        """The application with these changes. Raises InvalidInputError for a deleted one."""
        if application.status == "deleted":
            raise InvalidInputError("client_id", f"{application.client_id} was deleted")
        changes: dict[str, Any] = {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not UNSET
        }
        if isinstance(self.redirect_uris, list):
            changes["redirect_uris"] = tuple(self.redirect_uris)
        if isinstance(self.scopes, list):
            changes["scopes"] = tuple(sorted(set(self.scopes)))
        if isinstance(self.lifetimes, LifetimesIn):
            changes["lifetimes"] = self.lifetimes.over(application.lifetimes)
        if isinstance(self.webhook, WebhookIn):
            changes["webhook"] = self.webhook.webhook()
        return replace(application, **changes)


class LifetimesOut(Struct):
    """Lifetimes in seconds, or as text such as "6 months"."""

    authorization_code: int
    access_token: int
    refresh_token: int | str
    client_credentials_token: int


class WebhookOut(Struct):
    """Where notifications go, and whether they do; the secret is not shown again."""

    url: str
    enabled: bool


class ApplicationOut(_Secretive):
    """An application. `access_token` is its owner's own: the platform's token."""

    client_id: str
    client_secret: str
    public_key: str
    owner: int
    access_token: str
    name: str
    redirect_uris: tuple[str, ...]
    pkce_required: bool
    scopes: tuple[str, ...]
    lifetimes: LifetimesOut
    webhook: WebhookOut | None
    status: ApplicationStatus

    @classmethod
    def of(cls, application: Application) -> "ApplicationOut":
        """How the control API shows it."""
        lifetimes, webhook = application.lifetimes, application.webhook
        return cls(
            client_id=application.client_id,
            client_secret=application.client_secret,
            public_key=application.public_key,
            owner=application.owner,
            access_token=application.access_token,
            name=application.name,
            redirect_uris=application.redirect_uris,
            pkce_required=application.pkce_required,
            scopes=application.scopes,
            lifetimes=LifetimesOut(
                authorization_code=int(lifetimes.authorization_code.total_seconds()),
                access_token=int(lifetimes.access_token.total_seconds()),
                refresh_token=_lifetime(lifetimes.refresh_token),
                client_credentials_token=int(lifetimes.client_credentials_token.total_seconds()),
            ),
            webhook=WebhookOut(url=webhook.url, enabled=webhook.enabled) if webhook else None,
            status=application.status,
        )


def _lifetime(lifetime: timedelta | CalendarMonths) -> int | str:
    if isinstance(lifetime, CalendarMonths):
        return f"{lifetime.months} months"
    return int(lifetime.total_seconds())


class SellerIn(Struct, forbid_unknown_fields=True):
    """A new test seller; `collaborator_of` makes it an operator of another account."""

    country: str
    nickname: str | None = None
    user_id: int | None = None
    collaborator_of: int | None = None


class SellerOut(Struct):
    """A test seller."""

    user_id: int
    nickname: str
    country: str
    collaborator_of: int | None

    @classmethod
    def of(cls, seller: Seller) -> "SellerOut":
        """How the control API shows it."""
        return cls(
            user_id=seller.user_id,
            nickname=seller.nickname,
            country=seller.country,
            collaborator_of=seller.collaborator_of,
        )


class ConsentIn(Struct, forbid_unknown_fields=True):
    """How sellers answer: `auto` yes at once, `page` ask, `deny` no at once."""

    mode: ConsentMode
    seller: int | None = None


class ConsentOut(Struct):
    """How sellers answer now."""

    mode: ConsentMode
    seller: int | None


class AdvanceIn(Struct, forbid_unknown_fields=True):
    """How far to move the clock forward, in seconds; `settle` waits for due webhooks."""

    seconds: Annotated[float, Meta(ge=0)]
    settle: bool = False


class TravelIn(Struct, forbid_unknown_fields=True):
    """The instant to move the clock to: ISO 8601 with a zone; `settle` waits for due webhooks."""

    to: Annotated[datetime, Meta(tz=True)]
    settle: bool = False


class ClockOut(Struct):
    """The server's virtual time (UTC), and whether it stands still."""

    now: str
    frozen: bool


class RevocationIn(Struct, forbid_unknown_fields=True):
    """What ends links. `unlinked` and `unused` need both ids.

    `secret_rotated` and `application_deleted` need the client_id alone, the others the user_id
    alone. `settle` waits until the webhook it may cause has been answered.
    """

    reason: Reason
    client_id: str | None = None
    user_id: int | None = None
    settle: bool = False


class RevocationOut(_Secretive):
    """What ended: one link, every link of a seller, or every link of an application.

    `source` says how well that is known. `client_secret` is the new one of `secret_rotated`.
    """

    reason: Reason
    ended: Concern
    client_id: str | None
    user_id: int | None
    explanation: str
    source: str
    client_secret: str | None


class Done(Struct):
    """It is done."""

    done: bool = True


class HealthOut(Struct):
    """The sandbox answers; which version and profile, and its virtual time."""

    status: Literal["ok"]
    version: str
    profile: str
    now: str


#: Every switch of a profile, each optional, and `preset`: the one they are changed from.
ProfileChange: type[Struct] = defstruct(
    "ProfileChange",
    [
        ("preset", str | UnsetType, UNSET),
        *((switch.name, switch.type | UnsetType, UNSET) for switch in fields(Profile)),
    ],
    forbid_unknown_fields=True,
)


class EntryOut(Struct):
    """A journal entry. `explain` says it all in words, as a terminal shows it."""

    seq: int
    at: datetime
    kind: Kind
    request: str
    status: int
    outcome: str
    line: str
    grant_type: str | None
    client_id: str | None
    user_id: int | None
    error: str | None
    cause: Cause | None
    explanation: str | None
    remedy: str | None
    source: str | None
    facts: dict[str, str]
    delivery: Delivery
    faults: tuple[str, ...]
    explain: str

    @classmethod
    def of(cls, entry: Entry) -> "EntryOut":
        """How the control API shows it."""
        return cls(
            seq=entry.seq,
            at=entry.at,
            kind=entry.kind,
            request=entry.request,
            status=entry.status,
            outcome=entry.outcome,
            line=entry.line,
            grant_type=entry.grant_type,
            client_id=entry.client_id,
            user_id=entry.user_id,
            error=entry.error,
            cause=entry.cause,
            explanation=entry.explanation,
            remedy=entry.remedy,
            source=entry.source,
            facts=entry.facts,
            delivery=entry.delivery,
            faults=entry.faults,
            explain=entry.explain(),
        )


class JournalOut(Struct):
    """Journal entries, oldest first, and the number to ask for next with `after`."""

    entries: list[EntryOut]
    next: int


class ApplicationsOut(Struct):
    """Every application."""

    applications: list[ApplicationOut]


class SellersOut(Struct):
    """Every seller."""

    sellers: list[SellerOut]


class ErrorOut(Struct):
    """What is wrong with a call: the field at fault and what would be right."""

    error: str
    message: str
    field: str | None = None
