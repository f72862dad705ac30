"""`mp-oauth-sandbox revoke`: end links from Mercado Pago's side."""

from typing import get_args

import click

from mp_oauth_sandbox.cli.output import plain
from mp_oauth_sandbox.cli.remote import Remote, given_as, remote_command
from mp_oauth_sandbox.control import revocations as calls
from mp_oauth_sandbox.control.revocations import RevocationIn, RevocationOut
from mp_oauth_sandbox.core.revoke import REVOCATIONS, Reason


def _text(found: RevocationOut) -> str:
    secret = f"\nclient_secret  {plain(found.client_secret)}" if found.client_secret else ""
    return plain(found.explanation) + secret


@click.command()
@click.argument("reason", type=click.Choice(get_args(Reason)))
@click.option("--application", metavar="ID", help="Whose links; else the only one there is.")
@click.option("--seller", type=int, metavar="ID", help="Whose links; else the only one there is.")
@remote_command
def revoke(remote: Remote, *, reason: Reason, application: str | None, seller: int | None) -> None:
    """End links from Mercado Pago's side; what they issued is refused from then on.

    Some reasons concern an application, some a seller, some the link between the two.

    \b
    Examples:
      mp-oauth-sandbox revoke unlinked --seller 200000001
      mp-oauth-sandbox revoke password_changed --seller 200000001
      mp-oauth-sandbox revoke application_deleted --application 1234567890123456
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    concerns = REVOCATIONS[reason].concerns
    if application is None and concerns != "seller":
        application = remote.only_application()
    if seller is None and concerns != "application":
        seller = remote.only_seller()
    given = given_as(RevocationIn, {"reason": reason, "client_id": application, "user_id": seller})
    remote.run(calls.REVOKE, given, text=_text)
