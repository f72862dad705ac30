"""How two values differ, and which of the known ones is nearest to what was sent."""

import base64
import html
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final, cast
from urllib.parse import parse_qsl, unquote

from mp_oauth_sandbox.core.values import Value

#: Of so many slips at once a value is freed: quoted twice, encoded, and with a space behind it.
_DEPTH: Final = 3

#: A shorter beginning, or end, may be anybody's.
_TELLING: Final = 12

#: No value that is known is longer, by far.
_LONGEST: Final = 4096

#: What cannot be seen, and what people take for a space: no-break and zero-width ones too.
_SPACES: Final = " \t\r\n\v\f\0\xa0\u200b\u200c\u200d\u2060\ufeff"
_PAIRS: Final = (
    *('""', "''", "``", "<>", "()", "[]", "{}"),
    *("\u201c\u201d", "\u2018\u2019", "\u00ab\u00bb"),
)
_PREFIX: Final = re.compile(
    r"(?i)(?P<word>bearer|token|basic|authorization|code|state|access_token|refresh_token"
    r"|client_id|client_secret|secret|id|key)[:= ]\s*(?=\S)"
)
_BEHIND: Final = re.compile(r"[&?#;,|\s].*", re.DOTALL)
_DASHES: Final = re.compile("[\u2010-\u2015\u2212\uff0d]")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")

#: What programs send for a variable that has no value.
_NULLS: Final = frozenset(
    {
        *("undefined", "null", "none", "nil", "nan", "false", "true", "nothing", "optional.empty"),
        *("[object object]", "[object promise]", "object", "promise", "{}", "[]", "()", "''", '""'),
    }
)
#: What stands in examples and templates where a value belongs.
_PLACEHOLDER: Final = re.compile(
    r"(?i)<[\w .-]+>|\$?\{+[^{}]*\}+|\$[a-z_]\w*|%\(?[\w]*\)?[sd]?%?|:[a-z_]\w+|#\{[^}]*\}"
    r"|(?:your|my|the|tu|seu|sua)[-_ ]?\w*(?:[-_ ]\w+)*|x{3,}|\*{3,}|\.{3}|todo|changeme|example"
    r"|(?:app_usr|test|tg)-(?:x+|\*+|\.+|#+)[-\w.*]*|code|token|string|secret|client_id|client_secret"
    r"|access_token|refresh_token|redirect_uri"
)
#: How the journal shows a secret.
_LABEL: Final = re.compile(r"(?:[A-Z_]+-)?\.\.\.#[0-9a-f]{6}")


class Repair(Value, frozen=True):
    """A value that may have been meant, and what the one sent has too much: empty for the same."""

    value: str
    words: str


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


def repairs(sent: str) -> Iterator[Repair]:
    """What may have been meant by a value, itself first: each to be looked up by its key."""
    waiting: deque[tuple[str, tuple[str, ...]]] = deque([(sent, ())])
    seen = {sent}
    yield Repair(sent, "")
    while waiting:
        value, done = waiting.popleft()
        if len(done) == _DEPTH or len(value) > _LONGEST:
            continue
        for slip in _SLIPS:
            for meant, words in slip(value):
                if meant and meant not in seen:
                    seen.add(meant)
                    waiting.append((meant, (*done, words)))
                    yield Repair(meant, _joined((*done, words)))


def difference(sent: str, known: str) -> str | None:
    """What `sent` has too much, too little or otherwise than a known value; None for another one.

    In words that go behind a comma: "with a slash behind it", "cut off after 64 characters".
    """
    meant = list(repairs(sent))
    for repair in meant:
        if repair.value == known:
            return repair.words
    for repair in meant:
        alike = resemblance(repair.value, known)
        if alike is not None:
            return _joined(tuple(filter(None, (repair.words, alike))))
    return None


def without_value(sent: str) -> str | None:
    """What a text is that stands for a value which is missing; None for any other text."""
    bare = sent.strip(_SPACES + "\"'").lower()
    if bare in _NULLS or sent.strip(_SPACES) == "":
        return f"the text `{bare}`: a variable that had no value" if bare else "only white space"
    if _LABEL.fullmatch(sent.strip(_SPACES)):
        return "the short name by which the journal shows a secret, not the secret"
    if _PLACEHOLDER.fullmatch(sent.strip(_SPACES)):
        return "a placeholder from an example or a template, not filled in"
    return None


def resemblance(sent: str, known: str) -> str | None:
    """How a value differs from a known one by its case, its length or one sign; else None."""
    longer = len(sent) - len(known)
    if longer == 0 and sent.casefold() == known.casefold():
        return "in another mix of upper and lower case"
    if len(sent) < _TELLING or len(known) < _TELLING or longer > 1:
        return None
    if longer < 0 and known.startswith(sent):
        return f"cut off after {len(sent)} of {len(known)} characters"
    if longer < 0 and known.endswith(sent):
        return f"without its first {-longer} characters"
    if longer >= -1 and distance(sent, known) == 1:
        at = _common(sent, known) + 1
        change = {1: "one character too many", 0: "another character", -1: "one character missing"}
        return f"with {change[longer]}, number {at}"
    return None


