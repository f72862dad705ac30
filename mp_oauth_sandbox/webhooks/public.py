"""`sandbox.webhooks`: what a test sees of notifications, and does with them."""

import asyncio
import re
import warnings
from concurrent.futures import Future

from msgspec.structs import replace

from mp_oauth_sandbox.core.notify import notice
from mp_oauth_sandbox.core.reception import Reception
from mp_oauth_sandbox.core.records import (
    Application,
    Change,
    Keys,
    Notification,
    NotificationStatus,
    Seller,
    View,
    WebhookAction,
)
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.webhooks.delivery import Deliverer
from mp_oauth_sandbox.webhooks.mishaps import FaultsOf, armed

_PAGE = 500
_DATA_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")


_SLOW = (
    "answer at once and do the work afterwards, or settle again with a longer timeout (the clock"
    " has moved already); and a receiver that a test serves on its own event loop can answer only"
    " while nothing blocks that loop"
)
_BLOCKED = (
    "settle() blocked the event loop of its thread, and a receiver that this loop serves could not"
    " answer meanwhile: `await sandbox.webhooks.asettle()` instead, or"
    " `await asyncio.to_thread(sandbox.webhooks.settle)`; a receiver elsewhere took too long"
)


class NotSettledError(TimeoutError):
    """Notifications are still due or in flight; the message names the first of them."""


class Webhooks:
    """The notifications of one sandbox. No public constructor: use `sandbox.webhooks`.

    Every method may be called from any thread.
    """

    def __init__(self, engine: Engine, *, faults: FaultsOf | None = None) -> None:
        """Deliver this engine's notifications from here on.

        `faults` is asked once for each attempt, on a background thread, what goes wrong with it;
        without it, the engine's armed faults.
        """
        self._engine = engine
        self._deliverer = Deliverer(engine, faults or armed(engine.faults))

    def start(self) -> None:
        """Take up what an earlier run over the same data left pending, if anything."""
        self._deliverer.wake()

    def list(
        self,
        *,
        client_id: str | None = None,
        status: NotificationStatus | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> "list[Notification]":
        """The notifications of an application, or in a state, oldest first.

        All that wait are there, and of those that no longer do the last 1,000 to end; or at most
        `limit` of those that follow the one with the number `after`.
        """
        found: list[Notification] = []
        place = str(after or "")
        while limit is None or len(found) < limit:
            page = self._engine.store.page(Notification, after=place, limit=_PAGE)
            if not page:
                break
            found += (
                one
                for one in page
                if client_id in {None, one.client_id} and status in {None, one.status}
            )
            place = str(page[-1].notification_id)
        return found[:limit]

    def resend(self, notification_id: int) -> Notification:
        """Deliver a notification now, whatever became of it before; its number stays the same.

        Raises InvalidInputError if there is no such notification.
        """
        now = self._engine.clock()

        def decide(view: View) -> tuple[Change, Notification]:
            if view.notification is None:
                raise InvalidInputError(
                    "notification_id", f"there is no notification {notification_id}"
                )
            again = replace(view.notification, status="pending", due_at=now)
            return Change(put=(again,)), again

        return self._engine.transact(Keys(notification_id=notification_id), decide, now=now)

    def simulate(
        self,
        application: Application | str,
        seller: Seller | int,
        *,
        action: WebhookAction = "application.authorized",
        data_id: str | None = None,
    ) -> Notification:
        """Send a notification out of the blue, signed correctly; nothing else changes.

        Args:
            application: The application or its client id; its webhook must be on.
            seller: The seller or their user id; they need not be linked.
            action: What the notification says has happened.
            data_id: Its `data.id`, such as the "ORD01JQ4S4KY8HWQ6" of an order; without it,
                what the profile says.

        Raises:
            InvalidInputError: There is no such application or seller, or no webhook; or `data_id`
                is not 1 to 64 letters, digits, - and _.
        """
        if data_id is not None and not _DATA_ID.fullmatch(data_id):
            raise InvalidInputError("data_id", "must be 1 to 64 letters, digits, - and _")
        client_id = application if isinstance(application, str) else application.client_id
        user_id = seller if isinstance(seller, int) else seller.user_id
        engine = self._engine
        now, fresh = engine.clock(), engine.mint()

        def decide(view: View) -> tuple[Change, Notification]:
            if view.application is None:
                raise InvalidInputError("client_id", f"there is no application {client_id[:40]}")
            if view.seller is None:
                raise InvalidInputError("user_id", f"there is no seller {user_id}")
            told = notice(
                view.application,
                user_id,
                action,
                now=now,
                fresh=fresh,
                profile=engine.profile,
                data_id=data_id,
            )
            if told is None:
                raise InvalidInputError(
                    "client_id",
                    f"{client_id} has no webhook that is on; set its url and secret first",
                )
            return Change(put=(told,)), told

        return engine.transact(Keys(client_id=client_id, user_id=user_id), decide, now=now)

    def settle(self, timeout: float = 5.0) -> None:
        """Wait until nothing is due at the virtual now, and nothing in flight.

        In a coroutine await `asettle`: this call blocks the event loop of its thread, and a
        receiver that the same loop serves cannot answer meanwhile. When that may have been why
        there was no answer, the error says so, or a RuntimeWarning if all is settled by now.

        Args:
            timeout: How long at most, in seconds of real time.

        Raises:
            NotSettledError: It took longer; a TimeoutError.
        """
        blocks_a_loop, before = _in_event_loop(), self._engine.journal.newest
        done = self._deliverer.settled()
        try:
            done.result(timeout)
        except TimeoutError as error:
            done.cancel()
            if not self._deliverer.at_rest():
                remedy = _BLOCKED if blocks_a_loop else _SLOW
                raise self._not_settled(timeout, remedy) from error
        if blocks_a_loop and self._unanswered_since(before):
            told = "a notification got no answer"
            warnings.warn(f"{told}; {_BLOCKED}", RuntimeWarning, stacklevel=2)

    async def asettle(self, timeout: float = 5.0) -> None:
        """`settle` for a coroutine: its event loop goes on, with all that it serves.

        Args:
            timeout: How long at most, in seconds of real time.

        Raises:
            NotSettledError: It took longer; a TimeoutError.
        """
        done: Future[None] = self._deliverer.settled()
        try:
            async with asyncio.timeout(timeout):
                await asyncio.wrap_future(done)
        except TimeoutError as error:
            if not self._deliverer.at_rest():
                raise self._not_settled(timeout, _SLOW) from error

    def close(self) -> None:
        """Cut off what is in flight and end the thread; what is pending stays in the store."""
        self._deliverer.close()

    def _unanswered_since(self, number: int) -> bool:
        entries = self._engine.journal.entries(after=number)
        return any(entry.reception is Reception.RECEIVER_SILENT for entry in entries)

    def _not_settled(self, timeout: float, remedy: str) -> NotSettledError:
        first = self._engine.store.next_notification()
        text = f"webhooks did not settle within {timeout:g} s"
        if first is None:
            return NotSettledError(f"{text}; {remedy}")
        attempts = f"attempt {first.attempts + 1}"
        application = self._engine.store.read(Keys(client_id=first.client_id)).application
        webhook = application.webhook if application else None
        where = f" to {webhook.url.partition('?')[0]}" if webhook else ""
        return NotSettledError(
            f"{text}: {attempts} of notification {first.notification_id} ({first.action}){where} is"
            f" not answered yet; {remedy}"
        )


def _in_event_loop() -> bool:
    """Whether this thread runs an event loop, which waits for whatever waits here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
