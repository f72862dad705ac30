"""`mp-oauth-sandbox health`: whether it answers."""

import click
import msgspec

from mp_oauth_sandbox.cli.output import plain
from mp_oauth_sandbox.cli.remote import Remote, remote_command


class _Health(msgspec.Struct):
    status: str
    version: str
    profile: str
    now: str


def _text(found: _Health) -> str:
    return plain(
        f"{found.status}  version {found.version}  profile {found.profile}  now {found.now}"
    )


@click.command()
@remote_command
def health(remote: Remote) -> None:
    """Whether the sandbox answers: exit code 0 if it does, 3 if not.

    \b
    Example:
      until mp-oauth-sandbox health; do sleep 1; done
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    remote.run("GET", "health", gives=_Health, text=_text)
