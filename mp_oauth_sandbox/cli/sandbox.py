"""`mp-oauth-sandbox health` and `reset`: the sandbox as a whole."""

import click

from mp_oauth_sandbox.cli.output import plain
from mp_oauth_sandbox.cli.remote import Remote, remote_command
from mp_oauth_sandbox.control import sandbox
from mp_oauth_sandbox.control.sandbox import HealthOut


def _text(found: HealthOut) -> str:
    told = f"{found.status}  version {found.version}  profile {found.profile}  now {found.now}"
    told = told if found.reason is None else f"{told}  {found.reason}"
    unlike = unlike_start(found)
    return plain(told if unlike is None else f"{told}\n{unlike}")


def unlike_start(found: HealthOut) -> str | None:
    """Which modes are not as at the start, in one line; None if all are."""
    return f"not as at the start: {' | '.join(found.modes.told)}" if found.modes.told else None


@click.command()
@remote_command
def health(remote: Remote) -> None:
    """Whether the sandbox answers: exit code 0 if it does, 3 if not.

    \b
    Example:
      until mp-oauth-sandbox health; do sleep 1; done
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    remote.run(sandbox.HEALTH, text=_text)


@click.command()
@remote_command
def reset(remote: Remote) -> None:
    """Return to the state right after start: credentials, faults, journal and clock moves go.

    \b
    Example:
      mp-oauth-sandbox reset
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    remote.run(sandbox.RESET, text=lambda _: "reset")
