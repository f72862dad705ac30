"""The table of resources: which method and path is answered with what."""

import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import cast

import msgspec

from mp_oauth_sandbox.core.paths import is_own
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.resources.built_in import BUILT_IN, MakeBody, ResourceCall
from mp_oauth_sandbox.support.checked import invalid

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

#: What a table holds at most; our own number.
LARGEST = 20_000

_DEEPEST = 100

_PARAMETER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_SEGMENT = re.compile(r"[^/{}?#\s\x00-\x1f\x7f]+")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
#: Headers that say how the answer is sent, which is not the table's to say.
_FRAMING = {"content-length", "content-type", "transfer-encoding", "connection", "date"}
_EMPTY: Mapping[str, str] = MappingProxyType({})
#: Copied before it is kept.
_NO_BODY: dict[str, object] = {}

_PathShape = tuple[str, tuple[str, ...]]
_Mask = tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One row. `id` is its number in the table, `path` a pattern with `{name}` segments.

    In `body` (JSON values) the texts "$user_id", "$client_id" and "$path.name" stand for the
    token's seller (a number), its application and a segment of the path (texts). A built-in
    row makes its own body, so it has None.
    """

    id: int
    method: str
    path: str
    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    answer: MakeBody | None = field(default=None, repr=False)
    idempotent: bool = False

    @property
    def built_in(self) -> bool:
        """Whether the table started with it."""
        return self.answer is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The row for a request, and what its `{name}` segments were."""

    resource: Resource
    path: Mapping[str, str]

    def body(self, asked: ResourceCall) -> bytes:
        """The JSON body of the answer, empty where the status allows none (RFC 9110)."""
        resource = self.resource
        if resource.status in {204, 205, 304}:
            return b""
        if resource.answer is not None:
            return msgspec.json.encode(resource.answer(asked))
        values: dict[str, object] = {
            "$user_id": asked.token.seller.user_id,
            "$client_id": asked.token.whose.client_id,
            **{f"$path.{name}": value for name, value in self.path.items()},
        }
        return msgspec.json.encode(_filled(resource.body, values))


class ResourceTable:
    """What a good token gets: `sandbox.resources`. Every method may be called from any thread.

    Entries are kept in memory only, never in a data file.
    """

    def __init__(self) -> None:
        """Start with the built-in rows."""
        self._lock = threading.Lock()
        self._next = 1
        self._rows: dict[_PathShape, Resource] = {}
        # Which segments are parameters, for each number of segments, and how many rows do so.
        self._masks: Counter[_Mask] = Counter()
        for method, path, status, answer, idempotent in BUILT_IN:
            self._put(
                Resource(
                    id=self._next,
                    method=method,
                    path=path,
                    status=status,
                    answer=answer,
                    idempotent=idempotent,
                )
            )
        self._built_in = self._start = (dict(self._rows), self._next)

    # ---- what users do ----

    def add(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        body: object = _NO_BODY,
        headers: Mapping[str, str] = _EMPTY,
    ) -> Resource:
        """MakeBody this method and path, in place of the row that did so before, if any.

        Args:
            method: GET (which answers HEAD too), POST, PUT, PATCH or DELETE.
            path: Such as "/v1/payments/{id}". A segment in braces stands for any text; where
                two paths fit, the one with the longer literal beginning answers.
            status: Of the answer, 200 to 599.
            body: JSON values; see `Resource` for the texts that are replaced in it.
            headers: Further headers of the answer.

        Raises:
            InvalidInputError: Names the field that cannot be used.
        """
        checked = _checked(method, path, status, body, headers)
        with self._lock:
            if len(self._rows) >= LARGEST:
                raise InvalidInputError("path", f"the table holds {LARGEST} resources; remove some")
            return self._put(
                Resource(
                    id=self._next,
                    method=method,
                    path=path,
                    status=status,
                    body=checked,
                    headers=MappingProxyType(dict(headers)),
                )
            )

    def remove(self, method: str, path: str) -> None:
        """MakeBody this method and path no more. Raises InvalidInputError where nothing does."""
        with self._lock:
            self._drop(self._rows.get(_shape(method, path)), "path", f"{method} {path}")

    def remove_id(self, number: int) -> None:
        """Remove the row of that number. Raises InvalidInputError where there is none."""
        with self._lock:
            row = next((one for one in self._rows.values() if one.id == number), None)
            self._drop(row, "id", str(number))

    def clear(self) -> None:
        """Back to the built-in rows, and let `reset` return to them."""
        with self._lock:
            self._start = self._built_in
        self.reset()

    def load(self, file: str | Path) -> None:
        """Add the entries of a TOML file: [[resource]] with method, path, status, body, headers.

        Raises InvalidInputError naming the file and the entry at fault; then none is added.
        """
        try:
            loaded = msgspec.toml.decode(Path(file).read_bytes(), type=_ResourceFile)
        except msgspec.ValidationError as error:
            problem = f"{file}: {invalid(error, whole='the file', wanted=_ResourceFile)}"
            raise InvalidInputError("resources", problem) from error
        except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise InvalidInputError("resources", f"{file} cannot be used: {error}") from error
        for index, one in enumerate(loaded.resource):
            try:
                _checked(one.method, one.path, one.status, one.body, one.headers)
            except InvalidInputError as error:
                place = f"{file}: resource[{index}].{error.field}"
                raise InvalidInputError("resources", f"{place}: {error.problem}") from error
        for one in loaded.resource:
            self.add(one.method, one.path, status=one.status, body=one.body, headers=one.headers)

    # ---- what the engine and the API do ----

    def mark_start(self) -> None:
        """Remember the present rows as what `reset` returns to."""
        with self._lock:
            self._start = (dict(self._rows), self._next)

    def changes(self) -> list[str]:
        """How the rows differ from those that `reset` returns to, one by one."""
        with self._lock:
            rows, (start, _) = dict(self._rows), self._start
        here = [row for shape, row in rows.items() if start.get(shape) is not row]
        gone = [row for shape, row in start.items() if shape not in rows]
        return [f"{row.method} {row.path} answers {row.status}" for row in here] + [
            f"{row.method} {row.path} is removed" for row in gone
        ]

    def reset(self) -> None:
        """Return to the start rows."""
        with self._lock:
            rows, self._next = self._start
            self._rows = dict(rows)
            self._masks = Counter(_mask(shape) for shape in rows)

    def find(self, method: str, segments: tuple[str, ...]) -> Found | None:
        """The row for a request; `segments` are those of its path, decoded."""
        method = "GET" if method == "HEAD" else method
        # As few tries as there are kinds of paths, however many rows there are.
        for mask in sorted(self._masks):
            if len(mask) != len(segments):
                continue
            known = tuple("{}" if free else one for free, one in zip(mask, segments, strict=True))
            row = self._rows.get((method, known))
            if row is not None:
                names = row.path[1:].split("/")
                path = {
                    name[1:-1]: given
                    for name, given, free in zip(names, segments, mask, strict=True)
                    if free
                }
                return Found(resource=row, path=path)
        return None

    def _put(self, row: Resource) -> Resource:
        shape = _shape(row.method, row.path)
        if shape not in self._rows:
            self._masks[_mask(shape)] += 1
        # The newest last, so that numbers are in order.
        self._rows.pop(shape, None)
        self._rows[shape] = row
        self._next = row.id + 1
        return row

    def _drop(self, row: Resource | None, name: str, wanted: str) -> None:
        if row is None:
            raise InvalidInputError(name, f"there is no resource {wanted[:100]}")
        shape = _shape(row.method, row.path)
        del self._rows[shape]
        mask = _mask(shape)
        self._masks[mask] -= 1
        if not self._masks[mask]:
            del self._masks[mask]

    def list(self) -> tuple[Resource, ...]:
        """Every row, in order of number."""
        with self._lock:
            return tuple(self._rows.values())


