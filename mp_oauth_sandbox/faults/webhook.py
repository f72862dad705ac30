"""What can be made to go wrong with the delivery of a notification."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from mp_oauth_sandbox.faults.fault import Fault

WebhookHow = Literal[
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


class WebhookFault(Fault, frozen=True, kw_only=True, tag="webhook"):
    """One thing that goes wrong with one notification, at its first attempt.

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

    ENDPOINTS: ClassVar[tuple[str, ...]] = ("webhook",)

    on: str = "webhook"
    how: WebhookHow = "duplicate"
    seconds: Annotated[int, Meta(ge=1, le=315_360_000)] = 600

    @property
    def label(self) -> str:
        """See Fault.label."""
        return f"webhook {self.how}"


#: What has no signature has none that could be wrong.
_SIGNED = frozenset({"wrong-secret", "old-timestamp", "other-application"})


def hides(one: Fault, other: Fault) -> bool:
    """Whether the first leaves the second nothing to do, on one notification."""
    if not (isinstance(one, WebhookFault) and isinstance(other, WebhookFault)):
        return False
    if one.how == "lost":
        return other.how != "lost"
    return one.how == "unsigned" and other.how in _SIGNED
