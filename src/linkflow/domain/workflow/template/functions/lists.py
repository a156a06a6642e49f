"""Functions on lists; `item` and `index` stand for the element in the body of map, filter and others."""

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import FunctionFailed, WrongType
from linkflow.domain.workflow.template.functions.table import Body, define, family, fields, items, text, whole
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.operators import contains, equal, kind, to_text, truth

_ITEM = ("item", "index")


def _looked(meter: Meter, value: Json) -> list[Json]:
    found = items(value)
    meter.look(len(found))
    return found


def _copied(meter: Meter, value: Json) -> list[Json]:
    found = _looked(meter, value)
    meter.produce(8 * len(found))
    return found


def length(meter: Meter, value: Json) -> int:
    """Count characters, elements or keys; null has none."""
    meter.step()
    if value is None:
        return 0
    if isinstance(value, str | list | dict):
        return len(value)
    raise WrongType(f"{kind(value)} has no length.")


def map_(meter: Meter, values: Json, body: Body) -> list[Json]:
    """Evaluate the body for each element; a text body is a path into the element."""
    return [body(item, index) for index, item in enumerate(_copied(meter, values))]


def filter_(meter: Meter, values: Json, body: Body) -> list[Json]:
    """Keep the elements for which the body holds."""
    return [item for index, item in enumerate(_copied(meter, values)) if truth(body(item, index))]


def find(meter: Meter, values: Json, body: Body) -> Json:
    """Take the first element for which the body holds; null when there is none."""
    return next((item for index, item in enumerate(_looked(meter, values)) if truth(body(item, index))), None)


def some(meter: Meter, values: Json, body: Body) -> bool:
    """Say whether the body holds for at least one element."""
    return any(truth(body(item, index)) for index, item in enumerate(_looked(meter, values)))


def every(meter: Meter, values: Json, body: Body) -> bool:
    """Say whether the body holds for all elements."""
    return all(truth(body(item, index)) for index, item in enumerate(_looked(meter, values)))


def reduce(meter: Meter, values: Json, start: Json, body: Body) -> Json:
    """Carry `total` from element to element, beginning with `start`."""
    total = start
    for index, item in enumerate(_looked(meter, values)):
        total = body(total, item, index)
    return total