def _joined(words: tuple[str, ...]) -> str:
    return " and ".join(dict.fromkeys(words))


def _common(one: str, other: str) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


# ---- slips: what a value may be freed of, each with its name ----

_Slip = Callable[[str], Iterable[tuple[str, str]]]


def _space(value: str) -> Iterator[tuple[str, str]]:
    bare = value.strip(_SPACES)
    if bare != value:
        before, behind = value.startswith(bare) is False, value.endswith(bare) is False
        shown = _named_space(value.replace(bare, "", 1)) if bare else "white space"
        where = {(True, True): "around", (True, False): "before", (False, True): "behind"}
        yield bare, f"with {shown} {where.get((before, behind), 'around')} it"
    inner = "".join(letter for letter in value if letter not in _SPACES)
    if inner not in {value, bare}:
        yield inner, "with white space or a line break in it"


def _named_space(space: str) -> str:
    if "\n" in space or "\r" in space:
        return "a line break"
    if "\t" in space:
        return "a tab"
    return "a space" if space == " " else "spaces" if space.strip(" ") == "" else "invisible signs"


def _quotes(value: str) -> Iterator[tuple[str, str]]:
    for pair in _PAIRS:
        if len(value) > 2 and value[0] == pair[0] and value[-1] == pair[1]:
            yield value[1:-1], "in quotes" if pair[0] == pair[1] else f"in {pair[0]}{pair[1]}"
    if value[:1] in {'"', "'"} or value[-1:] in {'"', "'"}:
        yield value.strip("\"'"), "with a quote that belongs to no other"
    if value[:2] in {'\\"', "\\'"}:
        yield value.replace("\\", ""), "with escaped quotes"


def _prefix(value: str) -> Iterator[tuple[str, str]]:
    if found := _PREFIX.match(value):
        yield value[found.end() :], f"with `{found['word']}` before it"


def _behind(value: str) -> Iterator[tuple[str, str]]:
    if (found := _BEHIND.search(value)) and found.start() > 0:
        # Only a name: a value may be another secret.
        name = re.match(r"[&?#;,|\s]\w{1,20}=", found[0])
        shown = name[0] if name else found[0][:1]
        yield value[: found.start()], f"with `{shown}` and what follows it behind it"
    bare = value.rstrip(".,;:!)/")
    if bare != value:
        yield bare, "with a slash behind it" if value.endswith("/") else "with a full stop or comma"
    bare = value.rstrip("=")
    if bare != value:
        yield bare, "with `=` behind it"


def _encoded(value: str) -> Iterator[tuple[str, str]]:
    if "%" in value:
        yield unquote(value), "percent-encoded once too often"
    if "&" in value and ";" in value:
        yield html.unescape(value), "with its HTML entities still written out"
    if "\\u" in value or "\\n" in value or "\\t" in value or "\\r" in value:
        with suppress(ValueError):
            yield json.loads(f'"{value}"'), "with its escapes still written out"
    if _BASE64.fullmatch(value):
        # What is no base64, and what is not ASCII inside of it, are errors of one kind.
        with suppress(ValueError):
            decoded = base64.urlsafe_b64decode(value.replace("+", "-").replace("/", "_") + "==")
            yield decoded.decode("ascii"), "in base64"
    if _DASHES.search(value):
        yield _DASHES.sub("-", value), "with a typographer's dash for its hyphen"


def _wrapped(value: str) -> Iterator[tuple[str, str]]:
    if "://" in value or value.startswith("?"):
        for _, part in parse_qsl(value.partition("?")[2]):
            yield part, "inside of a URL"
    if value[:1] not in {"{", "["}:
        return
    try:
        held: object = json.loads(value)
    except (ValueError, RecursionError):
        return
    inner: Iterable[object] = ()
    if isinstance(held, dict):
        inner = cast("dict[str, object]", held).values()
    elif isinstance(held, list):
        inner = cast("list[object]", held)
    for one in inner:
        if isinstance(one, str):
            yield one, "inside of JSON"


def _doubled(value: str) -> Iterator[tuple[str, str]]:
    half = len(value) // 2
    # With or without a sign in between.
    if half > 3 and value[:half] in {value[half:], value[half + 1 :]}:
        yield value[:half], "written twice"


_SLIPS: Final[tuple[_Slip, ...]] = (
    *(_space, _quotes, _prefix, _encoded, _wrapped, _doubled, _behind),
)