class _ResourceEntry(msgspec.Struct, forbid_unknown_fields=True):
    method: str
    path: str
    status: int = 200
    body: object = msgspec.field(default_factory=dict[str, object])
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class _ResourceFile(msgspec.Struct, forbid_unknown_fields=True):
    resource: list[_ResourceEntry] = msgspec.field(default_factory=list[_ResourceEntry])


def _shape(method: str, path: str) -> _PathShape:
    return method, tuple(
        "{}" if one.startswith("{") else one for one in path.removeprefix("/").split("/")
    )


def _mask(shape: _PathShape) -> _Mask:
    return tuple(one == "{}" for one in shape[1])


def _checked(
    method: str, path: str, status: int, body: object, headers: Mapping[str, str]
) -> object:
    """The body as JSON values of our own. Raises InvalidInputError for the field at fault."""
    if method not in METHODS:
        raise InvalidInputError("method", f"must be one of {', '.join(METHODS)}")
    names = _parameters(path)
    if not 200 <= status <= 599:
        raise InvalidInputError("status", "must be 200 to 599")
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _FRAMING:
            raise InvalidInputError("headers", f"{name[:40]!r} cannot be set")
        if not _HEADER_VALUE.fullmatch(value):
            raise InvalidInputError("headers", f"{name}: must be printable ASCII")
    try:
        # Taken apart and put together: a copy that its giver cannot change any more.
        values = msgspec.json.decode(msgspec.json.encode(body))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise InvalidInputError("body", f"cannot be written as JSON ({error})") from error
    if too_deep(values):
        raise InvalidInputError("body", f"must not be nested more than {_DEEPEST} levels")
    known = {f"$path.{name}" for name in names}
    for text in _texts(values):
        if text.startswith("$path.") and text not in known:
            raise InvalidInputError("body", f"{text[:60]!r} is no segment of {path}")
    return values


def _parameters(path: str) -> set[str]:
    if not path.startswith("/") or len(path) > 500:
        raise InvalidInputError("path", "must start with / and have at most 500 characters")
    if is_own(path):
        raise InvalidInputError("path", f"{path} belongs to the sandbox itself")
    names: list[str] = []
    for segment in path[1:].split("/"):
        parameter = _PARAMETER.fullmatch(segment)
        if parameter:
            names.append(parameter[1])
        elif not _SEGMENT.fullmatch(segment):
            raise InvalidInputError(
                "path", f"the segment {segment[:40]!r} must be a text or a {{name}}"
            )
    if len(set(names)) != len(names):
        raise InvalidInputError("path", "each {name} must be another one")
    return set(names)


def too_deep(value: object) -> bool:
    """Whether JSON values are nested deeper than a program's stack bears; our own number."""
    level = [value]
    for _ in range(_DEEPEST + 1):
        level = [part for one in level for part in _parts(one)]
        if not level:
            return False
    return True


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    for one in _parts(value):
        yield from _texts(one)


def _filled(value: object, values: Mapping[str, object]) -> object:
    if isinstance(value, str):
        return values.get(value, value)
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {name: _filled(one, values) for name, one in members.items()}
    if isinstance(value, list):
        return [_filled(one, values) for one in cast("list[object]", value)]
    return value
