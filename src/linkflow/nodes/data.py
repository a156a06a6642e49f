"""Shaping one object: set, rename, delete fields."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import DecodeError

from linkflow.domain.attributes import MOST, NODE_TYPE, kept
from linkflow.domain.errors import Invalid
from linkflow.domain.node import NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.nodes.fields import ABSENT, field, first, with_field, without_field
from linkflow.nodes.schema import anything, either, flag, many, mapping, record, spelled, text

_PAIR = record(
    {
        **spelled(text("The field; dots go into objects."), "key", "name", "field"),
        "value": anything("Its value."),
        "type": text("Turn the value into this: string, number, boolean, array, object."),
    }
)


class Set:
    """Make an object of values, or change the input."""

    spec = NodeSpec(
        type="data.set",
        title="Set",
        summary="Make an object of values, or change fields of the input.",
        node_class=NodeClass.PURE,
        aliases=(
            "transform_set",
            "action.set",
            "set",
            "transform",
            "action.transform",
            "data_set",
            "n8n-nodes-base.set",
        ),
        parameters=record(
            {
                **spelled(
                    either("An object of values, or a list of `{key, value}`.", mapping(""), many("", _PAIR)),
                    "values",
                    "assignments",
                    "fields",
                ),
                "name": text("Instead of `values`: one field."),
                "value": anything("The value of `name` or `field`."),
                **spelled(
                    flag("Begin with the fields of the input.", default=False),
                    "include_input",
                    "includeInput",
                    "keep_input",
                    "includeOtherFields",
                ),
                "keepOnlySet": flag("The opposite of `include_input`."),
                **spelled(
                    flag("Dots in a field's name go into objects.", default=True),
                    "dot_notation",
                    "dotNotation",
                ),
                "operation": text(
                    "Change the input instead.", choices=("set", "rename", "delete", "filter", "pick")
                ),
                "field": text("The field that `operation` is about."),
                "from_field": text("For rename: the field."),
                "to_field": text("For rename: its new name."),
            }
        ),
        output={"name": "Ada", "address": {"city": "Nairobi"}},
        example={"values": {"name": "{{trigger.name}}", "address.city": "Nairobi"}},
        docs="With `operation` the input is changed: `set` a field, `rename` one, `delete` one or a list "
        "`values`, or keep only those listed (`pick`, `filter`).",
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Build the object."""
        operation = config.get("operation")
        if operation is not None:
            return PureResult(output=_change(str(operation), config, context.input))
        keep = config.get("include_input", config.get("keepOnlySet") is False)
        target = dict(context.input) if keep and isinstance(context.input, dict) else {}
        dotted = config.get("dot_notation", True)
        for name, value in _pairs(config, config.get("values")):
            if dotted and ("." in name or "[" in name):
                with_field(target, name, value)
            else:
                target[name] = value
        return PureResult(output=target)


def _pairs(config: Mapping[str, Json], values: Any) -> Iterator[tuple[str, Json]]:
    if isinstance(values, Mapping):
        inner = values.get("assignments")
        if not (len(values) == 1 and isinstance(inner, list)):
            yield from values.items()
            return
        values = inner
    if values is None:
        name = first(config, "name", "field", "key")
        if not isinstance(name, str) or not name:
            raise Invalid("data.set needs `values`, or `name` and `value`.", code="node.config")
        yield name, config.get("value")
        return
    if not isinstance(values, list):
        raise Invalid("`values` is an object, or a list of `{key, value}`.", code="node.config")
    for entry in values:
        name = first(entry, "key", "name", "field") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            raise Invalid("Each entry of `values` needs a `key` and a `value`.", code="node.config")
        kind = entry.get("type")
        value = entry.get("value")
        yield name, value if kind is None else cast(value, str(kind))


def _change(operation: str, config: Mapping[str, Json], subject: Json) -> Json:
    target = dict(subject) if isinstance(subject, dict) else {}
    name = first(config, "field", "from_field", "name", default="")
    match operation:
        case "set":
            for key, value in _pairs(config, config.get("values")):
                with_field(target, key, value)
        case "rename":
            found = field(target, str(name))
            new = first(config, "to_field", "to", "value")
            if found is not ABSENT and isinstance(new, str) and new:
                without_field(target, str(name))
                with_field(target, new, found)
        case "delete":
            for path in _names(config, name):
                without_field(target, path)
        case "filter" | "pick":
            kept: dict[str, Json] = {}
            for path in _names(config, name):
                if (found := field(target, path)) is not ABSENT:
                    with_field(kept, path, found)
            return kept
        case _:
            raise Invalid(f"{operation[:40]!r} is not an operation of data.set.", code="node.config")
    return target


def _names(config: Mapping[str, Json], name: Json) -> list[str]:
    names = first(config, "values", default=[name] if name else [])
    return [str(item) for item in names] if isinstance(names, list | dict) else []


def cast(value: Json, kind: str) -> Json:
    """Turn a value into a type by its name.

    Raises:
        Invalid: `node.config`: the value has no such form.
    """
    try:
        match kind.lower().removesuffix("value"):
            case "string" | "text":
                return value if isinstance(value, str) else _as_text(value)
            case "number":
                number = float(value)
                return int(number) if number.is_integer() else number
            case "integer":
                return int(float(value))
            case "boolean":
                return (
                    value.strip().lower() in ("true", "1", "yes") if isinstance(value, str) else bool(value)
                )
            case "array":
                return value if isinstance(value, list) else decode_json(value)
            case "object":
                return value if isinstance(value, dict) else decode_json(value)
    except (TypeError, ValueError, OverflowError, DecodeError) as error:
        raise Invalid(f"{str(value)[:40]!r} is not a {kind[:20]}.", code="node.config") from error
    return value


def _as_text(value: Json) -> str:
    return encode_json(value).decode()


class Attributes:
    """Say what this execution is to be found by."""

    spec = NodeSpec(
        type=NODE_TYPE,
        title="Set attributes",
        summary="Say what this execution is to be found by: a customer, an order, an amount.",
        node_class=NodeClass.PURE,
        aliases=("set_attributes", "search_attributes", "execution.attributes"),
        parameters=record({"values": mapping("Names, declared in the workspace, and values.")}),
        output={"customer": "A-17", "amount": 12.5},
        example={"values": {"customer": "{{trigger.customer}}", "amount": "{{trigger.amount}}"}},
        docs="Values are texts, numbers, true or false. A later node that sets the same name replaces it.",
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Check the values, and say them."""
        values = config.get("values") or {}
        found = kept(values)
        if not isinstance(values, Mapping) or len(found) < len(values):
            left_out = [name for name in values if name not in found] if isinstance(values, Mapping) else []
            raise Invalid(
                f"`values` has names of letters, digits, _ and -, and plain values, at most {MOST}; not so: "
                f"{', '.join(map(str, left_out[:5])) or 'all of it'}.",
                code="node.config",
            )
        return PureResult(output=found)


DATA = (Set(), Attributes())
