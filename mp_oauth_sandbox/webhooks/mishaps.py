"""Which faults befall which delivery, and which notifications they hold back."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from mp_oauth_sandbox.core.records import Notification
from mp_oauth_sandbox.faults import Asked, Faults, WebhookFault
from mp_oauth_sandbox.faults.webhook import hides

FaultsOf = Callable[[Notification], Sequence[WebhookFault]]

#: How long `out-of-order` waits for a notification that overtakes; our own number.
HELD_BACK = timedelta(hours=1)

_logger = logging.getLogger("mp_oauth_sandbox")


def armed(faults: Faults) -> FaultsOf:
    """What the armed faults do to a notification. They meet it once, at its first attempt."""

    def of(notification: Notification) -> Sequence[WebhookFault]:
        if notification.attempts:
            return ()
        asked = Asked(
            endpoint="webhook",
            request=f"POST {notification.action}",
            client_id=notification.client_id,
            user_id=notification.user_id,
        )
        met = [one.fault for one, _ in faults.meeting(asked, hides=hides)]
        return [fault for fault in met if isinstance(fault, WebhookFault)]

    return of


class Mishaps:
    """Asks for the faults of each attempt once, and remembers them until it is made."""

    def __init__(self, faults: FaultsOf) -> None:
        """`faults` is asked on the background thread; when it raises, nothing goes wrong."""
        self._faults = faults
        self._asked: dict[int, tuple[WebhookFault, ...]] = {}
        self._delayed: set[int] = set()
        self._held: dict[int, str] = {}

    def of(self, notification: Notification) -> tuple[WebhookFault, ...]:
        """The faults of this notification's next attempt."""
        number = notification.notification_id
        if number not in self._asked:
            try:
                self._asked[number] = tuple(self._faults(notification))
            except Exception:
                _logger.exception("The faults of notification %d could not be had", number)
                self._asked[number] = ()
        return self._asked[number]

    def delay(self, notification: Notification) -> timedelta:
        """For how long its next attempt is put off; only the first time there is anything."""
        number = notification.notification_id
        if number in self._delayed:
            return timedelta()
        self._delayed.add(number)
        delay = timedelta()
        for fault in self.of(notification):
            if fault.how == "late":
                delay += timedelta(seconds=fault.seconds)
            elif fault.how == "out-of-order":
                self._held[number] = notification.client_id
                delay += HELD_BACK
        return delay

    def overtaken_by(self, notification: Notification) -> list[int]:
        """The notifications that were held back until this one was accepted."""
        client_id = notification.client_id
        free = [number for number, held in self._held.items() if held == client_id]
        for number in free:
            del self._held[number]
        return free

    def done(self, notification: Notification) -> None:
        """The attempt was made."""
        number = notification.notification_id
        self._asked.pop(number, None)
        self._delayed.discard(number)
        self._held.pop(number, None)

    def clear(self) -> None:
        """Forget everything that was asked."""
        self._asked.clear()
        self._delayed.clear()
        self._held.clear()
