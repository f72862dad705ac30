"""Clients that are broken on purpose, each in one way: what the machine must catch."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from mp_oauth_sandbox.client import (
    Failure,
    Flows,
    Link,
    LinkingError,
    Pending,
    PendingStore,
    Request,
    Response,
    TokenStore,
)
from mp_oauth_sandbox.webhooks.request import Signing, signature

from .machine import LIES
from .machine_flights import Client, Flow, Get, use
from .machine_world import WEBHOOK_SECRET

YEARS = timedelta(days=3650)
Change = Callable[[Any], Any]


@dataclass(frozen=True)
class Broken:
    """A client, and the property that it breaks."""

    number: str
    name: str
    client: Client
    mishap: str = ""

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


# ---- ways to break ----


def altered(flow: Flow, *, sent: Change = lambda step: step, came: Change = lambda it: it) -> Flow:
    """A flow whose steps, and what comes of them, are changed on the way."""
    value: Any = None
    failed: Exception | None = None
    while True:
        try:
            step = flow.send(value) if failed is None else flow.throw(failed)
        except StopIteration as end:
            return end.value
        failed = None
        try:
            value = came((yield sent(step)))
        except Exception as error:  # noqa: BLE001 - as it would have been without us
            failed = error


class Links:
    """A store that passes everything on, to be changed by those below."""

    blocking = False

    def __init__(self, links: TokenStore) -> None:
        self.links = links

    def get(self, key: str, /) -> Link | None:
        link = self.links.get(key)
        return None if link is None else self.read(link)

    def replace(self, record: Link, /, *, expected: int) -> bool:
        return self.links.replace(self.written(record), expected=expected)

    def of_seller(self, seller_id: int, /) -> Sequence[Link]:
        return self.links.of_seller(seller_id)

    def due(self, now: datetime, limit: int) -> Sequence[Link]:
        return self.links.due(now, limit)

    def read(self, link: Link) -> Link:
        return link

    def written(self, link: Link) -> Link:
        return link


class Pendings:
    """The same for what was begun."""

    blocking = False

    def __init__(self, pending: PendingStore) -> None:
        self.pending = pending

    def get(self, key: str, /) -> Pending | None:
        pending = self.pending.get(key)
        return None if pending is None else self.read(pending)

    def replace(self, record: Pending, /, *, expected: int) -> bool:
        return self.pending.replace(record, expected=expected)

    def purge(self, before: datetime, /) -> None:
        self.pending.purge(before)

    def read(self, pending: Pending) -> Pending:
        return pending


def refusal(status: int = 400, error: str = "invalid_grant") -> Response:
    return Response(status=status, headers={}, body=json.dumps({"error": error}).encode())


def is_refusal(came: object) -> bool:
    return isinstance(came, Response) and came.status == 400 and b"invalid_grant" in came.body


def without(came: object, name: str) -> object:
    """An answer without one of its fields."""
    if not isinstance(came, Response) or came.status != 200:
        return came
    try:
        fields = json.loads(came.body)
    except ValueError:
        return came
    fields.pop(name, None)
    return replace(came, body=json.dumps(fields).encode())


# ---- callbacks ----


class IgnoresTheBinding(Flows):
    def callback(self, query: Any, *, account: str, binding: str | None) -> Any:
        own = self._at_once(super().start(account, binding=binding or "x" * 32))

        def as_own(came: Any) -> Any:
            return replace(came, owner=own) if isinstance(came, Pending) else came

        return altered(
            super().callback(query, account=account, binding=binding or "x" * 32), came=as_own
        )

    def _at_once(self, flow: Flow) -> str:
        """Whom a linking that begins now would belong to; it is not kept."""
        step = next(flow)
        while not (step.make.args and isinstance(step.make.args[0], Pending)):
            step = flow.send(None)
        return step.make.args[0].owner


class NeverSpendsAState(Pendings):
    def replace(self, record: Pending, /, *, expected: int) -> bool:
        return True if expected else super().replace(record, expected=expected)


class StatesLiveForEver(Pendings):
    def read(self, pending: Pending) -> Pending:
        return replace(pending, expires_at=pending.expires_at + YEARS)


class StatesDieEarly(Pendings):
    def read(self, pending: Pending) -> Pending:
        return replace(pending, expires_at=pending.expires_at - timedelta(minutes=9, seconds=50))


class ForgetsHowItEnded(Pendings):
    def read(self, pending: Pending) -> Pending:
        ended = "state_spent" if pending.ended == "linked" else pending.ended
        return replace(pending, ended=ended)


class OneVerifierForAll(Pendings):
    newest: str | None = None

    def replace(self, record: Pending, /, *, expected: int) -> bool:
        OneVerifierForAll.newest = record.verifier or OneVerifierForAll.newest
        return super().replace(record, expected=expected)

    def read(self, pending: Pending) -> Pending:
        verifier = None if pending.verifier is None else OneVerifierForAll.newest
        return replace(pending, verifier=verifier)


class SendsNoVerifier(Flows):
    def callback(self, query: Any, *, account: str, binding: str | None) -> Any:
        def bare(step: Any) -> Any:
            if not isinstance(step, Request):
                return step
            fields = json.loads(step.body)
            fields.pop("code_verifier", None)
            return replace(step, body=json.dumps(fields).encode())

        return altered(super().callback(query, account=account, binding=binding), sent=bare)


class TriesACodeAgain(Flows):
    """As the retries of several SDKs do."""

    def _send(self, request: Request) -> Any:
        answer = yield from super()._send(request)
        if isinstance(answer, Failure) and b"authorization_code" in request.body:
            answer = yield from super()._send(request)
        return answer


class LinksTheLastAccount(Links):
    """One global record of who is linking."""

    def replace(self, record: Link, /, *, expected: int) -> bool:
        fresh = record.status == "linked" and record.issued_at == record.linked_at
        if not fresh or record.account == "A":
            return super().replace(record, expected=expected)
        current = self.links.get("A")
        generation = current.generation if current else 0
        moved = replace(record, account="A", generation=generation + 1)
        return self.links.replace(moved, expected=generation)


# ---- expiry, and use ----


class IgnoresExpiry(Links):
    def read(self, link: Link) -> Link:
        renew_at = None if link.renew_at is None else link.renew_at + YEARS
        return replace(link, expires_at=link.expires_at + YEARS, renew_at=renew_at)


class AssumesHalfAYear(Links):
    def written(self, link: Link) -> Link:
        return replace(link, expires_at=link.issued_at + timedelta(days=180))


def use_expired(flows: Flows, account: str) -> Flow:
    """After a failed renewal the old token has to do."""
    try:
        return (yield from use(flows, account))
    except LinkingError:
        link = flows.links.get(account)
        if link is None or link.access_token is None:
            raise
        return (yield Get(link.access_token))


def use_another(flows: Flows, account: str) -> Flow:
    """Where there is no link, the other account's has to do."""
    try:
        return (yield from use(flows, account))
    except LinkingError:
        return (yield from use(flows, "B" if account == "A" else "A"))


