"""From one to many and back: aggregate, split, merge."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from linkflow.domain.errors import Invalid
from linkflow.domain.handles import handle_text
from linkflow.domain.node import NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json, canonical
from linkflow.nodes.data_lists import ITEMS, NAMES, items_of, listed, names_of, number_of, order_of
from linkflow.nodes.fields import ABSENT, as_list, field, first
from linkflow.nodes.schema import either, flag, many, record, spelled, text


def _numbers(values: Sequence[Json]) -> list[float]:
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def _average(values: Sequence[Json]) -> Json:
    numbers = _numbers(values)
    return sum(numbers) / len(numbers) if numbers else None


AGGREGATES: Mapping[str, Callable[[Sequence[Json]], Json]] = {
    "count": len,
    "sum": lambda values: sum(_numbers(values)),
    "avg": _average,
    "min": lambda values: min(values, key=order_of, default=None),
    "max": lambda values: max(values, key=order_of, default=None),
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
    "list": list,
    "unique": lambda values: list({canonical(value): value for value in values}.values()),
}
"""How the values of one field become one value; null and absent ones are left out."""

_WORDS = {
    "average": "avg",
    "mean": "avg",
    "total": "sum",
    "minimum": "min",
    "maximum": "max",
    "collect": "list",
    "append": "list",
    "count_distinct": "unique",
    "distinct": "unique",
    "concatenate": "concat",
    "join": "concat",
}


class Aggregate:
    """Make one value, or one per group, out of many items."""

    spec = NodeSpec(
        type="data.aggregate",
        title="Aggregate",
        summary="Count, add up, average or collect items, in groups or all together.",
        node_class=NodeClass.PURE,
        aliases=(
            "logic.aggregate",
            "aggregate",
            "data_aggregate",
            "data.summarize",
            "n8n-nodes-base.summarize",
        ),
        parameters=record(
            {
                **ITEMS,
                "operations": many(
                    "What to work out.",
                    record(
                        {
                            "operation": text("As below."),
                            "field": text("Path into the item."),
                            "as": text("Its name in the output."),
                        }
                    ),
                ),
                **spelled(
                    text("Instead: one of " + ", ".join([*AGGREGATES, "concat"]) + ".", default="count"),
                    "operation",
                    "aggregation",
                ),
                "field": text("Path into the item; without it, the item."),
                **spelled(NAMES, "group_by", "groupBy"),
                "separator": text("Between texts, for concat.", default=", "),
            }
        ),
        output={"result": 60, "items": [{"city": "Nairobi", "sum_price": 60}], "count": 1},
        example={"items": "{{trigger.orders}}", "operation": "sum", "field": "price", "group_by": "city"},
        docs="`items` has one object per group: the group's fields and one for each operation, called "
        "`<operation>_<field>` unless `as` says otherwise. `result` is the first value of the first group.",
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Group, then work out each operation."""
        items, paths = items_of(config, context), names_of(config.get("group_by"))
        operations = config.get("operations") or [config]
        groups: dict[bytes, tuple[list[Any], list[Json]]] = {}
        for item in items:
            values = [field(item, path) for path in paths]
            key = canonical([[] if value is ABSENT else [value] for value in values])
            groups.setdefault(key, (values, []))[1].append(item)
        if not paths and not groups:
            groups[b""] = ([], [])
        separator = str(config.get("separator", ", "))
        rows = []
        for values, members in groups.values():
            row = {
                path.rpartition(".")[2]: None if v is ABSENT else v
                for path, v in zip(paths, values, strict=True)
            }
            row.update(_worked_out(operation, members, separator) for operation in operations)
            rows.append(row)
        result = next(reversed(rows[0].values()), None) if rows and len(operations) == 1 else None
        return listed(rows, result=result, total=len(items))


def _worked_out(operation: Mapping[str, Json], members: Sequence[Json], separator: str) -> tuple[str, Json]:
    word = str(first(operation, "operation", "aggregation", default="count")).lower()
    word = _WORDS.get(word, word)
    path = operation.get("field")
    values = [field(item, path) if isinstance(path, str) and path else item for item in members]
    present = [value for value in values if value is not None and value is not ABSENT]
    name = str(
        operation.get("as")
        or (f"{word}_{path.rpartition('.')[2]}" if isinstance(path, str) and path else word)
    )
    if word == "concat":
        return name, separator.join(handle_text(value) for value in present)
    if word not in AGGREGATES:
        known = ", ".join([*AGGREGATES, "concat"])
        raise Invalid(f"{word[:30]!r} is not a way to aggregate; take one of {known}.", code="node.config")
    return name, AGGREGATES[word](present)


