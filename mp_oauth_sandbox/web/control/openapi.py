"""The control API's OpenAPI document, made from the same table as its routes."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType

import msgspec
from starlette.requests import Request

from mp_oauth_sandbox import __version__
from mp_oauth_sandbox.control import types as calls

#: Where the control API lives.
PREFIX = "/_sandbox"

#: The schemas of a word and of a number in a query.
WORD: Mapping[str, object] = MappingProxyType({"type": "string"})
COUNT: Mapping[str, object] = MappingProxyType({"type": "integer", "minimum": 0})


@dataclass(frozen=True, slots=True)
class Call:
    """One row of the API: routing, and the OpenAPI document, are made from these.

    `query` has the schema of each parameter; `streams` is the media type of the other form
    in which the answer may come.
    """

    method: str
    below: str
    run: Callable[[Request], Awaitable[object]]
    takes: type | None = field(default=None, kw_only=True)
    gives: type = field(default=calls.Done, kw_only=True)
    status: int = field(default=200, kw_only=True)
    query: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict[str, Mapping[str, object]], kw_only=True
    )
    streams: str | None = field(default=None, kw_only=True)
    waits: bool = field(default=False, kw_only=True)

    @property
    def path(self) -> str:
        """The whole path."""
        return f"{PREFIX}{self.below}"

    @property
    def summary(self) -> str:
        """What it does, in a few words."""
        return inspect.cleandoc(self.run.__doc__ or "").partition("\n")[0].rstrip(".")


def describe(table: Iterable[Call]) -> dict[str, object]:
    """OpenAPI 3.1 of these calls."""
    rows = list(table)
    types = [kind for call in rows for kind in (call.takes, call.gives) if kind is not None]
    types.append(calls.ErrorOut)
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for call in rows:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mp-oauth-sandbox control API",
            "version": __version__,
            "description": "What a test does to the sandbox's world. Bodies are JSON.",
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(call: Call, by_type: dict[type, dict[str, object]]) -> dict[str, object]:
    error = _content(by_type[calls.ErrorOut])
    given = _content(by_type[call.gives])
    if call.streams is not None:
        given["content"][call.streams] = {"schema": {"type": "string"}}
    responses: dict[str, object] = {
        str(call.status): {"description": HTTPStatus(call.status).phrase, **given},
        "4XX": {"description": "Names the field at fault and what would be right", **error},
    }
    if call.waits:
        late = {"description": "Notifications are still due or in flight", **error}
        responses["504"] = late
    operation: dict[str, object] = {
        "summary": call.summary,
        "operationId": call.run.__name__,
        "responses": responses,
    }
    parameters = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in call.path.split("/")
        if part.startswith("{")
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": dict(schema)}
        for name, schema in call.query.items()
    ]
    if parameters:
        operation["parameters"] = parameters
    if call.takes is not None:
        operation["requestBody"] = {"required": True, **_content(by_type[call.takes])}
    return operation


def _content(schema: dict[str, object]) -> dict[str, dict[str, object]]:
    return {"content": {"application/json": {"schema": schema}}}
