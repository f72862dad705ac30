"""The API beside linking: who asks is told by the bearer token, what is answered by a table."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import cast
from urllib.parse import quote, unquote_to_bytes

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Refused, TokenAccepted
from mp_oauth_sandbox.core.refusals import refuse, wire_error
from mp_oauth_sandbox.engine import Engine
from mp_oauth_sandbox.resources import Found
from mp_oauth_sandbox.resources.built_in import Asked
from mp_oauth_sandbox.web import wire
from mp_oauth_sandbox.web.answers import (
    JSON_HEADERS,
    BodyLimits,
    JournaledResponse,
    masked_refusal,
    read_body,
    request_line,
)

#: Answers remembered by X-Idempotency-Key, the oldest out first; our own number.
_REMEMBERED = 1_000


class ResourceApi:
    """Every path of the API that has nothing to do with linking, GET /users/me first of all."""

    def __init__(self, engine: Engine, limits: BodyLimits) -> None:
        """Answer from this engine."""
        self._engine = engine
        self._limits = limits
        self._answers: OrderedDict[bytes, bytes] = OrderedDict()

    def forget(self) -> None:
        """Remember no X-Idempotency-Key any more."""
        self._answers.clear()

    async def answer(self, request: Request) -> Response:
        """The answer to one request, once its token is known to be good."""
        engine = self._engine
        found = engine.resources.find(request.method, _segments(request))
        parsed = wire.parse_bearer(
            request.headers.get("authorization"), request.scope["query_string"], engine.profile
        )
        facts: dict[str, str] = {}
        token = parsed if isinstance(parsed, Refused) else engine.serve(parsed)
        if not isinstance(parsed, Refused) and parsed.token:
            facts["access_token"] = engine.mint.label(parsed.token)
        if isinstance(token, Refused):
            return self._refusal(request, _of_nothing(token, request, found), facts, None)
        if not isinstance(token, TokenAccepted):
            raise TypeError(f"no answer to {type(token).__name__}")
        facts["age_seconds"] = str(int(token.age.total_seconds()))
        facts["live_mode"] = "true" if token.live_mode else "false"
        if token.platform:
            facts["platform_token"] = "yes"  # noqa: S105 - a word, not a secret
        key = request.headers.get("x-idempotency-key", "").strip()
        if key:
            facts["idempotency_key"] = f"#{engine.mint.short_id(key)}"
        if found is None:
            method, _, path = request_line(request).partition(" ")
            refused = refuse(Cause.RESOURCE_UNKNOWN, method=method, path=path)
        else:
            refused = self._payment_problem(found, token, key)
        if found is None or refused is not None:
            return self._refusal(request, refused, facts, token)
        body = await self._body(request, found, token, key, facts)
        if isinstance(body, Refused):
            return self._refusal(request, body, facts, token)
        resource = found.resource
        entry = engine.journal.record(
            kind="resource",
            request=request_line(request),
            status=resource.status,
            outcome=f"answered as {token.seller.nickname}",
            client_id=token.client_id,
            user_id=token.seller.user_id,
            facts=facts,
        )
        headers = {name.lower(): value for name, value in resource.headers.items()}
        headers = self._headers() | headers
        return JournaledResponse(body, status=resource.status, headers=headers, entry=entry)

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
        asked = Asked(token=token, now=engine.clock(), sent=_object(sent), fresh=engine.mint)
        if not resource.idempotent or not key:
            return found.body(asked)
        # Hashed, because a key may be as long as a header.
        whose = f"{resource.id} {token.client_id} {token.seller.user_id} {key}"
        remembered = hashlib.sha256(whose.encode()).digest()
        answer = self._answers.get(remembered)
        if answer is not None:
            facts["idempotent_repeat"] = "yes"
            return answer
        answer = self._answers.setdefault(remembered, found.body(asked))
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)
        return answer

    def _payment_problem(self, found: Found, token: TokenAccepted, key: str) -> Refused | None:
        if not found.resource.idempotent:
            return None
        profile = self._engine.profile
        if not key and profile.payment_idempotency_key == "required":
            return refuse(Cause.IDEMPOTENCY_KEY_MISSING)
        if token.live_mode and profile.live_payment_of_test_user == "refuse":
            return refuse(Cause.TEST_USER_IN_LIVE_MODE)
        return None

    def _refusal(
        self,
        request: Request,
        refused: Refused | None,
        facts: dict[str, str],
        token: TokenAccepted | None,
    ) -> Response:
        assert refused is not None  # noqa: S101 - for the type checker
        profile = self._engine.profile
        answer = wire.render_refusal(refused, profile)
        entry = self._engine.journal.record(
            kind="resource",
            request=request_line(request),
            status=answer.status,
            outcome="refused",
            refused=masked_refusal(refused),
            error=wire_error(refused, profile).error,
            client_id=token.client_id if token else None,
            user_id=token.seller.user_id if token else None,
            facts=facts,
        )
        headers = self._headers() | dict(answer.headers)
        return JournaledResponse(answer.body, status=answer.status, headers=headers, entry=entry)

    def _headers(self) -> dict[str, str]:
        return JSON_HEADERS | {"x-request-id": self._engine.mint.request_id()}


def _segments(request: Request) -> tuple[str, ...]:
    """The segments of the path, each decoded by itself: %2F is no slash."""
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    path: bytes = raw.partition(b"?")[0].removeprefix(b"/")
    return tuple(unquote_to_bytes(one).decode("utf-8", "replace") for one in path.split(b"/"))


def _of_nothing(refused: Refused, request: Request, found: Found | None) -> Refused:
    """A missing token where nothing is anyway: more often than not the path is mistyped."""
    if found is not None or refused.cause is not Cause.TOKEN_MISSING:
        return refused
    problem = f"{refused.facts['problem']}, and there is nothing at {request_line(request)} either"
    return replace(refused, facts={**refused.facts, "problem": problem})


def _object(body: bytes) -> Mapping[str, object]:
    """The JSON object that was sent; anything else counts as nothing."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return cast("dict[str, object]", decoded) if isinstance(decoded, dict) else {}
