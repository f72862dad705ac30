"""One exchange as it is told to the journal, as that keeps it, and the text that explains it."""

from dataclasses import Field
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, get_args

from msgspec import Struct, field

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import NOBODY, Refused, Whose
from mp_oauth_sandbox.core.reception import Judgement, Reception
from mp_oauth_sandbox.core.values import DataclassFields

Kind = Literal["authorization", "token", "resource", "control", "webhook"]
KINDS: tuple[Kind, ...] = get_args(Kind)

GrantType = Literal["authorization_code", "refresh_token", "client_credentials"]

#: What became of an answer when it was written. `delivered`: all of it was, to an open
#: connection; `cut_off`: the connection ended in the midst of it; `disconnected`: before the first
#: byte; `dropped`: a fault hung up.
Delivery = Literal["pending", "delivered", "cut_off", "disconnected", "dropped"]

#: The words for an answer that was not heard, or not whole, and what each means.
UNHEARD = {
    "cut_off": "the connection ended in the middle of the answer",
    "disconnected": "the client had gone before the answer was sent",
    "dropped": "a fault hung up instead of answering",
}

#: Who may have said yes for a seller who was not asked, by the fact that names them.
_UNASKED = {
    "consent_mode": "the consent mode",
    "browser_session": "this browser's own consent",
    "earlier_consent": "an earlier consent",
}


class Arrival(Struct, eq=False, gc=False):
    """A request that came, and is not over. `number` is that of its arrival, see `Entry`.

    `request` is method and path, masked, as an entry has them; `entry` is what the journal has
    of it since it was decided.
    """

    number: int
    request: str
    entry: "Entry | None" = None


class Happened(Struct, kw_only=True, eq=False, gc=False):
    """All that one exchange has to say, as whoever took part in it knows it.

    Nothing in it need be fit to be shown: that is seen to where it is written down. `status` 0
    means that nobody answered, `judged` is what a delivery tells of the receiver of a
    notification, `error` is the word that the answer told, and `faults` are
    those that touched it, as they are to be read: "f1 lose-response (1st match)". Without an
    `arrival` it came about by itself, in the moment in which it is told; `at` is the instant of
    the decision (virtual), that of the telling without one.
    """

    kind: Kind
    request: str
    status: int = 0
    outcome: str = ""
    at: datetime | None = None
    refused: Refused | None = None
    judged: Judgement | None = None
    error: str | None = None
    grant_type: str | None = None
    whose: Whose = NOBODY
    facts: dict[str, str] = field(default_factory=dict[str, str])
    faults: tuple[str, ...] = ()
    delivery: Delivery = "pending"
    arrival: Arrival | None = None

    # Whole secrets may be in it.
    __repr__ = object.__repr__


class Entry(Struct, kw_only=True, gc=False):
    """One exchange. All of it but `delivery` and `ended` is fixed when it is recorded.

    `at` is the server's virtual time (UTC), `request` the method and path, `outcome` a few
    words, `line` these in one line, `facts` what else is known (redirect_uri, state and
    credentials by short id; ages in seconds). On a refusal `error` is the word that is really
    on the wire, before any fault garbled it (`error_page` stands for the authorization
    endpoint's page, which has none), and `cause` the true one, with explanation, remedy and
    source. A notification that its receiver did not confirm, or should not have, has a
    `reception` and the same three. A `status` of 0 means that nobody answered. `faults` names
    the faults that touched the exchange.

    `arrived`, `decided` and `ended` are numbers of one counter that only goes up, whatever the
    clock does and a gate holds: of two entries they tell which was there first, was decided
    first and was answered first. `ended` is None while the answer is on its way. `seq` follows
    the order of `decided`, without gaps.

    `client_id`, `user_id` and `grant` say whose the request was, as far as it can be told: who
    it was granted to, else by the credential in it.
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
    grant: str | None = None
    error: str | None = None
    cause: Cause | None = None
    reception: Reception | None = None
    explanation: str | None = None
    remedy: str | None = None
    source: str | None = None
    facts: dict[str, str] = field(default_factory=dict[str, str])
    delivery: Delivery = "pending"
    faults: tuple[str, ...] = ()
    arrived: int = 0
    decided: int = 0
    ended: int | None = None

    @property
    def why(self) -> Cause | Reception | None:
        """The word for why it came out so: the cause of a refusal, or the reception."""
        return self.cause or self.reception

    __dataclass_fields__: "ClassVar[dict[str, Field[Any]]]" = DataclassFields()  # type: ignore[assignment]

    @property
    def carried(self) -> dict[str, str]:
        """The labels of the credentials in the request, by what they are."""
        names = ("code", "refresh_token", "access_token")
        at_consent = self.kind == "authorization"
        return {} if at_consent else {n: self.facts[n] for n in names if n in self.facts}

    @property
    def got(self) -> dict[str, str]:
        """The labels of the credentials that were issued, by what they are."""
        if self.kind == "authorization":
            return {"code": self.facts["code"]} if "code" in self.facts else {}
        issued = {n: f"issued_{n}" for n in ("access_token", "refresh_token")}
        return {n: self.facts[fact] for n, fact in issued.items() if fact in self.facts}

    def explain(self) -> str:
        """The entry for people: its line, and why it came out so, what to do and who says so.

        The same text in `serve`, in the control API (`explain`), in `str()` and in `repr()`.
        """
        # Whose a refused credential is was not part of the answer.
        answered = self.cause is None or self.kind == "authorization"
        seller = f"  seller {self.user_id}" if answered and self.user_id is not None else ""
        by = _UNASKED.get(self.facts.get("answered_by", "")) if self.cause is None else None
        said = f"  by {by}" if by is not None else ""
        text = f"{self.at.time().isoformat('seconds')} {self.line}{seller}{said}"
        if self.why is not None:
            why = (self.explanation or "").replace("\n", "\n     ")
            text += f"\n  why: {self.why}. {why}\n  do:  {self.remedy}\n  see: {self.source}"
        # Of a notification the line says already that nobody answered.
        if self.delivery in UNHEARD and self.kind != "webhook":
            text += f"\n  not heard: {UNHEARD[self.delivery]}"
        return text

    def __str__(self) -> str:
        return self.explain()

    def __repr__(self) -> str:
        return self.explain()


def moment(at: datetime) -> str:
    """An instant as the journal writes it: UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
