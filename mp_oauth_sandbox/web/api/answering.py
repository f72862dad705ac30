"""From what the API decided to what is sent and what is written down, once for every way in."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mp_oauth_sandbox import wire
from mp_oauth_sandbox.core.messages import (
    RedeemCode,
    Refresh,
    Refused,
    TokenRequest,
    TokensIssued,
)
from mp_oauth_sandbox.engine.engine import GRANT_TYPES, Engine
from mp_oauth_sandbox.faults import Answer, Reply
from mp_oauth_sandbox.journal import Arrival, Entry, Happened
from mp_oauth_sandbox.web.bodies import JSON_HEADERS

#: What a fault that hangs up leaves to be sent, and what is said of it.
UNDECIDED, UNDECIDED_SAID = Answer(0, b"", {}), "dropped before anything was decided"

#: From the headers of every answer to the answer of a request that was granted.
Render = Callable[[Mapping[str, str]], wire.Told]


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
        arrival: Arrival,
    ) -> tuple[Answer, Entry]:
        """The answer to a request for tokens, and its entry; `request` is what that calls it."""
        outcome, granted = reply.outcome, None
        facts: dict[str, str] = {}
        secrets: dict[str, str | None] = {}
        if isinstance(parsed, RedeemCode):
            secrets["code"] = parsed.code
            if parsed.redirect_uri:
                facts["redirect_uri"] = parsed.redirect_uri[:2048]
        elif isinstance(parsed, Refresh):
            secrets["refresh_token"] = parsed.refresh_token
        if isinstance(outcome, TokensIssued) and not isinstance(parsed, Refused):
            secrets["issued_access_token"] = outcome.access_token
            secrets["issued_refresh_token"] = outcome.refresh_token
            granted = partial(wire.render_tokens, outcome, parsed, self._engine.profile)
        happened = Happened(
            kind="token",
            request=request,
            outcome="tokens issued",
            grant_type=GRANT_TYPES.get(type(parsed)),
            facts=facts,
            arrival=arrival,
        )
        return self.answered(reply, happened, secrets, granted)

    def answered(
        self,
        reply: Reply[Any],
        happened: Happened,
        secrets: Mapping[str, str | None],
        granted: Render | None,
    ) -> tuple[Answer, Entry]:
        """What is sent, and the entry of it; `secrets` are facts of which that has the labels.

        `granted` renders the answer to a request that was granted, of which `happened` says how;
        else the outcome is a refusal, or nothing where a fault hung up before a decision.
        """
        outcome, mint = reply.outcome, self._engine.mint
        headers = {**JSON_HEADERS, "x-request-id": mint.request_id()}
        for name, secret in secrets.items():
            if secret:
                happened.facts[name] = mint.label(secret)
        if granted is not None:
            answer, happened.error = granted(headers)
        elif isinstance(outcome, Refused):
            answer, happened.error = wire.render_refusal(outcome, self._engine.profile, headers)
            happened.refused, happened.outcome = outcome, "refused"
        else:
            answer, happened.outcome = UNDECIDED, UNDECIDED_SAID
        if reply.meetings:
            reply, answer = reply.settled(answer)
        happened.status, happened.at, happened.whose = answer.status, reply.at, reply.whose
        happened.faults = reply.faults
        return answer, self._engine.journal.record(happened)
