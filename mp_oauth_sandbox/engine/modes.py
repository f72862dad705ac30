"""What makes a sandbox answer otherwise than at its start: whoever comes next must see it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from mp_oauth_sandbox.control.applications import ApplicationOut
from mp_oauth_sandbox.control.consent import ConsentOut
from mp_oauth_sandbox.control.sandbox import ClockMode, ModesOut, ProfileMode
from mp_oauth_sandbox.core.consent import Consent, told
from mp_oauth_sandbox.core.profile import DEFAULT, spelled_out
from mp_oauth_sandbox.core.records import Application, Keys
from mp_oauth_sandbox.core.validity import span
from mp_oauth_sandbox.engine.clock import ClockState
from mp_oauth_sandbox.engine.engine import Engine, StartState
from mp_oauth_sandbox.engine.profiles import switched
from mp_oauth_sandbox.faults import description
from mp_oauth_sandbox.journal.masks import masked

_REAL_TIME: ClockState = (0, None)

#: A clock that was frozen falls behind; by so little it has not been moved.
_STOPPED_SHORTLY = timedelta(minutes=1)

#: How many of many faults, resources and applications are named to people.
_NAMED = 5


def modes(engine: Engine, *, sessions: int) -> ModesOut:
    """Every mode that differs from the start; `sessions` is how many browsers have their own.

    What an earlier run has left in a data file is the start of this one, and tells nobody
    anything: it is compared with what a new sandbox is like.
    """
    start, left = engine.start, engine.left
    if start is None:
        return ModesOut()
    consent, profile = engine.consent, engine.profile
    found = ModesOut(
        consent=ConsentOut(mode=consent.mode, seller=consent.seller)
        if _stands_out(consent, start.consent, left.consent, Consent())
        else None,
        clock=_clock(engine, start.clock if left.clock is None else _REAL_TIME),
        profile=ProfileMode(name=profile.name, switches=switched(profile))
        if _stands_out(profile, start.profile, left.profile, DEFAULT)
        else None,
        faults=_faults(engine, start),
        resources=[masked(one) for one in engine.resources.changes()],
        applications=_applications(engine, start),
        sessions=sessions,
    )
    found.told = _told(found)
    return found


def edited(before: Application, after: Application) -> list[str]:
    """The names of what is shown of an application and is not as it was."""
    names = ApplicationOut.__struct_fields__
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def _stands_out(now: object, start: object, left: object, usual: object) -> bool:
    return now != start or (now == left and now != usual)


def _clock(engine: Engine, start: ClockState) -> ClockMode | None:
    moved, frozen = engine.clock.ahead_of(start), engine.clock.frozen
    in_place = -_STOPPED_SHORTLY < moved < timedelta(seconds=1)
    if in_place and frozen == (start[1] is not None):
        return None
    return ClockMode(moved_seconds=0 if in_place else round(moved.total_seconds()), frozen=frozen)


def _faults(engine: Engine, start: StartState) -> list[str]:
    """Those that may still meet a request, if they are not just those of the start."""
    armed = [one for one in engine.faults if not one.spent]
    if [one.fault for one in armed] == list(start.faults):
        return []
    return [masked(description(one)) for one in armed]


def _applications(engine: Engine, start: StartState) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kept in start.records:
        if isinstance(kept, Application):
            now = engine.store.read(Keys(client_id=kept.client_id)).application
            if now is not None and (names := edited(kept, now)):
                found[kept.client_id] = names
    return found


def _told(found: ModesOut) -> list[str]:
    """The modes for people, a line for each."""
    lines: list[str] = []
    if found.consent is not None:
        lines.append(f"consent {told(found.consent.mode, found.consent.seller)}")
    if found.clock is not None:
        lines.append(f"clock {_moved(found.clock)}")
    if found.profile is not None:
        lines.append(f"profile {spelled_out(found.profile.name, found.profile.switches)}")
    edits = [f"{one}: {', '.join(names)}" for one, names in found.applications.items()]
    lines += _counted("fault armed", "faults armed", found.faults)
    lines += _counted("resource changed", "resources changed", found.resources)
    lines += _counted("application edited", "applications edited", edits)
    if found.sessions:
        one = found.sessions == 1
        browsers = "1 browser has" if one else f"{found.sessions} browsers have"
        lines.append(f"{browsers} a consent of {'its' if one else 'their'} own")
    return lines


def _moved(clock: ClockMode) -> str:
    way = "ahead" if clock.moved_seconds > 0 else "behind"
    moved = f"{span(timedelta(seconds=abs(clock.moved_seconds)))} {way}, "
    return f"{moved if clock.moved_seconds else ''}{'frozen' if clock.frozen else 'running'}"


def _counted(one: str, many: str, found: Sequence[str]) -> Iterator[str]:
    if found:
        more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        yield f"{len(found)} {one if len(found) == 1 else many}: {'; '.join(found[:_NAMED])}{more}"
