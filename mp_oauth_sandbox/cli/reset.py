"""`mp-oauth-sandbox reset`: begin again."""

import click

from mp_oauth_sandbox.cli.remote import Done, Remote, remote_command


@click.command()
@remote_command
def reset(remote: Remote) -> None:
    """Return to the state right after start: credentials, faults, journal and clock moves go.

    \b
    Example:
      mp-oauth-sandbox reset
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    remote.run("POST", "reset", gives=Done, text=lambda _: "reset")
