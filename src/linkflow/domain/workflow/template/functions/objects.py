"""Functions on objects and on any value."""

from collections.abc import Sequence

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import FunctionFailed
from linkflow.domain.workflow.template.functions.table import define, family, fields, items, text
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.operators import kind, to_text

_DEEPEST = 32


def _copied(meter: Meter, value: Json) -> dict[str, Json]:
    found = fields(value)
    meter.look(len(found))
    meter.produce(16 * len(found))
    return found


def keys(meter: Meter, value: Json) -> list[str]:
    """List the keys of an object."""
    return list(_copied(meter, value))


def values(meter: Meter, value: Json) -> list[Json]:
    """List the values of an object."""
    return list(_copied(meter, value).values())


def entries(meter: Meter, value: Json) -> list[Json]:
    """List an object as pairs of key and value."""
    return [[key, item] for key, item in _copied(meter, value).items()]


def from_entries(meter: Meter, pairs: Json) -> dict[str, Json]:
    """Make an object of pairs `[key, value]`."""
    found = items(pairs)
    meter.look(len(found))
    meter.produce(16 * len(found))
    made: dict[str, Json] = {}
    for pair in found:
        if not isinstance(pair, list) or len(pair) != 2:
            raise FunctionFailed("Pairs of key and value are needed.")
        made[to_text(pair[0], meter)] = pair[1]
    return made


def merge(meter: Meter, *objects: Json) -> dict[str, Json]:
    """Make one object of several; later ones win."""
    made: dict[str, Json] = {}
    for value in objects:
        made.update(_copied(meter, value))
    return made


def pick(meter: Meter, value: Json, *names: Json) -> dict[str, Json]:
    """Keep some keys."""
    wanted = _names(names)
    found = _copied(meter, value)
    return {name: found[name] for name in wanted if name in found}


def omit(meter: Meter, value: Json, *names: Json) -> dict[str, Json]:
    """Leave out some keys."""
    unwanted = set(_names(names))
    return {key: item for key, item in _copied(meter, value).items() if key not in unwanted}


def _names(names: Sequence[Json]) -> list[str]:
    listed = items(names[0]) if len(names) == 1 and isinstance(names[0], list) else names
    return [text(name) for name in listed]


def _path(path: Json) -> list[str]:
    found = [text(part) for part in items(path)] if isinstance(path, list) else text(path).split(".")
    if len(found) > _DEEPEST:
        raise FunctionFailed(f"A path has at most {_DEEPEST} parts.")
    return found


def get(meter: Meter, value: Json, path: Json, default: Json = None) -> Json:
    """Follow a path such as `a.b.0`; the default when it leads nowhere."""
    for key in _path(path):
        meter.step()
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and len(key) < 10 and int(key) < len(value):
            value = value[int(key)]
        else:
            return default
    return default if value is None else value


def has(meter: Meter, value: Json, path: Json) -> bool:
    """Say whether a path such as `a.b` leads to something that is not null."""
    return get(meter, value, path) is not None


def set_(meter: Meter, value: Json, path: Json, item: Json) -> dict[str, Json]:
    """Copy an object with one path such as `a.b` changed."""
    first, *rest = _path(path)
    made = dict(_copied(meter, value))
    made[first] = set_(meter, made.get(first), list(rest), item) if rest else item
    return made


def default(meter: Meter, value: Json, *others: Json) -> Json:
    """Take the first value that is there and not null."""
    meter.step()
    return next((found for found in (value, *others) if found is not None), None)


def exists(meter: Meter, value: Json) -> bool:
    """Say whether something is there and not null."""
    meter.step()
    return value is not None


def is_empty(meter: Meter, value: Json) -> bool:
    """Say whether something is missing, null, or without content."""
    meter.step()
    return value is None or value in ("", [], {})


def type_of(meter: Meter, value: Json) -> str:
    """Name the type: text, number, boolean, list, object or null."""
    meter.step()
    return "boolean" if isinstance(value, bool) else kind(value)


def to_boolean(meter: Meter, value: Json) -> bool:
    """Turn `true`, `yes`, `on`, `1` and their like into true, everything else into false."""
    meter.step()
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "y", "on", "1")
    return bool(value)


OBJECTS = family(
    "objects",
    define(keys, "keys({a: 1, b: 2})", ["a", "b"]),
    define(values, "values({a: 1, b: 2})", [1, 2]),
    define(entries, "entries({a: 1})", [["a", 1]]),
    define(from_entries, "fromEntries([['a', 1]])", {"a": 1}),
    define(merge, "merge({a: 1, b: 1}, {b: 2})", {"a": 1, "b": 2}, "assign", builds=True),
    define(pick, "pick({a: 1, b: 2}, 'a')", {"a": 1}),
    define(omit, "omit({a: 1, b: 2}, 'a')", {"b": 2}),
    define(get, "get({a: {b: [7]}}, 'a.b.0')", 7, is_soft=True),
    define(has, "has({a: {b: 1}}, 'a.b')", True, is_soft=True),
    define(set_, "set({a: {b: 1}}, 'a.c', 2)", {"a": {"b": 1, "c": 2}}, builds=True),
    define(default, "default(trigger.missing, 'nobody')", "nobody", "coalesce", "ifEmpty", is_soft=True),
    define(exists, "exists(trigger.missing)", False, "isDefined", is_soft=True),
    define(is_empty, "isEmpty([])", True, "empty", is_soft=True),
    define(type_of, "typeOf([1])", "list", "type"),
    define(to_boolean, "toBoolean('yes')", True, "boolean", "bool"),
)
