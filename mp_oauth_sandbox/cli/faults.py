"""`mp-oauth-sandbox fault`: make something go wrong, on purpose."""

import inspect
from typing import Any, cast

import click
import msgspec

from mp_oauth_sandbox.cli.options import options_of
from mp_oauth_sandbox.cli.output import plain, table
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, given_as, remote_command
from mp_oauth_sandbox.control import faults as calls
from mp_oauth_sandbox.control.faults import FaultOut, FaultsOut, FaultsWanted, FaultWanted
from mp_oauth_sandbox.faults import KINDS, AnyFault, Fault, Steps

#: What the command line calls these fields, and says of those that every kind has.
_NAMES = {"client_id": "application", "user_id": "seller"}
_HELP = {
    "on": "An endpoint (authorization, token, resource), a grant (exchange, refresh,"
    " client_credentials), or a path such as /users/me.",
    "client_id": "Only for this application.",
    "user_id": "Only for this seller.",
    "first": "Begin with the N-th request that fits.",
    "times": "How many requests it meets, or always.",
    "exact": "For these requests alone: what it could not do then it does not do later.",
}


def _row(one: FaultOut) -> tuple[str, ...]:
    held = f"{one.held} held" if one.held else ""
    state = "spent" if one.spent else "waiting"
    counts = f"matched {one.matched}, met {one.used}"
    counts += f", idle {one.idle}" if one.idle else ""
    return plain(one.description), counts, state, held


def _text(found: FaultsOut) -> str:
    return table([_row(one) for one in found.faults]) or "no faults"


def _kind_command(name: str, kind: type[Fault]) -> click.Command:
    """`fault add NAME`, with an option for each field of the kind."""

    @remote_command
    def add(remote: Remote, /, **fields: object) -> None:
        given = {field: value for field, value in fields.items() if value is not None}
        fault = cast("AnyFault", given_as(kind, given))
        remote.run(calls.ADD, fault, text=lambda one: table([_row(one)]))

    teaching = inspect.getdoc(kind) or ""
    on = next(field.default for field in msgspec.structs.fields(kind) if field.name == "on")
    example = f"\b\nExample:\n  mp-oauth-sandbox fault add {name} --on {on} --times 1"
    command = click.command(name, help=f"{teaching}\n\n{example}")(add)
    options = options_of(kind, names=_NAMES, helps=_HELP)
    # What is this kind's own comes first.
    command.params[:0] = sorted(options, key=lambda option: option.name in _HELP)
    return command


class _Kinds(click.Group):
    """One command for each kind of fault there is."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See click.Group.list_commands."""
        return list(KINDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See click.Group.get_command."""
        kind = KINDS.get(cmd_name)
        return None if kind is None else _kind_command(cmd_name, kind)


@click.group(cls=DefaultGroup)
def fault() -> None:
    """Make something go wrong, on purpose.

    \b
    Examples:
      mp-oauth-sandbox fault add lose-response --on refresh --times 1
      mp-oauth-sandbox fault add slow --seconds 5 --on exchange
      mp-oauth-sandbox fault sequence --on refresh 503 503 fine lose-response
      mp-oauth-sandbox fault list
    """  # noqa: D301 - click's own mark for text not to be rewrapped


@fault.command("list")
@remote_command
def list_faults(remote: Remote) -> None:
    """The armed faults, and what has become of them."""
    remote.run_pages(calls.LIST, FaultsWanted(), text=_text)


@fault.group(cls=_Kinds)
def add() -> None:
    """Arm a fault; each KIND has a --help of its own.

    \b
    Example:
      mp-oauth-sandbox fault add lose-response --on refresh --times 1
    """  # noqa: D301 - click's own mark for text not to be rewrapped


@fault.command()
@click.argument("steps", nargs=-1, required=True, metavar="STEP...")
@click.option("--on", default="token", show_default=True, help=_HELP["on"])
@click.option("--application", metavar="ID", help=_HELP["client_id"])
@click.option("--seller", type=int, metavar="ID", help=_HELP["user_id"])
@remote_command
def sequence(
    remote: Remote,
    *,
    steps: tuple[str, ...],
    on: str,
    application: str | None,
    seller: int | None,
) -> None:
    """Make the n-th request that fits meet the n-th STEP.

    A step is a kind (lose-response), a status (503), a cause (code_expired), fine, or a JSON
    object with a kind.

    \b
    Example:
      mp-oauth-sandbox fault sequence --on refresh 503 503 fine lose-response
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    given = Steps(
        steps=[_step(step) for step in steps], on=on, client_id=application, user_id=seller
    )
    remote.run(calls.SEQUENCE, given, text=_text)


@fault.command()
@click.argument("name", metavar="ID")
@remote_command
def remove(remote: Remote, *, name: str) -> None:
    """Disarm one fault, such as f1; what waits at it goes on."""
    remote.run(calls.REMOVE, FaultWanted(id=name), text=lambda _: "removed")


@fault.command()
@remote_command
def clear(remote: Remote) -> None:
    """Disarm every fault; what waits goes on."""
    remote.run(calls.CLEAR, text=lambda _: "cleared")


def _step(text: str) -> str | dict[str, Any]:
    if not text.startswith("{"):
        return text
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise click.UsageError(f"a step cannot be read as JSON: {error}") from error
