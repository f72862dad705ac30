"""`mp-oauth-sandbox clock`: the sandbox's own time."""

import click

from mp_oauth_sandbox.cli.durations import seconds_of
from mp_oauth_sandbox.cli.output import plain
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, given_as, remote_command
from mp_oauth_sandbox.control import clock as calls
from mp_oauth_sandbox.control.clock import AdvanceIn, ClockOut, TravelIn

_settle = click.option(
    "--settle", is_flag=True, help="Then wait until the webhooks now due are answered."
)


def _text(found: ClockOut) -> str:
    return plain(f"{found.now}{'  frozen' if found.frozen else ''}")


@click.group(cls=DefaultGroup)
def clock() -> None:
    """Show or move the sandbox's clock; never backwards.

    \b
    Examples:
      mp-oauth-sandbox clock
      mp-oauth-sandbox clock advance "180 days"
      mp-oauth-sandbox clock advance --days 180 --settle
      mp-oauth-sandbox clock travel 2030-01-01T00:00:00Z
    """  # noqa: D301 - click's own mark for text not to be rewrapped


@clock.command()
@remote_command
def show(remote: Remote) -> None:
    """The time there (UTC), and whether it stands still."""
    remote.run(calls.SHOW, text=_text)


@clock.command()
@click.argument("duration", nargs=-1)
@click.option("--days", type=click.FloatRange(min=0), metavar="N", help="So many days.")
@click.option("--hours", type=click.FloatRange(min=0), metavar="N", help="So many hours.")
@click.option("--minutes", type=click.FloatRange(min=0), metavar="N", help="So many minutes.")
@click.option("--seconds", type=click.FloatRange(min=0), metavar="N", help="So many seconds.")
@_settle
@remote_command
def advance(
    remote: Remote,
    *,
    duration: tuple[str, ...],
    days: float | None,
    hours: float | None,
    minutes: float | None,
    seconds: float | None,
    settle: bool,
) -> None:
    """Move the clock forward.

    \b
    Examples:
      mp-oauth-sandbox clock advance "180 days"
      mp-oauth-sandbox clock advance 9m 59s
      mp-oauth-sandbox clock advance --hours 6
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    parts = [(days, 86400), (hours, 3600), (minutes, 60), (seconds, 1)]
    given = [number * unit for number, unit in parts if number is not None]
    if duration:
        try:
            given.append(seconds_of(" ".join(duration)))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="DURATION") from error
    if not given:
        raise click.UsageError('say how far: clock advance "180 days", or --days 180')
    remote.run(calls.ADVANCE, AdvanceIn(seconds=sum(given), settle=settle), text=_text)


@clock.command()
@click.argument("instant")
@_settle
@remote_command
def travel(remote: Remote, *, instant: str, settle: bool) -> None:
    """Move the clock forward to an INSTANT: ISO 8601 with a zone.

    \b
    Example:
      mp-oauth-sandbox clock travel 2030-01-01T00:00:00Z
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    given = given_as(TravelIn, {"to": instant, "settle": settle})
    remote.run(calls.TRAVEL, given, text=_text)


@clock.command()
@remote_command
def freeze(remote: Remote) -> None:
    """Stop the clock."""
    remote.run(calls.FREEZE, text=_text)


@clock.command()
@remote_command
def resume(remote: Remote) -> None:
    """Let the clock run on."""
    remote.run(calls.RESUME, text=_text)
