"""`mp-oauth-sandbox fault`: make something go wrong, on purpose."""

import inspect
from typing import cast

import click
import msgspec
from msgspec import NODEFAULT
from msgspec import inspect as types

from mp_oauth_sandbox.cli.output import plain, table
from mp_oauth_sandbox.cli.remote import DefaultGroup, Done, Remote, remote_command, segment
from mp_oauth_sandbox.faults import KINDS, Fault

#: What the command line calls these fields, and says of those that every kind has.
_NAMES = {"client_id": "application", "user_id": "seller"}
_HELP = {
    "on": "An endpoint (authorization, token, resource), a grant (exchange, refresh,"
    " client_credentials), or a path such as /users/me.",
    "client_id": "Only for this application.",
    "user_id": "Only for this seller.",
    "first": "Begin with the N-th request that fits.",
    "times": "How many requests it meets, or always.",
}


class _Fault(msgspec.Struct):
    id: str
    description: str
    matched: int
    used: int
    held: int
    spent: bool

    def row(self) -> tuple[str, ...]:
        held = f"{self.held} held" if self.held else ""
        state = "spent" if self.spent else "waiting"
        return plain(self.description), f"matched {self.matched}, met {self.used}", state, held


class _Faults(msgspec.Struct):
    faults: list[_Fault]


def _text(found: _Faults) -> str:
    return table([one.row() for one in found.faults]) or "no faults"


class _FieldType(click.ParamType[object]):
    """A field of a fault: checked as the fault itself checks it."""

    def __init__(self, kind: types.Type, checked: object) -> None:
        self.name = _metavar(kind)
        self._lists = any(isinstance(one, types.ListType) for one in _members(kind))
        self._checked = checked
        enums = [one.cls for one in _members(kind) if isinstance(one, types.EnumType)]
        values = [str(value.value) for enum in enums for value in enum]
        self._wanted = f"one of {', '.join(values)}" if values else self.name

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """See click.ParamType.convert."""
        tries = [value]
        if self._lists:
            tries.append([part.strip() for part in str(value).split(",")])
        problem = ""
        for one in tries:
            try:
                kind = cast("type[object]", self._checked)
                return msgspec.to_builtins(msgspec.convert(one, kind, strict=False))
            except msgspec.ValidationError as error:
                problem = str(error).partition(" - at ")[0]
        raise click.BadParameter(
            f"{plain(value)[:60]!r}: {problem}; must be {self._wanted}", ctx=ctx, param=param
        )


def _members(kind: types.Type) -> tuple[types.Type, ...]:
    return kind.types if isinstance(kind, types.UnionType) else (kind,)


def _metavar(kind: types.Type) -> str:
    words: list[str] = []
    for one in _members(kind):
        match one:
            case types.LiteralType(values=values):
                words += map(str, values)
            case types.EnumType():
                words.append(one.cls.__name__.upper())
            case types.ListType():
                words.append("N,N,...")
            case types.IntType() | types.FloatType():
                words.append("N")
            case types.BoolType():
                words.append("true|false")
            case types.NoneType():
                pass
            case _:
                words.append("TEXT")
    return "|".join(words)


def _option(field: types.Field, checked: object) -> click.Option:
    name = _NAMES.get(field.name, field.name.replace("_", "-"))
    text = _HELP.get(field.name, "")
    if field.default is not NODEFAULT and field.default is not None:
        text = f"{text}  [default: {field.default}]".strip()
    kind = _FieldType(field.type, checked)
    return click.Option([f"--{name}", field.name], type=kind, metavar=kind.name, help=text or None)


def _kind_command(name: str, kind: type[Fault]) -> click.Command:
    """`fault add NAME`, with an option for each field of the kind."""

    @remote_command
    def add(remote: Remote, /, **fields: object) -> None:
        given = {field: value for field, value in fields.items() if value is not None}
        body = {"kind": name, **given}
        remote.run("POST", "faults", body, gives=_Fault, text=lambda one: table([one.row()]))

    teaching = inspect.getdoc(kind) or ""
    info = types.type_info(kind)
    assert isinstance(info, types.StructType)  # noqa: S101 - for the type checker
    on = next(field.default for field in info.fields if field.name == "on")
    example = f"\b\nExample:\n  mp-oauth-sandbox fault add {name} --on {on} --times 1"
    kinds = {field.name: field.type for field in msgspec.structs.fields(kind)}
    command = click.command(name, help=f"{teaching}\n\n{example}")(add)
    # What is this kind's own comes first.
    fields = sorted(info.fields, key=lambda field: field.name in _HELP)
    command.params[:0] = [_option(field, kinds[field.name]) for field in fields]
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
    remote.run("GET", "faults", gives=_Faults, text=_text)


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
    body: dict[str, object] = {"steps": [_step(step) for step in steps], "on": on}
    body |= {"client_id": application, "user_id": seller}
    remote.run("POST", "sequences", body, gives=_Faults, text=_text)


@fault.command()
@click.argument("name", metavar="ID")
@remote_command
def remove(remote: Remote, *, name: str) -> None:
    """Disarm one fault, such as f1; what waits at it goes on."""
    remote.run("DELETE", f"faults/{segment(name)}", gives=Done, text=lambda _: "removed")


@fault.command()
@remote_command
def clear(remote: Remote) -> None:
    """Disarm every fault; what waits goes on."""
    remote.run("DELETE", "faults", gives=Done, text=lambda _: "cleared")


def _step(text: str) -> object:
    if not text.startswith("{"):
        return text
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise click.UsageError(f"a step cannot be read as JSON: {error}") from error
