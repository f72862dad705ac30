"""What a test sees of notifications, and does with them."""

from http import HTTPStatus

from mp_oauth_sandbox.control import webhooks
from mp_oauth_sandbox.control.types import PAGE_LIMIT, Done
from mp_oauth_sandbox.control.webhooks import (
    NotificationOut,
    NotificationsOut,
    NotificationsWanted,
    NotificationWanted,
    SettleIn,
    SimulateIn,
)
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.web.control.operations import CallRefusedError, Operation, does
from mp_oauth_sandbox.webhooks.public import NotSettledError, Webhooks


async def settle(webhooks: Webhooks, timeout: float = 5.0) -> None:
    """Wait so long at most (real seconds). Raises CallRefusedError (504) if that is too short."""
    try:
        await webhooks.asettle(timeout)
    except NotSettledError as error:
        raise CallRefusedError(HTTPStatus.GATEWAY_TIMEOUT, str(error)) from error


class WebhookOperations:
    """The notifications of this sandbox."""

    def __init__(self, webhooks: Webhooks) -> None:
        """Work on these."""
        self._webhooks = webhooks

    def operations(self) -> tuple[Operation, ...]:
        """What does each of the calls."""
        return (
            does(webhooks.LIST, self._list),
            does(webhooks.RESEND, self._resend),
            does(webhooks.SIMULATE, self._simulate),
            does(webhooks.SETTLE, self._settle),
        )

    async def _list(self, given: NotificationsWanted) -> NotificationsOut:
        limit = min(given.limit, PAGE_LIMIT)
        found = self._webhooks.list(
            client_id=given.client_id,
            status=given.status,
            after=given.after,
            limit=limit + 1,
        )
        page = found[:limit]
        following = page[-1].notification_id if page and len(found) > limit else None
        return NotificationsOut([NotificationOut.of(one) for one in page], following)

    async def _resend(self, given: NotificationWanted) -> NotificationOut:
        try:
            return NotificationOut.of(self._webhooks.resend(given.id))
        except InvalidInputError as error:
            raise CallRefusedError(HTTPStatus.NOT_FOUND, error.problem, field="id") from error

    async def _simulate(self, given: SimulateIn) -> NotificationOut:
        told = self._webhooks.simulate(
            given.client_id, given.user_id, action=given.action, data_id=given.data_id
        )
        return NotificationOut.of(told)

    async def _settle(self, given: SettleIn) -> Done:
        await settle(self._webhooks, given.timeout)
        return Done()
