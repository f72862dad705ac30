"""All kinds of faults, by name, as files, the command line and the control API write them."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Union, get_args

import msgspec

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
from mp_oauth_sandbox.support.checked import invalid

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

    A step is an object with a `kind`, a kind alone ("lose-response"), a status (503), a
    cause ("code_expired"), or "fine", which lets the request through. Which requests fit is
    said once, for all steps.
    """

    steps: list[int | str | dict[str, Any]]
    on: str = "token"
    client_id: str | None = None
    user_id: int | None = None

    def faults(self) -> list[Fault]:
        """The faults, each for one match. Raises InvalidInputError naming the step at fault."""
        limits = {"on": self.on, "client_id": self.client_id, "user_id": self.user_id}
        faults: list[Fault] = []
        for place, step in enumerate(self.steps):
            if step == FINE:
                continue
            with _within(f"steps[{place}]"):
                fault = made(*_kind_and_fields(step, limits))
                if fault.needed > 1:
                    raise InvalidInputError("kind", f"a {fault.kind} needs several; add it alone")
            faults.append(msgspec.structs.replace(fault, first=place + 1, times=1, exact=True))
        if not faults:
            raise InvalidInputError("steps", "must have at least one that is not fine")
        return faults


@contextmanager
def _within(place: str) -> Generator[None]:
    """Errors of what is made inside name the place too: `steps[0].seconds`."""
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError(f"{place}.{error.field}", error.problem) from error


class _FaultFile(msgspec.Struct, forbid_unknown_fields=True):
    fault: list[dict[str, object]] = []
    sequence: list[Steps] = []


def made(kind: str, fields: Mapping[str, object]) -> Fault:
    """A checked fault, from its kind and fields. Raises InvalidInputError."""
    if kind not in KINDS:
        raise InvalidInputError("kind", f"{kind[:40]!r} is not one of {', '.join(KINDS)}")
    return _checked({"kind": kind, **fields}, KINDS[kind])


def checked(fault: Fault) -> Fault:
    """The same fault, if its fields are of their types and mean something.

    Raises InvalidInputError: a constructor does not look at types.
    """
    if not isinstance(fault, Fault):  # pyright: ignore[reportUnnecessaryIsInstance]
        problem = f"must be a fault or the name of a kind, not {type(fault).__name__}"
        raise InvalidInputError("fault", problem)
    return _checked({"kind": fault.kind, **msgspec.structs.asdict(fault)}, type(fault))


def steps_of(fields: Mapping[str, object]) -> Steps:
    """A sequence from its fields. Raises InvalidInputError."""
    try:
        return msgspec.convert(dict(fields), Steps)
    except msgspec.ValidationError as error:
        raise invalid(error, whole="steps", wanted=Steps) from error


def _checked(fields: Mapping[str, object], kind: type[Fault]) -> Fault:
    try:
        fault = msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise invalid(error, whole="fault", wanted=kind) from error
    fault.check()
    return fault


def load_faults(path: str | Path) -> list[Fault]:
    """The faults of a TOML file: [[fault]] tables, and [[sequence]] tables with `steps`.

    Raises InvalidInputError naming the file that cannot be read, or the field at fault.
    """
    try:
        file = msgspec.toml.decode(Path(path).read_bytes(), type=_FaultFile)
    except msgspec.ValidationError as error:
        raise invalid(error, whole="faults", wanted=_FaultFile) from error
    except (OSError, UnicodeDecodeError, RecursionError, msgspec.DecodeError) as error:
        raise InvalidInputError("faults", f"{path} cannot be read: {error}") from error
    faults: list[Fault] = []
    for place, fields in enumerate(file.fault):
        with _within(f"fault[{place}]"):
            faults.append(made(str(fields.pop("kind", "")), fields))
    for place, steps in enumerate(file.sequence):
        with _within(f"sequence[{place}]"):
            faults.extend(steps.faults())
    return faults


def _kind_and_fields(
    step: int | str | Mapping[str, object], limits: Mapping[str, object]
) -> tuple[str, dict[str, object]]:
    if isinstance(step, int):
        step = str(step)
    if not isinstance(step, str):
        for name in (*limits, "first", "times", "exact"):
            if name in step:
                raise InvalidInputError(name, "is for the whole sequence, not for one step")
        fields = {**limits, **step}
        return str(fields.pop("kind", "")), fields
    if step.isdecimal():
        return "refuse", {**limits, "status": int(step[:9])}
    if step in _CAUSES:
        return "refuse", {**limits, "cause": step}
    return step, dict(limits)
