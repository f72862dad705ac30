"""From a reply to a response of the API: rendered, written down, delivered."""

from dataclasses import dataclass, field

from starlette.requests import Request

from mp_oauth_sandbox import wire
from mp_oauth_sandbox.core.messages import Refused, Whose
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.faults import Answer, Reply
from mp_oauth_sandbox.journal import Happened, Kind
from mp_oauth_sandbox.journal.entries import NOBODY
from mp_oauth_sandbox.web.arrivals import arrival_of
from mp_oauth_sandbox.web.bodies import JSON_HEADERS, request_line
from mp_oauth_sandbox.web.delivery import JournaledResponse

#: Stands in the journal for what a fault has kept from being decided.
UNDECIDED = Answer(0, b"", {})


@dataclass(slots=True, kw_only=True, eq=False)
class About:
    """What the journal may know of a request beside its answer."""

    kind: Kind
    grant_type: str | None = None
    whose: Whose = NOBODY
    facts: dict[str, str] = field(default_factory=dict[str, str])


class Answering:
    """Finishes the API's requests: one place for headers, faults' changes and the journal."""

    def __init__(self, engine: Engine) -> None:
        """Write into this engine's journal."""
        self._engine = engine

    def success(
        self, request: Request, reply: Reply, answer: Answer, about: About, outcome: str
    ) -> JournaledResponse:
        """An answer to a request that was granted; `outcome` is what the journal calls it."""
        return self._finish(request, reply, answer, about, outcome)

    def otherwise(self, request: Request, reply: Reply, about: About) -> JournaledResponse:
        """The answer to a refusal, or none where a fault hung up before a decision."""
        refused = reply.outcome
        if refused is None:
            said = "dropped before anything was decided"
            return self._finish(request, reply, UNDECIDED, about, said)
        if not isinstance(refused, Refused):
            raise TypeError(f"no answer to {type(refused).__name__}")
        answer, error = wire.render_refusal(refused, self._engine.profile)
        return self._finish(request, reply, answer, about, "refused", refused, error)

    def _finish(
        self,
        request: Request,
        reply: Reply,
        answer: Answer,
        about: About,
        outcome: str,
        refused: Refused | None = None,
        error: str | None = None,
    ) -> JournaledResponse:
        engine = self._engine
        headers = {**JSON_HEADERS, "x-request-id": engine.mint.request_id(), **answer.headers}
        answer = Answer(answer.status, answer.body, headers)
        for change in reply.changes:
            answer = change(answer)
        entry = engine.journal.record(
            Happened(
                kind=about.kind,
                request=request_line(request),
                status=answer.status,
                outcome=outcome,
                refused=refused,
                error=error,
                grant_type=about.grant_type,
                whose=about.whose,
                facts=about.facts,
                faults=reply.faults,
                arrival=arrival_of(request),
            )
        )
        return JournaledResponse(answer, journal=engine.journal, entry=entry, reply=reply)
