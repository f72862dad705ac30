"""What the API answers to a good token."""

from typing import Any, Literal

from msgspec import Struct, field

from mp_oauth_sandbox.control.types import Call, Count, Done

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class ResourceIn(Struct, forbid_unknown_fields=True):
    """What the API answers to a good token at this method and path, such as /v1/payments/{id}.

    In the body, the texts "$user_id", "$client_id" and "$path.id" stand for the token's seller,
    its application, and what the path has in place of {id}.
    """

    method: Method
    path: str
    status: int = 200
    body: Any = field(default_factory=dict[str, object])
    headers: dict[str, str] = field(default_factory=dict[str, str])


class ResourceOut(Struct):
    """One row of the table. A built-in one makes its own body."""

    id: int
    method: Method
    path: str
    status: int
    body: Any
    headers: dict[str, str]
    built_in: bool


class ResourcesOut(Struct):
    """Rows by number, and the number to ask for next with `after`."""

    resources: list[ResourceOut]
    next: int


class ResourcesWanted(Struct, forbid_unknown_fields=True):
    """Which rows: at most `limit` with a higher number than `after`."""

    after: Count = 0
    limit: Count = 100


class ResourceWanted(Struct, forbid_unknown_fields=True):
    """Which row, by its number."""

    id: Count


ADD = Call(
    "add_resource",
    "POST",
    "/resources",
    "Add a resource to the API, in place of the one at this method and path",
    ResourceIn,
    ResourceOut,
    status=201,
)
LIST = Call(
    "resources",
    "GET",
    "/resources",
    "The resources of the API: ?after=N&limit=N",
    ResourcesWanted,
    ResourcesOut,
)
REMOVE = Call(
    "remove_resource", "DELETE", "/resources/{id}", "Remove a resource", ResourceWanted, Done
)

CALLS = (ADD, LIST, REMOVE)
