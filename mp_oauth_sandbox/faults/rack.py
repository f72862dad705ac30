"""The faults of one sandbox: added, met by requests in turn, reported when never reached."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from mp_oauth_sandbox.core.refusals import visible
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.faults.armed import Armed
from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.faults.kinds import checked, made, steps_of
from mp_oauth_sandbox.wire.exchange import Asked, Meeting, Reply, Serve


class Faults:
    """Every fault of a sandbox, in the order in which they were added. Use `sandbox.faults`.

    Where several meet one request, a later one wraps the earlier ones.
    """

    def __init__(self, *, note: Callable[[str], None]) -> None:
        """`note` writes into the journal what was added and removed."""
        self._note = note
        self._lock = threading.Lock()
        self.armed: tuple[Armed, ...] = ()
        """Those that are armed, spent ones too, oldest first."""
        self._count = 0

    def add(self, fault: Fault | str, /, **fields: object) -> Armed:
        """Arm a fault: an object, or its kind and fields as in files and on the command line.

        Raises InvalidInputError naming the field that cannot be used.
        """
        if isinstance(fault, str):
            fault = made(fault, fields)
        elif fields:
            raise InvalidInputError(next(iter(fields)), "belongs into the fault that is given")
        return self.arm([checked(fault)])[0]

    def sequence(
        self,
        *steps: int | str | dict[str, object],
        on: str = "token",
        client_id: str | None = None,
        user_id: int | None = None,
    ) -> list[Armed]:
        """Arm one fault for each step: the n-th request that fits meets the n-th; see Steps.

        Raises InvalidInputError naming the step that cannot be used.
        """
        limits = {"on": on, "client_id": client_id, "user_id": user_id}
        return self.arm(steps_of({"steps": list(steps), **limits}).faults())

    def remove(self, name: str) -> bool:
        """Disarm a fault; whatever waits at it goes on. False if there is none of that name."""
        with self._lock:
            gone = [armed for armed in self.armed if armed.name == name]
            self.armed = tuple(armed for armed in self.armed if armed.name != name)
        self._let_go(gone)
        for armed in gone:
            self._note(f"fault removed: {description(armed)}")
        return bool(gone)

    def clear(self) -> None:
        """Disarm all; whatever waits goes on."""
        if self._emptied():
            self._note("faults removed: all")

    def never_reached(self) -> Sequence[Armed]:
        """Those that have done nothing yet: what a test set up and then did not happen."""
        return tuple(armed for armed in self.armed if not armed.reached)

    def assert_all_reached(self) -> None:
        """Raise AssertionError naming the faults that have done nothing yet."""
        missed = self.never_reached()
        if missed:
            lines = "\n".join(f"  {unreached(armed)}" for armed in missed)
            raise AssertionError(f"faults that no request has reached:\n{lines}")

    def faults(self) -> Sequence[Fault]:
        """What is armed, without its counts: for `rearm`."""
        return tuple(armed.fault for armed in self.armed)

    def rearm(self, faults: Sequence[Fault]) -> None:
        """Arm just these, counted from the beginning (reset)."""
        self._emptied()
        with self._lock:
            self._count = 0
            self._placed(faults)

    def meeting(
        self, asked: Asked, *, hides: Callable[[Fault, Fault], bool]
    ) -> list[tuple[Armed, str]]:
        """The faults that do their work on this notification, each with its description.

        `hides` tells of two whether the first leaves nothing for the second to do: that one is
        not counted then.
        """
        found, met = self._meetings(asked), list[tuple[Armed, str]]()
        for at, (armed, meeting) in enumerate(found):
            others = [other.fault for other, _ in found[:at] + found[at + 1 :]]
            if any(hides(other, armed.fault) for other in others):
                meeting.end()
            else:
                meeting.meet()
                met.append((armed, meeting.said))
        return met

    async def serve(self, asked: Asked, decide: Serve) -> Reply[Any]:
        """Serve a request by `decide`, as the faults that are for it will have it.

        Which of them have done their work is known when the reply is settled.
        """
        found = self._meetings(asked)
        if not found:
            return await decide(asked)
        serve = decide
        for armed, meeting in found:
            serve = armed.wrapper(serve, meeting)
        try:
            reply = await serve(asked)
        except BaseException:
            for _, meeting in found:
                meeting.end()
            raise
        return replace(reply, meetings=tuple(meeting for _, meeting in found))

    def _meetings(self, asked: Asked) -> list[tuple[Armed, Meeting]]:
        with self._lock:
            return [(armed, found) for armed in self.armed if (found := armed.take(asked))]

    def arm(self, faults: Sequence[Fault]) -> list[Armed]:
        """Arm faults that are already checked."""
        with self._lock:
            armed = self._placed(faults)
        for one in armed:
            self._note(f"fault added: {description(one)}")
        return armed

    def _placed(self, faults: Sequence[Fault]) -> list[Armed]:
        armed: list[Armed] = []
        for fault in faults:
            self._count += 1
            armed.append(Armed(f"f{self._count}", fault))
        self.armed = (*self.armed, *armed)
        return armed

    def _emptied(self) -> bool:
        with self._lock:
            gone, self.armed = self.armed, ()
        self._let_go(gone)
        return bool(gone)

    def _let_go(self, gone: Sequence[Armed]) -> None:
        for armed in gone:
            armed.release()

    def __iter__(self) -> Iterator[Armed]:
        """Those that are armed, spent ones too."""
        return iter(self.armed)

    def __len__(self) -> int:
        return len(self.armed)


def unreached(armed: Armed) -> str:
    """A fault that has done nothing, in one line, and on how many requests it could not."""
    if not armed.idle:
        return description(armed)
    times = "once" if armed.idle == 1 else f"{armed.idle} times"
    return f"{description(armed)}: {times} hidden by another fault, or nothing to change"


def description(armed: Armed) -> str:
    """A fault in one line: its name, what it does, and for which requests."""
    fault = armed.fault
    who = f", application {fault.client_id}" if fault.client_id is not None else ""
    who += f", seller {fault.user_id}" if fault.user_id is not None else ""
    if (count := fault.most) is None:
        which = "every match" if fault.first == 1 else f"every match from {fault.first}"
    else:
        last = fault.first + count - 1
        which = f"match {fault.first}" if count == 1 else f"matches {fault.first} to {last}"
    return visible(f"{armed.name} {fault.label} on {fault.on}{who} ({which})")