def use_own_token(flows: Flows, account: str) -> Flow:
    """Where there is no link, the application's own token has to do."""
    try:
        return (yield from use(flows, account))
    except LinkingError:
        return (yield Get(flows.settings.client_secret))


def use_stubbornly(flows: Flows, account: str) -> Flow:
    """After each 401 once more."""
    link = yield from flows.access(account)
    status = 401
    for _ in range(4):
        status = yield Get(link.access_token or "")
        if status != 401:
            break
        link = yield from flows.access(account, refused=link.access_token)
    return status


def use_crudely(flows: Flows, account: str) -> Flow:
    """Nobody thought of an account that is not linked."""
    link = flows.links.get(account)
    assert link is not None or account == "B"
    return (yield Get(link.access_token.strip()))  # pyright: ignore[reportOptionalMemberAccess]


class ForgetsWhoAsked(Links):
    def written(self, link: Link) -> Link:
        return replace(link, after_refusal=False)


# ---- renewing ----


class IgnoresLeases(Links):
    def read(self, link: Link) -> Link:
        return replace(link, leased_until=None)


class SwapsWithoutComparing(Links):
    def replace(self, record: Link, /, *, expected: int) -> bool:
        current = self.links.get(record.account)
        generation = current.generation if current else 0
        kept = replace(record, generation=generation + 1)
        return self.links.replace(kept, expected=generation)


class RenewsWhatOthersRenew(Links):
    """What is leased stays due."""

    def due(self, now: datetime, limit: int) -> Sequence[Link]:
        links = [self.links.get(account) for account in "AB"]
        return [one for one in links if one and one.renew_at and one.renew_at <= now]

    def read(self, link: Link) -> Link:
        return replace(link, leased_until=None) if link.status == "renewing" else link


class KeepsTheFirstRefreshToken(Links):
    """Rotation is not heard of."""

    def written(self, link: Link) -> Link:
        old = self.links.get(link.account)
        if old is None or old.linked_at != link.linked_at or link.refresh_token is None:
            return link
        return replace(link, refresh_token=old.refresh_token or link.refresh_token)


class LosesOnAnyFailure(Flows):
    def _send(self, request: Request) -> Any:
        answer = yield from super()._send(request)
        failed = isinstance(answer, Failure) or answer.status >= 429
        return refusal() if failed and b"refresh_token" in request.body else answer


class LosesOnAWrongSecret(Flows):
    def _send(self, request: Request) -> Any:
        answer = yield from super()._send(request)
        refused = isinstance(answer, Response) and b"invalid_client" in answer.body
        return refusal() if refused and b"refresh_token" in request.body else answer


class NeverGivesUp(Flows):
    """Whatever is refused may be better later."""

    def _send(self, request: Request) -> Any:
        answer = yield from super()._send(request)
        return refusal(503, "later") if is_refusal(answer) else answer


class TriesARefusedTokenAgain(Flows):
    def _send(self, request: Request) -> Any:
        answer = yield from super()._send(request)
        if is_refusal(answer) and b"refresh_token" in request.body:
            answer = yield from super()._send(request)
        return answer


