"""JSON Schema of node parameters, written shortly."""

from collections.abc import Sequence

from linkflow.domain.parameters import SAME_AS
from linkflow.domain.values import Json

Schema = dict[str, Json]

OWN = "x-own"
"""Marks what the node evaluates itself, a parameter or a member of one: editors do not show what it gives."""


def text(description: str, *, default: str | None = None, choices: Sequence[str] = ()) -> Schema:
    """Describe a text, or one of a few words."""
    return _with({"type": "string", **({"enum": list(choices)} if choices else {})}, description, default)


def number(
    description: str, *, default: float | None = None, least: float | None = None, most: float | None = None
) -> Schema:
    """Describe a number."""
    limits = {"minimum": least, "maximum": most}
    return _with(
        {"type": "number", **{k: v for k, v in limits.items() if v is not None}}, description, default
    )


def whole(
    description: str, *, default: int | None = None, least: int | None = None, most: int | None = None
) -> Schema:
    """Describe a whole number."""
    limits = {"minimum": least, "maximum": most}
    return _with(
        {"type": "integer", **{k: v for k, v in limits.items() if v is not None}}, description, default
    )


def flag(description: str, *, default: bool | None = None) -> Schema:
    """Describe a yes or no."""
    return _with({"type": "boolean"}, description, default)


def anything(description: str, *, default: Json = None) -> Schema:
    """Describe a value of any type."""
    return _with({}, description, default)


def many(description: str, items: Schema | None = None) -> Schema:
    """Describe a list."""
    return _with({"type": "array", **({"items": items} if items else {})}, description, None)


def mapping(description: str, values: Schema | None = None) -> Schema:
    """Describe an object with free keys."""
    return _with(
        {"type": "object", **({"additionalProperties": values} if values else {})}, description, None
    )


def record(fields: Schema, *, required: Sequence[str] = (), description: str = "") -> Schema:
    """Describe an object with known fields; others are let through, since imports bring their own."""
    return {
        "type": "object",
        **({"description": description} if description else {}),
        "properties": fields,
        **({"required": list(required)} if required else {}),
    }


def either(description: str, *options: Schema) -> Schema:
    """Describe a value that may have one of several shapes."""
    return {"description": description, "anyOf": list(options)}


def spelled(schema: Schema, name: str, *others: str) -> Schema:
    """Accept a field under other spellings too; `domain.parameters.respell` renames them."""
    bare = {key: value for key, value in schema.items() if key != "default"}
    return {
        name: schema,
        **{other: {**bare, "description": f"The same as `{name}`.", SAME_AS: name} for other in others},
    }


def own(schema: Schema) -> Schema:
    """Say of a parameter, or of a member of one, that it is raw; see `OWN` and `NodeSpec.raw`."""
    return {**schema, OWN: True}


def _with(schema: Schema, description: str, default: Json) -> Schema:
    return {**schema, "description": description, **({} if default is None else {"default": default})}
