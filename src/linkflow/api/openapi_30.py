"""The OpenAPI document for tools that read only 3.0: the same API in 3.0's dialect of JSON Schema."""

from collections.abc import Mapping
from typing import Any

NAMES = ("properties", "patternProperties", "schemas", "paths", "responses")
"""Keys below which the next keys are names that we gave, not words of the dialect."""
VALUES = ("default", "enum", "example", "required")
"""Keys below which there are values, not schemas."""
NULL = {"type": "object", "nullable": True, "enum": [None]}
"""Exactly null: in 3.0 `nullable` counts only beside a `type`."""


def as_30(document: Mapping[str, Any]) -> dict[str, Any]:
    """Render an OpenAPI 3.1 document as 3.0.3; the document stays as it is."""
    rendered: dict[str, Any] = _rendered(document)
    return rendered | {"openapi": "3.0.3"}


def _rendered(node: Any) -> Any:
    """Render a part of the document, innermost first."""
    if isinstance(node, list):
        return [_rendered(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    found: dict[str, Any] = {}
    for key, value in node.items():
        if key in VALUES:
            found[key] = value
        elif key in NAMES and isinstance(value, Mapping):
            found[key] = {name: _rendered(each) for name, each in value.items()}
        else:
            found[key] = _rendered(value)
    return _schema(found)


def _schema(found: dict[str, Any]) -> dict[str, Any]:
    """Say in 3.0's words what a schema says in words that came with 3.1."""
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if isinstance(found.get("examples"), list):
        examples = found.pop("examples")
        found |= {"example": examples[0]} if examples else {}
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(found.get(bound), int | float) and not isinstance(found[bound], bool):
            found[limit], found[bound] = found[bound], True
    if found.get("type") == "null":
        return {key: value for key, value in found.items() if key != "type"} | NULL
    if isinstance(found.get("type"), list):
        _split_types(found)
    if NULL in found.get("anyOf", ()):
        return _with_null(found)
    return found


def _split_types(found: dict[str, Any]) -> None:
    """Say several types as one that may be null, or as alternatives."""
    types = found.pop("type")
    others = [each for each in types if each != "null"]
    if len(others) == 1:
        found["type"] = others[0]
        if "null" in types:
            found["nullable"] = True
            found |= {"enum": [*found["enum"], None]} if "enum" in found else {}
    else:
        found["anyOf"] = [NULL if each == "null" else {"type": each} for each in types]


def _with_null(found: dict[str, Any]) -> dict[str, Any]:
    """Say "this or null" by `nullable` where 3.0 can."""
    others = [each for each in found["anyOf"] if each != NULL]
    if len(others) != 1 or "type" not in others[0]:
        return found  # a reference or several: null stays an alternative of its own
    only = dict(others[0])
    if "enum" in only:
        only["enum"] = [*only["enum"], None]
    return {key: value for key, value in found.items() if key != "anyOf"} | only | {"nullable": True}
