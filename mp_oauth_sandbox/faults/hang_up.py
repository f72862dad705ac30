"""Connections that end without an answer."""

from typing import Any

from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.wire.exchange import Asked, Effect, Meeting, Reply, Serve, Wrapper


class LoseResponse(Fault, frozen=True, kw_only=True, tag="lose-response"):
    """The request takes effect, then the connection is closed instead of an answer."""

    def arm(self) -> Wrapper:
        """See Fault.arm."""
        return _lose


class DropBeforeCommit(Fault, frozen=True, kw_only=True, tag="drop-before-commit"):
    """The connection is closed before anything is decided: nothing has happened."""

    def arm(self) -> Wrapper:
        """See Fault.arm."""
        return _drop


def _lose(serve: Serve, by: Meeting) -> Serve:
    async def lost(asked: Asked) -> Reply[Any]:
        return (await serve(asked)).touched(Effect(by=by, dropped=True))

    return lost


def _drop(_serve: Serve, by: Meeting) -> Serve:
    async def dropped(_asked: Asked) -> Reply[Any]:
        # Whatever becomes of the connection: nothing was decided.
        by.meet()
        return Reply[Any](outcome=None).touched(Effect(by=by, dropped=True))

    return dropped
