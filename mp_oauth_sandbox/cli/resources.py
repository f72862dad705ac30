"""`mp-oauth-sandbox resources`: what the API answers to a good token."""

from pathlib import Path

import click
import msgspec

from mp_oauth_sandbox.cli.output import plain, table
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, given_as, remote_command
from mp_oauth_sandbox.control import resources as calls
from mp_oauth_sandbox.control.resources import (
    ResourceIn,
    ResourceOut,
    ResourcesWanted,
    ResourceWanted,
)
from mp_oauth_sandbox.control.types import PAGE_LIMIT

#: As many as the control API gives at once.
_ALL = ResourcesWanted(limit=PAGE_LIMIT)


def _row(one: ResourceOut) -> tuple[str, ...]:
    made = "built in" if one.built_in else ""
    return tuple(map(plain, (one.id, one.method, one.path, one.status, made)))


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
        calls.LIST,
        _ALL,
        text=lambda found: table([_row(one) for one in found.resources]) or "no resources",
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
    given = given_as(ResourceIn, wanted)
    remote.run(calls.ADD, given, text=lambda one: table([_row(one)]))


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
        found = remote.caller.call(calls.LIST, _ALL).resources
        numbers = [one.id for one in found if (one.method, one.path) == (method, path)]
        if len(which) > 2 or not numbers:
            raise click.UsageError(f"there is no resource {plain(' '.join(which))[:100]}")
        number = numbers[0]
    given = given_as(ResourceWanted, {"id": number}, strict=False)
    remote.run(calls.REMOVE, given, text=lambda _: "removed")


def _json(text: str) -> object:
    try:
        data = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
        return msgspec.json.decode(data)
    except (OSError, UnicodeError, RecursionError, msgspec.DecodeError) as error:
        raise click.UsageError(f"--body: cannot be read as JSON ({error})") from error
