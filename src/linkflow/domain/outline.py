"""What a value is like, without the value: types, samples, fields. For completion, and for short answers."""

import re
from collections.abc import Iterator, Mapping

from linkflow.domain.values import Json

DEPTH = 5
FIELDS = 100
"""Fields shown of one object."""

ALL_FIELDS = 3_000
"""Fields shown of everything together."""

SAMPLE_CHARS = 80
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_]*")


def type_of(value: Json) -> str:
    """Name the type of a value as expressions do: text, number, boolean, list, object, null."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list() | tuple():
            return "list"
        case Mapping():
            return "object"
    return "secret"


def step(path: str, name: str) -> str:
    """Write the path of a member as an expression does: `a.b`, `a['b c']`."""
    if _NAME.fullmatch(name):
        return f"{path}.{name}"
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"{path}['{escaped}']"


class Outliner:
    """Describes values within one bound for all of them."""

    def __init__(self, left: int = ALL_FIELDS) -> None:
        self._left = left

    def describe(self, value: Json, path: str, depth: int = DEPTH) -> dict[str, Json]:
        """Describe a value: `{"path", "type", "sample"?, "count"?, "fields"?: [the same with "name"]}`.

        A list is described by its first element.
        """
        kind = type_of(value)
        found: dict[str, Json] = {"path": path, "type": kind}
        if kind in ("number", "boolean"):
            found["sample"] = str(value).lower() if kind == "boolean" else str(value)
        elif kind == "text":
            found["sample"] = value if len(value) <= SAMPLE_CHARS else value[:SAMPLE_CHARS] + "…"
        elif kind in ("list", "object"):
            found["count"] = len(value)
            found["fields"] = list(self._members(value, path, depth)) if depth > 0 else []
        return found

    def _members(self, value: Json, path: str, depth: int) -> Iterator[dict[str, Json]]:
        if isinstance(value, list | tuple):
            if value and self._left > 0:
                self._left -= 1
                yield {"name": "[0]", **self.describe(value[0], f"{path}[0]", depth - 1)}
            return
        for name, item in list(value.items())[:FIELDS]:
            if self._left <= 0:
                return
            self._left -= 1
            yield {"name": name, **self.describe(item, step(path, name), depth - 1)}


def shortened(value: Json, items: int = 50, chars: int = 2_000, depth: int = 6) -> Json:
    """Keep the beginning of every part of a value; what was cut ends in `…`."""
    if isinstance(value, str):
        return value if len(value) <= chars else value[:chars] + "…"
    if isinstance(value, list):
        if depth <= 0:
            return "…"
        kept = [shortened(item, items, chars, depth - 1) for item in value[:items]]
        return kept if len(value) <= items else [*kept, "…"]
    if isinstance(value, dict):
        if depth <= 0:
            return "…"
        pairs = list(value.items())
        short = {name: shortened(item, items, chars, depth - 1) for name, item in pairs[:items]}
        return short if len(pairs) <= items else {**short, "…": len(pairs) - items}
    return value
