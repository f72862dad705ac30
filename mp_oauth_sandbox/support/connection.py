"""What a host offers an application of the connection that a request came on."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, Literal, TypedDict

CONNECTION: Final = "mp_oauth_sandbox.connection"
"""The key of `scope["extensions"]` under which an application finds its `Connection`."""

Written = Literal["nothing", "part", "whole"]
"""How much of an answer was written to an open connection; what waits in a buffer is not yet."""


class Connection(TypedDict):
    """What an application may do with the connection its request came on, and know of it."""

    abort: Callable[[], None]
    """Hang up. Nothing more is sent, and the application may return without an answer."""
    connected: Callable[[], bool]
    """Whether the client is still there to hear an answer."""
    flushed: Callable[[], Coroutine[Any, Any, bool]]
    """Wait until nothing waits in a buffer; whether all that was sent so far was written."""
    arrived: bool
    """Whether the request's body is here to its end; who reads it need not wait."""
    written: Written
    """What became of the answer: noted with each write, so that it holds once all is closed."""


Extensions = Mapping[str, Connection]
"""What `scope["extensions"]` holds, if it is there; nothing of ours on another host."""
