"""One delivery of one notification: what exactly is sent, and what its faults make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from msgspec.structs import replace

from mp_oauth_sandbox.core.notify import answer_within, signed_id
from mp_oauth_sandbox.core.reception import GENUINE, Flaws, Reception
from mp_oauth_sandbox.core.records import Application, Notification, Webhook
from mp_oauth_sandbox.core.targets import target_problem
from mp_oauth_sandbox.core.validity import span
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.faults.webhook import WebhookFault, WebhookHow
from mp_oauth_sandbox.webhooks.request import Signing, request, timestamp
from mp_oauth_sandbox.webhooks.sending import Receipt, send


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One attempt, ready to be sent. Nothing in it changes while it waits for its answer."""

    notification: Notification
    retry: int
    request_id: str | None
    url: str
    payload: bytes = field(repr=False)
    within: timedelta
    faults: tuple[WebhookFault, ...]
    flaws: Flaws = GENUINE

    @property
    def address(self) -> str:
        """The URL without its query."""
        return urlunsplit(urlsplit(self.url)._replace(query=""))

    @property
    def described(self) -> str:
        """What the journal calls it: the address, and the action."""
        return f"POST {self.address} {self.notification.action}"


def plan(
    engine: Engine, notification: Notification, webhook: Webhook, faults: Sequence[WebhookFault]
) -> Plan:
    """What the next attempt at this notification sends; its `ts` is the instant it was due."""
    hows: dict[WebhookHow, WebhookFault] = {fault.how: fault for fault in faults}
    profile, retry = engine.profile, notification.attempts
    about = f"webhook {notification.notification_id} {retry}"
    request_id: str | None = engine.mint.request_id_of(about)
    secret: str | None = webhook.secret
    told, at = notification, notification.due_at
    if "old-timestamp" in hows:
        at -= timedelta(seconds=hows["old-timestamp"].seconds)
    if "other-application" in hows:
        other = _another(engine, notification.client_id, webhook.secret)
        secret = other.webhook.secret if other and other.webhook else f"another {secret}"
        told = _about_a_stranger(notification, UUID(request_id).int)
    if "wrong-secret" in hows:
        secret = f"wrong {secret}"
    if "unsigned" in hows:
        secret = None
    if "without-request-id" in hows:
        request_id = None
    within = answer_within(retry, profile)
    signing = Signing(secret=secret, request_id=request_id, ts=timestamp(at, profile.webhook_ts))
    return Plan(
        notification=notification,
        retry=retry,
        request_id=request_id,
        url=webhook.url,
        payload=request(
            told,
            webhook.url,
            signing,
            retry=retry,
            answer_within=within,
            signed_id=signed_id(told.data_id, profile),
        ),
        within=within,
        faults=tuple(faults),
        flaws=_flaws(hows, stranger=told.user_id),
    )


async def deliver(ready: Plan, allowed: frozenset[str]) -> Receipt:
    """Send it, unless its target has become one that may not be sent to."""
    problem = target_problem(ready.url, allowed)
    if problem is not None:
        return Receipt(status=0, failure=Reception.RECEIVER_NOT_ALLOWED, problem=problem)
    return await send(urlsplit(ready.url), ready.payload, within=ready.within)


def _about_a_stranger(notification: Notification, number: int) -> Notification:
    user_id = 100_000_000 + number % 3_500_000_000
    by_seller = notification.data_id == str(notification.user_id)
    data_id = str(user_id) if by_seller else notification.data_id
    return replace(notification, user_id=user_id, data_id=data_id)


def _another(engine: Engine, client_id: str, secret: str) -> Application | None:
    """An application, not this one, whose webhook has a secret, and not the same."""
    for one in engine.store.page(Application, limit=500):
        if one.client_id != client_id and one.webhook and one.webhook.secret != secret:
            return one
    return None


def _flaws(hows: Mapping[WebhookHow, WebhookFault], *, stranger: int) -> Flaws:
    """What the faults made wrong with what is sent, for people."""
    signature = user = timestamp = request_id = ""
    if "unsigned" in hows:
        signature = "it had no x-signature"
    elif "wrong-secret" in hows:
        signature = "it was signed with a secret that is not this application's"
    elif "other-application" in hows:
        signature = "it was signed with the secret of another application"
    if "other-application" in hows:
        user = f"it told of seller {stranger}, whom this application never linked"
    if "old-timestamp" in hows:
        timestamp = (
            f"its ts lay {span(timedelta(seconds=hows['old-timestamp'].seconds))} in the past"
        )
    if "without-request-id" in hows:
        request_id = "It had no x-request-id, so that pair is not in what is signed."
    return Flaws(signature=signature, user=user, timestamp=timestamp, request_id=request_id)
