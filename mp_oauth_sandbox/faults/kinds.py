"""All kinds of faults, by name, as files, the command line and the control API write them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union, get_args

import msgspec

from mp_oauth_sandbox.checked import invalid
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.faults.garble import Garble
from mp_oauth_sandbox.faults.gate import Gate
from mp_oauth_sandbox.faults.hang_up import DropBeforeCommit, LoseResponse
from mp_oauth_sandbox.faults.pace import Drip, Slow
from mp_oauth_sandbox.faults.refuse import Refuse
from mp_oauth_sandbox.faults.tamper import Tamper
from mp_oauth_sandbox.faults.webhook import WebhookFault

# msgspec tells the members apart by `kind`.
AnyFault = Union[  # noqa: UP007 - a value, not only an annotation
    Refuse, LoseResponse, DropBeforeCommit, Slow, Drip, Garble, Gate, Tamper, WebhookFault
]

KINDS: dict[str, type[Fault]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(AnyFault)
}

#: A step of a sequence that lets its request through.
FINE = "fine"

_CAUSES = {cause.value for cause in Cause}


class Steps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault for each step: the n-th request that fits meets the n-th.

    A step is an object with a `kind`, a kind alone ("lose-response"), a status ("503"), a
    cause ("code_expired"), or "fine", which lets the request through.
    """

    steps: list[str | dict[str, Any]]
    on: str = "token"
    client_id: str | None = None
    user_id: int | None = None

    def faults(self) -> list[Fault]:
        """The faults, each for one match. Raises InvalidInputError naming the step at fault."""
        limits = {"on": self.on, "client_id": self.client_id, "user_id": self.user_id}
        faults: list[Fault] = []
        for place, step in enumerate(self.steps, start=1):
            if step == FINE:
                continue
            try:
                fault = made(*_kind_and_fields(step, limits))
                if fault.needed > 1:
                    raise InvalidInputError("kind", f"a {fault.kind} needs several; add it alone")
            except InvalidInputError as error:
                raise InvalidInputError(f"steps[{place}]", str(error)) from error
            faults.append(msgspec.structs.replace(fault, first=place, times=1))
        if not faults:
            raise InvalidInputError("steps", "must have at least one that is not fine")
        return faults


class _File(msgspec.Struct, forbid_unknown_fields=True):
    fault: list[dict[str, object]] = []
    sequence: list[Steps] = []


def made(kind: str, fields: Mapping[str, object]) -> Fault:
    """A checked fault, from its kind and fields. Raises InvalidInputError."""
    if kind not in KINDS:
        raise InvalidInputError("kind", f"{kind[:40]!r} is not one of {', '.join(KINDS)}")
    try:
        fault = msgspec.convert({"kind": kind, **fields}, KINDS[kind])
    except msgspec.ValidationError as error:
        raise invalid(error, whole="fault", wanted=KINDS[kind]) from error
    fault.check()
    return fault


def load_faults(path: str | Path) -> list[Fault]:
    """The faults of a TOML file: [[fault]] tables, and [[sequence]] tables with `steps`.

    Raises InvalidInputError naming the file that cannot be read, or the field at fault.
    """
    try:
        file = msgspec.toml.decode(Path(path).read_bytes(), type=_File)
    except msgspec.ValidationError as error:
        raise invalid(error, whole="faults") from error
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise InvalidInputError("faults", f"{path} cannot be read: {error}") from error
    single = [made(str(fields.pop("kind", "")), fields) for fields in file.fault]
    return single + [fault for steps in file.sequence for fault in steps.faults()]


def _kind_and_fields(
    step: str | Mapping[str, object], limits: Mapping[str, object]
) -> tuple[str, dict[str, object]]:
    if not isinstance(step, str):
        fields = {**limits, **step}
        return str(fields.pop("kind", "")), fields
    if step.isdecimal():
        return "refuse", {**limits, "status": int(step[:9])}
    if step in _CAUSES:
        return "refuse", {**limits, "cause": step}
    return step, dict(limits)
