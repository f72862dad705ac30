"""The rows of behaviours.toml, each completed with what the code's own tables tell of it.

Refusals, slips, lifetimes and switches are told by the tables that the server itself runs on, so
that no row can say other than it does.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from mp_oauth_sandbox.core import lifetimes
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.profile import DEFAULT
from mp_oauth_sandbox.core.refusals import MISTAKES, RULES, Rule, refuse, wire_error
from mp_oauth_sandbox.engine.profiles import switches

Fields = dict[str, str]
#: Subject, id, fields: what behaviours.toml holds.
Written = Mapping[str, Mapping[str, Fields]]

_MUTATION = """
at = "..."       # a function, class or constant
replace = '...'  # an expression in it
by = '...'       # with this in its place the test fails
# and `test`, unless tests/core/test_refusals.py goes through it"""
_LACKING = {
    "refusal": f"[refusals.{{name}}]{_MUTATION}",
    "slip": f"[own.{{name}}]{_MUTATION}",
    "switch": """[resources.{name}]  # or another subject
what = "What the default does, in a sentence."
evidence = "guess"
test = "tests/...::test_..."
by = '...'       # with this as the default the test fails""",
}


class Subject(StrEnum):
    """What a behaviour is about; the values are headings, in the order of the page."""

    AUTHORIZATION = "The authorization endpoint"
    REQUESTS = "Requests to the token endpoint"
    SUCCESS = "Success answers"
    REFUSALS = "Refusals"
    LIFETIMES = "Lifetimes and revocation"
    PKCE = "PKCE"
    RESOURCES = "Resources"
    WEBHOOKS = "Webhooks"
    OWN = "The sandbox's own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One behaviour on the wire; the head of behaviours.toml says what each field means."""

    subject: Subject
    id: str
    what: str
    evidence: str
    source: str
    test: str
    at: str
    by: str
    replace: str | None = None
    switch: str | None = None


class MissingRowError(LookupError):
    """The code has a refusal, a slip or a switch that has no row; the text is the row to add."""

    def __init__(self, name: str) -> None:
        row = _LACKING[name.partition("-")[0]].format(name=name)
        super().__init__(f"add to tests/fidelity/behaviours.toml:\n\n{row}")


def written() -> Written:
    """What behaviours.toml says."""
    file = Path(__file__).with_name("behaviours.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def behaviours(rows: Written | None = None) -> list[Behaviour]:
    """Every row, in the order of the file, or of these `rows`.

    Raises MissingRowError for what the code has and no row names, TypeError for a row that has too
    few fields, or others.
    """
    rows = written() if rows is None else rows
    told = dict([*_switches(), *_refusals(), *_slips()])
    for name in told:
        if not any(name in rows_about for rows_about in rows.values()):
            raise MissingRowError(name)
    return [
        _behaviour(Subject[subject.upper()], name, told.get(name, {}) | fields)
        for subject, rows_about in rows.items()
        for name, fields in rows_about.items()
    ]


def _behaviour(subject: Subject, name: str, fields: Fields) -> Behaviour:
    try:
        row = Behaviour(subject=subject, id=name, **fields)
    except TypeError as error:
        error.add_note(f"the row {name} of tests/fidelity/behaviours.toml")
        raise
    return replace(row, what=row.what.format_map(_FACTS))


# ---- lifetimes, and sentences that are switches ----


def _length(lifetime: timedelta | lifetimes.CalendarMonths) -> str:
    if isinstance(lifetime, lifetimes.CalendarMonths):
        return f"{lifetime.months} calendar months"
    return f"{lifetime.total_seconds():.0f} seconds"


#: What stands in braces in a row's `what`.
_FACTS = asdict(DEFAULT) | {
    "AUTHORIZATION_CODE": _length(lifetimes.AUTHORIZATION_CODE),
    "ACCESS_TOKEN": _length(lifetimes.ACCESS_TOKEN),
    "CLIENT_CREDENTIALS_TOKEN": _length(lifetimes.CLIENT_CREDENTIALS_TOKEN),
    "REFRESH_TOKEN": _length(lifetimes.REFRESH_TOKEN),
}

# ---- switches ----


def _switches() -> Iterator[tuple[str, Fields]]:
    source = ""
    for switch in switches():
        if switch.evidence != "Guess: as above.":
            source = switch.evidence
        yield (
            f"switch-{switch.name.replace('_', '-')}",
            {"source": source, "switch": switch.name, "at": f"Profile.{switch.name}"},
        )


# ---- refusals ----

_TESTS = "tests/core/test_refusals.py::test_each_"
_SITUATION = f"{_TESTS}situation_has_its_cause_and_a_complete_explanation_without_secrets"
_SLIP = f"{_TESTS}slip_is_recognised_and_has_its_own_explanation_without_secrets"

#: Names whose one sentence has a row of its own.
_ONE_SENTENCE = frozenset({"invalid_grant", "invalid_client"})

_FACT = re.compile(r"\{(\w+)\}")
_CLOSING_FACT = re.compile(r"(?:; \w+ \w+)?: \{\w+\}(?=[.;])")

_GUESSED = re.compile(r"guess|unknown|sandbox's own")
_DOCUMENT = re.compile(r"\b(?:MP|ML),|\b(?:MP|ML) reference|official")
_CAPTURE = re.compile(r"seen in|capture|thread|note")


def evidence_of(source: str) -> str:
    """How well a refusal is known, by the words of its source.

    A part that is a guess makes all of it one; otherwise what the source names first counts.
    An RFC alone is a guess: it says what should be, not what Mercado Pago does.
    """
    if _GUESSED.search(source):
        return "guess"
    document, capture = _DOCUMENT.search(source), _CAPTURE.search(source)
    if capture and (document is None or capture.start() < document.start()):
        return "observed"
    return "documented" if document else "guess"


def _refusals() -> Iterator[tuple[str, Fields]]:
    for cause, rule in RULES.items():
        condition = _CLOSING_FACT.sub("", rule.explanation.partition("\n")[0])
        yield (
            f"refusal-{cause.replace('_', '-')}",
            {
                "what": f"{_FACT.sub('…', condition)} {_answer(cause, rule)}",
                "evidence": evidence_of(rule.source),
                "source": f"{rule.source[0].upper()}{rule.source[1:]}.",
                "test": f"{_SITUATION}[{cause}]",
            },
        )


def _answer(cause: Cause, rule: Rule) -> str:
    """What the wire says, in words."""
    if rule.shape == "page":
        return "The seller gets the error page, HTTP 400."
    if rule.shape == "redirect":
        return f"The browser goes back with `error={rule.error}`."
    error = wire_error(refuse(cause), DEFAULT)
    # A rule's sentence may wait for facts, which only a real request has.
    known = error.message if "{" not in rule.message else _FACT.sub(r"<\1>", rule.message)
    own_row = rule.error in _ONE_SENTENCE or known in {"", "<sentence>"}
    said = "" if own_row else f": `{known}`"
    return f"Answer: {error.status} `{error.error}`{said}."


def _slips() -> Iterator[tuple[str, Fields]]:
    for mistake, (told, _) in MISTAKES.items():
        first = _FACT.sub("…", told.partition("\n")[0].partition(". ")[0]).rstrip(".")
        yield (
            f"slip-{mistake.replace('_', '-')}",
            {
                "what": f"The journal recognises this slip: “{first}”.",
                "evidence": "guess",
                "source": "The sandbox's own help; the wire says no more than without it.",
                "test": f"{_SLIP}[{mistake}]",
            },
        )
