"""Explaining what is pasted."""

from mp_oauth_sandbox.control import explain
from mp_oauth_sandbox.control.explain import Explained, ExplainIn
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.explain import explain as explained
from mp_oauth_sandbox.web.control.operations import Heard, Operation, does_hearing


class ExplainOperations:
    """The one call that explains."""

    def __init__(self, engine: Engine) -> None:
        """Look things up in this engine."""
        self._engine = engine

    def operations(self) -> tuple[Operation, ...]:
        """What does the one call."""
        return (does_hearing(explain.EXPLAIN, self._explain),)

    async def _explain(self, given: ExplainIn, heard: Heard) -> Explained:
        return explained(self._engine, given.what, url=heard.url)
