"""What ends links from Mercado Pago's side."""

from msgspec import Struct

from mp_oauth_sandbox.control.types import Call, Secretive
from mp_oauth_sandbox.core.revoke import Concern, Reason


class RevocationIn(Struct, forbid_unknown_fields=True):
    """What ends links. `unlinked` and `unused` need both ids.

    `secret_rotated` and `application_deleted` need the client_id alone, the others the user_id
    alone. `settle` waits until the webhook it may cause has been answered.
    """

    reason: Reason
    client_id: str | None = None
    user_id: int | None = None
    settle: bool = False


class RevocationOut(Secretive):
    """What ended: one link, every link of a seller, or every link of an application.

    `source` says how well that is known. `client_secret` is the new one of `secret_rotated`.
    """

    reason: Reason
    ended: Concern
    client_id: str | None
    user_id: int | None
    explanation: str
    source: str
    client_secret: str | None


REVOKE = Call(
    "revoke",
    "POST",
    "/revocations",
    "End links from Mercado Pago's side",
    RevocationIn,
    RevocationOut,
    waits=True,
)

CALLS = (REVOKE,)
