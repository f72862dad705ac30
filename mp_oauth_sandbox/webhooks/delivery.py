"""The deliverer: one background thread that sends what is due, one after the other.

Each attempt happens at the instant it was due, in virtual time; the next one is planned only
when the answer to the one before is there. So a clock that jumps by days makes a receiver see
what it would have seen in those days, in order.
"""

import asyncio
import logging
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from msgspec.structs import replace

from mp_oauth_sandbox.core.notify import ACCEPTED
from mp_oauth_sandbox.core.records import Keys, Notification, Webhook
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.faults.webhook import WebhookFault
from mp_oauth_sandbox.support.loop_thread import LoopThread
from mp_oauth_sandbox.webhooks.attempt import deliver, plan
from mp_oauth_sandbox.webhooks.ledger import Ledger
from mp_oauth_sandbox.webhooks.mishaps import FaultsOf, Mishaps
from mp_oauth_sandbox.webhooks.sending import Receipt

#: Seconds until the next try when the store failed; our own number.
_AFTER_A_FAILURE = 5.0

#: Seconds of sleep at most, so that no timer is set for years.
_LONGEST_SLEEP = 3600.0

_logger = logging.getLogger("mp_oauth_sandbox")


class Deliverer:
    """Sends pending notifications. Its thread starts with the first of them, and not before."""

    def __init__(self, engine: Engine, faults: FaultsOf) -> None:
        """Deliver for this engine what it tells of."""
        self._engine = engine
        self._ledger = Ledger(engine)
        self._mishaps = Mishaps(faults)
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None
        self._closed = False
        self._signal = asyncio.Event()
        self._resets = 0
        self._settling: list[Future[None]] = []
        self._at_work = False
        self._worker: Future[None] | None = None
        # With the number of resets before it.
        self._in_flight: tuple[asyncio.Task[Receipt], int] | None = None
        engine.employ(self)

    # ---- called from any thread ----

    def wake(self) -> None:
        """Look for what is due; the thread starts if there is anything pending at all.

        It never raises: whoever calls has done their own work, and must be able to say so.
        """
        with self._lock:
            if self._closed:
                return
            try:
                self._start_or_signal()
            except Exception:
                _logger.exception("Webhook notifications wait: their thread cannot be started")

    def _start_or_signal(self) -> None:
        if self._thread is None:
            if self._engine.store.next_notification() is None:
                return
            self._thread = LoopThread(name="mp-oauth-sandbox webhooks")
            self._worker = asyncio.run_coroutine_threadsafe(self._work(), self._thread.loop)
        self._thread.loop.call_soon_threadsafe(self._signal.set)

    def settled(self) -> Future[None]:
        """Done as soon as nothing is due at the virtual now and nothing in flight."""
        future: Future[None] = Future()
        with self._lock:
            if self._thread is None:
                future.set_result(None)
            else:
                self._settling.append(future)
                self._thread.loop.call_soon_threadsafe(self._signal.set)
        return future

    def at_rest(self) -> bool:
        """Whether nothing is due at the virtual now and nothing in flight, without waiting."""
        # The store first: what is no longer due there may still be delivered once more.
        found = self._engine.store.next_notification()
        return self._until(found) != 0 and not self._at_work

    @contextmanager
    def dropping(self) -> Generator[None]:
        """Around a reset: nothing of before is recorded afterwards, what is in flight is cut off.

        See `engine.Deliverer`.
        """
        with self._ledger.dropping():
            yield
            # Not before: a reset that fails leaves everything as it was.
            self._resets += 1
            self._mishaps.clear()
        with self._lock:
            if self._thread is not None:
                self._thread.loop.call_soon_threadsafe(self._cut_off)
                self._thread.loop.call_soon_threadsafe(self._signal.set)

    def close(self) -> None:
        """Cut off what is in flight and end the thread; what is pending stays in the store."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()
        self._release(self._settling)

    # ---- on the background thread ----

    async def _work(self) -> None:
        while True:
            self._signal.clear()
            settling, resets = tuple(self._settling), self._resets
            try:
                found = self._engine.store.next_notification()
                wait = self._until(found)
                if found is not None and wait == 0:
                    # Until then it is due in the store; see `at_rest`.
                    self._at_work = True
                    try:
                        await self._handle(found, resets)
                    finally:
                        self._at_work = False
                    continue
                self._release(settling)
            except Exception:
                _logger.exception("Webhook notifications are held up by a failure")
                wait = _AFTER_A_FAILURE
            try:
                async with asyncio.timeout(wait):
                    await self._signal.wait()
            except TimeoutError:
                pass

    def _until(self, found: Notification | None) -> float | None:
        """Seconds until it is due, 0 if it is; None if only a signal can change that."""
        if found is None:
            return None
        clock = self._engine.clock
        left = (found.due_at - clock()).total_seconds()
        if left <= 0:
            return 0
        return None if clock.frozen else min(left, _LONGEST_SLEEP)

    async def _handle(self, found: Notification, resets: int) -> None:
        """Make the attempt that is due, or find out that there is none to be made."""
        keys = Keys(notification_id=found.notification_id)
        application = self._engine.store.read(keys).application
        webhook = application.webhook if application else None
        if webhook is None or not webhook.enabled:
            self._ledger.ended(found, "given_up", "given up: there is no webhook any more")
            self._mishaps.done(found)
            return
        faults = self._mishaps.of(found)
        hows = {fault.how for fault in faults}
        if "lost" in hows:
            labels = tuple(fault.label for fault in faults)
            self._ledger.ended(found, "lost", "never sent: lost, by a fault", faults=labels)
            self._mishaps.done(found)
            return
        if delay := self._mishaps.delay(found):
            self._ledger.put_off(found.notification_id, found.due_at + delay)
            return
        accepted = await self._attempt(found, webhook, faults, resets)
        self._mishaps.done(found)
        if accepted:
            if "duplicate" in hows:
                again = replace(found, attempts=found.attempts + 1)
                await self._attempt(again, webhook, faults, resets)
            for number in self._mishaps.overtaken_by(found):
                self._ledger.put_off(number, found.due_at)

    async def _attempt(
        self,
        found: Notification,
        webhook: Webhook,
        faults: Sequence[WebhookFault],
        resets: int,
    ) -> bool:
        """Send, wait for the answer and record it; whether it was accepted."""
        ready = plan(self._engine, found, webhook, faults)
        journal = self._engine.journal
        begun = journal.arrive("POST", ready.address)
        sending = asyncio.ensure_future(deliver(ready, self._engine.webhook_hosts))
        self._in_flight = sending, resets
        self._cut_off()
        try:
            answer = await sending
        except asyncio.CancelledError:
            # Either a reset cut off this attempt alone, or the whole thread ends.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return False
        finally:
            self._in_flight = None
            journal.leave(begun)
        self._ledger.attempted(ready, answer, begun=begun)
        return answer.status in ACCEPTED

    def _cut_off(self) -> None:
        """Cancel what is in flight if it was found before the last reset."""
        if self._in_flight is not None:
            sending, resets = self._in_flight
            if resets != self._resets:
                sending.cancel()

    def _release(self, settling: Sequence[Future[None]]) -> None:
        for future in tuple(settling):
            self._settling.remove(future)
            if future.set_running_or_notify_cancel():
                future.set_result(None)
