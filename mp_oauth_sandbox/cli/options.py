"""Options of a command, made from the fields of what the command sends."""

from collections.abc import Collection, Mapping
from typing import Any, cast

import click
import msgspec
from msgspec import NODEFAULT, UNSET
from msgspec import inspect as types

from mp_oauth_sandbox.cli.output import plain
from mp_oauth_sandbox.support.checked import misfit


class FieldType(click.ParamType[object]):
    """A field of a struct: checked as the struct itself checks it."""

    def __init__(self, kind: types.Type, checked: object) -> None:
        """`kind` is the field's type as msgspec sees it, `checked` as it is written."""
        self.name = _metavar(kind)
        self._lists = any(isinstance(one, types.ListType) for one in _members(kind))
        self._checked = cast("type[object]", checked)
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
                return msgspec.to_builtins(msgspec.convert(one, self._checked, strict=False))
            except msgspec.ValidationError as error:
                found = misfit(error, self._checked)
                problem = found.problem + found.question
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


def options_of(
    kind: type[msgspec.Struct],
    *,
    names: Mapping[str, str],
    helps: Mapping[str, str],
    without: Collection[str] = (),
) -> list[click.Option]:
    """An option for each field of a struct, in its order.

    `names` has the fields that are called otherwise here, `helps` what is said of some, and
    `without` those that have no plain option.
    """
    info = types.type_info(kind)
    assert isinstance(info, types.StructType)  # noqa: S101 - for the type checker
    written = {field.name: field.type for field in msgspec.structs.fields(kind)}
    made: list[click.Option] = []
    for field in info.fields:
        if field.name in without:
            continue
        text = helps.get(field.name, "")
        if field.default not in (NODEFAULT, UNSET, None):
            text = f"{text}  [default: {field.default}]".strip()
        name = names.get(field.name, field.name.replace("_", "-"))
        shape = FieldType(field.type, written[field.name])
        declared: dict[str, Any] = {"type": shape, "metavar": shape.name, "help": text or None}
        made.append(click.Option([f"--{name}", field.name], **declared))
    return made
