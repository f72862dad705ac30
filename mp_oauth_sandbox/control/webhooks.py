"""Notifications to applications' webhooks: listed, sent again, made up, awaited."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from mp_oauth_sandbox.control.types import PAGE_LIMIT, Call, Count, Done, Limit
from mp_oauth_sandbox.core.records import Attempt, Notification, NotificationStatus, WebhookAction
from mp_oauth_sandbox.journal.entries import moment


class AttemptOut(Struct):
    """One delivery: when it was due, its number from 0, the status (0: no answer), in words."""

    at: str
    retry: int
    status: int
    outcome: str

    @classmethod
    def of(cls, attempt: Attempt) -> "AttemptOut":
        """How the control API shows it."""
        return cls(
            at=moment(attempt.at),
            retry=attempt.retry,
            status=attempt.status,
            outcome=attempt.outcome,
        )


class NotificationOut(Struct):
    """A notification: `attempts` counts deliveries, `latest` are the last ten of them."""

    id: int
    client_id: str
    user_id: int
    action: WebhookAction
    data_id: str
    live_mode: bool
    status: NotificationStatus
    created_at: str
    due_at: str
    attempts: int
    latest: list[AttemptOut]

    @classmethod
    def of(cls, one: Notification) -> "NotificationOut":
        """How the control API shows it."""
        own: dict[str, Any] = {
            "id": one.notification_id,
            "created_at": moment(one.created_at),
            "due_at": moment(one.due_at),
            "latest": [AttemptOut.of(attempt) for attempt in one.latest],
        }
        same = {n: getattr(one, n) for n in cls.__struct_fields__ if n not in own}
        return cls(**own, **same)


class NotificationsOut(Struct):
    """Notifications, oldest first.

    `next` is what to give as `after` for those that follow, None where there are no more.
    """

    notifications: list[NotificationOut]
    next: int | None


class NotificationsWanted(Struct, forbid_unknown_fields=True):
    """Which notifications: an application's, in a status, with a higher number than `after`."""

    client_id: str | None = None
    status: NotificationStatus | None = None
    after: Count = 0
    limit: Limit = PAGE_LIMIT


class NotificationWanted(Struct, forbid_unknown_fields=True):
    """Which notification, by its number."""

    id: Count


class SimulateIn(Struct, forbid_unknown_fields=True):
    """Which application to notify of which seller, as if something had happened.

    `data_id` is what the notification names in place of what the profile says.
    """

    client_id: str
    user_id: int
    action: WebhookAction = "application.authorized"
    data_id: str | None = None


class SettleIn(Struct, forbid_unknown_fields=True):
    """How long to wait at most, in seconds of real time."""

    timeout: Annotated[float, Meta(ge=0, le=60)] = 5.0


LIST = Call(
    "webhooks",
    "GET",
    "/webhooks",
    "The notifications: ?client_id=...&status=pending",
    NotificationsWanted,
    NotificationsOut,
)
RESEND = Call(
    "resend_webhook",
    "POST",
    "/webhooks/{id}/resend",
    "Deliver a notification now, whatever became of it before",
    NotificationWanted,
    NotificationOut,
)
SIMULATE = Call(
    "simulate_webhook",
    "POST",
    "/webhooks/simulate",
    "Send a notification out of the blue, signed correctly",
    SimulateIn,
    NotificationOut,
    status=201,
)
SETTLE = Call(
    "settle_webhooks",
    "POST",
    "/webhooks/settle",
    "Wait until no notification is due or in flight",
    SettleIn,
    Done,
    waits=True,
)

CALLS = (LIST, RESEND, SIMULATE, SETTLE)