class SaysLinked(Flows):
    def status(self, account: str) -> Any:
        yield from super().status(account)
        return "linked"


class BelievesAnySeller(Flows):
    def _send(self, request: Request) -> Any:
        answer = yield from super()._send(request)
        return without(answer, "user_id") if b"refresh_token" in request.body else answer


class ForgetsTheRefreshToken(Links):
    """An answer without one has none."""

    def written(self, link: Link) -> Link:
        old = self.links.get(link.account)
        same = old is not None and old.refresh_token == link.refresh_token
        renewed = old is not None and old.status == "renewing" and link.status == "linked"
        if old is None or not (same and renewed) or old.access_token == link.access_token:
            return link
        return replace(link, refresh_token=None, renew_at=None)


# ---- ends ----


class UnlinksNobody(Flows):
    def unlink(self, account: str) -> Any:
        yield from super().status(account)
        return True


class Resurrects(SwapsWithoutComparing):
    """A renewal reads from a copy that is late, and writes over what has ended."""

    copies: dict[str, Link]

    def __init__(self, links: TokenStore) -> None:
        super().__init__(links)
        self.copies = {}

    def get(self, key: str, /) -> Link | None:
        link = super().get(key)
        copy = self.copies.get(key)
        if link is not None and link.status == "unlinked" and copy is not None:
            return copy
        return link

    def written(self, link: Link) -> Link:
        return link

    def replace(self, record: Link, /, *, expected: int) -> bool:
        if record.status == "renewing":
            self.copies[record.account] = record
        return super().replace(record, expected=expected)


class BelievesOldEvents(Flows):
    def notified(self, query: Any, headers: Any, body: bytes) -> Any:
        fields = json.loads(body) | {"date_created": self.now().isoformat()}
        return super().notified(query, headers, json.dumps(fields).encode())


class BelievesAnybody(Flows):
    def notified(self, query: Any, headers: Any, body: bytes) -> Any:
        data_id = json.loads(body)["data"]["id"]
        signing = Signing(secret=WEBHOOK_SECRET, request_id=None, ts=int(self.now().timestamp()))
        signed = {"x-signature": signature(signing, data_id=data_id) or ""}
        return super().notified(query, signed, body)


class HearsNoEvents(Flows):
    def notified(self, query: Any, headers: Any, body: bytes) -> Any:
        yield from super().status("A")


def broken(number: str, name: str, mishap: str = "", **client: Any) -> Broken:
    return Broken(number, name, Client(**client), mishap)


BROKEN: Sequence[Broken] = (
    broken("P1", "ignores the binding", flows=IgnoresTheBinding),
    broken("P2", "never spends a state", pending=NeverSpendsAState),
    broken("P2", "tries a code again", "lost after", flows=TriesACodeAgain),
    broken("P5", "states live for ever", pending=StatesLiveForEver),
    broken("P5", "states die early", pending=StatesDieEarly),
    broken("P6", "ignores the binding", flows=IgnoresTheBinding),
    broken("P7", "links the last account", links=LinksTheLastAccount),
    broken("P11", "forgets how it ended", pending=ForgetsHowItEnded),
    broken("P13", "sends no verifier", flows=SendsNoVerifier),
    broken("P14", "ignores expiry", links=IgnoresExpiry),
    broken("P14", "uses an expired token", "503", use=use_expired),
    broken("P15", "assumes half a year", links=AssumesHalfAYear),
    broken("P19", "uses its own token", use=use_own_token),
    broken("P19", "fails crudely", use=use_crudely),
    broken("P20", "retries stubbornly", LIES, use=use_stubbornly),
    broken("P20", "forgets who asked", LIES, links=ForgetsWhoAsked),
    broken("P22", "ignores leases", links=IgnoresLeases),
    broken("P22", "swaps without comparing", links=SwapsWithoutComparing),
    broken("P22", "renews what others renew", links=RenewsWhatOthersRenew),
    broken("P23", "keeps the first refresh token", links=KeepsTheFirstRefreshToken),
    broken("P24", "loses on any failure", "503", flows=LosesOnAnyFailure),
    broken("P24", "loses on a wrong secret", "invalid_client", flows=LosesOnAWrongSecret),
    broken("P24", "never gives up", flows=NeverGivesUp),
    broken("P25", "says linked", flows=SaysLinked),
    broken("P25", "loses on any failure", "lost before", flows=LosesOnAnyFailure),
    broken("P26", "never gives up", "lost after", flows=NeverGivesUp),
    broken("P26", "tries a refused token again", "lost after", flows=TriesARefusedTokenAgain),
    broken("P27", "believes any seller", "another user", flows=BelievesAnySeller),
    broken("P27", "forgets the refresh token", "no refresh token", links=ForgetsTheRefreshToken),
    broken("P28", "uses another account's link", use=use_another),
    broken("P29", "unlinks nobody", flows=UnlinksNobody),
    broken("P29", "resurrects", links=Resurrects),
    broken("P29", "believes old events", flows=BelievesOldEvents),
    broken("P29", "believes anybody", flows=BelievesAnybody),
    broken("P29", "hears no events", flows=HearsNoEvents),
)
