"""Changing what the API answers to a good token."""

from http import HTTPStatus

from msgspec import convert

from mp_oauth_sandbox.control import resources
from mp_oauth_sandbox.control.resources import (
    ResourceIn,
    ResourceOut,
    ResourcesOut,
    ResourcesWanted,
    ResourceWanted,
)
from mp_oauth_sandbox.control.types import PAGE_LIMIT, Done
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.resources import Resource, ResourceTable
from mp_oauth_sandbox.web.control.operations import CallRefusedError, Operation, does


class ResourceOperations:
    """The table of resources."""

    def __init__(self, table: ResourceTable) -> None:
        """Work on this table."""
        self._table = table

    def operations(self) -> tuple[Operation, ...]:
        """What does each of the calls."""
        return (
            does(resources.ADD, self._add),
            does(resources.LIST, self._list),
            does(resources.REMOVE, self._remove),
        )

    async def _add(self, given: ResourceIn) -> ResourceOut:
        added = self._table.add(
            given.method, given.path, status=given.status, body=given.body, headers=given.headers
        )
        return _shown(added)

    async def _list(self, given: ResourcesWanted) -> ResourcesOut:
        limit = min(given.limit, PAGE_LIMIT)
        later = [one for one in self._table.list() if one.id > given.after][:limit]
        return ResourcesOut(
            resources=[_shown(one) for one in later], next=later[-1].id if later else given.after
        )

    async def _remove(self, given: ResourceWanted) -> Done:
        try:
            self._table.remove_id(given.id)
        except InvalidInputError as error:
            raise CallRefusedError(HTTPStatus.NOT_FOUND, error.problem, field="id") from error
        return Done()


def _shown(resource: Resource) -> ResourceOut:
    return convert(resource, ResourceOut, from_attributes=True)
