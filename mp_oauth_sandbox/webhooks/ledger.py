"""What became of each attempt: written to the store and to the journal, or dropped by a reset."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime

from msgspec.structs import replace

from mp_oauth_sandbox.core.messages import Whose
from mp_oauth_sandbox.core.notify import ACCEPTED, after_attempt, what_follows
from mp_oauth_sandbox.core.reception import Flaws, Judgement, Received, judge
from mp_oauth_sandbox.core.records import (
    NOTHING,
    Attempt,
    Change,
    Keys,
    Notification,
    NotificationStatus,
    View,
)
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.journal import Arrival, Happened, moment
from mp_oauth_sandbox.webhooks.attempt import Plan
from mp_oauth_sandbox.webhooks.sending import Receipt


class Ledger:
    """Records outcomes of notifications that are still there; a reset has left none."""

    def __init__(self, engine: Engine) -> None:
        """Record in this engine's store and journal."""
        self._engine = engine
        # Reentrant: a subscriber of the journal may reset the sandbox.
        self._lock = threading.RLock()

    @contextmanager
    def dropping(self) -> Generator[None]:
        """Inside, nothing is recorded: what the store forgets is not in the journal afterwards."""
        with self._lock:
            yield

    def attempted(self, made: Plan, answer: Receipt, *, begun: Arrival) -> None:
        """Record an attempt and what came back, and plan the next one."""
        engine, notification = self._engine, made.notification
        attempt = Attempt(
            at=notification.due_at,
            retry=made.retry,
            status=answer.status,
            outcome=_came_back(answer, made.flaws),
        )
        facts = {"due": moment(attempt.at), "retry": str(made.retry)}
        if made.request_id is not None:
            facts["request_id"] = made.request_id
        faults = tuple(fault.label for fault in made.faults)
        with self._lock:
            after = self._change(
                notification.notification_id,
                lambda current: after_attempt(current, attempt, profile=engine.profile),
            )
            if after is not None:
                received = Received(
                    action=notification.action,
                    status=answer.status,
                    failure=answer.failure,
                    problem=answer.problem,
                    follows=what_follows(after, engine.profile),
                    flaws=made.flaws,
                )
                self._note(
                    made.described,
                    notification,
                    f"{attempt.outcome}{_next_attempt(after)}",
                    facts,
                    status=answer.status,
                    judged=judge(received),
                    faults=faults,
                    arrival=begun,
                )

    def ended(
        self,
        found: Notification,
        status: NotificationStatus,
        outcome: str,
        *,
        faults: tuple[str, ...] = (),
    ) -> None:
        """Record that nothing will be sent any more, and why."""
        with self._lock:
            after = self._change(
                found.notification_id, lambda current: replace(current, status=status)
            )
            if after is not None:
                self._note(f"POST {found.action}", found, outcome, {}, faults=faults)

    def put_off(self, notification_id: int, until: datetime) -> None:
        """Let a pending notification wait for that instant."""

        def later(current: Notification) -> Notification:
            return replace(current, due_at=until) if current.status == "pending" else current

        self._change(notification_id, later)

    def _change(
        self, notification_id: int, change: Callable[[Notification], Notification]
    ) -> Notification | None:
        def decide(view: View) -> tuple[Change, Notification | None]:
            if view.notification is None:
                return NOTHING, None
            changed = change(view.notification)
            return Change(put=(changed,)), changed

        # Not by the engine, which would wake who is at work on it.
        _, changed = self._engine.store.transact(
            Keys(notification_id=notification_id), decide, now=self._engine.clock()
        )
        return changed

    def _note(
        self,
        what: str,
        about: Notification,
        outcome: str,
        facts: dict[str, str],
        *,
        status: int = 0,
        judged: Judgement | None = None,
        faults: tuple[str, ...] = (),
        arrival: Arrival | None = None,
    ) -> None:
        self._engine.journal.record(
            Happened(
                kind="webhook",
                request=what,
                status=status,
                outcome=outcome,
                judged=judged,
                whose=Whose(client_id=about.client_id, user_id=about.user_id),
                facts={"notification": str(about.notification_id), **facts},
                faults=faults,
                delivery="delivered" if status else "disconnected",
                arrival=arrival,
            )
        )


def _came_back(answer: Receipt, flaws: Flaws) -> str:
    if answer.status in ACCEPTED:
        although = "forged" if flaws.signature else "old" if flaws.timestamp else ""
        return f"accepted, although {although}" if although else "accepted"
    if answer.status:
        return f"not accepted: {answer.status}"
    return f"no answer: {answer.problem}"


def _next_attempt(after: Notification) -> str:
    match after.status:
        case "pending":
            return f", next attempt {moment(after.due_at)}"
        case "given_up":
            return ", given up"
        case _:
            return ""
