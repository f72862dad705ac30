"""Input from outside, as a type: errors name the field at fault and what would be right."""

import re

import msgspec

from mp_oauth_sandbox.core.registration import InvalidInputError

_FIELD = re.compile(r"at `\$\.?(?P<path>[^`]*)`|field `(?P<name>[^`]*)`")


def invalid(error: msgspec.ValidationError, *, whole: str) -> InvalidInputError:
    """The error of a decoder, naming the field; `whole` names the input itself."""
    found = list(_FIELD.finditer(str(error)))
    # The message names a surplus or missing field first, then the object that it is in.
    names = [match["path"] or match["name"] or "" for match in reversed(found)]
    problem = str(error).partition(" - at ")[0]
    return InvalidInputError(".".join(filter(None, names))[:100] or whole, problem)
