"""The paths that the sandbox answers itself, and the endpoint that each belongs to."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

#: Where a request arrives, and what an armed fault may be on: notifications go the other way.
Place = Literal["authorization", "token", "resource"]
Endpoint = Place | Literal["webhook"]

TOKEN: Final = "/oauth/token"  # noqa: S105 - a path, not a secret
#: RFC 7009 would have it; Mercado Pago has nothing there.
REVOKE: Final = "/oauth/revoke"
AUTHORIZATION: Final = "/authorization"
CONSENT: Final = "/authorization/consent"
SIGN_IN: Final = "/authorization/sign-in"
SIGN_OUT: Final = "/authorization/sign-out"
#: The page that stands in for an integration's own callback.
CALLBACK: Final = "/callback"
#: Where the control API lives, and the files of the pages.
CONTROL: Final = "/_sandbox"
STATIC: Final = "/_sandbox/static"

#: The paths at which linking is decided; every other is a resource's.
ENDPOINTS: Final[Mapping[str, Endpoint]] = MappingProxyType(
    {
        TOKEN: "token",
        AUTHORIZATION: "authorization",
        CONSENT: "authorization",
        SIGN_IN: "authorization",
    }
)

_OWN = (TOKEN, AUTHORIZATION, CALLBACK, CONTROL)


def is_own(path: str) -> bool:
    """Whether the sandbox answers this path itself, so that no resource can."""
    return path == "/" or any(path == own or path.startswith(f"{own}/") for own in _OWN)
