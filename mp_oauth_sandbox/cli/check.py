"""`mp-oauth-sandbox check`: scenarios against a running integration."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from mp_oauth_sandbox.cli.output import say
from mp_oauth_sandbox.control.errors import SandboxError
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.driver import report
from mp_oauth_sandbox.driver.browser import Network
from mp_oauth_sandbox.driver.config import DEFAULT_FILE, Config, load_config
from mp_oauth_sandbox.driver.control import Control
from mp_oauth_sandbox.driver.errors import ConfigError, DriverError
from mp_oauth_sandbox.driver.integration import HttpIntegration
from mp_oauth_sandbox.driver.runner import Result, Runner
from mp_oauth_sandbox.driver.scenario import Scenario, load_scenario, scenario_names
from mp_oauth_sandbox.driver.verdicts import Verdict, worst
from mp_oauth_sandbox.first_run import first_run
from mp_oauth_sandbox.hosting.live import PortUnavailableError
from mp_oauth_sandbox.sandbox import Sandbox

#: Exit codes, beside 0: something is violated, nothing could be begun, something was not checked.
VIOLATED, UNUSABLE, UNCHECKED = 1, 2, 3


class _UnusableError(click.ClickException):
    exit_code = UNUSABLE


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    metavar="FILE",
    help="What to check, and against which sandbox.",
)
@click.option("--list", "only_list", is_flag=True, help="List the scenarios and do nothing.")
@click.option("--json", is_flag=True, help="One JSON document instead of text.")
@click.option("--strict", is_flag=True, help="Exit with 3 if something could not be checked.")
def check(
    *, scenarios: tuple[str, ...], config: Path, only_list: bool, json: bool, strict: bool
) -> None:
    """Play scripted failures against your running integration, in any language.

    Each SCENARIO is a name from --list, or a TOML file of your own; without any, all are
    played. Without `sandbox.url` in the file, `check` starts a sandbox of its own for as long
    as it runs, on port 8970; your integration must be configured for it. The sandbox is reset
    before each scenario and after the last.

    \b
    Exit codes:
      0  nothing is violated (with --strict: and everything was checked)
      1  something is violated
      2  nothing could be checked: the configuration, the sandbox or a plain link is at fault
      3  with --strict: nothing is violated, but something was not checked

    \b
    mp-sandbox.toml, at its shortest:
      [integration]
      base_url = "http://localhost:8000"
      start_url = "/mp/start"
      callback_path = "/mp/callback"
      [integration.login]
      url = "/login"
      form = { user = "{account}" }
    """  # noqa: D301 - \b keeps click from wrapping what follows
    try:
        chosen = [load_scenario(name) for name in scenarios or scenario_names()]
        if only_list:
            say(report.listing_json(chosen) if json else report.listing(chosen))
            return
        results: list[Result] = []
        for result in _results(load_config(config), chosen):
            results.append(result)
            if not json:
                say(report.as_text(result))
    except PortUnavailableError as error:
        remedy = (
            "If a sandbox runs there already, stop it, or let `check` use it: under [sandbox] in"
            f' {config} set url = "http://127.0.0.1:PORT".'
        )
        raise _UnusableError(f"{error}\n{remedy}") from error
    except (DriverError, SandboxError, InvalidInputError) as error:
        raise _UnusableError(str(error)) from error
    say(report.as_json(results) if json else f"\n{report.summary(results)}")
    verdict = worst(finding for result in results for finding in result.findings)
    if verdict is Verdict.VIOLATED:
        raise click.exceptions.Exit(VIOLATED)
    if strict and verdict is not Verdict.HELD:
        raise click.exceptions.Exit(UNCHECKED)


def _results(config: Config, scenarios: list[Scenario]) -> Iterator[Result]:
    integration = HttpIntegration(config.integration)
    timeout = config.integration.tolerances.timeout_seconds
    with ExitStack() as stack:
        network = stack.enter_context(Network({}, timeout_seconds=timeout))
        control = stack.enter_context(_sandbox(config, network))
        integration.wait_until_up(network)
        yield from Runner(integration, control, network=network).run(scenarios)


@contextmanager
def _sandbox(config: Config, network: Network) -> Generator[Control]:
    """The running sandbox of the configuration, or one of its own for as long as needed."""
    wanted, callback = config.sandbox, config.integration.callback
    if wanted.url is not None:
        control = Control(wanted.url, network=network, token=wanted.token)
        control.health()
        _check_application(control, wanted.client_id, callback)
        yield control
        return
    with Sandbox(port=wanted.port, control_token=wanted.token) as sandbox:
        start = first_run(
            sandbox,
            client_id=wanted.client_id,
            client_secret=wanted.client_secret,
            redirect_uris=[callback],
        )
        sandbox.keep(start.application, *start.sellers)
        yield Control(sandbox.url, network=network, token=wanted.token)


def _check_application(control: Control, client_id: str, callback: str) -> None:
    """Say early what a running sandbox would refuse at every step."""
    known = {application.client_id: application for application in control.applications()}
    if client_id not in known:
        raise ConfigError(
            "sandbox.client_id",
            f"the sandbox at {control.url} has no application {client_id}; it has "
            f"{', '.join(known) or 'none'}",
        )
    if callback not in known[client_id].redirect_uris:
        raise SandboxError(
            f"{callback} is not registered for application {client_id}; start the sandbox with "
            f"--redirect-uri {callback}, or leave out sandbox.url to have one started"
        )
