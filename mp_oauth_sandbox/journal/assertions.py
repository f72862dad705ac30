"""What must have happened; a failure draws what happened instead."""

from collections.abc import Collection, Sequence
from typing import NoReturn, cast

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.reception import Reception
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.journal.diagram import sequence
from mp_oauth_sandbox.journal.entries import Entry, Kind
from mp_oauth_sandbox.journal.queries import (
    ASIDE,
    CAUSES,
    RECEPTIONS,
    Query,
    Wanted,
    Which,
    check_names,
    find,
    one_of,
)

_MUST_HAVE = ("status", "outcome", "error", "cause")


class Expected(Which, total=False):
    """Which exchange is meant, and what it must have."""

    status: int
    outcome: str
    error: str
    cause: Cause | Reception | str


def assert_refused(entries: Sequence[Entry], cause: Cause | str, which: Which) -> Entry:
    """See Journal.assert_refused."""
    __tracebackhide__ = True
    if str(cause) in RECEPTIONS:
        problem = f"{cause} is no refusal; look for it with assert_count(1, cause={str(cause)!r})"
        raise InvalidInputError("cause", problem)
    wanted: Wanted = {**which, "cause": cause}
    query = Query.of(wanted)
    found = find(entries, query)
    if not found:
        _fail(f"expected a refusal{query}, but there is none", entries, query)
    return found[-1]


def assert_no_refusals(entries: Sequence[Entry], which: Which) -> None:
    """See Journal.assert_no_refusals."""
    __tracebackhide__ = True
    query = Query.of(cast("Wanted", which))
    found = [entry for entry in find(entries, query) if entry.cause is not None]
    if found:
        text = f"expected no refusal{query}, but there {_counted(len(found), 'refusal')}"
        _fail(text, entries, query, found, why=found[-1])


def assert_count(entries: Sequence[Entry], count: int, wanted: Wanted) -> list[Entry]:
    """See Journal.assert_count."""
    __tracebackhide__ = True
    query = Query.of(wanted)
    found = find(entries, query)
    if len(found) != count:
        text = f"expected {count} entries{query}, but there {_counted(len(found), 'entry')}"
        _fail(text, entries, query, found)
    return found


def assert_last(entries: Sequence[Entry], expected: Expected) -> Entry:
    """See Journal.assert_last."""
    __tracebackhide__ = True
    check_names(expected, Expected)
    given: dict[str, object] = {**expected}
    wanted = {name: given.pop(name) for name in _MUST_HAVE if name in given}
    if "cause" in wanted:
        one_of("cause", str(wanted["cause"]), (*CAUSES, *RECEPTIONS))
    query = Query.of(cast("Wanted", given))
    aside = frozenset[Kind]() if query.kind else ASIDE
    found = find(entries, query)
    newest = next((entry for entry in reversed(found) if entry.kind not in aside), None)
    said = ", ".join(f"{name} {value}" for name, value in wanted.items())
    if newest is None:
        _fail(f"expected an exchange{query} with {said or 'anything'}", entries, query)
    has = {name: newest.why if name == "cause" else getattr(newest, name) for name in wanted}
    if has != wanted:
        instead = ", ".join(f"{name} {value}" for name, value in has.items())
        text = f"expected the last exchange{query} to have {said}, but it has {instead}"
        _fail(text, entries, query, [newest], why=newest)
    return newest


def _fail(
    text: str,
    entries: Sequence[Entry],
    query: Query,
    marked: Collection[Entry] = (),
    *,
    why: Entry | None = None,
) -> NoReturn:
    __tracebackhide__ = True
    story = [entry for entry in entries if query.touches(entry)]
    text += f". What happened:\n{sequence(story, mark={entry.seq for entry in marked})}"
    if why is not None and why.why is not None:
        text += f"\n{why.explain()}"
    raise AssertionError(text)


def _counted(count: int, word: str) -> str:
    if count == 1:
        return f"is 1 {word}"
    return f"are {count} {word[:-1]}ies" if word.endswith("y") else f"are {count} {word}s"
