"""`mp-oauth-sandbox consent`: how sellers answer."""

import click

from mp_oauth_sandbox.cli.output import plain
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, remote_command
from mp_oauth_sandbox.control import consent as calls
from mp_oauth_sandbox.control.consent import ConsentIn, ConsentOut
from mp_oauth_sandbox.core.consent import ConsentMode


def _text(found: ConsentOut) -> str:
    return plain(found.mode) + (f"  seller {found.seller}" if found.seller else "")


def _set(remote: Remote, mode: ConsentMode, seller: int | None = None) -> None:
    remote.run(calls.SET, ConsentIn(mode=mode, seller=seller), text=_text)


@click.group(cls=DefaultGroup)
def consent() -> None:
    """Show or choose how sellers answer an application that asks for access.

    \b
    Examples:
      mp-oauth-sandbox consent
      mp-oauth-sandbox consent auto --seller 200000002
      mp-oauth-sandbox consent deny
    """  # noqa: D301 - click's own mark for text not to be rewrapped


@consent.command()
@remote_command
def show(remote: Remote) -> None:
    """How sellers answer now."""
    remote.run(calls.SHOW, text=_text)


@consent.command()
@click.option("--seller", type=int, metavar="ID", help="Who approves; else the only one there is.")
@remote_command
def auto(remote: Remote, *, seller: int | None) -> None:
    """Approve at once, without a page."""
    _set(remote, "auto", remote.only_seller() if seller is None else seller)


@consent.command()
@remote_command
def page(remote: Remote) -> None:
    """Ask on the consent page."""
    _set(remote, "page")


@consent.command()
@remote_command
def deny(remote: Remote) -> None:
    """Deny at once."""
    _set(remote, "deny")
