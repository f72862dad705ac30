"""Input from outside, as a type: errors name the field at fault and what would be right."""

import re
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec

from mp_oauth_sandbox.core.registration import InvalidInputError

_FIELD = re.compile(r"at `\$\.?(?P<path>[^`]*)`|field `(?P<name>[^`]*)`")


def invalid(
    error: msgspec.ValidationError, *, whole: str, wanted: object = None
) -> InvalidInputError:
    """The error of a decoder, naming the field.

    `whole` names the input itself, `wanted` is its type: a wrong word is answered with those
    that it knows.
    """
    found = list(_FIELD.finditer(str(error)))
    # The message names a surplus or missing field first, then the object that it is in.
    names = [match["path"] or match["name"] or "" for match in reversed(found)]
    problem = str(error).partition(" - at ")[0]
    if problem.startswith("Invalid enum value") and names:
        allowed = _values(_hints(wanted).get(names[-1]))
        problem += f"; allowed are {', '.join(allowed)}" if allowed else ""
    return InvalidInputError(".".join(filter(None, names))[:100] or whole, problem)


def _values(annotation: object) -> list[str]:
    """The values that a field of a few words may have, as text."""
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    return [value for part in get_args(annotation) for value in _values(part)]


def _hints(wanted: object) -> dict[str, object]:
    return get_type_hints(wanted) if isinstance(wanted, type) else {}
