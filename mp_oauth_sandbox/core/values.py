"""The base of what is passed around: immutable, compared by value, printed without its secrets."""

import dataclasses
from dataclasses import Field, make_dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, get_args

from msgspec import Meta, Struct
from msgspec.structs import fields

#: Marks a field that is not shown when its value is printed.
HIDDEN = Meta(extra={"hidden": True})

#: A text that is not shown when the value that it is in is printed.
Secret = Annotated[str, HIDDEN]


class DataclassFields:
    """The fields of a struct that users hold, as `dataclasses` asks for them."""

    def __get__(self, _value: object, kind: type[Struct]) -> "dict[str, Field[Any]]":
        return _as_dataclass(kind)


class Value(Struct, frozen=True, gc=False):
    """Facts that do not change.

    One request makes dozens of them, hence a struct and not a dataclass: it is made in a fraction
    of the time, and the collector of cycles passes it by, since nothing in a value leads back to
    it. Yet `dataclasses.replace`, `fields` and `asdict` take it for one.
    """

    __dataclass_fields__: "ClassVar[dict[str, Field[Any]]]" = DataclassFields()  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _shown(type(self)))
        return f"{type(self).__name__}({shown})"


@cache
def _as_dataclass(kind: type[Struct]) -> "dict[str, Field[Any]]":
    # Only with a class does `dataclasses` make fields that know their names.
    twin = make_dataclass(kind.__name__, kind.__struct_fields__)
    return {one.name: one for one in dataclasses.fields(twin)}


@cache
def _shown(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind) if not _hidden(one.type))


def _hidden(hint: object) -> bool:
    return any(HIDDEN in getattr(one, "__metadata__", ()) for one in (hint, *get_args(hint)))
