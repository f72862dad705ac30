"""The control API's operations on webhook notifications."""

from http import HTTPStatus
from typing import Annotated, get_args

from msgspec import Meta, Struct
from starlette.requests import Request

from mp_oauth_sandbox.control.types import Done
from mp_oauth_sandbox.core.records import (
    Attempt,
    Notification,
    NotificationStatus,
    WebhookAction,
)
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.journal import moment
from mp_oauth_sandbox.web.bodies import BodyLimits
from mp_oauth_sandbox.web.control.inputs import CallRefusedError, read_json
from mp_oauth_sandbox.web.control.openapi import WORD, Call
from mp_oauth_sandbox.webhooks.public import NotSettledError, Webhooks

_STATUSES: dict[str, NotificationStatus] = {one: one for one in get_args(NotificationStatus)}


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
        return cls(
            id=one.notification_id,
            client_id=one.client_id,
            user_id=one.user_id,
            action=one.action,
            data_id=one.data_id,
            live_mode=one.live_mode,
            status=one.status,
            created_at=moment(one.created_at),
            due_at=moment(one.due_at),
            attempts=one.attempts,
            latest=[AttemptOut.of(attempt) for attempt in one.latest],
        )


class NotificationsOut(Struct):
    """Notifications, oldest first."""

    notifications: list[NotificationOut]


class SimulateIn(Struct, forbid_unknown_fields=True):
    """Which application to notify of which seller, as if something had happened."""

    client_id: str
    user_id: int
    action: WebhookAction = "application.authorized"


class SettleIn(Struct, forbid_unknown_fields=True):
    """How long to wait at most, in seconds of real time."""

    timeout: Annotated[float, Meta(ge=0, le=60)] = 5.0


class WebhookOperations:
    """What a test sees of notifications, and does with them."""

    def __init__(self, webhooks: Webhooks, limits: BodyLimits) -> None:
        """Work on these."""
        self._webhooks = webhooks
        self._limits = limits

    def table(self) -> tuple[Call, ...]:
        """These calls."""
        one, many = NotificationOut, NotificationsOut
        return (
            Call(
                "GET",
                "/webhooks",
                self.webhooks,
                gives=many,
                query={"client_id": WORD, "status": WORD},
            ),
            Call("POST", "/webhooks/{id}/resend", self.resend_webhook, gives=one),
            Call(
                "POST",
                "/webhooks/simulate",
                self.simulate_webhook,
                takes=SimulateIn,
                gives=one,
                status=201,
            ),
            Call("POST", "/webhooks/settle", self.settle_webhooks, takes=SettleIn, waits=True),
        )

    async def webhooks(self, request: Request) -> NotificationsOut:
        """The notifications: ?client_id=...&status=pending."""
        asked = request.query_params.get("status")
        status = _STATUSES.get(asked or "")
        if asked is not None and status is None:
            raise InvalidInputError("status", f"must be one of {', '.join(_STATUSES)}")
        found = self._webhooks.list(client_id=request.query_params.get("client_id"), status=status)
        return NotificationsOut(notifications=[NotificationOut.of(one) for one in found])

    async def resend_webhook(self, request: Request) -> NotificationOut:
        """Deliver a notification now, whatever became of it before."""
        asked = str(request.path_params["id"])
        try:
            number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
            return NotificationOut.of(self._webhooks.resend(number))
        except InvalidInputError as error:
            problem = f"there is no notification {asked[:40]}"
            raise CallRefusedError(HTTPStatus.NOT_FOUND, problem, field="id") from error

    async def simulate_webhook(self, request: Request) -> NotificationOut:
        """Send a notification out of the blue, signed correctly."""
        wanted = await read_json(request, SimulateIn, self._limits)
        told = self._webhooks.simulate(wanted.client_id, wanted.user_id, action=wanted.action)
        return NotificationOut.of(told)

    async def settle_webhooks(self, request: Request) -> Done:
        """Wait until no notification is due or in flight."""
        await self.settle((await read_json(request, SettleIn, self._limits)).timeout)
        return Done()

    async def settle(self, timeout: float = 5.0) -> None:
        """Wait so long at most. Raises CallRefusedError (504) if that is not enough."""
        try:
            await self._webhooks.settled(timeout)
        except NotSettledError as error:
            raise CallRefusedError(HTTPStatus.GATEWAY_TIMEOUT, str(error)) from error