class Split:
    """Make many items out of one."""

    spec = NodeSpec(
        type="data.split",
        title="Split",
        summary="Make items of a list inside an object, of a text, or batches of items.",
        node_class=NodeClass.PURE,
        aliases=("logic.splitData", "logic.split", "split", "data_split", "n8n-nodes-base.splitOut"),
        parameters=record(
            {
                **ITEMS,
                **spelled(text("Path to the list or the text."), "field", "fieldToSplitOut"),
                "separator": text("Where a text is cut.", default=","),
                **spelled(
                    either("Instead: batches of so many items.", {"type": "integer"}, {"type": "string"}),
                    "size",
                    "batch_size",
                    "batchSize",
                ),
                **spelled(NAMES, "include", "include_fields"),
            }
        ),
        output={"items": [{"id": 1}, {"id": 2}], "count": 2},
        example={"field": "order.lines", "include": ["order.id"]},
        docs="Fields of the whole that `include` lists are added to every item.",
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Cut."""
        if config.get("size") not in (None, ""):
            items, size = items_of(config, context), number_of(config["size"], "size", 1) or 1
            return listed([items[at : at + size] for at in range(0, len(items), size)], total=len(items))
        whole = config["items"] if config.get("items") is not None else context.input
        path = config.get("field")
        parts = field(whole, path) if isinstance(path, str) and path else whole
        if isinstance(parts, str):
            separator = str(config.get("separator", ",")) or ","
            parts = [part.strip() for part in parts.split(separator)]
        extra = {name.rpartition(".")[2]: field(whole, name) for name in names_of(config.get("include"))}
        extra = {name: value for name, value in extra.items() if value is not ABSENT}
        items = [] if parts is ABSENT else as_list(parts)
        if extra:
            items = [{**extra, **(item if isinstance(item, dict) else {"value": item})} for item in items]
        return listed(items)


class Merge:
    """Put objects or lists together."""

    spec = NodeSpec(
        type="data.merge",
        title="Merge data",
        summary="Put objects or lists together: side by side, one over the other, by position or by a key.",
        node_class=NodeClass.PURE,
        aliases=("data_merge", "data.combine"),
        parameters=record(
            {
                **spelled(
                    many(
                        "What to merge; without it, the input's list, or the outputs of several predecessors."
                    ),
                    "values",
                    "sources",
                    "inputs",
                ),
                "mode": text(
                    "How.", default="shallow", choices=("shallow", "deep", "append", "position", "key")
                ),
                **spelled(text("For key: path of the field that matches."), "key", "by", "field"),
                **spelled(
                    flag("For key: keep items without a match.", default=True),
                    "keep_unmatched",
                    "keepUnmatched",
                ),
            }
        ),
        output={"a": 1, "b": 2},
        example={"mode": "deep", "values": ["{{node_a.output}}", "{{node_b.output}}"]},
        docs="`shallow` and `deep` give one object, the later value winning; `append` gives one list; "
        "`position` and `key` give `items` merged pairwise.",
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Merge by mode."""
        values = config.get("values")
        if values is None:
            given = context.input
            values = list(given.values()) if isinstance(given, dict) else as_list(given)
        mode = str(config.get("mode") or "shallow")
        if mode in ("shallow", "deep"):
            merged: Json = {}
            for value in values:
                merged = _over(merged, value, depth=100 if mode == "deep" else 1)
            return PureResult(output=merged)
        lists = [as_list(value) for value in values]
        if mode == "append":
            return listed([item for items in lists for item in items])
        if mode == "position":
            return listed(
                [
                    _row(items[at] for items in lists if at < len(items))
                    for at in range(max(map(len, lists), default=0))
                ]
            )
        return listed(_by_key(lists, config))


def _over(below: Json, above: Json, depth: int) -> Json:
    if depth <= 0 or not isinstance(below, dict) or not isinstance(above, dict):
        return above
    merged = dict(below)
    for name, value in above.items():
        merged[name] = _over(merged[name], value, depth - 1) if name in merged else value
    return merged


def _row(values: Any) -> Json:
    row: dict[str, Json] = {}
    for value in values:
        row.update(value if isinstance(value, dict) else {"value": value})
    return row


def _by_key(lists: Sequence[list[Json]], config: Mapping[str, Json]) -> list[Json]:
    path = config.get("key")
    if not isinstance(path, str) or not path:
        raise Invalid("Merging by key needs `key`, the path of the field that matches.", code="node.config")
    rows: dict[bytes, list[Json]] = {}
    for items in lists:
        for item in items:
            value = field(item, path)
            rows.setdefault(canonical(None if value is ABSENT else value), []).append(item)
    keeps = config.get("keep_unmatched", True)
    return [_row(members) for members in rows.values() if keeps or len(members) >= len(lists)]


GROUPS = (Aggregate(), Split(), Merge())
