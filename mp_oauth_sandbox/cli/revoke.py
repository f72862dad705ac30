"""`mp-oauth-sandbox revoke`: end links from Mercado Pago's side."""

from typing import get_args

import click
import msgspec

from mp_oauth_sandbox.cli.output import plain
from mp_oauth_sandbox.cli.remote import Remote, remote_command
from mp_oauth_sandbox.control.errors import SandboxRefusedError
from mp_oauth_sandbox.core.revoke import Reason


class _Revoked(msgspec.Struct):
    explanation: str | None = None
    client_secret: str | None = None


def _text(found: _Revoked) -> str:
    secret = f"\nclient_secret  {plain(found.client_secret)}" if found.client_secret else ""
    return plain(found.explanation or "revoked") + secret


@click.command()
@click.argument("reason", type=click.Choice(get_args(Reason)))
@click.option("--application", metavar="ID", help="Whose links; else the only one there is.")
@click.option("--seller", type=int, metavar="ID", help="Whose links; else the only one there is.")
@remote_command
def revoke(remote: Remote, *, reason: str, application: str | None, seller: int | None) -> None:
    """End links from Mercado Pago's side; what they issued is refused from then on.

    Some reasons concern an application, some a seller, some the link between the two.

    \b
    Examples:
      mp-oauth-sandbox revoke unlinked --seller 200000001
      mp-oauth-sandbox revoke password_changed --seller 200000001
      mp-oauth-sandbox revoke application_deleted --application 1234567890123456
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    body: dict[str, object] = {"reason": reason}
    if application is not None:
        body["client_id"] = application
    if seller is not None:
        body["user_id"] = seller
    only = {"client_id": remote.only_application, "user_id": remote.only_seller}
    while True:
        try:
            remote.run("POST", "revocations", body, gives=_Revoked, text=_text)
        except SandboxRefusedError as error:
            # The sandbox says which of the two this reason lacks.
            if error.field in only and error.field not in body:
                body[error.field] = only[error.field]()
                continue
            if error.field == "reason" and "client_id" not in body:
                body["client_id"] = remote.only_application()
                continue
            raise
        return
