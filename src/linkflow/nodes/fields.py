"""Reading config and input: the first of several spellings, a field by its path, an operand."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from linkflow.domain.errors import Invalid
from linkflow.domain.node import PureContext
from linkflow.domain.values import Json


class Absent:
    """The one value that stands for no value at all; JSON's null is a value."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent()
_EMBEDDED = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
DEEPEST = 64
"""A path with more steps is taken for a mistake."""


def first(config: Mapping[str, Json], *names: str, default: Json = None) -> Json:
    """Read the first of several spellings of a field that is given and not null."""
    for name in names:
        if (value := config.get(name)) is not None:
            return value
    return default


def field(value: Json, path: str) -> Json | Absent:
    """Follow a path such as `user.emails[0]` or `user.emails.0`; a key that holds dots is found as well."""
    if type(value) is dict and path in value:
        return value[path]
    for step in steps(path):
        if isinstance(value, dict):
            value = value.get(step, ABSENT)
        elif isinstance(value, list) and step.lstrip("-").isdigit():
            index = int(step)
            value = value[index] if -len(value) <= index < len(value) else ABSENT
        else:
            return ABSENT
        if value is ABSENT:
            return ABSENT
    return value


def with_field(target: dict[str, Json], path: str, value: Json) -> None:
    """Set a field by its path in an object of our own, copying the objects on the way."""
    *parents, last = steps(path)
    for step in parents:
        child = target.get(step)
        target[step] = target = dict(child) if isinstance(child, dict) else {}
    target[last] = value


def without_field(target: dict[str, Json], path: str) -> None:
    """Remove a field by its path from an object of our own; nothing happens when it is not there."""
    *parents, last = steps(path)
    for step in parents:
        child = target.get(step)
        if not isinstance(child, dict):
            return
        target[step] = target = dict(child)
    target.pop(last, None)


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[str, ...]:
    """Split a path into its steps.

    Raises:
        Invalid: `node.config`: the path is empty or absurdly deep.
    """
    found = tuple(
        step.strip("'\"")
        for step in path.removeprefix("$.").replace("[", ".").replace("]", "").split(".")
        if step
    )
    if not 0 < len(found) <= DEEPEST:
        raise Invalid(f"{path[:60]!r} is not a path to a field.", code="node.config")
    return found


def operand(value: Json, context: PureContext, **names: Json) -> Json:
    """Give the value of a raw parameter: expressions in it are evaluated, everything else is itself."""
    if isinstance(value, str):
        return context.evaluate(as_expression(value), **names) if "{{" in value else value
    if isinstance(value, list):
        return [operand(item, context, **names) for item in value]
    if isinstance(value, dict):
        return {key: operand(item, context, **names) for key, item in value.items()}
    return value


@lru_cache(maxsize=4096)
def as_expression(text: str) -> str:
    """Turn text with expressions in it into one expression: `Hi {{x}}` into `"" + "Hi " + (x)`."""
    if "{{" not in text or (text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1):
        return text
    parts = _EMBEDDED.split(text)
    written = [
        f"({part})" if at % 2 else json.dumps(part, ensure_ascii=False)
        for at, part in enumerate(parts)
        if part or at % 2
    ]
    return " + ".join(['""', *written])


def as_list(value: Json) -> list[Json]:
    """See a value as a list: a list is itself, an object gives its `items`, null is empty, else one item."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for name in ("items", "results", "data", "rows", "records"):
            if isinstance(value.get(name), list):
                found: list[Json] = value[name]
                return found
    return [] if value is None else [value]
