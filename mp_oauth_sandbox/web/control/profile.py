"""Showing and changing the switches."""

import msgspec

from mp_oauth_sandbox.control import profile
from mp_oauth_sandbox.control.types import Nothing
from mp_oauth_sandbox.core.profile import PRESETS, Profile
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.profiles import changed_profile
from mp_oauth_sandbox.web.control.operations import Operation, does


class ProfileOperations:
    """The switches for what the evidence leaves open."""

    def __init__(self, engine: Engine) -> None:
        """Change this engine's."""
        self._engine = engine

    def operations(self) -> tuple[Operation, ...]:
        """What does each of the calls."""
        return (does(profile.SHOW, self._show), does(profile.CHANGE, self._change))

    async def _show(self, _: Nothing) -> Profile:
        return self._engine.profile

    async def _change(self, given: msgspec.Struct) -> Profile:
        switches: dict[str, object] = msgspec.to_builtins(given)
        preset = switches.pop("preset", None)
        base = self._engine.profile if preset is None else PRESETS[str(preset)]
        self._engine.set_profile(changed_profile(base, switches))
        return self._engine.profile
