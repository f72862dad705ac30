"""The control API's OpenAPI document, made from the same table as its routes."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import NODEFAULT, UNSET

from mp_oauth_sandbox import __version__
from mp_oauth_sandbox.control.types import Call, ErrorOut

_SCHEME = "controlToken"


def describe(table: Iterable[Call[Any, Any]]) -> dict[str, object]:
    """OpenAPI 3.1 of these calls."""
    rows = list(table)
    types: list[Any] = [ErrorOut]
    for call in rows:
        types += [call.gives, *(field.type for field in _parameters(call))]
        if call.has_body:
            types.append(call.takes)
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    remaining = iter(schemas)
    error = _content(next(remaining))
    paths: dict[str, dict[str, object]] = {}
    for call in rows:
        operation = _operation(call, _content(next(remaining)), error)
        parameters = [_parameter(call, field, next(remaining)) for field in _parameters(call)]
        if parameters:
            operation["parameters"] = parameters
        if call.has_body:
            operation["requestBody"] = {"required": True, **_content(next(remaining))}
            if call.in_path:
                _leave_out(components[call.takes.__name__], call.in_path)
        paths.setdefault(call.path, {})[call.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mp-oauth-sandbox control API",
            "version": __version__,
            "description": "What a test does to the sandbox's world. Bodies are JSON.",
        },
        # Where the sandbox has a control token it is needed, elsewhere it is ignored.
        "security": [{_SCHEME: []}, {}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                _SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The control token that `serve` prints beyond loopback",
                }
            },
        },
    }


def _operation(
    call: Call[Any, Any], given: dict[str, dict[str, object]], error: dict[str, Any]
) -> dict[str, object]:
    if call.streams is not None:
        given["content"][call.streams] = {"schema": {"type": "string"}}
    responses: dict[str, object] = {
        str(call.status): {"description": HTTPStatus(call.status).phrase, **given},
        "4XX": {"description": "Names the field at fault and what would be right", **error},
        "507": {"description": "It could not be saved, and is not in effect", **error},
    }
    if call.waits:
        responses["504"] = {"description": "Notifications are still due or in flight", **error}
    operation: dict[str, object] = {
        "summary": call.summary,
        "operationId": call.name,
        "responses": responses,
    }
    if not call.guarded:
        operation["security"] = []
    return operation


def _parameters(call: Call[Any, Any]) -> list[msgspec.structs.FieldInfo]:
    """The fields of the input that stand in the path or in the query."""
    named = call.in_path + (call.beside_path if call.in_query else ())
    if not named:
        return []
    return [field for field in msgspec.structs.fields(call.takes) if field.name in named]


def _parameter(
    call: Call[Any, Any], field: msgspec.structs.FieldInfo, schema: dict[str, Any]
) -> dict[str, object]:
    parameter: dict[str, object] = {
        "name": field.name,
        "in": "path" if field.name in call.in_path else "query",
        "required": field.required,
        "schema": _without_null(schema),
    }
    if field.default not in {NODEFAULT, UNSET, None, ""}:
        parameter["schema"] = {**_without_null(schema), "default": field.default}
    return parameter


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query has no null: what may be None is left out there."""
    if "enum" in schema and None in schema["enum"]:
        return {**schema, "enum": [one for one in schema["enum"] if one is not None]}
    if "anyOf" not in schema:
        return schema
    (only, *others) = [one for one in schema["anyOf"] if one != {"type": "null"}]
    beside = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**beside, "anyOf": [only, *others]} if others else {**beside, **only}


def _leave_out(schema: dict[str, Any], names: tuple[str, ...]) -> None:
    """Take from a body's schema what stands in the path."""
    for name in names:
        schema["properties"].pop(name)
        schema["required"].remove(name)
    if not schema["required"]:
        del schema["required"]


def _content(schema: dict[str, object]) -> dict[str, dict[str, object]]:
    return {"content": {"application/json": {"schema": schema}}}
