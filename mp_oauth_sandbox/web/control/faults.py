"""Arming and disarming faults."""

from http import HTTPStatus

from mp_oauth_sandbox.control import faults
from mp_oauth_sandbox.control.faults import FaultOut, FaultsOut, FaultsWanted, FaultWanted
from mp_oauth_sandbox.control.types import PAGE_LIMIT, Done, Nothing
from mp_oauth_sandbox.faults import AnyFault, Armed, Faults, Steps, description
from mp_oauth_sandbox.web.control.operations import CallRefusedError, Operation, does


class FaultOperations:
    """What goes wrong on purpose."""

    def __init__(self, rack: Faults) -> None:
        """Work on these."""
        self._rack = rack

    def operations(self) -> tuple[Operation, ...]:
        """What does each of the calls."""
        return (
            does(faults.ADD, self._add),
            does(faults.LIST, self._list),
            does(faults.CLEAR, self._clear),
            does(faults.REMOVE, self._remove),
            does(faults.SEQUENCE, self._sequence),
        )

    async def _add(self, given: AnyFault) -> FaultOut:
        return _shown(self._rack.add(given))

    async def _sequence(self, given: Steps) -> FaultsOut:
        return FaultsOut([_shown(one) for one in self._rack.arm(given.faults())], None)

    async def _list(self, given: FaultsWanted) -> FaultsOut:
        armed = list(self._rack)
        end = given.after + min(given.limit, PAGE_LIMIT)
        page = armed[given.after : end]
        return FaultsOut([_shown(one) for one in page], end if end < len(armed) else None)

    async def _remove(self, given: FaultWanted) -> Done:
        if not self._rack.remove(given.id):
            problem = f"there is no fault {given.id[:20]}"
            raise CallRefusedError(HTTPStatus.NOT_FOUND, problem, field="id")
        return Done()

    async def _clear(self, _: Nothing) -> Done:
        self._rack.clear()
        return Done()


def _shown(armed: Armed) -> FaultOut:
    return FaultOut(
        id=armed.name,
        fault=armed.fault,  # type: ignore[arg-type] # every kind there is
        description=description(armed),
        matched=armed.matched,
        used=armed.used,
        idle=armed.idle,
        held=armed.held,
        reached=armed.reached,
        spent=armed.spent,
    )
