"""Input from outside, as a type: errors name the field at fault and what would be right.

msgspec says what is wrong in a sentence; this is the one place that takes it apart.
"""

import re
from ast import literal_eval
from collections.abc import Iterable
from dataclasses import dataclass, is_dataclass
from difflib import get_close_matches
from enum import Enum
from types import UnionType
from typing import Annotated, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from mp_oauth_sandbox.core.registration import InvalidInputError

_PLACE = re.compile(r" - at `(?:key` in `)?\$\.?(?P<path>[^`]*)`\Z")
_FIELD = re.compile(r"Object (?P<how>missing|contains) \w+ field `(?P<name>.*)`", re.DOTALL)
_WORD = re.compile(r"Invalid (?:enum )?value (?:'(?P<word>.*)'|.*)", re.DOTALL)
_PATTERN = "Expected `str` matching regex "
#: A step on the way down: a field's name, or what is in brackets.
_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\]]*)\]")

#: More known ones than that are not listed; only the nearest is named.
_FEW = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """Why an input does not fit the wanted type.

    `path` is that of the field, as in `steps[0].actor`, and empty for the input itself.
    `problem` is the decoder's sentence without it. `known` is what would be right there, where
    the type says so: fields, words or a pattern. `question` asks whether the nearest was meant.
    """

    kind: Literal["missing", "unknown", "word", "pattern", "other"]
    path: str
    problem: str
    known: tuple[str, ...] = ()
    question: str = ""

    @property
    def remedy(self) -> str:
        """What would be right, to be put behind the problem; empty where nobody knows."""
        listed = ""
        if self.known and len(self.known) <= _FEW and self.kind in {"unknown", "word"}:
            which = "known" if self.kind == "unknown" else "allowed"
            listed = f"; {which} are {', '.join(self.known)}"
        return listed + self.question


def misfit(error: msgspec.ValidationError, wanted: object) -> Misfit:
    """What msgspec found wrong with an input for the type `wanted`."""
    said = str(error)
    place = _PLACE.search(said)
    problem = said[: place.start()] if place else said
    path = place["path"] if place else ""
    found = _at(wanted, path)
    if field := _FIELD.fullmatch(problem):
        name = field["name"]
        whole = f"{path}.{name}" if path else name
        if field["how"] == "missing":
            return Misfit(kind="missing", path=whole, problem=problem)
        objects = [fields for one in found if (fields := _fields(one))]
        names = _distinct(name for fields in objects for name in fields)
        # Which of several objects it was to be is not said, so neither is what that one knows.
        known = names if len(objects) == 1 else ()
        question = "" if name in names else did_you_mean(name, names)
        return Misfit(kind="unknown", path=whole, problem=problem, known=known, question=question)
    if word := _WORD.fullmatch(problem):
        known = _distinct(word for one in found for word in _words(one))
        question = did_you_mean(word["word"] or "", known)
        return Misfit(kind="word", path=path, problem=problem, known=known, question=question)
    if problem.startswith(_PATTERN):
        pattern: str = literal_eval(problem.removeprefix(_PATTERN))
        return Misfit(kind="pattern", path=path, problem=problem, known=(pattern,))
    return Misfit(kind="other", path=path, problem=problem)


def invalid(error: msgspec.ValidationError, *, whole: str, wanted: object) -> InvalidInputError:
    """The error of a decoder, naming the field and what would be right.

    `whole` names the input itself, `wanted` is its type.
    """
    found = misfit(error, wanted)
    return InvalidInputError(found.path[:100] or whole, found.problem + found.remedy)


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, X being the known word nearest to this one; empty where none is near.

    In whichever case it was written; it goes behind a problem.
    """
    by_lower = {word.lower(): word for word in known}
    close = get_close_matches(given[:100].lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _at(wanted: object, path: str) -> list[object]:
    """What may be at that path of a value of that type: several where it is a union."""
    found = _members(wanted)
    for name, index in _STEP.findall(path):
        inner = [_fields(one).get(name) if name else _item(one, index) for one in found]
        found = [member for one in inner for member in _members(one)]
    return found


def _members(hint: object) -> list[object]:
    origin = get_origin(hint)
    if origin is Annotated:
        return _members(get_args(hint)[0])
    if origin in {Union, UnionType}:
        return [member for one in get_args(hint) for member in _members(one)]
    return [hint]


def _fields(hint: object) -> dict[str, object]:
    """The fields of an object's type, and what each may be; for a tag, the only word it may be."""
    if not isinstance(hint, type):
        return {}
    kind = cast("type[object]", hint)
    if issubclass(kind, msgspec.Struct):
        config = kind.__struct_config__
        tag = {} if config.tag_field is None else {config.tag_field: config.tag}
        return {**tag, **{one.encode_name: one.type for one in msgspec.structs.fields(kind)}}
    return get_type_hints(kind) if is_dataclass(kind) else {}


def _item(kind: object, index: str) -> object:
    """What may be in a list, a tuple or (as a value) a dictionary."""
    args = get_args(kind)
    if get_origin(kind) is tuple and Ellipsis not in args and index.isdecimal():
        return args[int(index)]
    if get_origin(kind) is dict:
        return args[1]
    return args[0] if args else None


def _words(kind: object) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(member.value) for member in kind)
    return (kind,) if isinstance(kind, str) else ()
