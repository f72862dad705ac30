"""Searching a text for secrets."""

import asyncio

from mp_oauth_sandbox.control import leaks
from mp_oauth_sandbox.control.leaks import LeaksIn, LeaksOut
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.leaks import leaks as leaks_in
from mp_oauth_sandbox.web.control.operations import Operation, does


class LeakOperations:
    """The one call that looks for secrets."""

    def __init__(self, engine: Engine) -> None:
        """Look for this engine's."""
        self._engine = engine

    def operations(self) -> tuple[Operation, ...]:
        """What does the one call."""
        return (does(leaks.SEARCH, self._search),)

    async def _search(self, given: LeaksIn) -> LeaksOut:
        # Among very many secrets it takes its time, in which others are to be answered.
        return await asyncio.to_thread(leaks_in, self._engine, given.text)
