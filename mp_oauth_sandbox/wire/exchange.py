"""What a fault wraps: a request on its way to a decision, and the reply on its way back."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, Self, TypeVar

from msgspec.structs import replace

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


class Meeting:
    """One request that a fault is for: whether the fault has done its work on it."""

    __slots__ = ("_count", "_over", "met", "said")

    def __init__(self, said: str, count: Callable[[bool], None]) -> None:
        """`said` describes it for the journal; `count` hears once whether the work was done."""
        self.said = said
        self.met = False
        self._over = False
        self._count = count

    def meet(self) -> None:
        """The fault has done its work."""
        if not self._over:
            self.met = self._over = True
            self._count(True)

    def end(self) -> None:
        """Nothing more comes of it: unless it has done its work, the fault did none."""
        if not self._over:
            self._over = True
            self._count(False)


class Effect(Value, frozen=True, kw_only=True):
    """What one fault does to the answer on its way; `Reply` says what the words mean."""

    by: Meeting
    change: Callable[[Answer], Answer] | None = None
    delay: timedelta = timedelta()
    drip: timedelta = timedelta()
    dropped: bool = False


class Reply(Value, Generic[Outcome], frozen=True, kw_only=True):
    """What was decided of a request and when, whose it was, and how the client is to hear of it.

    `outcome` is None when a fault hung up before anything was decided, `at` the instant of the
    decision (virtual, UTC). `delay` is waited before the head of the answer, `drip` is the time
    its body takes, and `dropped` means that the connection is closed in its stead (real time):
    what all `effects` amount to, innermost first. `meetings` are those of the faults that the
    request is for, and `faults`, once it is settled, describe those that did their work.
    """

    outcome: Outcome | Refused | None
    at: datetime | None = None
    whose: Whose = NOBODY
    delay: timedelta = timedelta()
    drip: timedelta = timedelta()
    dropped: bool = False
    effects: tuple[Effect, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    faults: tuple[str, ...] = ()

    def touched(self, effect: Effect) -> Self:
        """The same reply, on which one more fault has laid hands."""
        return replace(
            self,
            delay=self.delay + effect.delay,
            drip=effect.drip or self.drip,
            dropped=self.dropped or effect.dropped,
            effects=(*self.effects, effect),
        )

    def settled(self, answer: Answer) -> tuple[Self, Answer]:
        """The answer as the faults have it, and the reply that knows which of them did their work.

        A fault did, if all would be heard otherwise without it. Of two that do the same it is the
        outer one.
        """
        heard = _heard(answer, self.effects)
        needed = list(self.effects)
        for effect in self.effects:
            rest = [one for one in needed if one is not effect]
            # Whoever has acted otherwise too, and so has done its work already, stays.
            if not effect.by.met and _heard(answer, rest) == heard:
                needed = rest
        for effect in needed:
            effect.by.meet()
        self.abandon()
        faults = tuple(meeting.said for meeting in self.meetings if meeting.met)
        return replace(self, faults=faults), _changed(answer, self.effects)

    def abandon(self) -> None:
        """No answer will be made of it: what has not done its work yet never does."""
        for meeting in self.meetings:
            meeting.end()


def _changed(answer: Answer, effects: Iterable[Effect]) -> Answer:
    for effect in effects:
        if effect.change is not None:
            answer = effect.change(answer)
    return answer


def _heard(answer: Answer, effects: Iterable[Effect]) -> tuple[object, ...]:
    """All that a client would notice of these effects."""
    delay, drip = timedelta(), timedelta()
    for effect in effects:
        delay += effect.delay
        drip = effect.drip or drip
    if any(effect.dropped for effect in effects):
        return (delay,)
    answer = _changed(answer, effects)
    return delay, answer, drip if answer.body else timedelta()


Serve = Callable[[Asked], Awaitable[Reply[Any]]]
Wrapper = Callable[[Serve, Meeting], Serve]