def sort_by(meter: Meter, values: Json, body: Body, direction: Json = "asc") -> list[Json]:
    """Sort by what the body gives for each element, `asc` or `desc`."""
    found = _copied(meter, values)
    keyed = [(_order(body(item, index), meter), item) for index, item in enumerate(found)]
    meter.step(len(keyed) * len(keyed).bit_length() // 8)
    keyed.sort(key=lambda pair: pair[0], reverse=text(direction).lower().startswith("desc"))
    return [item for _, item in keyed]


def sort(meter: Meter, values: Json, direction: Json = "asc") -> list[Json]:
    """Sort numbers and texts, `asc` or `desc`."""
    return sort_by(meter, values, lambda item, _: item, direction)


def _order(value: Json, meter: Meter) -> tuple[int, Json]:
    """Give every value a place: null, false and true, numbers, texts, the rest as JSON."""
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    return (3, value) if isinstance(value, str) else (4, to_text(value, meter))


def group_by(meter: Meter, values: Json, body: Body) -> dict[str, list[Json]]:
    """Collect elements in lists by what the body gives."""
    groups: dict[str, list[Json]] = {}
    for index, item in enumerate(_copied(meter, values)):
        groups.setdefault(to_text(body(item, index), meter), []).append(item)
    meter.produce(16 * len(groups))
    return groups


def key_by(meter: Meter, values: Json, body: Body) -> dict[str, Json]:
    """Make an object of the elements by what the body gives; the last of equal keys counts."""
    return {to_text(body(item, index), meter): item for index, item in enumerate(_copied(meter, values))}


def where(meter: Meter, values: Json, key: Json, value: Json) -> list[Json]:
    """Keep the objects whose field has a value."""
    name = text(key)
    return [
        item
        for item in _copied(meter, values)
        if isinstance(item, dict) and equal(item.get(name), value, meter)
    ]


def count(meter: Meter, values: Json, body: Body | None = None) -> int:
    """Count the elements, or those for which the body holds."""
    found = _looked(meter, values)
    return len(found) if body is None else sum(truth(body(item, index)) for index, item in enumerate(found))


def first(meter: Meter, values: Json, number: Json = None) -> Json:
    """Take the first element, or null; with a number, that many of them."""
    found = _sequence(meter, values)
    return (found[0] if found else None) if number is None else found[: max(whole(number), 0)]


def last(meter: Meter, values: Json, number: Json = None) -> Json:
    """Take the last element, or null; with a number, that many of them."""
    found = _sequence(meter, values)
    if number is None:
        return found[-1] if found else None
    return found[max(len(found) - max(whole(number), 0), 0) :]


def nth(meter: Meter, values: Json, index: Json) -> Json:
    """Take an element by its index, from 0, negative from the end; null when there is none."""
    found, at = _sequence(meter, values), whole(index)
    return found[at] if -len(found) <= at < len(found) else None


def slice_(meter: Meter, values: Json, start: Json, end: Json = None) -> Json:
    """Take the part from `start` up to, not including, `end`; negative counts from the end."""
    return _sequence(meter, values)[whole(start) : None if end is None else whole(end)]


def _sequence(meter: Meter, values: Json) -> list[Json] | str:
    if isinstance(values, str):
        meter.produce(len(values))
        return values
    return _copied(meter, values)


def skip(meter: Meter, values: Json, number: Json) -> list[Json]:
    """Leave out the first elements."""
    return _copied(meter, values)[max(whole(number), 0) :]


def reverse(meter: Meter, values: Json) -> Json:
    """Turn the order of a list or a text round."""
    return _sequence(meter, values)[::-1]


def concat(meter: Meter, *values: Json) -> Json:
    """Join lists into one; other values become elements; texts alone become one text."""
    if values and all(isinstance(value, str) for value in values):
        meter.produce(sum(map(len, values)))
        return "".join(values)
    joined: list[Json] = []
    for value in values:
        joined.extend(_copied(meter, value) if isinstance(value, list) else [value])
    return joined


def flatten(meter: Meter, values: Json, depth: Json = 1) -> list[Json]:
    """Put the elements of inner lists in the place of those lists, some levels deep."""
    found = list(_copied(meter, values))
    for _ in range(min(max(whole(depth), 0), 20)):
        if not any(isinstance(item, list) for item in found):
            break
        found = [
            inner for item in found for inner in (_copied(meter, item) if isinstance(item, list) else [item])
        ]
    return found


def unique(meter: Meter, values: Json, body: Body | None = None) -> list[Json]:
    """Drop elements that came before, or whose body gives what came before."""
    seen: set[tuple[str, str]] = set()
    kept: list[Json] = []
    for index, item in enumerate(_copied(meter, values)):
        value = item if body is None else body(item, index)
        key = (kind(value), to_text(value, meter))
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


def compact(meter: Meter, values: Json) -> list[Json]:
    """Drop elements that are null, false, 0 or empty."""
    return [item for item in _copied(meter, values) if truth(item)]


def chunk(meter: Meter, values: Json, size: Json) -> list[Json]:
    """Cut into lists of at most `size` elements."""
    found, most = _copied(meter, values), max(whole(size), 1)
    return [found[at : at + most] for at in range(0, len(found), most)]


def range_(meter: Meter, start: Json, end: Json = None, by: Json = 1) -> list[int]:
    """List whole numbers from `start` up to, not including, `end`; one argument counts from 0."""
    a, b = (0, whole(start)) if end is None else (whole(start), whole(end))
    pace = whole(by)
    if pace == 0:
        raise FunctionFailed("A step of 0 never ends.")
    numbers = range(a, b, pace)
    size = max(0, (b - a + pace - (1 if pace > 0 else -1)) // pace)
    meter.produce(8 * size)
    meter.look(size)
    return list(numbers)


def zip_(meter: Meter, first: Json, second: Json) -> list[Json]:
    """Pair the elements of two lists, as far as both go."""
    a, b = _copied(meter, first), _copied(meter, second)
    return [[x, y] for x, y in zip(a, b, strict=False)]


def intersect(meter: Meter, first: Json, second: Json) -> list[Json]:
    """Keep the elements that are in a second list as well."""
    return [item for item in _copied(meter, first) if contains(item, items(second), meter)]


def difference(meter: Meter, first: Json, second: Json) -> list[Json]:
    """Drop the elements that are in a second list."""
    return [item for item in _copied(meter, first) if not contains(item, items(second), meter)]


def includes(meter: Meter, values: Json, item: Json) -> bool:
    """Say whether a list has an element, a text a part, or an object a key."""
    return contains(item, [] if values is None else values, meter)


def index_of(meter: Meter, values: Json, item: Json) -> int:
    """Find where an element of a list, or a part of a text, is first; -1 when nowhere."""
    if isinstance(values, str):
        meter.look(len(values))
        return values.find(text(item))
    listed = items(values)
    meter.step(1 + len(listed) // 2)
    return next((at for at, other in enumerate(listed) if equal(item, other, meter)), -1)


def pluck(meter: Meter, values: Json, key: Json) -> list[Json]:
    """Take one field of every object; null where it is missing."""
    name = text(key)
    return [fields(item).get(name) for item in _copied(meter, values)]


def to_list(meter: Meter, value: Json) -> list[Json]:
    """Make a list: null gives an empty one, anything else but a list one with one element."""
    meter.produce(8)
    return value if isinstance(value, list) else ([] if value is None else [value])


_PEOPLE = "[{name: 'Amina', age: 31}, {name: 'Otieno', age: 27}]"

LISTS = family(
    "lists",
    define(length, "length([1, 2, 3])", 3, "len", "size"),
    define(map_, f"map({_PEOPLE}, item.name)", ["Amina", "Otieno"], body=_ITEM, builds=True),
    define(filter_, "filter([1, 5, 9], item > 4)", [5, 9], body=_ITEM),
    define(find, "find([1, 5, 9], item > 4)", 5, body=_ITEM),
    define(some, "some([1, 5], item > 4)", True, "any", body=_ITEM),
    define(every, "every([1, 5], item > 4)", False, "all", body=_ITEM),
    define(reduce, "reduce([1, 2, 3], 0, total + item)", 6, body=("total", *_ITEM), builds=True),
    define(sort, "sort([3, 1, 2])", [1, 2, 3]),
    define(
        sort_by, f"sortBy({_PEOPLE}, item.age) | map(item.name)", ["Otieno", "Amina"], "orderBy", body=_ITEM
    ),
    define(group_by, "groupBy([1, 2, 3], item % 2)", {"1": [1, 3], "0": [2]}, body=_ITEM),
    define(key_by, "keyBy([{id: 'a'}], item.id)", {"a": {"id": "a"}}, "indexBy", body=_ITEM),
    define(where, f"where({_PEOPLE}, 'age', 27)", [{"name": "Otieno", "age": 27}]),
    define(count, "count([1, 5, 9], item > 4)", 2, body=_ITEM),
    define(first, "first([1, 2])", 1, "head", "take"),
    define(last, "last([1, 2])", 2),
    define(nth, "nth(['a', 'b'], 1)", "b", "at"),
    define(slice_, "slice([1, 2, 3, 4], 1, 3)", [2, 3]),
    define(skip, "skip([1, 2, 3], 1)", [2, 3], "drop"),
    define(reverse, "reverse([1, 2, 3])", [3, 2, 1]),
    define(concat, "concat([1], [2, 3])", [1, 2, 3], builds=True),
    define(flatten, "flatten([[1], [2, [3]]])", [1, 2, [3]], "flat"),
    define(unique, "unique([1, 2, 1])", [1, 2], "distinct", "dedupe", body=_ITEM),
    define(compact, "compact([0, 1, '', null, 2])", [1, 2]),
    define(chunk, "chunk([1, 2, 3], 2)", [[1, 2], [3]], "batch"),
    define(range_, "range(1, 4)", [1, 2, 3]),
    define(zip_, "zip(['a', 'b'], [1, 2])", [["a", 1], ["b", 2]], builds=True),
    define(intersect, "intersect([1, 2, 3], [2, 3, 4])", [2, 3], "intersection"),
    define(difference, "difference([1, 2, 3], [2])", [1, 3], "without"),
    define(includes, "includes('jambo', 'am')", True, "contains"),
    define(index_of, "indexOf(['a', 'b'], 'b')", 1),
    define(pluck, f"pluck({_PEOPLE}, 'age')", [31, 27]),
    define(to_list, "toList('a')", ["a"], "list"),
)
