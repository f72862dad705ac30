"""`mp-oauth-sandbox resources`: what the API answers to a good token."""

from pathlib import Path

import click
import msgspec

from mp_oauth_sandbox.cli.output import plain, table
from mp_oauth_sandbox.cli.remote import DefaultGroup, Done, Remote, remote_command, segment

#: More than the control API gives at once.
_LIST = "resources?limit=1000"


class _Resource(msgspec.Struct):
    id: int
    method: str
    path: str
    status: int
    built_in: bool

    def row(self) -> tuple[str, ...]:
        made = "built in" if self.built_in else ""
        return tuple(map(plain, (self.id, self.method, self.path, self.status, made)))


class _Resources(msgspec.Struct):
    resources: list[_Resource]


@click.group(cls=DefaultGroup)
def resources() -> None:
    """List or change what the API answers to a good token.

    \b
    Examples:
      mp-oauth-sandbox resources
      mp-oauth-sandbox resources add GET '/v1/payments/{id}' --body '{"id": "$path.id"}'
      mp-oauth-sandbox resources remove GET '/v1/payments/{id}'
    """  # noqa: D301 - click's own mark for text not to be rewrapped


@resources.command("list")
@remote_command
def list_resources(remote: Remote) -> None:
    """The resources, at most 1000."""
    remote.run(
        "GET",
        _LIST,
        gives=_Resources,
        text=lambda found: table([one.row() for one in found.resources]) or "no resources",
    )


@resources.command()
@click.argument("method")
@click.argument("path")
@click.option("--status", type=int, metavar="N", help="Of the answer; 200 without it.")
@click.option(
    "--body",
    metavar="JSON|@FILE",
    help='Of the answer. The texts "$user_id", "$client_id" and "$path.NAME" are filled in.',
)
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Repeatable.")
@remote_command
def add(
    remote: Remote,
    *,
    method: str,
    path: str,
    status: int | None,
    body: str | None,
    headers: tuple[str, ...],
) -> None:
    """Answer METHOD PATH from now on; a segment in braces stands for any text.

    \b
    Examples:
      mp-oauth-sandbox resources add GET '/v1/payments/{id}' --body '{"id": "$path.id"}'
      mp-oauth-sandbox resources add POST /v1/payments --status 201 --body @payment.json
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    wanted: dict[str, object] = {"method": method.upper(), "path": path}
    if status is not None:
        wanted["status"] = status
    if body is not None:
        wanted["body"] = _json(body)
    if headers:
        pairs = [header.partition(":") for header in headers]
        if not all(sign for _, sign, _ in pairs):
            raise click.UsageError("--header: must be NAME:VALUE")
        wanted["headers"] = {name.strip(): value.strip() for name, _, value in pairs}
    remote.run("POST", "resources", wanted, gives=_Resource, text=lambda one: table([one.row()]))


@resources.command()
@click.argument("which", nargs=-1, required=True, metavar="ID | METHOD PATH")
@remote_command
def remove(remote: Remote, *, which: tuple[str, ...]) -> None:
    """Remove a resource, by its number or by method and path.

    \b
    Examples:
      mp-oauth-sandbox resources remove 12
      mp-oauth-sandbox resources remove GET '/v1/payments/{id}'
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    number: object = which[0]
    if len(which) > 1:
        method, path = which[0].upper(), which[1]
        found = remote.fetch("GET", _LIST, gives=_Resources).resources
        numbers = [one.id for one in found if (one.method, one.path) == (method, path)]
        if len(which) > 2 or not numbers:
            raise click.UsageError(f"there is no resource {plain(' '.join(which))[:100]}")
        number = numbers[0]
    remote.run("DELETE", f"resources/{segment(number)}", gives=Done, text=lambda _: "removed")


def _json(text: str) -> object:
    try:
        data = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
        return msgspec.json.decode(data)
    except (OSError, UnicodeError, RecursionError, msgspec.DecodeError) as error:
        raise click.UsageError(f"--body: cannot be read as JSON ({error})") from error
