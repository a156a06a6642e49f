"""Working on one value: JSON, numbers, and the log."""

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from linkflow.domain.errors import Invalid
from linkflow.domain.handles import handle_text
from linkflow.domain.node import NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json, canonical, decode_json, encode_json
from linkflow.nodes.data_lists import names_of
from linkflow.nodes.fields import ABSENT, field, with_field, without_field
from linkflow.nodes.schema import anything, either, flag, mapping, record, spelled, text

LARGEST = 2**63


class JsonNode:
    """Read, write and change JSON."""

    spec = NodeSpec(
        type="data.json",
        title="JSON",
        summary="Parse text, write text, or take a part of an object.",
        node_class=NodeClass.PURE,
        aliases=("logic.json_transform", "logic.json", "json_transform", "json", "data_json"),
        parameters=record(
            {
                "operation": text(
                    "What to do.",
                    default="parse",
                    choices=(
                        "parse",
                        "stringify",
                        "get",
                        "set",
                        "delete",
                        "keys",
                        "values",
                        "entries",
                        "flatten",
                    ),
                ),
                **spelled(
                    anything("What to work on; without it, the input."), "value", "input", "data", "json"
                ),
                **spelled(text("For get, set, delete: a path."), "path", "field"),
                "to": anything("For set: the new value."),
                "default": anything("For get: what to give when nothing is there."),
                **spelled(flag("For stringify: with line breaks.", default=False), "pretty", "indent"),
            }
        ),
        output={"value": {"a": 1}},
        example={"operation": "parse", "value": "{{trigger.body.payload}}"},
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Do the operation."""
        operation = str(config.get("operation") or "parse")
        value = config["value"] if "value" in config else context.input  # noqa: SIM401  the input may be large
        done = _JSON.get(operation)
        if done is None:
            raise Invalid(f"{operation[:30]!r} is not an operation of data.json.", code="node.config")
        return PureResult(output={"value": done(value, config)})


def _parse(value: Json, _: Mapping[str, Json]) -> Json:
    if not isinstance(value, str):
        return value
    try:
        return decode_json(value)
    except msgspec.DecodeError as error:
        raise Invalid(f"The text is not JSON: {error}", code="json.invalid") from error


def _stringify(value: Json, config: Mapping[str, Json]) -> Json:
    data = encode_json(value)
    return (msgspec.json.format(data, indent=2) if config.get("pretty") else data).decode()


def _get(value: Json, config: Mapping[str, Json]) -> Json:
    found = field(value, _path(config))
    return config.get("default") if found is ABSENT else found


def _set(value: Json, config: Mapping[str, Json]) -> Json:
    target = dict(value) if isinstance(value, dict) else {}
    with_field(target, _path(config), config.get("to"))
    return target


def _delete(value: Json, config: Mapping[str, Json]) -> Json:
    target = dict(value) if isinstance(value, dict) else {}
    for path in names_of(_path(config)):
        without_field(target, path)
    return target


def _flatten(value: Json, _: Mapping[str, Json]) -> Json:
    flat: dict[str, Json] = {}
    pending: list[tuple[str, Json]] = [("", value)]
    while pending:
        path, item = pending.pop()
        inner = (
            list(item.items())
            if isinstance(item, dict)
            else list(enumerate(item))
            if isinstance(item, list)
            else []
        )
        if inner:
            pending.extend((f"{path}.{name}" if path else str(name), each) for name, each in reversed(inner))
        else:
            flat[path] = item
    return flat


def _path(config: Mapping[str, Json]) -> str:
    path = config.get("path")
    if not isinstance(path, str) or not path:
        raise Invalid("This operation needs a `path`.", code="node.config")
    return path


_JSON: Mapping[str, Callable[[Json, Mapping[str, Json]], Json]] = {
    "parse": _parse,
    "stringify": _stringify,
    "get": _get,
    "set": _set,
    "delete": _delete,
    "keys": lambda value, _: list(value) if isinstance(value, dict) else [],
    "values": lambda value, _: list(value.values()) if isinstance(value, dict) else [],
    "entries": lambda value, _: (
        [{"key": k, "value": v} for k, v in value.items()] if isinstance(value, dict) else []
    ),
    "flatten": _flatten,
}


def _round(value: float, digits: float = 0) -> float:
    """Round half away from zero, as people do."""
    factor = 10.0 ** int(digits)
    rounded = math.copysign(math.floor(abs(value) * factor + 0.5), value) / factor
    return int(rounded) if digits <= 0 else rounded


def _modulo(a: float, b: float) -> float:
    return a % b


def _product(values: Sequence[float]) -> float:
    found: float = 1
    for value in values:
        found *= value
        if abs(found) >= LARGEST:
            found = float(found)  # whole numbers would grow without end
    return found


_TWO: Mapping[str, Callable[[float, float], float]] = {
    "subtract": lambda a, b: a - b,
    "divide": lambda a, b: a / b,
    "modulo": _modulo,
    "power": lambda a, b: (
        a**b if abs(b) <= 1024 and (isinstance(a, float) or abs(a) < 2**31 or b <= 2) else math.pow(a, b)
    ),
    "round": _round,
    "log": lambda a, b: math.log(a, b),
}
_ONE: Mapping[str, Callable[[float], float]] = {
    "round": _round,
    "floor": math.floor,
    "ceil": math.ceil,
    "abs": abs,
    "sqrt": math.sqrt,
    "negate": lambda a: -a,
    "log": math.log,
}
_MANY: Mapping[str, Callable[[Sequence[float]], float]] = {
    "add": sum,
    "multiply": _product,
    "average": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
    "median": lambda values: (sorted(values)[(len(values) - 1) // 2] + sorted(values)[len(values) // 2]) / 2,
}
_SAME = {
    "sum": "add",
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "%": "modulo",
    "mod": "modulo",
    "^": "power",
    "pow": "power",
    "avg": "average",
    "mean": "average",
    "ceiling": "ceil",
    "absolute": "abs",
}


class Math:
    """Calculate."""

    spec = NodeSpec(
        type="data.math",
        title="Math",
        summary="Calculate with numbers, or evaluate an expression.",
        node_class=NodeClass.PURE,
        aliases=("logic.math", "math", "data_math", "data.expression", "logic.expression"),
        parameters=record(
            {
                **spelled(text("An expression; `input` is the input."), "expression", "formula"),
                "operation": text("Instead: " + ", ".join(sorted({*_MANY, *_TWO, *_ONE})) + "."),
                **spelled(
                    either(
                        "The first number, or a list of numbers.", {"type": ["number", "string", "array"]}
                    ),
                    "a",
                    "value",
                    "values",
                    "left",
                ),
                **spelled(
                    either("The second number.", {"type": ["number", "string"]}), "b", "right", "digits"
                ),
            }
        ),
        raw=("expression",),
        output={"value": 42, "result": 42},
        example={"operation": "round", "a": "{{node_sum.result}}", "b": 2},
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Calculate, and refuse what is not a finite number."""
        expression = config.get("expression")
        value = (
            context.evaluate(expression)
            if isinstance(expression, str) and expression
            else _calculated(config, context)
        )
        return PureResult(output={"value": value, "result": value})


def _calculated(config: Mapping[str, Json], context: PureContext) -> float:
    word = str(config.get("operation") or "").lower()
    word = _SAME.get(word, word)
    a, b = config.get("a"), config.get("b")
    if a is None:
        a = context.input
    try:
        if word in _MANY:
            values = [_number(item) for item in (a if isinstance(a, list) else [a])]
            found = _MANY[word]([*values, *([] if b is None else [_number(b)])])
        elif b is not None and word in _TWO:
            found = _TWO[word](_number(a), _number(b))
        elif word in _ONE:
            found = _ONE[word](_number(a))
        else:
            raise Invalid(
                f"{word[:30]!r} with these numbers is not an operation of data.math.", code="node.config"
            )
    except (ArithmeticError, ValueError) as error:
        raise Invalid(f"This cannot be calculated: {error}.", code="math.invalid") from error
    is_whole = isinstance(found, int)
    if isinstance(found, complex) or not (abs(found) < LARGEST if is_whole else math.isfinite(found)):
        raise Invalid("The result is not a number that JSON can hold.", code="math.invalid")
    return found


def _number(value: Json) -> float:
    if isinstance(value, str) and len(value) <= 100:
        try:
            return int(value)
        except ValueError:
            value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError(f"{str(value)[:30]!r} is not a number")


class Log:
    """Say something to people."""

    spec = NodeSpec(
        type="data.log",
        title="Log",
        summary="Write a line into the execution's log.",
        node_class=NodeClass.PURE,
        aliases=("output_log", "log", "logic.log", "data_log", "action.log"),
        parameters=record(
            {
                **spelled(anything("What to say."), "message", "text"),
                "level": text(
                    "How grave it is.", default="info", choices=("debug", "info", "warning", "warn", "error")
                ),
                "label": text("A word to find it by."),
                **spelled(mapping("Facts beside it."), "fields", "data"),
            }
        ),
        output={"level": "info", "label": "", "message": "Order 7 is paid.", "fields": {"id": 7}},
        example={"message": "Order {{trigger.id}} is paid.", "fields": {"id": "{{trigger.id}}"}},
        docs="The line is in the execution's log, and it is the node's output.",
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Give the line."""
        message = config.get("message", "")
        shown = canonical(message).decode() if isinstance(message, dict | list) else handle_text(message)
        level = str(config.get("level") or "info").lower()
        label, fields = str(config.get("label") or ""), config.get("fields") or {}
        return PureResult(
            output={
                "level": {"warn": "warning"}.get(level, level),
                "label": label,
                "message": shown,
                "fields": fields,
            },
            logs=[
                {
                    "level": {"warning": "warn"}.get(level, level),
                    "message": f"{label}: {shown}" if label else shown,
                    "data": fields or None,
                }
            ],
        )


VALUES = (JsonNode(), Math(), Log())
