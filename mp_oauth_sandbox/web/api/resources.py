"""The API beside linking: who asks is told by the bearer token, what is answered by a table."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import cast
from urllib.parse import quote, unquote_to_bytes

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox import wire
from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.messages import Refused, TokenAccepted
from mp_oauth_sandbox.core.paths import REVOKE
from mp_oauth_sandbox.core.records import Application, Keys
from mp_oauth_sandbox.core.refusals import refuse
from mp_oauth_sandbox.core.use_token import judge_application, refused_by_type
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.faults import Answer
from mp_oauth_sandbox.journal import Arrival, Happened
from mp_oauth_sandbox.resources import Found
from mp_oauth_sandbox.resources.application import shown_to_owner
from mp_oauth_sandbox.resources.built_in import ResourceCall
from mp_oauth_sandbox.web.api.answering import Answering, Render
from mp_oauth_sandbox.web.arrivals import ARRIVAL
from mp_oauth_sandbox.web.bodies import BodyLimits, read_body
from mp_oauth_sandbox.web.delivery import JournaledResponse
from mp_oauth_sandbox.web.mistakes import likely_of

#: Answers remembered by X-Idempotency-Key, the oldest out first; our own number.
_REMEMBERED = 1_000


class ResourceApi:
    """Every path of the API that has nothing to do with linking, GET /users/me first of all."""

    def __init__(self, engine: Engine, limits: BodyLimits) -> None:
        """Answer from this engine."""
        self._engine = engine
        self._limits = limits
        self._answering = Answering(engine)
        self._answers: OrderedDict[bytes, bytes] = OrderedDict()

    def forget(self) -> None:
        """Remember no X-Idempotency-Key any more."""
        self._answers.clear()

    async def answer(self, request: Request) -> Response:
        """The answer to one request, once its token is known to be good."""
        engine = self._engine
        arrival: Arrival = request.scope[ARRIVAL]
        line = arrival.request
        found = engine.resources.find(request.method, _segments(request))
        authorization = request.headers.getlist("authorization")
        parsed = _revocation(request, found) or wire.parse_bearer(
            authorization, request.scope["query_string"], engine.profile
        )
        reply = await engine.resource(parsed, request=f"{request.method} {request.scope['path']}")
        secrets = {} if isinstance(parsed, Refused) else {"access_token": parsed.token}
        happened, granted = Happened(kind="resource", request=line, arrival=arrival), None
        if len(authorization) > 1:
            happened.facts["authorization_fields"] = str(len(authorization))
        if isinstance(reply.outcome, TokenAccepted):
            happened.outcome = f"answered as {reply.outcome.seller.nickname}"
            try:
                got = await self._granted(request, found, reply.outcome, line, happened.facts)
            except BaseException:
                # Its body never comes: there is nobody to answer.
                reply.abandon()
                raise
            if isinstance(got, Refused):
                reply = replace(reply, outcome=likely_of(engine, got, request))
            else:
                granted = got
        elif isinstance(reply.outcome, Refused):
            refused = _of_nothing(reply.outcome, line, found)
            reply = replace(reply, outcome=likely_of(engine, refused, request))
        answer, entry = self._answering.answered(reply, happened, secrets, granted)
        return JournaledResponse(answer, journal=engine.journal, entry=entry, reply=reply)

    async def _granted(
        self,
        request: Request,
        found: Found | None,
        token: TokenAccepted,
        line: str,
        facts: dict[str, str],
    ) -> Render | Refused:
        """What a good token gets; `facts` learn how it was used."""
        key = request.headers.get("x-idempotency-key", "").strip()
        facts.update(self._facts(token, key))
        refused = refused_by_type(token, request.method, _segments(request))
        if refused is not None:
            return refused
        if found is None:
            return self._application(request, token) or _nothing(line)
        refused = self._problem(found, token, key)
        if refused is not None:
            return refused
        body = await self._body(request, found, token, key, facts)
        if isinstance(body, Refused):
            return body
        own = {name.lower(): value for name, value in found.resource.headers.items()}
        return partial(_rendered, found.resource.status, body, own)

    def _application(self, request: Request, token: TokenAccepted) -> Render | Refused | None:
        """What /applications/{id} answers, where the profile has that."""
        match _segments(request):
            case ("applications", client_id):
                application = self._engine.store.read(Keys(client_id=client_id)).application
            case _:
                return None
        judged = judge_application(application, token, request.method, self._engine.profile)
        if not isinstance(judged, Application):
            return judged
        return partial(_rendered, 200, msgspec.json.encode(shown_to_owner(judged)), {})

    def _facts(self, token: TokenAccepted, key: str) -> dict[str, str]:
        """What the journal says of a good token, and of how it was used."""
        facts = {
            "age_seconds": str(int(token.age.total_seconds())),
            "live_mode": "true" if token.live_mode else "false",
        }
        if token.platform:
            facts["platform_token"] = "yes"  # noqa: S105 - a word, not a secret
        if key:
            facts["idempotency_key"] = f"#{self._engine.mint.short_id(key)}"
        return facts

    async def _body(
        self, request: Request, found: Found, token: TokenAccepted, key: str, facts: dict[str, str]
    ) -> bytes | Refused:
        """What to answer: the same again to a payment with the same key."""
        engine, resource = self._engine, found.resource
        sent = b""
        if resource.method != "GET":
            read = await read_body(request, self._limits)
            if isinstance(read, Refused):
                return read
            sent = read
        given = _object(sent)
        if resource.built_in and sent and given is None:
            return refuse(Cause.BODY_UNREADABLE, problem="it is not a JSON object")
        asked = ResourceCall(token=token, now=engine.clock(), sent=given or {}, fresh=engine.mint)
        if not resource.idempotent or not key:
            return found.body(asked)
        # Hashed, because a key may be as long as a header.
        whose = f"{resource.id} {token.whose.client_id} {token.seller.user_id} {key}"
        remembered = hashlib.sha256(whose.encode()).digest()
        answer = self._answers.get(remembered)
        if answer is not None:
            facts["idempotent_repeat"] = "yes"
            return answer
        answer = self._answers.setdefault(remembered, found.body(asked))
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)
        return answer

    def _problem(self, found: Found, token: TokenAccepted, key: str) -> Refused | None:
        if not found.resource.idempotent:
            return None
        profile = self._engine.profile
        if not key and profile.payment_idempotency_key == "required":
            return refuse(Cause.IDEMPOTENCY_KEY_MISSING)
        if token.live_mode and profile.live_payment_of_test_user == "refuse":
            return refuse(Cause.TEST_USER_IN_LIVE_MODE)
        return None


def _nothing(line: str) -> Refused:
    method, _, path = line.partition(" ")
    return refuse(Cause.RESOURCE_UNKNOWN, method=method, path=path)


def _rendered(
    status: int, body: bytes, own: Mapping[str, str], headers: Mapping[str, str]
) -> wire.Told:
    """The answer of a resource, which may have headers of its own."""
    return wire.Told(Answer(status, body, {**headers, **own}))


def _segments(request: Request) -> tuple[str, ...]:
    """The segments of the path, each decoded by itself: %2F is no slash."""
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    path: bytes = raw.partition(b"?")[0].removeprefix(b"/")
    return tuple(unquote_to_bytes(one).decode("utf-8", "replace") for one in path.split(b"/"))


def _revocation(request: Request, found: Found | None) -> Refused | None:
    """The 404 of an endpoint that people believe in: not even a token is asked for."""
    method, path = request.method, request.scope["path"]
    if found is not None or (method, path) != ("POST", REVOKE):
        return None
    return refuse(Cause.RESOURCE_UNKNOWN, Mistake.REVOCATION_ENDPOINT, method=method, path=path)


def _of_nothing(refused: Refused, line: str, found: Found | None) -> Refused:
    """A missing token where nothing is anyway: more often than not the path is mistyped."""
    if found is not None or refused.cause is not Cause.TOKEN_MISSING:
        return refused
    problem = f"{refused.facts['problem']}, and there is nothing at {line} either"
    return replace(refused, facts={**refused.facts, "problem": problem})


def _object(body: bytes) -> Mapping[str, object] | None:
    """The JSON object that was sent; None for anything else."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return cast("dict[str, object]", decoded) if isinstance(decoded, dict) else None
