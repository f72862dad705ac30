"""One exchange as the journal keeps it, and the one text that explains it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, get_args

from mp_oauth_sandbox.core.causes import Cause

Kind = Literal["authorization", "token", "resource", "control", "webhook"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: `dropped`: a fault hung up; `disconnected`: the client had gone by itself.
Delivery = Literal["pending", "delivered", "disconnected", "dropped"]

_UNHEARD = {
    "disconnected": "the client had gone before the answer was sent",
    "dropped": "a fault hung up instead of answering",
}


@dataclass(slots=True, kw_only=True, repr=False)
class Entry:
    """One exchange. All of it but `delivery` is fixed when it is recorded.

    `at` is the server's virtual time (UTC), `request` the method and path, `outcome` a few
    words, `line` these in one line, `facts` what else is known (redirect_uri, state and
    credentials by short id; ages in seconds). On a refusal `error` is the wire's word and
    `cause` the true one, with explanation, remedy and source. A `status` of 0 means that
    nobody answered. `faults` names the faults that touched the exchange.
    """

    seq: int
    at: datetime
    kind: Kind
    request: str
    status: int
    outcome: str
    line: str
    grant_type: str | None = None
    client_id: str | None = None
    user_id: int | None = None
    error: str | None = None
    cause: Cause | None = None
    explanation: str | None = None
    remedy: str | None = None
    source: str | None = None
    facts: dict[str, str] = field(default_factory=dict[str, str])
    delivery: Delivery = "pending"
    faults: tuple[str, ...] = ()

    def explain(self) -> str:
        """The entry for people: its line, and for a refusal why, what to do and who says so.

        The same text in `serve`, in the control API (`explain`), in `str()` and in `repr()`.
        """
        seller = f"  seller {self.user_id}" if self.user_id is not None else ""
        text = f"{self.at:%H:%M:%S} {self.line}{seller}"
        if self.cause is not None:
            why = (self.explanation or "").replace("\n", "\n     ")
            text += f"\n  why: {self.cause}. {why}\n  do:  {self.remedy}\n  see: {self.source}"
        if self.delivery in _UNHEARD:
            text += f"\n  not heard: {_UNHEARD[self.delivery]}"
        return text

    def __str__(self) -> str:
        return self.explain()

    def __repr__(self) -> str:
        return self.explain()


def line_of(
    *,
    kind: Kind,
    request: str,
    grant_type: str | None,
    status: int,
    outcome: str,
    error: str | None,
    faults: tuple[str, ...],
) -> str:
    """An exchange in one line: what was asked, what was answered, which faults touched it."""
    if kind == "control":
        return outcome
    asked = f"{request} {grant_type}" if grant_type else request
    answered = f"{status} {outcome}" if status else outcome
    named = f" ({error})" if error else ""
    return f"{asked} -> {answered}{named}" + "".join(f", fault {fault}" for fault in faults)


def moment(at: datetime) -> str:
    """An instant as the journal writes it: UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
