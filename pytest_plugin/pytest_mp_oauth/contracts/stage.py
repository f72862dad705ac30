"""What the contracts have in common: a stage on which each example is a play of its own."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager

import pytest
from hypothesis import Phase, settings

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.control.errors import SandboxError
from mp_oauth_sandbox.driver.browser import Network
from mp_oauth_sandbox.driver.control import Control
from mp_oauth_sandbox.driver.errors import DriverError
from mp_oauth_sandbox.driver.integration import Integration
from mp_oauth_sandbox.driver.play import Play
from mp_oauth_sandbox.driver.runner import Runner
from mp_oauth_sandbox.driver.verdicts import Finding, Verdict

MakeIntegration = Callable[[], Integration]


class Contract:
    """How a contract gets at the integration under test."""

    @pytest.fixture
    def mp_integration(self) -> MakeIntegration:
        """Override it: a callable that makes a fresh `Integration` for each example."""
        pytest.fail(
            f"{type(self).__name__} needs a fixture `mp_integration` that returns a callable "
            "which makes your integration, such as "
            "lambda: AsgiIntegration(make_app(), ENDPOINTS)",
            pytrace=False,
        )


class Stage:
    """Makes the world anew for each example: a reset sandbox, a fresh integration, new people."""

    def __init__(self, sandbox: Sandbox, make: MakeIntegration, *, needs: tuple[str, ...]) -> None:
        """Skip the test, as not checked, if the integration lacks one of the hooks it `needs`."""
        self._sandbox = sandbox
        self._make = make
        self._keep_presets()
        with closing(make()) as integration:
            offered = {
                "status": integration.endpoints.status is not None,
                "trigger_url": integration.endpoints.trigger_url is not None,
                "move_clock": integration.moves_clock,
            }
        for hook in needs:
            if not offered[hook]:
                pytest.skip(f"not checked: the integration offers no {hook}")
        with self._runner() as runner:
            try:
                runner.rehearse()
            except (DriverError, SandboxError) as error:
                pytest.fail(str(error), pytrace=False)

    @contextmanager
    def play(self) -> Generator[Play]:
        """One example; at its end everything found fails it."""
        with self._runner() as runner:
            play = runner.play()
            yield play
            findings = play.all_findings()
        if findings:
            raise AssertionError(explained(play, findings))

    def run(self, holds: Callable[[], None]) -> None:
        """Try a property, and fail the test with the smallest script that breaks it."""
        __tracebackhide__ = True
        try:
            holds()
        except (AssertionError, DriverError, SandboxError) as error:
            text = "\n".join([str(error), "", *getattr(error, "__notes__", ())])
        else:
            return
        pytest.fail(text.rstrip(), pytrace=False)

    @contextmanager
    def _runner(self) -> Generator[Runner]:
        with ExitStack() as stack:
            # Without a socket also where the sandbox has one: it is the same sandbox.
            transport = stack.enter_context(closing(self._sandbox.transport()))
            # What a factory registers itself must not go with the reset of this example.
            Control(self._sandbox.url, network=Network({self._sandbox.url: transport})).reset()
            integration = stack.enter_context(closing(self._make()))
            network = stack.enter_context(
                Network({self._sandbox.url: transport, **integration.routes})
            )
            yield Runner(integration, Control(self._sandbox.url, network=network), network=network)

    def _keep_presets(self) -> None:
        """What the test's fixtures registered is there in every example."""
        with closing(self._sandbox.transport()) as transport:
            control = Control(self._sandbox.url, network=Network({self._sandbox.url: transport}))
            applications = [
                self._sandbox.application(one.client_id) for one in control.applications()
            ]
            sellers = [self._sandbox.seller(one.user_id) for one in control.sellers()]
        self._sandbox.keep(*(one for one in [*applications, *sellers] if one is not None))


def explained(play: Play, findings: list[Finding]) -> str:
    """The failure text: what is violated, the script, and what to do."""
    violated = [one for one in findings if one.verdict is Verdict.VIOLATED] or findings
    whats = "\n".join(f"{one.check} is {one.verdict}: {one.what}" for one in violated)
    remedies = "\n".join(f"{one.check}: {one.do}" for one in violated)
    return f"{whats}\n\n{play.draw(violated)}\n\nWhat to do\n{remedies}"


def tried() -> settings:
    """The user's own settings, as far as they fit a conversation over HTTP.

    No deadline, which would judge the machine; no explanation by lines of code, which would
    be the driver's.
    """
    phases = [phase for phase in settings().phases if phase is not Phase.explain]
    return settings(deadline=None, phases=phases)
