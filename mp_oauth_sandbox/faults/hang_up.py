"""Connections that end without an answer."""

from typing import Any

from msgspec.structs import replace

from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.wire.exchange import Asked, Reply, Serve, Wrapper


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


def _lose(serve: Serve) -> Serve:
    async def lost(asked: Asked) -> Reply[Any]:
        return replace(await serve(asked), dropped=True)

    return lost


def _drop(_serve: Serve) -> Serve:
    async def dropped(_asked: Asked) -> Reply[Any]:
        return Reply(outcome=None, dropped=True)

    return dropped
