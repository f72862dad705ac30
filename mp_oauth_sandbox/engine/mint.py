"""Where secrets come from: one keyed hash over a counter, random unless it is seeded."""

import hashlib
import os
import threading

from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.shapes import PREFIXES


class Mint:
    """Makes `Fresh` randomness for decisions.

    Each draw is BLAKE2b of a counter, keyed by the seed: unpredictable with a random seed,
    and with a given one the same every time. A seed together with a frozen start time makes
    the same sequence of requests reproducible byte for byte. `restarts` separates the draws
    of one run over a data file from those of the next.
    """

    def __init__(self, seed: str | int | None = None, *, restarts: int = 0) -> None:
        """Seed with any text or number; None is 32 bytes from the operating system."""
        root = os.urandom(32) if seed is None else str(seed).encode()
        self._key = hashlib.blake2b(
            b"%d" % restarts, key=hashlib.sha256(root).digest(), digest_size=64
        ).digest()
        self._keyed = hashlib.blake2b(key=self._key)
        self._restarts = restarts
        self._lock = threading.Lock()
        self._draws = 0
        self._requests = 0
        self._machine = self._key[:3]
        self._first_counter = int.from_bytes(self._key[3:6])

    def __call__(self) -> Fresh:
        """Randomness never given out before."""
        with self._lock:
            self._draws += 1
            draw = self._draws
        return Fresh(
            randomness=self._hash(b"%d" % draw),
            machine=self._machine,
            counter=self._first_counter + 2 * draw,
            serial=(self._restarts << 40) | draw,
        )

    def request_id(self) -> str:
        """A value for the x-request-id header: a version 4 UUID."""
        with self._lock:
            self._requests += 1
            request = self._requests
        return _uuid(self._hash(b"request %d" % request))

    def request_id_of(self, what: str) -> str:
        """The one request id of something that has a name, whoever asks in between."""
        return _uuid(self._hash(what.encode()))

    def label(self, secret: str) -> str:
        """How the journal shows a secret: what it looks like, and its short id."""
        beginning, hyphen, _ = secret.partition("-")
        shown = f"{beginning}-" if hyphen and beginning in PREFIXES else ""
        return f"{shown}...#{self.short_id(secret)}"

    def short_id(self, secret: str) -> str:
        """A stable six-digit name for a secret, by which people can follow it through a log."""
        return self._hash(secret.encode())[:3].hex()

    def _hash(self, message: bytes) -> bytes:
        """64 bytes that only the holder of the seed can tell from random ones."""
        # A copy saves the work on the key, which is the same each time.
        hashed = self._keyed.copy()
        hashed.update(message)
        return hashed.digest()


def _uuid(random: bytes) -> str:
    """A version 4 UUID (RFC 9562 section 5.4)."""
    # Written, and not asked of `uuid`, which takes four times as long: each answer has one.
    digits, variant = random[:16].hex(), "89ab"[random[8] >> 4 & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
