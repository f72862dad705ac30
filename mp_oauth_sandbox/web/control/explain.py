"""The control API's operation that explains a code, token or URL."""

from msgspec import Struct
from starlette.requests import Request

from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.explain import Explained, explain
from mp_oauth_sandbox.web.bodies import BodyLimits
from mp_oauth_sandbox.web.control.inputs import read_json
from mp_oauth_sandbox.web.control.openapi import Call


class ExplainIn(Struct, forbid_unknown_fields=True):
    """A code, a token, an authorization or callback URL, as somebody pasted it."""

    what: str

    def __repr__(self) -> str:
        return "ExplainIn(...)"


class ExplainOperations:
    """Explains what is pasted."""

    def __init__(self, engine: Engine, limits: BodyLimits) -> None:
        """Look things up in this engine."""
        self._engine = engine
        self._limits = limits

    def table(self) -> tuple[Call, ...]:
        """The one call."""
        return (Call("POST", "/explain", self.explain, takes=ExplainIn, gives=Explained),)

    async def explain(self, request: Request) -> Explained:
        """Explain a code, a token or a URL, and what would be answered to it now."""
        wanted = await read_json(request, ExplainIn, self._limits)
        return explain(self._engine, wanted.what, url=str(request.base_url).rstrip("/"))
