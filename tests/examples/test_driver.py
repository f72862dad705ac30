"""The same examples as users check their own: with the scenarios, and with the contracts."""

import pytest
from hypothesis import settings

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.driver.browser import Network
from mp_oauth_sandbox.driver.control import Control
from mp_oauth_sandbox.driver.runner import Runner
from mp_oauth_sandbox.driver.scenario import load_scenario, scenario_names
from mp_oauth_sandbox.driver.verdicts import Verdict
from pytest_mp_oauth.contracts import ExpiryContract, StateContract
from pytest_mp_oauth.contracts.stage import MakeIntegration

from .running import EXAMPLES, Running

# An example of a property is a conversation with a process here; by night there are many.
settings.register_profile(
    "examples", max_examples=max(5, settings().max_examples // 50), deadline=None
)


@pytest.fixture
def few_tries(usual_profile: None) -> None:
    settings.load_profile("examples")


@pytest.mark.parametrize("example", EXAMPLES, indirect=True)  # Express in every run, too.
def test_every_scenario_is_held(example: Running, mp_sandbox: Sandbox):
    application = mp_sandbox.application("1234567890123456")
    assert application is not None
    mp_sandbox.keep(application)
    with Network({}) as network:
        runner = Runner(
            example.integration(), Control(mp_sandbox.url, network=network), network=network
        )
        results = list(runner.run([load_scenario(name) for name in scenario_names()]))

    assert len(results) >= 3
    for result in results:
        assert result.verdict is Verdict.HELD, result.script


@pytest.mark.usefixtures("few_tries")
class TestContracts(StateContract, ExpiryContract):
    @pytest.fixture
    def mp_integration(self, example: Running) -> MakeIntegration:
        return example.integration
