"""Applications: registered, edited and shown, as in the developer panel."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from mp_oauth_sandbox.control.types import Call, Listed, Secretive
from mp_oauth_sandbox.core.lifetimes import LONGEST, CalendarMonths, Lifetimes
from mp_oauth_sandbox.core.records import Application, ApplicationStatus, ApplicationType, Webhook
from mp_oauth_sandbox.core.registration import InvalidInputError, NewApplication

_Seconds = Annotated[int, Meta(ge=0, le=int(LONGEST.total_seconds()))]


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


class WebhookIn(Secretive, forbid_unknown_fields=True):
    """Where notifications go, and the secret that signs them; kept with the application."""

    url: Annotated[str, Meta(pattern=r"^https?://[!-~]+$", max_length=2048)]
    secret: Annotated[str, Meta(min_length=1, max_length=256)]
    enabled: bool = True

    def webhook(self) -> Webhook:
        """As the engine knows it."""
        return Webhook(url=self.url, secret=self.secret, enabled=self.enabled)


class ApplicationIn(Secretive, forbid_unknown_fields=True):
    """A new application. `owner` is the user id of a seller; without it one is made."""

    name: str
    redirect_uris: list[str]
    pkce_required: bool = False
    application_type: ApplicationType = "any"
    activated: bool = True
    client_id: str | None = None
    client_secret: str | None = None
    owner: int | None = None
    lifetimes: LifetimesIn | None = None
    scopes: list[str] | None = None
    webhook: WebhookIn | None = None

    def wanted(self) -> NewApplication:
        """As the engine takes it."""
        return NewApplication(**_for_core(self, Lifetimes()))


class ApplicationChange(Secretive, forbid_unknown_fields=True):
    """What to change of the application `client_id`; what is left out stays."""

    client_id: str
    name: str | UnsetType = UNSET
    redirect_uris: list[str] | UnsetType = UNSET
    pkce_required: bool | UnsetType = UNSET
    application_type: ApplicationType | UnsetType = UNSET
    activated: bool | UnsetType = UNSET
    lifetimes: LifetimesIn | UnsetType = UNSET
    scopes: list[str] | UnsetType = UNSET
    webhook: WebhookIn | UnsetType | None = UNSET
    status: Literal["active", "blocked"] | UnsetType = UNSET

    def applied_to(self, application: Application) -> Application:
        """The application with these changes. Raises InvalidInputError for a deleted one."""
        if application.status == "deleted":
            raise InvalidInputError("client_id", f"{application.client_id} was deleted")
        return replace(application, **_for_core(self, application.lifetimes))


def _for_core(given: Struct, lifetimes: Lifetimes) -> dict[str, Any]:
    """What is given, in the types of the core; what is left out is not there."""
    found: dict[str, Any] = {}
    for name in given.__struct_fields__:
        value: UnsetType | LifetimesIn | WebhookIn | list[str] | str | int | None
        value = getattr(given, name)
        match value:
            case UnsetType():
                continue
            case LifetimesIn():
                found[name] = value.over(lifetimes)
            case None if name == "lifetimes":
                found[name] = lifetimes
            case WebhookIn():
                found[name] = value.webhook()
            case list():
                # A set of words has no order, a list of redirect URIs does: its first counts.
                found[name] = tuple(sorted(set(value)) if name == "scopes" else value)
            case _:
                found[name] = value
    return found


class LifetimesOut(Struct):
    """Lifetimes in seconds, or as text such as "6 months"."""

    authorization_code: int | str
    access_token: int | str
    refresh_token: int | str
    client_credentials_token: int | str


class WebhookOut(Secretive):
    """Where notifications go, and whether they do.

    The secret is shown once, by the save that made it; the one that was given is not shown.
    """

    url: str
    enabled: bool
    secret: str | UnsetType = UNSET

    @classmethod
    def of(cls, webhook: Webhook, given: WebhookIn | UnsetType | None) -> "WebhookOut":
        """How the control API shows it to who has just given this, or nothing."""
        made = isinstance(given, WebhookIn) and given.secret != webhook.secret
        secret = webhook.secret if made else UNSET
        return cls(url=webhook.url, enabled=webhook.enabled, secret=secret)


class ApplicationOut(Secretive):
    """An application. `access_token` is its owner's own: the platform's token."""

    client_id: str
    client_secret: str
    public_key: str
    owner: int
    access_token: str
    name: str
    redirect_uris: tuple[str, ...]
    pkce_required: bool
    application_type: ApplicationType
    activated: bool
    scopes: tuple[str, ...]
    lifetimes: LifetimesOut
    webhook: WebhookOut | None
    status: ApplicationStatus

    @classmethod
    def of(
        cls, application: Application, saved: WebhookIn | UnsetType | None = None
    ) -> "ApplicationOut":
        """How the control API shows it, to who has just saved this webhook, if anybody."""
        shown: dict[str, Any] = {name: getattr(application, name) for name in _SHOWN}
        shown["lifetimes"] = LifetimesOut(
            **{
                name: _in_seconds(getattr(application.lifetimes, name))
                for name in LifetimesOut.__struct_fields__
            }
        )
        webhook = application.webhook
        shown["webhook"] = webhook and WebhookOut.of(webhook, saved)
        return cls(**shown)


_SHOWN = ApplicationOut.__struct_fields__


def _in_seconds(lifetime: timedelta | CalendarMonths) -> int | str:
    if isinstance(lifetime, CalendarMonths):
        return f"{lifetime.months} months"
    return int(lifetime.total_seconds())


class ApplicationsOut(Struct):
    """Applications in the order of their registration.

    `next` is what to give as `after` for those that follow, None where there are no more.
    """

    applications: list[ApplicationOut]
    next: str | None


class ApplicationWanted(Struct, forbid_unknown_fields=True):
    """Which application."""

    client_id: str


_ALL, _ONE = "/applications", "/applications/{client_id}"

REGISTER = Call(
    "register", "POST", _ALL, "Register an application", ApplicationIn, ApplicationOut, status=201
)
LIST = Call("applications", "GET", _ALL, "The applications", Listed, ApplicationsOut)
SHOW = Call("application", "GET", _ONE, "One application", ApplicationWanted, ApplicationOut)
EDIT = Call(
    "edit",
    "PATCH",
    _ONE,
    "Edit an application, as in the developer panel",
    ApplicationChange,
    ApplicationOut,
)

CALLS = (REGISTER, LIST, SHOW, EDIT)
