"""What a fault wraps: a request on its way to a decision, and the reply on its way back."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from mp_oauth_sandbox.core.messages import NOBODY, Refused, Whose
from mp_oauth_sandbox.core.paths import Endpoint
from mp_oauth_sandbox.core.values import Value

Outcome = TypeVar("Outcome", covariant=True)


class Answer(Value, frozen=True):
    """What goes on the wire: status, body and further headers (names in lower case)."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Asked(Value, frozen=True, kw_only=True):
    """One request, as far as faults tell requests apart.

    `request` is method and path, as they came. At the authorization endpoint only what sends the
    browser back counts: an approval or a denial. `webhook` is the other direction: a notification.
    """

    endpoint: Endpoint
    request: str
    grant_type: str | None = None
    client_id: str | None = None
    user_id: int | None = None


class Reply(Value, Generic[Outcome], frozen=True, kw_only=True):
    """What was decided of a request and when, whose it was, and how the client is to hear of it.

    `outcome` is None when a fault hung up before anything was decided, `at` the instant of the
    decision (virtual, UTC). `changes` are made to the answer in order, `delay` is waited before
    its head, `drip` is the time its body takes, and `dropped` means that the connection is
    closed in its stead (real time).
    """

    outcome: Outcome | Refused | None
    at: datetime | None = None
    whose: Whose = NOBODY
    changes: tuple[Callable[[Answer], Answer], ...] = ()
    delay: timedelta = timedelta()
    drip: timedelta = timedelta()
    dropped: bool = False
    faults: tuple[str, ...] = ()

    def changed(self, answer: Answer) -> Answer:
        """The answer as the faults have it."""
        for change in self.changes:
            answer = change(answer)
        return answer


Serve = Callable[[Asked], Awaitable[Reply[Any]]]
Wrapper = Callable[[Serve], Serve]
