"""Health, reset, and the API's own description."""

from typing import Any

from mp_oauth_sandbox import __version__
from mp_oauth_sandbox.control import sandbox
from mp_oauth_sandbox.control.sandbox import HealthOut
from mp_oauth_sandbox.control.table import TABLE
from mp_oauth_sandbox.control.types import Done, Nothing
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.modes import modes
from mp_oauth_sandbox.engine.profiles import described
from mp_oauth_sandbox.journal import moment
from mp_oauth_sandbox.web.control.openapi import describe
from mp_oauth_sandbox.web.control.operations import Operation, does
from mp_oauth_sandbox.web.pages.sessions import Sessions


class SandboxOperations:
    """What concerns the sandbox as a whole."""

    def __init__(self, engine: Engine, sessions: Sessions) -> None:
        """Tell of this engine, and of these browsers."""
        self._engine = engine
        self._sessions = sessions

    def operations(self) -> tuple[Operation, ...]:
        """What does each of the calls."""
        return (
            does(sandbox.HEALTH, self._health),
            does(sandbox.RESET, self._reset),
            does(sandbox.OPENAPI, self._openapi),
        )

    async def _health(self, _: Nothing) -> HealthOut:
        problem = self._engine.store.problem
        return HealthOut(
            status="ok" if problem is None else "degraded",
            version=__version__,
            profile=described(self._engine.profile),
            now=moment(self._engine.clock()),
            reason=problem,
            modes=modes(self._engine, sessions=self._sessions.with_consent()),
        )

    async def _reset(self, _: Nothing) -> Done:
        self._engine.reset()
        return Done()

    async def _openapi(self, _: Nothing) -> dict[str, Any]:
        return describe(TABLE)
