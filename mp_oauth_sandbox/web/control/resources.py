"""The control API's operations on the table of resources."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from msgspec import Struct, field
from starlette.requests import Request

from mp_oauth_sandbox.control import types as calls
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.resources import Resource
from mp_oauth_sandbox.web.bodies import BodyLimits
from mp_oauth_sandbox.web.control.inputs import CallRefusedError, number, read_json
from mp_oauth_sandbox.web.control.openapi import COUNT, Call

_PAGE_LIMIT = 1000


class ResourceIn(Struct, forbid_unknown_fields=True):
    """What the API answers to a good token at this method and path, such as /v1/payments/{id}.

    In the body, the texts "$user_id", "$client_id" and "$path.id" stand for the token's seller,
    its application, and what the path has in place of {id}.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    status: int = 200
    body: Any = field(default_factory=dict[str, object])
    headers: dict[str, str] = field(default_factory=dict[str, str])


class ResourceOut(Struct):
    """One row of the table. A built-in one makes its own body."""

    id: int
    method: str
    path: str
    status: int
    body: Any
    headers: dict[str, str]
    built_in: bool

    @classmethod
    def of(cls, resource: Resource) -> "ResourceOut":
        """How the control API shows it."""
        headers: Mapping[str, str] = resource.headers
        return cls(
            id=resource.id,
            method=resource.method,
            path=resource.path,
            status=resource.status,
            body=resource.body,
            headers=dict(headers),
            built_in=resource.built_in,
        )


class ResourcesOut(Struct):
    """Rows by number, and the number to ask for next with `after`."""

    resources: list[ResourceOut]
    next: int


class ResourceOperations:
    """Adds, lists and removes resources."""

    def __init__(self, engine: Engine, limits: BodyLimits) -> None:
        """Work on this engine's table."""
        self._resources = engine.resources
        self._limits = limits

    def table(self) -> tuple[Call, ...]:
        """The calls on resources."""
        return (
            Call(
                "POST",
                "/resources",
                self.add_resource,
                takes=ResourceIn,
                gives=ResourceOut,
                status=201,
            ),
            Call(
                "GET",
                "/resources",
                self.resources,
                gives=ResourcesOut,
                query={"after": COUNT, "limit": COUNT},
            ),
            Call("DELETE", "/resources/{id}", self.remove_resource),
        )

    async def add_resource(self, request: Request) -> ResourceOut:
        """Add a resource to the API, in place of the one at this method and path."""
        wanted = await read_json(request, ResourceIn, self._limits)
        added = self._resources.add(
            wanted.method,
            wanted.path,
            status=wanted.status,
            body=wanted.body,
            headers=wanted.headers,
        )
        return ResourceOut.of(added)

    async def resources(self, request: Request) -> ResourcesOut:
        """The resources of the API: ?after=N&limit=N."""
        after = number(request, "after", default=0)
        limit = min(number(request, "limit", default=100), _PAGE_LIMIT)
        later = [one for one in self._resources.list() if one.id > after][:limit]
        return ResourcesOut(
            resources=[ResourceOut.of(one) for one in later], next=later[-1].id if later else after
        )

    async def remove_resource(self, request: Request) -> calls.Done:
        """Remove a resource."""
        wanted = str(request.path_params["id"])
        try:
            self._resources.remove_id(int(wanted) if wanted.isascii() and len(wanted) < 16 else 0)
        except ValueError as error:
            problem = error.problem if isinstance(error, InvalidInputError) else "not a number"
            raise CallRefusedError(HTTPStatus.NOT_FOUND, problem, field="id") from error
        return calls.Done()
