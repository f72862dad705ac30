"""The control API's part about faults."""

from http import HTTPStatus
from typing import cast

import msgspec
from starlette.requests import Request

from mp_oauth_sandbox.control import types as calls
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.faults import AnyFault, Armed, Steps, description
from mp_oauth_sandbox.web.bodies import BodyLimits
from mp_oauth_sandbox.web.control.inputs import CallRefusedError, read_json
from mp_oauth_sandbox.web.control.openapi import Call

#: Type checkers do not take a union for a type; msgspec does.
_ANY = cast("type", AnyFault)


class FaultOut(msgspec.Struct):
    """An armed fault: how many requests fitted it (`matched`), how many it met (`used`).

    `held` counts the requests that wait at a gate now.
    """

    id: str
    fault: AnyFault
    description: str
    matched: int
    used: int
    held: int
    reached: bool
    spent: bool

    @classmethod
    def of(cls, armed: Armed) -> "FaultOut":
        """How the control API shows it."""
        return cls(
            id=armed.name,
            fault=armed.fault,  # type: ignore[arg-type] # every kind there is
            description=description(armed),
            matched=armed.matched,
            used=armed.used,
            held=armed.held,
            reached=armed.reached,
            spent=armed.spent,
        )


class FaultsOut(msgspec.Struct):
    """The armed faults, oldest first."""

    faults: list[FaultOut]


class FaultOperations:
    """Arming and disarming faults."""

    def __init__(self, engine: Engine, limits: BodyLimits) -> None:
        """Work on this engine's faults."""
        self._faults = engine.faults
        self._limits = limits

    def table(self) -> tuple[Call, ...]:
        """Its rows of the API."""
        return (
            Call("POST", "/faults", self.add_fault, takes=_ANY, gives=FaultOut, status=201),
            Call("GET", "/faults", self.faults, gives=FaultsOut),
            Call("DELETE", "/faults", self.clear_faults),
            Call("DELETE", "/faults/{id}", self.remove_fault),
            Call(
                "POST",
                "/sequences",
                self.add_sequence,
                takes=Steps,
                gives=FaultsOut,
                status=201,
            ),
        )

    async def add_fault(self, request: Request) -> FaultOut:
        """Make something go wrong, on purpose."""
        fields = await read_json(request, dict[str, object], self._limits)
        return FaultOut.of(self._faults.add(str(fields.pop("kind", "")), **fields))

    async def add_sequence(self, request: Request) -> FaultsOut:
        """Make the n-th request that fits meet the n-th step."""
        wanted = await read_json(request, Steps, self._limits)
        return FaultsOut(faults=[FaultOut.of(one) for one in self._faults.arm(wanted.faults())])

    async def faults(self, _request: Request) -> FaultsOut:
        """The armed faults, and what has become of them."""
        return FaultsOut(faults=[FaultOut.of(armed) for armed in self._faults])

    async def remove_fault(self, request: Request) -> calls.Done:
        """Disarm one fault; what waits at it goes on."""
        name = str(request.path_params["id"])
        if not self._faults.remove(name):
            problem = f"there is no fault {name[:20]}"
            raise CallRefusedError(HTTPStatus.NOT_FOUND, problem, field="id")
        return calls.Done()

    async def clear_faults(self, _request: Request) -> calls.Done:
        """Disarm every fault; what waits goes on."""
        self._faults.clear()
        return calls.Done()
