"""What is kept: links and pending authorizations; and how linking ends."""

import json
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar, Literal, TypeVar, cast

from .errors import text_for_seller

Status = Literal["linked", "renewing", "needs_relink", "unlinked"]
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One account of yours and the seller it is linked to. Instants are aware, in UTC.

    `generation` is raised by every change. `state_hash` is that of the linking which made it.
    `renew_at` is when to renew, None if there is nothing to renew with; `retry_at` holds
    renewals back after a failure; `leased_until` says that a worker is at it; `after_refusal`
    that a 401 asked for this token.
    """

    account: str
    generation: int
    seller_id: int
    linked_at: datetime
    state_hash: str | None = None
    status: Status = "unlinked"
    issued_at: datetime = _LONG_AGO
    expires_at: datetime = _LONG_AGO
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    renew_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    live_mode: bool | None = None
    public_key: str | None = None
    leased_until: datetime | None = None
    retry_at: datetime | None = None
    failures: int = 0
    after_refusal: bool = False
    reason: str | None = None

    @property
    def key(self) -> str:
        """What a store keeps it under."""
        return self.account

    @property
    def due_at(self) -> datetime | None:
        """When to renew it, None for never; not while a worker is at it."""
        renew_at = self.renew_at
        return renew_at and max(renew_at, self.retry_at or renew_at, self.leased_until or renew_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A linking that was begun. `owner` is a hash of the account and its browser's binding.

    `callback` is the hash of the one callback that spent the state, `ended` how that ended.
    """

    state_hash: str
    generation: int = 1
    owner: str
    expires_at: datetime
    verifier: str | None = field(default=None, repr=False)
    callback: str | None = None
    leased_until: datetime | None = None
    ended: str | None = None
    seller_id: ClassVar[None] = None

    @property
    def due_at(self) -> datetime | None:
        """When it expires: stores find both kinds of records by this and the seller."""
        return self.expires_at

    @property
    def key(self) -> str:
        """What a store keeps it under."""
        return self.state_hash


class Reason(StrEnum):
    """Why a callback linked nobody."""

    DENIED = "denied"
    STATE_UNKNOWN = "state_unknown"
    STATE_EXPIRED = "state_expired"
    STATE_SPENT = "state_spent"
    OTHER_SESSION = "other_session"
    CODE_MISSING = "code_missing"
    PROVIDER_ERROR = "provider_error"  # an `error` other than access_denied
    CODE_REFUSED = "code_refused"
    COMMIT_UNKNOWN = "commit_unknown"  # the exchange may or may not have taken effect
    UNAVAILABLE = "unavailable"  # it has not
    BAD_ANSWER = "bad_answer"
    MISCONFIGURED = "misconfigured"  # yours to mend: see the log
    SELLER_TAKEN = "seller_taken"
    NOT_SAVED = "not_saved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """The account is linked. Show the seller `link.seller_id`, whose account it really is.

    `previous_seller_id` is the other seller whom it was linked to until now, if any.
    """

    reason: ClassVar[str] = "linked"
    link: Link
    previous_seller_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLinked:
    """This callback linked nobody; an earlier link of the account is as it was."""

    reason: Reason

    def for_seller(self, language: str = "en") -> str:
        """What to tell the seller, in es, pt or en."""
        return text_for_seller(self.reason, language)


Outcome = Linked | NotLinked
R = TypeVar("R", Link, Pending)


def dump(record: Link | Pending) -> str:
    """A record as JSON text, for stores. It holds secrets."""
    values = {one.name: getattr(record, one.name) for one in fields(record)}
    return json.dumps(values, default=datetime.isoformat)


def load(kind: type[R], text: str) -> R:
    """A record from its JSON text; what only a later version knows is dropped."""
    known = {one.name for one in fields(kind)}
    values = {name: value for name, value in json.loads(text).items() if name in known}
    for name, value in values.items():
        if isinstance(value, str) and name.endswith(("_at", "_until")):
            values[name] = datetime.fromisoformat(value)
        elif isinstance(value, list):
            values[name] = tuple(cast("list[object]", value))
    return kind(**values)
