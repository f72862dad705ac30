"""`mp-oauth-sandbox consent`: how sellers answer."""

import click
import msgspec

from mp_oauth_sandbox.cli.output import plain
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, remote_command


class _Consent(msgspec.Struct):
    mode: str
    seller: int | None


def _text(found: _Consent) -> str:
    return plain(found.mode) + (f"  seller {found.seller}" if found.seller else "")


def _set(remote: Remote, mode: str, seller: int | None = None) -> None:
    body: dict[str, object] = {"mode": mode, "seller": seller}
    remote.run("PUT", "consent", body, gives=_Consent, text=_text)


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
    remote.run("GET", "consent", gives=_Consent, text=_text)


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
