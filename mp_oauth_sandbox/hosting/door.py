"""What is turned away before any application hears of it, told to whoever runs the server.

Such a request is in no journal. Only what kind of thing came is told, and from where: what was
sent may hold secrets, and is whatever a stranger likes.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

Oddity = Literal[
    "tls",
    "http2",
    "proxy_line",
    "ssh",
    "tunnel",
    "malformed",
    "host_missing",
    "host_invalid",
    "target_too_long",
    "head_too_large",
    "head_too_slow",
]

#: What somebody did, and what to do about it.
_SAID: Final[dict[Oddity, tuple[str, str]]] = {
    "tls": ("spoke TLS here", "use http://, not https://"),
    "http2": ("spoke HTTP/2 here", "use HTTP/1.1, without HTTP/2 prior knowledge"),
    "proxy_line": ("sent a line of the PROXY protocol", "turn it off in the proxy (send-proxy)"),
    "ssh": ("spoke SSH here", "this port is for HTTP; check the port of the client"),
    "tunnel": (
        "asked for a tunnel (CONNECT)",
        "this is no proxy; check HTTP_PROXY and HTTPS_PROXY",
    ),
    "malformed": (
        "sent what is not HTTP/1.1",
        "check the client, its port, and any proxy in between",
    ),
    "host_missing": ("sent a request without Host", "send one Host field, as HTTP/1.1 requires"),
    "host_invalid": (
        "sent two Host fields, or one that names no host",
        "send one Host field: a name or an address, and a port",
    ),
    "target_too_long": ("sent a URL that is too long", "send less in its query"),
    "head_too_large": ("sent a head that is too large", "send fewer or shorter header fields"),
    "head_too_slow": ("did not finish a request's head in time", "send the whole head at once"),
}

#: How other protocols begin.
_OPENINGS: Final[dict[bytes, Oddity]] = {
    b"\x16": "tls",
    b"PRI * HTTP/2.0\r\n": "http2",
    b"PROXY ": "proxy_line",
    b"\r\n\r\n\x00\r\nQUIT\n": "proxy_line",
    b"SSH-": "ssh",
}

#: So many bytes tell all of them apart.
OPENING: Final = max(map(len, _OPENINGS))

#: Seconds between two tellings of one kind.
_EVERY: Final = 1.0

_logger = logging.getLogger("mp_oauth_sandbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """Something that was turned away: its kind, the address it came from, and how often it came.

    A `count` above 1 sums up what came within a second, `peer` being the first of it.
    """

    kind: Oddity
    peer: str
    count: int = 1

    @property
    def problem(self) -> str:
        """What somebody did."""
        return _SAID[self.kind][0]

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return _SAID[self.kind][1]

    def __str__(self) -> str:
        again = f" ({self.count} times)" if self.count > 1 else ""
        return f"refused: {self.peer} {self.problem}{again}: {self.remedy}"


Tell = Callable[[Unserved], None]
Later = Callable[[float, Callable[[], None]], asyncio.TimerHandle]


def spoken(opening: bytes) -> Oddity | None:
    """The protocol that begins so; None if it is none that is known.

    A parser may have given up before the opening was complete.
    """
    for known, kind in _OPENINGS.items():
        if opening.startswith(known) or known.startswith(opening):
            return kind
    return None


class Door:
    """Tells of what is turned away: at once, and then once a second of each kind at most."""

    def __init__(self, tell: Tell | None = None, *, later: Later | None = None) -> None:
        """`tell` is called within the event loop; without it, it is a warning in the log."""
        self._tell = tell or _warn
        self._later: Later = later or _later
        self._untold: dict[Oddity, Unserved | None] = {}
        self._timers: dict[Oddity, asyncio.TimerHandle] = {}

    def turned_away(self, kind: Oddity, peer: str) -> None:
        """Tell of it, or count it where that kind has been told of within the last second."""
        if kind not in self._untold:
            self._say(Unserved(kind=kind, peer=peer))
            self._rest(kind)
        elif (untold := self._untold[kind]) is None:
            self._untold[kind] = Unserved(kind=kind, peer=peer)
        else:
            self._untold[kind] = replace(untold, count=untold.count + 1)

    def close(self) -> None:
        """Tell what is still untold."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for kind in tuple(self._untold):
            self._sum_up(kind)

    def _rest(self, kind: Oddity) -> None:
        self._untold[kind] = None
        self._timers[kind] = self._later(_EVERY, lambda: self._over(kind))

    def _over(self, kind: Oddity) -> None:
        if self._sum_up(kind):
            self._rest(kind)
        else:
            del self._timers[kind]

    def _sum_up(self, kind: Oddity) -> bool:
        untold = self._untold.pop(kind)
        if untold is not None:
            self._say(untold)
        return untold is not None

    def _say(self, unserved: Unserved) -> None:
        try:
            self._tell(unserved)
        except Exception:
            # Whoever listens must not cost the server a connection.
            _logger.exception("Whoever is told of what is refused has failed")


def _later(wait: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(wait, call)


def _warn(unserved: Unserved) -> None:
    _logger.warning("%s", unserved)
