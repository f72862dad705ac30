"""How two values differ, and which of the known ones is nearest to what was sent."""

from collections.abc import Iterable


def caret(sent: str, expected: str) -> str:
    """A caret under the first character in which two strings differ."""
    return " " * _common(sent, expected) + "^"


def distance(sent: str, expected: str) -> int:
    """How many characters differ: 1 for one changed, added or left out, else a rough count."""
    start = _common(sent, expected)
    end = _common(sent[start:][::-1], expected[start:][::-1])
    return max(len(sent), len(expected)) - start - end


def nearest(sent: str, known: Iterable[str]) -> str:
    """The known value with the smallest distance, the first of several; there must be one."""
    return min(known, key=lambda one: distance(sent, one))


def _common(one: str, other: str) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
