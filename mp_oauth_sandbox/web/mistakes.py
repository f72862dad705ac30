"""What a refused request says of itself, handed to whoever knows what is likely."""

from starlette.requests import Request

from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.likely import Sent, with_likely


def likely_of(engine: Engine, refused: Refused, request: Request, body: bytes = b"") -> Refused:
    """The same refusal, which says what was probably done, if anything can be found."""
    sent = Sent(
        method=request.method,
        path=request.scope["path"],
        query=request.scope["query_string"],
        headers=request.headers,
        body=body,
    )
    return with_likely(engine, refused, sent)
