"""What can be made to go wrong with the delivery of a notification."""

from dataclasses import dataclass
from typing import Literal

How = Literal[
    "duplicate",
    "out-of-order",
    "late",
    "unsigned",
    "wrong-secret",
    "old-timestamp",
    "other-application",
    "without-request-id",
    "lost",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFault:
    """One thing that goes wrong with one delivery.

    - `duplicate`: delivered once more at once, although it was accepted.
    - `out-of-order`: held back until the next notification of the same application was
      accepted, or for an hour.
    - `late`: due `seconds` later.
    - `unsigned`: without x-signature.
    - `wrong-secret`: signed with a secret that is not the application's.
    - `old-timestamp`: signed correctly, with a `ts` that lies `seconds` in the past.
    - `other-application`: signed correctly with the secret of another application, and about a
      seller that this one never linked.
    - `without-request-id`: without x-request-id, and signed accordingly.
    - `lost`: never sent.

    `seconds` is virtual time, and used by `late` and `old-timestamp` alone.
    """

    how: How
    seconds: int = 600
