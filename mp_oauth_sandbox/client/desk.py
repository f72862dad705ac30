"""What every flow works with: settings, stores, a clock, and how things are asked and told."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final, cast

from .errors import NotSavedError
from .records import Link
from .settings import Settings
from .steps import Answer, Call, Failure, Flow, P, Request, Sleep, T
from .stores import PendingStore, TokenStore

Now = Callable[[], datetime]
Observer = Callable[[str, dict[str, object]], None]

#: The real time.
now_utc: Final = partial(datetime.now, UTC)
_LOG: Final = logging.getLogger("mercadopago.linking")
_UNSENT_PAUSES: Final = (0.2, 0.8, 0.0)
_SAVE_PAUSES: Final = (0.05, 0.2, 1.0, 0.0)


class Desk:
    """See above; nothing here links anybody."""

    def __init__(
        self,
        settings: Settings,
        links: TokenStore,
        pending: PendingStore,
        *,
        now: Now = now_utc,
        observe: Observer | None = None,
    ) -> None:
        """`now` is your clock (aware); `observe` hears every event, for metrics."""
        self.settings, self.links, self.pending = settings, links, pending
        # Within one zone Python counts by the wall clock, an hour off where summer time begins.
        self.now: Now = lambda: now().astimezone(UTC)
        self._observe = observe
        #: Pairs that the store did not keep, by account, with the token that each replaces.
        self._unsaved: dict[str, tuple[str | None, Link]] = {}

    def _send(self, request: Request) -> Flow[Answer]:
        """Send it; again only if not a byte of it can have left."""
        answer: Answer = Failure(problem="unsent", sent=False)
        for pause in _UNSENT_PAUSES:
            try:
                answer = yield request
            except Exception as error:  # noqa: BLE001 - whatever a `send` of yours raises
                return Failure(problem=type(error).__name__)
            if not isinstance(answer, Failure) or answer.sent:
                break
            yield Sleep(pause)
        return answer

    def _ask(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Flow[T]:
        blocking = getattr(getattr(function, "__self__", None), "blocking", True)
        return cast("T", (yield Call(partial(function, *args, **kwargs), blocking)))

    def _patiently(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Flow[T]:
        """A call of the store, again and again for a while. Raises NotSavedError."""
        for pause in _SAVE_PAUSES:
            try:
                return (yield from self._ask(function, *args, **kwargs))
            except Exception as error:  # noqa: BLE001 - whatever a store raises
                self._warn("store_failed", None, problem=type(error).__name__)
            yield Sleep(pause)
        raise NotSavedError("the store does not keep the tokens that were received")

    def _tell(
        self, event: str, link: Link | None, *, level: int = logging.INFO, **facts: object
    ) -> None:
        if link is not None:
            facts = {"account": link.account, "seller_id": link.seller_id, **facts}
        _LOG.log(level, "%s %s", event, facts, extra={"event": event})
        if self._observe is not None:
            try:
                self._observe(event, facts)
            except Exception:  # noqa: BLE001 - logged, and no concern of whoever links
                _LOG.exception("observer_failed")

    def _warn(self, event: str, link: Link | None, **facts: object) -> None:
        self._tell(event, link, level=logging.WARNING, **facts)
