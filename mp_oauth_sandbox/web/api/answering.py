"""From what was decided to what is sent and what is written down, once for every way in."""

from typing import Any

from mp_oauth_sandbox import wire
from mp_oauth_sandbox.core.messages import (
    RedeemCode,
    Refresh,
    Refused,
    TokenRequest,
    TokensIssued,
)
from mp_oauth_sandbox.engine.engine import Engine, grant_type_of
from mp_oauth_sandbox.faults import Answer, Reply
from mp_oauth_sandbox.journal import Arrival, Entry, Happened
from mp_oauth_sandbox.web.bodies import JSON_HEADERS

#: What a fault that hangs up leaves to be sent, and what is said of it.
UNDECIDED, UNDECIDED_SAID = Answer(0, b"", {}), "dropped before anything was decided"


class Answering:
    """Renders answers of the API and writes their entries; nothing else does."""

    def __init__(self, engine: Engine) -> None:
        """Write into this engine's journal."""
        self._engine = engine

    def token(
        self,
        parsed: TokenRequest | Refused,
        reply: Reply[TokensIssued],
        *,
        request: str,
        arrival: Arrival | None,
    ) -> tuple[Answer, Entry]:
        """The answer to a request for tokens, and its entry; `request` is what that calls it."""
        label, outcome = self._engine.mint.label, reply.outcome
        facts: dict[str, str] = {}
        if isinstance(parsed, RedeemCode):
            if parsed.code:
                facts["code"] = label(parsed.code)
            if parsed.redirect_uri:
                facts["redirect_uri"] = parsed.redirect_uri[:2048]
        elif isinstance(parsed, Refresh) and parsed.refresh_token:
            facts["refresh_token"] = label(parsed.refresh_token)
        granted = None
        if isinstance(outcome, TokensIssued) and not isinstance(parsed, Refused):
            facts["issued_access_token"] = label(outcome.access_token)
            if outcome.refresh_token:
                facts["issued_refresh_token"] = label(outcome.refresh_token)
            body = wire.render_tokens(outcome, parsed, self._engine.profile)
            granted = Answer(200, body, self.headers()), "tokens issued"
        happened = Happened(
            kind="token",
            request=request,
            grant_type=grant_type_of(parsed),
            facts=facts,
            arrival=arrival,
        )
        return self.answered(reply, happened, granted)

    def answered(
        self, reply: Reply[Any], happened: Happened, granted: tuple[Answer, str] | None
    ) -> tuple[Answer, Entry]:
        """What is sent, and the entry of it.

        `granted` is the answer to a request that was granted and what the journal calls it; else
        the outcome is a refusal, or nothing where a fault hung up before a decision.
        """
        outcome = reply.outcome
        if granted is not None:
            answer, happened.outcome = granted
        elif isinstance(outcome, Refused):
            answer, happened.error = wire.render_refusal(
                outcome, self._engine.profile, self.headers()
            )
            happened.refused, happened.outcome = outcome, "refused"
        else:
            answer, happened.outcome = UNDECIDED, UNDECIDED_SAID
        if reply.changes:
            answer = reply.changed(answer)
        happened.status, happened.at, happened.whose = answer.status, reply.at, reply.whose
        happened.faults = reply.faults
        return answer, self._engine.journal.record(happened)

    def headers(self) -> dict[str, str]:
        """The headers of one answer of the API."""
        return {**JSON_HEADERS, "x-request-id": self._engine.mint.request_id()}
