"""`mp-oauth-sandbox sellers`: the test accounts."""

import click
import msgspec

from mp_oauth_sandbox.cli.output import plain, table
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, remote_command


class _Seller(msgspec.Struct):
    user_id: int
    nickname: str
    country: str
    collaborator_of: int | None

    def row(self) -> tuple[str, ...]:
        works = f"collaborator of {self.collaborator_of}" if self.collaborator_of else ""
        return str(self.user_id), plain(self.country), plain(self.nickname), works


class _Sellers(msgspec.Struct):
    sellers: list[_Seller]


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
    remote.run(
        "GET",
        "sellers",
        gives=_Sellers,
        text=lambda found: table([one.row() for one in found.sellers]) or "no sellers",
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
    body: dict[str, object] = {
        "country": country,
        "nickname": nickname,
        "user_id": user_id,
        "collaborator_of": collaborator_of,
    }
    remote.run("POST", "sellers", body, gives=_Seller, text=lambda one: table([one.row()]))
