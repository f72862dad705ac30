"""Refusals that nothing has earned: a cause on demand, an overloaded or failing server."""

from collections.abc import Callable
from string import Formatter
from typing import Annotated, Any, Literal

from msgspec import Meta
from msgspec.structs import replace

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Likely, Refused
from mp_oauth_sandbox.core.refusals import RULES, denied, missing, missing_of_trio, refuse
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.wire.exchange import (
    Answer,
    Asked,
    Effect,
    Meeting,
    Reply,
    Serve,
    Wrapper,
)

FailingStatus = Literal[403, 429, 500, 502, 503, 504]

#: The statuses with which a Retry-After header means something (RFC 9110 section 10.2.3,
#: RFC 6585 section 4).
_WITH_RETRY_AFTER = (429, 503)


class Refuse(Fault, frozen=True, kw_only=True, tag="refuse"):
    """Nothing is decided; the answer is the one that a `cause` or a failing server gives.

    `status` is 429, a server error, or 403 with an empty body, as a gateway before the API gives
    it; `cause` is a name such as code_expired. Neither means status 503. `retry_after` is the
    Retry-After of a 429 or 503, in seconds; without it a 429 has the profile's, and a 503 none.
    """

    cause: Cause | None = None
    status: FailingStatus | None = None
    retry_after: Annotated[int, Meta(ge=0)] | None = None

    def check(self) -> None:
        """See Fault.check."""
        super().check()
        if self.cause is not None and self.status is not None:
            raise InvalidInputError("cause", "give a cause or a status, not both")
        if self.retry_after is not None and self._status() not in _WITH_RETRY_AFTER:
            raise InvalidInputError("retry_after", "is for status 429 and 503")
        if self.status == 403 and self.endpoints() <= {"authorization"}:
            raise InvalidInputError("status", "403 is for token or resource, not authorization")
        if self.cause is not None and self.endpoints().isdisjoint(RULES[self.cause].endpoints):
            raise InvalidInputError("cause", f"{self.cause} is nothing that {self.on} answers")

    def fits(self, asked: Asked) -> bool:
        """See Fault.fits; the authorization endpoint answers with pages, which have a body."""
        if self.status == 403 and asked.endpoint == "authorization":
            return False
        return super().fits(asked)

    def arm(self) -> Wrapper:
        """See Fault.arm."""
        change: Callable[[Answer], Answer] | None = None
        if self.retry_after is not None:
            change = self._with_retry_after
        elif self.status == 403:
            change = _without_body

        def wrapper(_serve: Serve, by: Meeting) -> Serve:
            async def refused(asked: Asked) -> Reply[Any]:
                # Whatever becomes of the answer: nothing was decided.
                by.meet()
                refusal = self._refusal(asked)
                if refusal.cause is not Cause.SELLER_DENIED:  # Which says so by itself.
                    refusal = replace(refusal, likely=_BY_FAULT)
                reply = Reply[Any](outcome=refusal)
                return reply.touched(Effect(by=by, change=change)) if change else reply

            return refused

        return wrapper

    def _status(self) -> int | None:
        if self.status is None and self.cause in {None, Cause.SERVER_FAILED}:
            return 503
        return 429 if self.cause is Cause.RATE_LIMITED else self.status

    def _refusal(self, asked: Asked) -> Refused:
        status = self._status()
        if self.cause is Cause.PARAMETER_MISSING:
            return _missing(asked)
        if self.cause is Cause.SELLER_DENIED:
            return denied("fault")
        if status is not None and status != 429:
            return refuse(Cause.SERVER_FAILED, status=status)
        cause = self.cause or Cause.RATE_LIMITED
        facts = _placeholders(cause)
        if "name" in facts:  # The wire tells it.
            facts["name"] = _NAMED.get(cause) or _own_parameter(asked)
        return refuse(cause, **facts)

    def _with_retry_after(self, answer: Answer) -> Answer:
        """The header is as this fault says, whatever the profile sends with a 429."""
        return replace(answer, headers={**answer.headers, "retry-after": str(self.retry_after)})


#: Else a refusal would accuse a request that may be right.
_BY_FAULT = Likely(
    "nothing of this: an armed fault answered so, whatever was sent",
    "See how your application takes this answer. Nothing need be wrong with the request.",
)


def _without_body(answer: Answer) -> Answer:
    headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
    return replace(answer, body=b"", headers=headers)


#: A parameter that belongs nowhere, and one that belongs into the body.
_NAMED = {Cause.PARAMETER_SURPLUS: "state", Cause.PARAMETER_IN_QUERY: "client_id"}


def _own_parameter(asked: Asked) -> str:
    """The parameter that a request at this place is most about."""
    if asked.endpoint == "authorization":
        return "redirect_uri"
    if asked.endpoint == "resource":
        return "access_token"
    own = {"refresh_token": "refresh_token", "client_credentials": "client_secret"}
    return own.get(asked.grant_type or "", "code")


def _missing(asked: Asked) -> Refused:
    name = _own_parameter(asked)
    if name == "client_secret":
        return missing_of_trio([name])
    if asked.endpoint == "authorization":
        return missing(name, where="the query of the authorization URL")
    return missing(name)


def _placeholders(cause: Cause) -> dict[str, str]:
    """Dots for every fact that a real refusal of this cause would know."""
    rule = RULES[cause]
    return {
        name: "..."
        for text in (rule.message, rule.explanation, rule.remedy)
        for _, name, _, _ in Formatter().parse(text)
        if name
    }
