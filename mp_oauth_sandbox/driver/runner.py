"""Plays scenarios, one after the other, and says what came of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mp_oauth_sandbox.control.errors import SandboxError
from mp_oauth_sandbox.driver.acts import Callback, Seen
from mp_oauth_sandbox.driver.browser import Network
from mp_oauth_sandbox.driver.control import Control
from mp_oauth_sandbox.driver.errors import DriverError, HookMissingError, IntegrationError
from mp_oauth_sandbox.driver.integration import Integration
from mp_oauth_sandbox.driver.play import Play
from mp_oauth_sandbox.driver.scenario import (
    AdvanceStep,
    ApproveStep,
    DeliverStep,
    DenyStep,
    Expectations,
    LogInStep,
    Scenario,
    StartStep,
    Step,
)
from mp_oauth_sandbox.driver.verdicts import Finding, Verdict, worst


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one scenario; `script` is the sequence diagram up to its end."""

    scenario: Scenario
    verdict: Verdict
    findings: tuple[Finding, ...]
    script: str


class Runner:
    """Everything that scenarios are played with."""

    def __init__(self, integration: Integration, control: Control, *, network: Network) -> None:
        """`network` must reach both the integration and the sandbox."""
        self._integration = integration
        self._control = control
        self._network = network

    def play(self) -> Play:
        """A new play, on the sandbox as it is."""
        return Play(self._integration, self._control, network=self._network)

    def rehearse(self) -> None:
        """Link one seller plainly: where that fails, nothing else would mean anything.

        Raises IntegrationError, with the sequence diagram.
        """
        play = self.play()
        try:
            play.start("A")
            seen = play.deliver("A", play.approve("A", seller="S1"))
        except IntegrationError as error:
            raise IntegrationError(f"{error}\n{play.draw([])}".rstrip()) from error
        if seen.tokens_issued != 1 or play.all_findings():
            raise IntegrationError(
                "a plain link fails already, so no check would mean anything; the callback must "
                f"lead to one successful exchange\n{play.draw(play.all_findings())}"
            )

    def run(self, scenarios: Sequence[Scenario]) -> Iterator[Result]:
        """Play each on a reset sandbox; afterwards sellers answer as they did before.

        Raises IntegrationError or SandboxError if not even a plain link can be played.
        """
        before = self._control.consent()
        try:
            self._control.reset()
            self.rehearse()
            for scenario in scenarios:
                self._control.reset()
                yield self._result(scenario)
        finally:
            self._control.reset()
            self._control.set_consent(before.mode, before.seller)

    def _result(self, scenario: Scenario) -> Result:
        play = self.play()
        callbacks: dict[str, Callback] = {}
        try:
            for step in scenario.steps:
                _act(play, step, callbacks)
                # What follows would only make the diagram longer.
                if worst(play.all_findings()) is Verdict.VIOLATED:
                    break
        except (DriverError, SandboxError) as error:
            play.findings.append(_not_checked(error))
        findings = tuple(play.all_findings())
        return Result(
            scenario=scenario,
            verdict=worst(findings),
            findings=findings,
            script=play.draw(findings),
        )


def _act(play: Play, step: Step, callbacks: dict[str, Callback]) -> None:
    match step:
        case LogInStep():
            play.log_in(step.actor)
        case StartStep():
            play.start(step.actor)
        case ApproveStep():
            callbacks[step.actor] = play.approve(step.actor, seller=step.seller)
        case DenyStep():
            callbacks[step.actor] = play.deny(step.actor)
        case AdvanceStep():
            play.advance(step.duration)
        case DeliverStep():
            owner = step.callback_of or step.actor
            if owner not in callbacks:
                raise DriverError(f"the script delivers a callback that {owner} does not have")
            _compare(play, step.actor, play.deliver(step.actor, callbacks[owner]), step.expect)


def _compare(play: Play, actor: str, seen: Seen, expected: Expectations) -> None:
    """Add a finding for each thing that is not as expected."""
    most = expected.token_requests_at_most
    if most is not None and seen.token_requests > most:
        what = f"{_times(seen.token_requests, 'token request')} instead of at most {most}"
        play.findings.append(_violated("J", what, expected, seen))
    if expected.tokens_issued is not None and seen.tokens_issued != expected.tokens_issued:
        what = f"{_times(seen.tokens_issued, 'link')} made instead of {expected.tokens_issued}"
        play.findings.append(_violated("J", what, expected, seen))
    if expected.status is not None:
        try:
            status = play.status(actor)
        except (DriverError, SandboxError) as error:
            play.findings.append(_not_checked(error))
            return
        if status not in expected.status:
            allowed = " or ".join(expected.status)
            what = f"account {actor} is shown as {status} instead of {allowed}"
            play.findings.append(_violated("St", what, expected, seen))


def _violated(check: str, what: str, expected: Expectations, seen: Seen) -> Finding:
    requests = [entry.seq for entry in seen.entries if entry.kind == "token"]
    return Finding(
        check=check,
        verdict=Verdict.VIOLATED,
        what=what,
        do=expected.because,
        entry=requests[0] if requests else None,
    )


def _not_checked(error: DriverError | SandboxError) -> Finding:
    if isinstance(error, HookMissingError):
        what, do = f"the integration offers no {error.hook}", error.remedy
        return Finding(check=error.hook, verdict=Verdict.NOT_CHECKED, what=what, do=do)
    return Finding(
        check="script",
        verdict=Verdict.NOT_CHECKED,
        what=str(error),
        do="the script could not be played to its end; see how far it came",
    )


def _times(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
