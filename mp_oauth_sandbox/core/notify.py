"""Notifications to an application's webhook: which there are, and when each is sent again.

Source: Mercado Pago, "Configure optional notifications" (2026), topic mp-connect.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import (
    Application,
    Attempt,
    Notification,
    WebhookAction,
)
from mp_oauth_sandbox.core.validity import span

#: The statuses that confirm a notification: Mercado Pago's pages of 2022 and 2026.
ACCEPTED = (200, 201)

#: How many attempts a notification remembers; our own number.
ATTEMPTS_KEPT = 10

_FIRST_ANSWER = timedelta(seconds=22)
_LATER_ANSWER = timedelta(seconds=5)

_QUARTER = timedelta(minutes=15)
_LONGEST_INTERVAL = timedelta(days=4)
# By then the doubled interval is long past the limit, and would soon leave the calendar.
_DOUBLINGS = 16

#: The plans that come to an end, by their names in `Profile.webhook_retries`.
_PLANS = {
    "2022": (
        timedelta(minutes=5),
        timedelta(minutes=45),
        timedelta(hours=6),
        timedelta(days=2),
        timedelta(days=4),
    ),
    "24 hours": tuple(_QUARTER * quarters for quarters in (1, 2, 4, 8, 16, 32, 33)),
}


def notice(
    application: Application,
    user_id: int,
    action: WebhookAction,
    *,
    now: datetime,
    fresh: Fresh,
    profile: Profile,
    live_mode: bool = True,
    data_id: str | None = None,
) -> Notification | None:
    """A notification about this seller, due at once; None without a webhook that is on.

    `data_id` is what it names in place of what the profile says.
    """
    if application.webhook is None or not application.webhook.enabled:
        return None
    if data_id is None:
        by_seller = profile.webhook_data_id == "user_id"
        data_id = str(user_id) if by_seller else application.client_id
    return Notification(
        notification_id=fresh.notification_id(),
        client_id=application.client_id,
        user_id=user_id,
        action=action,
        data_id=data_id,
        live_mode=live_mode,
        created_at=now,
        due_at=now,
    )


def authorized(
    application: Application,
    user_id: int,
    moment: Literal["exchange", "consent"],
    *,
    now: datetime,
    fresh: Fresh,
    profile: Profile,
    live_mode: bool = True,
) -> tuple[Notification, ...]:
    """`application.authorized`, if this is the moment for it and somebody listens.

    `live_mode` is that of the tokens; at the consent, when there are none yet, it is true.
    """
    if profile.webhook_authorized_at != moment:
        return ()
    told = notice(
        application,
        user_id,
        "application.authorized",
        now=now,
        fresh=fresh,
        profile=profile,
        live_mode=live_mode,
    )
    return () if told is None else (told,)


def retry_after(retry: int, profile: Profile) -> timedelta | None:
    """How long after the attempt before it retry number `retry` (from 1) follows; None: never.

    Source: see `Profile.webhook_retries`.
    """
    plan = _PLANS.get(profile.webhook_retries)
    if plan is not None:
        return plan[retry - 1] if retry <= len(plan) else None
    doublings = min(max(0, retry - 3), _DOUBLINGS)
    return min(_QUARTER * (1 << doublings), _LONGEST_INTERVAL)


def signed_id(data_id: str, profile: Profile) -> str:
    """A `data.id` as the signature has it. Source: see `Profile.webhook_signed_id`."""
    return data_id.lower() if profile.webhook_signed_id == "lower_case" else data_id


def answer_within(retry: int, profile: Profile) -> timedelta:
    """How long an attempt waits for its answer (real time).

    Source: 22 seconds, Mercado Pago 2026 and the official sample's X-Socket-Timeout; 5 for
    retries, Mercado Pago 2022.
    """
    later = retry > 0 and profile.webhook_retries == "2022"
    return _LATER_ANSWER if later else _FIRST_ANSWER


def after_attempt(
    notification: Notification, attempt: Attempt, *, profile: Profile
) -> Notification:
    """The notification once this came back: confirmed, due again, or given up.

    One that was confirmed stays so, whatever a further delivery comes to.
    """
    latest = (*notification.latest, attempt)[-ATTEMPTS_KEPT:]
    counted = replace(notification, attempts=attempt.retry + 1, latest=latest)
    if attempt.status in ACCEPTED or notification.status == "accepted":
        return replace(counted, status="accepted")
    wait = retry_after(counted.attempts, profile)
    if wait is None:
        return replace(counted, status="given_up")
    return replace(counted, due_at=attempt.at + wait)


def what_follows(notification: Notification, profile: Profile) -> str:
    """What Mercado Pago does next about a notification that was just attempted, in a sentence."""
    made = notification.attempts
    if notification.status == "accepted":
        return "It was confirmed before, so Mercado Pago does not send it again."
    wait = retry_after(made, profile)
    if wait is None:
        return f"Mercado Pago gives up after {made} attempts, of which this was the last."
    again = f"Mercado Pago sends it again after {span(wait)}"
    plan = _PLANS.get(profile.webhook_retries)
    if plan is not None:
        return f"{again}, and gives up after {len(plan) + 1} attempts; this was number {made}."
    return f"{again}, then at intervals that grow to {span(_LONGEST_INTERVAL)}, and never gives up."
