"""The types of the editor's API client, written from OpenAPI: ui/src/api/schema.gen.ts."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

HEAD = """// Written by `make docs` from the OpenAPI document; never edited.

"""
PREFIX = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
ALSO = ("/health", "/ready")
SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
NAME = re.compile(r"[A-Za-z_$][\w$]*")


def client_types(openapi: Mapping[str, Any]) -> str:
    """Write one interface for each schema, and one table of routes with what they take and answer."""
    schemas = openapi["components"]["schemas"]
    parts = [f"export {_interface(name, schemas[name])}" for name in sorted(schemas)]
    routes = "".join(sorted(_routes(openapi["paths"])))
    return f"{HEAD}{''.join(parts)}export interface Routes {{\n{routes}}}\n"


def _interface(name: str, schema: Mapping[str, Any]) -> str:
    """Write a named type."""
    if schema.get("type") == "object" and "properties" in schema:
        return f"interface {_named(name)} {_object(schema, '')}\n\n"
    return f"type {_named(name)} = {_type(schema, '')};\n\n"


def _named(name: str) -> str:
    """Make a name of TypeScript out of a schema's: `linkflow__api__shapes__Done` is ShapesDone.

    What is taken and answered in different shapes has two names, as `Pin-Input` and `Pin-Output`.
    """
    *rooms, last = name.replace("-", "").split("__")
    return f"{rooms[-1].title().replace('_', '')}{last}" if rooms else last


def _key(name: str) -> str:
    """Write the name of a member."""
    return name if NAME.fullmatch(name) else json.dumps(name)


def _object(schema: Mapping[str, Any], indent: str) -> str:
    """Write an object with its members."""
    required = schema.get("required", ())
    inner = f"{indent}  "
    members = "".join(
        f"{inner}{_key(name)}{'' if name in required else '?'}: {_type(member, inner)};\n"
        for name, member in schema["properties"].items()
    )
    return f"{{\n{members}{indent}}}"


def _type(schema: Mapping[str, Any], indent: str) -> str:
    """Write any type; what says nothing about itself is any JSON."""
    if "$ref" in schema:
        return _named(str(schema["$ref"]).rpartition("/")[2])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_type(each, indent) for each in schema[several]))
    if "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(dict.fromkeys(_type({**schema, "type": each}, indent) for each in kind))
    if kind == "array":
        item = _type(schema.get("items", {}), indent)
        return f"({item})[]" if " | " in item else f"{item}[]"
    if kind == "object":
        return _object(schema, indent) if "properties" in schema else "Record<string, unknown>"
    return SCALARS.get(str(kind), "unknown")


def _routes(paths: Mapping[str, Any]) -> Iterator[str]:
    """Write each route of the API as a member of the table."""
    for path, methods in paths.items():
        if not path.startswith(f"{PREFIX}/") and path not in ALSO:
            continue
        for method in METHODS:
            if method in methods:
                key = json.dumps(f"{method.upper()} {path.removeprefix(PREFIX)}")
                yield f"  {key}: {_route(methods[method])};\n"


def _route(route: Mapping[str, Any]) -> str:
    """Write what a route takes and answers."""
    named = [each for each in route.get("parameters", ()) if each["in"] == "query"]
    query = "; ".join(
        f"{_key(each['name'])}{'' if each.get('required') else '?'}: {_type(each.get('schema', {}), '')}"
        for each in named
    )
    body = _content(route.get("requestBody", {}))
    answers = [
        _content(answer) for status, answer in route.get("responses", {}).items() if str(status)[0] == "2"
    ]
    answer = " | ".join(dict.fromkeys(answers)) or "void"
    return f"{{ query: {{ {query} }}; body: {body}; answer: {answer} }}"


def _content(part: Mapping[str, Any]) -> str:
    """Write the type of a body."""
    for media, content in part.get("content", {}).items():
        if media == "application/json":
            return _type(content.get("schema", {}), "  ")
    return "void"
