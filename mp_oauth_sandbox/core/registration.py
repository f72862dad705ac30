"""Registering applications and sellers: what Mercado Pago's panel does, with its checks."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, get_args

from msgspec.structs import replace

from mp_oauth_sandbox.core import shapes
from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.lifetimes import (
    ACCESS_TOKEN,
    LONGEST,
    REFRESH_TOKEN,
    CalendarMonths,
    Lifetimes,
)
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import (
    KNOWN_SCOPES,
    Application,
    ApplicationType,
    Change,
    Credential,
    CredentialKind,
    Grant,
    Link,
    Registration,
    Seller,
    View,
    Webhook,
)
from mp_oauth_sandbox.core.uris import redirect_uri_problem
from mp_oauth_sandbox.core.validity import epochs_now
from mp_oauth_sandbox.core.values import Secret, Value

#: The countries with a Mercado Pago of their own, and their site ids.
SITES = {
    "AR": "MLA",
    "BR": "MLB",
    "CL": "MLC",
    "CO": "MCO",
    "MX": "MLM",
    "PE": "MPE",
    "UY": "MLU",
}

_NICKNAME = re.compile(r"[\w .\-]{1,60}")


class InvalidInputError(ValueError):
    """Something given to the sandbox cannot be used; names the field and the remedy."""

    def __init__(self, field_name: str, problem: str) -> None:
        """`field_name` is what to change, `problem` what is wrong and what would be right."""
        super().__init__(f"{field_name}: {problem}")
        self.field = field_name
        self.problem = problem


class NewApplication(Registration, frozen=True, kw_only=True):
    """What the panel asks for; what is None is chosen by the sandbox."""

    client_id: str | None = None
    client_secret: Secret | None = None
    owner: int | None = None
    scopes: tuple[str, ...] | None = None


class NewSeller(Value, frozen=True, kw_only=True):
    """A test account to create; `country` is one of SITES."""

    country: str = "AR"
    nickname: str | None = None
    user_id: int | None = None
    collaborator_of: int | None = None
    platform: bool = False


def check_application(wanted: NewApplication, profile: Profile) -> None:
    """Raise InvalidInputError for the first field that cannot be used."""
    if not 1 <= len(wanted.name.strip()) <= 200 or not wanted.name.isprintable():
        raise InvalidInputError("name", "must have 1 to 200 visible characters")
    if not wanted.redirect_uris:
        raise InvalidInputError("redirect_uris", "must list at least one redirect URI")
    for index, uri in enumerate(wanted.redirect_uris):
        problem = redirect_uri_problem(uri, profile)
        if problem is not None:
            raise InvalidInputError(f"redirect_uris[{index}]", problem)
    if wanted.client_id is not None and not shapes.is_client_id(wanted.client_id):
        raise InvalidInputError("client_id", "must be 1 to 20 decimal digits")
    if wanted.client_secret is not None and not shapes.is_client_secret(wanted.client_secret):
        raise InvalidInputError("client_secret", "must be 1 to 256 printable ASCII characters")
    if wanted.application_type not in get_args(ApplicationType):
        known = ", ".join(get_args(ApplicationType))
        raise InvalidInputError("application_type", f"must be one of {known}")
    for name in ("authorization_code", "access_token", "refresh_token", "client_credentials_token"):
        _check_lifetime(name, getattr(wanted.lifetimes, name))
    unknown = sorted(set(wanted.scopes or ()) - KNOWN_SCOPES)
    if unknown:
        known = ", ".join(sorted(KNOWN_SCOPES))
        raise InvalidInputError("scopes", f"{unknown[0]!r} is not a scope; known are {known}")


def _check_lifetime(name: str, lifetime: timedelta | CalendarMonths) -> None:
    if isinstance(lifetime, CalendarMonths):
        fits = 0 <= lifetime.months <= 1200
    else:
        fits = timedelta() <= lifetime <= LONGEST
    if not fits:
        raise InvalidInputError(f"lifetimes.{name}", "must be between 0 and 100 years")


def register_application(
    view: View, wanted: NewApplication, *, owner: int, now: datetime, fresh: Fresh, profile: Profile
) -> tuple[Change, Application]:
    """Decide one registration: the application, its owner's link and the platform's token.

    Raises InvalidInputError when the client id is taken or the owner does not exist.
    """
    client_id = wanted.client_id or fresh.client_id()
    if view.application is not None:
        raise InvalidInputError("client_id", f"{client_id} is already registered; choose another")
    seller = view.seller
    if seller is None:
        raise InvalidInputError("owner", f"there is no seller {owner}; create it first")
    live_key, test_key = fresh.public_keys()
    link = Link(client_id=client_id, user_id=owner, live_key=live_key, test_key=test_key)
    said: dict[str, Any] = {name: getattr(wanted, name) for name in Registration.__struct_fields__}
    said["lifetimes"] = _lifetimes(wanted, profile)
    said["webhook"] = saved_webhook(wanted.webhook, fresh=lambda: fresh, profile=profile)
    application = Application(
        **said,
        client_id=client_id,
        client_secret=wanted.client_secret or fresh.client_secret(),
        owner=owner,
        access_token=fresh.access_token(client_id, owner, now, live_mode=True, profile=profile),
        public_key=shapes.PUBLIC_KEY.format(prefix=shapes.LIVE, uuid=live_key),
        scopes=tuple(
            sorted(set(profile.default_scopes if wanted.scopes is None else wanted.scopes))
        ),
    )
    grant = Grant(
        grant_id=fresh.grant_id(),
        client_id=client_id,
        user_id=owner,
        scopes=application.scopes,
        epochs=epochs_now(application, seller, link),
        generation=1,
    )
    token = Credential(
        secret=application.access_token,
        kind=CredentialKind.ACCESS_TOKEN,
        grant_id=grant.grant_id,
        generation=1,
        issued_at=now,
        expires_at=None,
    )
    return Change(put=(application, link, grant, token)), application


def saved_webhook(
    wanted: Webhook | None, *, fresh: Callable[[], Fresh], profile: Profile
) -> Webhook | None:
    """A webhook as saving it leaves it. Source: see `Profile.webhook_save`."""
    if wanted is None or profile.webhook_save == "keeps_secret":
        return wanted
    return replace(wanted, secret=fresh().webhook_secret())


def _lifetimes(wanted: NewApplication, profile: Profile) -> Lifetimes:
    half_year = profile.refresh_token_lifetime == "6 months"  # noqa: S105 - a duration
    if half_year or wanted.lifetimes.refresh_token is not REFRESH_TOKEN:
        return wanted.lifetimes
    return replace(wanted.lifetimes, refresh_token=ACCESS_TOKEN)


def check_seller(wanted: NewSeller) -> None:
    """Raise InvalidInputError for the first field that cannot be used."""
    if wanted.country not in SITES:
        raise InvalidInputError(
            "country", f"{wanted.country[:20]!r} is not one of {', '.join(SITES)}"
        )
    if wanted.nickname is not None and (
        not wanted.nickname.strip() or not _NICKNAME.fullmatch(wanted.nickname)
    ):
        raise InvalidInputError("nickname", "must be 1 to 60 letters, digits, spaces, _ . or -")
    if wanted.user_id is not None and wanted.user_id not in shapes.USER_IDS:
        raise InvalidInputError("user_id", "must be a positive integer below 2^63")


def create_seller(
    view: View, wanted: NewSeller, *, user_id: int, now: datetime
) -> tuple[Change, Seller]:
    """Decide one new test account. Raises InvalidInputError when the user id is taken."""
    if view.seller is not None:
        raise InvalidInputError("user_id", f"{user_id} already exists; choose another")
    seller = Seller(
        user_id=user_id,
        nickname=wanted.nickname or f"TESTUSER{user_id}",
        country=wanted.country,
        registered_at=now,
        collaborator_of=wanted.collaborator_of,
        platform=wanted.platform,
    )
    return Change(put=(seller,)), seller
