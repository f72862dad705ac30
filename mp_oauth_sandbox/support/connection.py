"""What a host offers an application of the connection that a request came on."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypedDict, cast

CONNECTION: Final = "mp_oauth_sandbox.connection"
"""The key of `scope["extensions"]` under which an application finds its `Connection`."""


class Connection(TypedDict):
    """What an application may do with the connection its request came on."""

    abort: Callable[[], None]
    """Hang up. Nothing more is sent, and the application may return without an answer."""
    connected: Callable[[], bool]
    """Whether the client is still there to hear an answer."""


def connection_of(scope: Mapping[str, Any]) -> Connection | None:
    """That connection; None on a host that is not our own."""
    extensions = cast("dict[str, Connection]", scope.get("extensions") or {})
    return extensions.get(CONNECTION)
