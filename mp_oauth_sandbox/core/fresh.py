"""Codes, tokens and keys from randomness that somebody else drew; `shapes` has the formats."""

import hashlib
import string
from datetime import datetime, timedelta, timezone
from typing import Annotated
from uuid import UUID

from mp_oauth_sandbox.core import shapes
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.values import HIDDEN, Value

#: The zone of MMddHH: 9 of 9 public answers since 2023 agree on it.
_TOKEN_ZONE = timezone(timedelta(hours=-4))

#: The two process bytes of an ObjectId: 0001 in every capture since 2023.
_PROCESS = b"\x00\x01"

_ALPHANUMERIC = string.ascii_letters + string.digits


class Fresh(Value, frozen=True, kw_only=True):
    """Randomness for one decision: 64 bytes never used before, and where counting stands.

    `serial` is unique within a sandbox; `counter` is the ObjectId counter, which moves by
    two with each draw because one exchange needs two ids at most.
    """

    randomness: Annotated[bytes, HIDDEN]
    machine: bytes
    counter: int
    serial: int

    def grant_id(self) -> str:
        """An id for a new grant; the sandbox's own, never seen on the wire."""
        return f"grant-{self.serial}"

    def code(self, user_id: int, now: datetime) -> str:
        """An authorization code of this seller."""
        return shapes.CODE.format(object_id=self._object_id(now, 0), user_id=user_id)

    def refresh_token(self, user_id: int, now: datetime) -> str:
        """A refresh token of this seller."""
        return shapes.CODE.format(object_id=self._object_id(now, 1), user_id=user_id)

    def access_token(
        self, client_id: str, user_id: int, now: datetime, *, live_mode: bool, profile: Profile
    ) -> str:
        """An access token of this seller for that application."""
        prefix = shapes.LIVE if live_mode else profile.test_token_prefix
        utc = profile.token_hour_zone == "UTC"  # noqa: S105 - a zone, not a secret
        issued = now if utc else now.astimezone(_TOKEN_ZONE)
        return shapes.ACCESS_TOKEN.format(
            prefix=prefix,
            client_id=client_id,
            hour=f"{issued.month:02}{issued.day:02}{issued.hour:02}",
            random=self.randomness[:16].hex(),
            user_id=user_id,
        )

    def public_keys(self) -> tuple[str, str]:
        """Two version 4 UUIDs: the live and the test public key of a new link."""
        live = UUID(bytes=self.randomness[16:32], version=4)
        test = UUID(bytes=self.randomness[32:48], version=4)
        return str(live), str(test)

    def client_id(self) -> str:
        """The number of a new application: 16 digits, as in most captures."""
        number = int.from_bytes(self.randomness[48:56])
        return str(1_000_000_000_000_000 + number % 9_000_000_000_000_000)

    def client_secret(self) -> str:
        """A new application's secret: 32 letters and digits."""
        # Hashed, because tokens and public keys of the same draw show most of the 64 bytes.
        number = int.from_bytes(hashlib.sha256(self.randomness).digest())
        letters: list[str] = []
        for _ in range(32):
            number, index = divmod(number, len(_ALPHANUMERIC))
            letters.append(_ALPHANUMERIC[index])
        return "".join(letters)

    def webhook_secret(self) -> str:
        """What signs an application's notifications. Guess: 64 hex digits, as a SHA-256 has."""
        return hashlib.sha256(b"webhook " + self.randomness).hexdigest()

    def notification_id(self) -> int:
        """The number of a notification: 12 digits at first, as in Mercado Pago's sample."""
        return 100_000_000_000 + self.serial

    def user_id(self) -> int:
        """The number of a new seller: 9 or 10 digits; it may need more than 32 bits."""
        return 100_000_000 + int.from_bytes(self.randomness[56:64]) % 3_500_000_000

    def _object_id(self, now: datetime, offset: int) -> str:
        # Seconds (4 bytes), machine (3), process (2), counter (3): the ObjectId layout.
        seconds = int(now.timestamp()) & 0xFFFFFFFF
        counter = (self.counter + offset) & 0xFFFFFF
        return (seconds.to_bytes(4) + self.machine + _PROCESS + counter.to_bytes(3)).hex()
