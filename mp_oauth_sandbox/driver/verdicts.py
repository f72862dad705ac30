"""What a check comes to, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The four ends of a check; a missing hook never counts as held."""

    HELD = "held"
    VIOLATED = "violated"
    NOT_CHECKED = "not checked"
    POLICY = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be, or could not be looked at.

    `check` is a property (P1), an observation of a scenario (St, J, P) or a hook; `what`
    happened, what to `do`; `entry` is the number of the journal entry at fault.
    """

    check: str
    verdict: Verdict
    what: str
    do: str
    entry: int | None = None


def worst(findings: Iterable[Finding]) -> Verdict:
    """The verdict over all: violated before policy before not checked before held."""
    verdicts = {finding.verdict for finding in findings}
    for verdict in (Verdict.VIOLATED, Verdict.POLICY, Verdict.NOT_CHECKED):
        if verdict in verdicts:
            return verdict
    return Verdict.HELD
