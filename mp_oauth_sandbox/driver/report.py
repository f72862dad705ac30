"""Results for people and for programs."""

from collections import Counter
from collections.abc import Sequence

import click
import msgspec

from mp_oauth_sandbox.driver.runner import Result
from mp_oauth_sandbox.driver.scenario import Scenario
from mp_oauth_sandbox.driver.verdicts import Verdict

_COLOURS = {
    Verdict.HELD: "green",
    Verdict.VIOLATED: "red",
    Verdict.NOT_CHECKED: "yellow",
    Verdict.POLICY: "yellow",
}


def as_text(result: Result) -> str:
    """One scenario for people: its verdict, and if it did not hold why, the script, what to do."""
    scenario, verdict = result.scenario, result.verdict
    lines = [
        f"{click.style(f'{verdict:<11}', fg=_COLOURS[verdict], bold=True)}  {scenario.name}  "
        f"({scenario.severity})"
    ]
    if verdict is Verdict.HELD:
        return lines[0]
    lines.append(f"  {scenario.title}. {scenario.passes}")
    for finding in result.findings:
        lines += ["", f"  {click.style(finding.check, bold=True)}: {finding.what}"]
        if finding.do:
            lines.append(f"  do: {finding.do}")
    lines += ["", *(f"  {line}" for line in result.script.splitlines()), ""]
    return "\n".join(lines)


def summary(results: Sequence[Result]) -> str:
    """How many came to what, in one line."""
    counted = Counter(result.verdict for result in results)
    return ", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict if counted[verdict])


def as_json(results: Sequence[Result]) -> str:
    """All results as one JSON document."""
    return msgspec.json.encode(
        {
            "results": [
                {
                    "scenario": result.scenario.name,
                    "severity": result.scenario.severity,
                    "title": result.scenario.title,
                    "verdict": result.verdict,
                    "findings": result.findings,
                    "script": result.script.splitlines(),
                }
                for result in results
            ]
        }
    ).decode()


def listing(scenarios: Sequence[Scenario]) -> str:
    """The scenarios, one in each line: name, severity, title."""
    width = max((len(scenario.name) for scenario in scenarios), default=0)
    return "\n".join(
        f"{scenario.name:<{width}}  {scenario.severity:<8}  {scenario.title}"
        for scenario in scenarios
    )


def listing_json(scenarios: Sequence[Scenario]) -> str:
    """The scenarios as one JSON document, with their scripts."""
    return msgspec.json.encode({"scenarios": scenarios}).decode()
