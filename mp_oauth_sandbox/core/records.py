"""What the sandbox remembers: applications, sellers, links, grants and credentials.

All records are immutable. Revocation is never decided by comparing instants: an
application, a seller and a link each carry an integer `epoch`, raised by a revocation
that concerns them, and a grant remembers the epochs at which it was issued.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from mp_oauth_sandbox.core.lifetimes import Lifetimes
from mp_oauth_sandbox.core.values import Secret, Value

#: The scopes of a present-day application: public captures of 2021, 2024, 2025 and 2026.
DEFAULT_SCOPES = ("offline_access", "payments", "read", "write")

#: Scopes that Mercado Pago knows: the documented three and `payments`, seen in captures.
KNOWN_SCOPES = frozenset(DEFAULT_SCOPES)

ApplicationStatus = Literal["active", "blocked", "deleted"]

#: What an application was made for, which decides about some resources; `any` may ask for all.
ApplicationType = Literal["any", "online"]


class Webhook(Value, frozen=True, kw_only=True):
    """Where an application wants its notifications, and the secret that signs them."""

    url: str
    secret: Secret
    enabled: bool = True


class Registration(Value, frozen=True, kw_only=True):
    """What its owner says of an application, when it is registered and in the panel later.

    `activated` is whether its production credentials are: without, no seller can connect.
    """

    name: str
    redirect_uris: tuple[str, ...]
    pkce_required: bool = False
    application_type: ApplicationType = "any"
    activated: bool = True
    lifetimes: Lifetimes = Lifetimes()
    webhook: Webhook | None = None


class Application(Registration, frozen=True, kw_only=True, tag=True):
    """A registered application (RFC 6749 section 2: the client).

    `access_token` is the owner's own production token, which Mercado Pago shows beside
    the client id and does not expire: "the platform's token". `replaced_secret` is the
    client_secret before the last rotation, kept so that its use can be explained.
    """

    client_id: str
    client_secret: Secret
    owner: int
    access_token: Secret
    public_key: str
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    status: ApplicationStatus = "active"
    epoch: int = 0
    revoked_because: str | None = None
    replaced_secret: Secret | None = None


def secrets_of(application: Application) -> dict[str, str]:
    """What of an application must not be shown, by what it is."""
    found = {"client_secret": application.client_secret}
    if application.replaced_secret:
        found["client_secret before its rotation"] = application.replaced_secret
    if application.webhook is not None:
        found["webhook secret"] = application.webhook.secret
    return found


class Seller(Value, frozen=True, kw_only=True, tag=True):
    """A Mercado Pago account (RFC 6749: the resource owner).

    `collaborator_of` is the user id of the main account when this one is only an
    operator of it; such an account cannot authorize an application. `platform` marks an
    account made only to own an application; sign-in pages do not list it.
    """

    user_id: int
    nickname: str
    country: str
    registered_at: datetime
    collaborator_of: int | None = None
    platform: bool = False
    epoch: int = 0
    revoked_because: str | None = None


class Link(Value, frozen=True, kw_only=True, tag=True):
    """One application and one seller, and what they have agreed so far.

    `newer_grants` is raised by each exchange of a code when the profile lets that displace the
    earlier refresh tokens. The two UUIDs are the seller's public keys for this
    application, live and test; they stay the same for the life of the link.
    """

    client_id: str
    user_id: int
    live_key: str
    test_key: str
    consented: bool = False
    newer_grants: int = 0
    epoch: int = 0
    revoked_because: str | None = None


class Epochs(Value, frozen=True, kw_only=True):
    """The epochs of application, seller and link at which a grant was issued."""

    application: int
    seller: int
    link: int


class Challenge(Value, frozen=True, kw_only=True):
    """A PKCE code challenge (RFC 7636 section 4.2)."""

    # With the plain method this is the verifier itself.
    value: Secret
    method: Literal["S256", "plain"]


class Grant(Value, frozen=True, kw_only=True, tag=True):
    """One approval (RFC 6749: an authorization grant), and its family of tokens.

    `generation` counts exchanges and refreshes: 0 while only the code exists.
    """

    grant_id: str
    client_id: str
    user_id: int
    scopes: tuple[str, ...]
    epochs: Epochs
    redirect_uri: str | None = None
    challenge: Challenge | None = None
    newer_grants: int = 0
    generation: int = 0
    revoked_because: str | None = None


class CredentialKind(StrEnum):
    """What a secret string is for."""

    CODE = "code"
    ACCESS_TOKEN = "access_token"  # noqa: S105 - a name, not a secret
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a name, not a secret


class Credential(Value, frozen=True, kw_only=True, tag=True):
    """A code or a token: immutable facts, and when it was spent (UTC).

    `expires_at` is None for the platform's own token, which does not expire.
    """

    secret: Secret
    kind: CredentialKind
    grant_id: str
    generation: int
    issued_at: datetime
    expires_at: datetime | None
    live_mode: bool = True
    spent_at: datetime | None = None


WebhookAction = Literal["application.authorized", "application.deauthorized"]

NotificationStatus = Literal["pending", "accepted", "given_up", "lost"]


class Attempt(Value, frozen=True, kw_only=True):
    """One delivery of a notification, and what came back.

    `at` is the instant it was due (virtual, UTC), `retry` counts from 0, `status` is that of
    the answer and 0 without one, `outcome` the same in words.
    """

    at: datetime
    retry: int
    status: int
    outcome: str


class Notification(Value, frozen=True, kw_only=True, tag=True):
    """What an application's webhook is to be told, and how far that has got.

    It is written in the same step as what it tells of, so that none is lost between the two.
    `attempts` counts deliveries made, `latest` describes the newest of them, oldest first.
    `pending` waits for `due_at`; `accepted` was answered with 200 or 201; `given_up` came to
    the end of its retry plan, or its application has no webhook any more; `lost` was never
    sent, because a fault said so.
    """

    notification_id: int
    client_id: str
    user_id: int
    action: WebhookAction
    data_id: str
    live_mode: bool
    created_at: datetime
    due_at: datetime
    attempts: int = 0
    status: NotificationStatus = "pending"
    latest: tuple[Attempt, ...] = ()


#: Each says which it is where it is written down.
Record = Application | Seller | Link | Grant | Credential | Notification


class Keys(Value, frozen=True, kw_only=True):
    """Which records a decision needs: by application, by secret, by seller.

    With a `secret` that exists, the grant, link and seller are those of that credential,
    and so is the application unless `client_id` names another. Without a secret, the link
    and seller are those of `user_id`, or else of the application's owner.

    A `notification_id` names a notification and its application, and nothing else.
    """

    client_id: str | None = None
    secret: Secret | None = None
    user_id: int | None = None
    notification_id: int | None = None


class View(Value, frozen=True, kw_only=True):
    """The records that some `Keys` name, each possibly absent.

    `issuer` is the application the credential was issued to; it is the same as
    `application` except when somebody presents another application's credential.
    """

    application: Application | None = None
    credential: Credential | None = None
    grant: Grant | None = None
    issuer: Application | None = None
    link: Link | None = None
    seller: Seller | None = None
    notification: Notification | None = None


class Change(Value, frozen=True, kw_only=True):
    """Records to insert or replace, in one atomic step; each is found by its own key."""

    put: tuple[Record, ...] = ()


NOTHING = Change()
