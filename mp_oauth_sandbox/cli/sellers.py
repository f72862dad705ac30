"""`mp-oauth-sandbox sellers`: the test accounts."""

import click

from mp_oauth_sandbox.cli.output import plain, table
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, remote_command
from mp_oauth_sandbox.control import sellers as calls
from mp_oauth_sandbox.control.sellers import SellerIn, SellerOut
from mp_oauth_sandbox.control.types import Listed


def _row(one: SellerOut) -> tuple[str, ...]:
    works = f"collaborator of {one.collaborator_of}" if one.collaborator_of else ""
    return str(one.user_id), plain(one.country), plain(one.nickname), works


@click.group(cls=DefaultGroup)
def sellers() -> None:
    """List or create test sellers.

    \b
    Examples:
      mp-oauth-sandbox sellers
      mp-oauth-sandbox sellers add --country BR --nickname LOJA_TESTE
    """  # noqa: D301 - click's own mark for text not to be rewrapped


@sellers.command("list")
@remote_command
def list_sellers(remote: Remote) -> None:
    """The sellers, owners of applications too."""
    remote.run_pages(
        calls.LIST,
        Listed(),
        text=lambda found: table([_row(one) for one in found.sellers]) or "no sellers",
    )


@sellers.command()
@click.option("--country", required=True, metavar="CODE", help="AR, BR, CL, CO, MX, PE, UY, ...")
@click.option("--nickname", help="Without it, one is made up.")
@click.option("--user-id", type=int, metavar="N", help="Without it, one is made up.")
@click.option("--collaborator-of", type=int, metavar="N", help="The account they work for.")
@remote_command
def add(
    remote: Remote,
    *,
    country: str,
    nickname: str | None,
    user_id: int | None,
    collaborator_of: int | None,
) -> None:
    """Create a test seller.

    \b
    Example:
      mp-oauth-sandbox sellers add --country BR --nickname LOJA_TESTE
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    given = SellerIn(
        country=country,
        nickname=nickname,
        user_id=user_id,
        collaborator_of=collaborator_of,
    )
    remote.run(calls.CREATE, given, text=lambda one: table([_row(one)]))
