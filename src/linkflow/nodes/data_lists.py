"""Working on lists: filter, sort, limit, dedupe."""

from collections.abc import Mapping, Sequence
from typing import Any

from linkflow.domain.errors import Invalid
from linkflow.domain.node import NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json, canonical
from linkflow.nodes.comparison import all_hold
from linkflow.nodes.fields import ABSENT, as_list, field, first
from linkflow.nodes.logic import CONDITION, OPERATOR_DOCS, entries
from linkflow.nodes.schema import anything, either, flag, many, own, record, spelled, text

ITEMS = spelled(
    anything("The list; without it, the input, or the list in its `items`, `results` or `data`."),
    "items",
    "input",
    "list",
)
"""The parameter that every node of lists has."""

NAMES = either("A path, or a list of them.", {"type": "string"}, many("", {"type": "string"}))


def items_of(config: Mapping[str, Json], context: PureContext) -> list[Json]:
    """Find the list that a node works on."""
    return as_list(config["items"] if config.get("items") is not None else context.input)


def names_of(value: Json) -> Sequence[str]:
    """See one path, a comma-separated text or a list of paths as paths."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return [str(name) for name in value] if isinstance(value, list) else []


def listed(items: Sequence[Json], **more: Json) -> PureResult:
    """Give a list as output: `{"items", "count"}`."""
    return PureResult(output={"items": items, "count": len(items), **more})


def number_of(value: Json, name: str, default: int) -> int:
    """Read a whole number, 0 or more.

    Raises:
        Invalid: `node.config`: it is none.
    """
    if value is None or value == "":
        return default
    try:
        found = int(value)
    except (TypeError, ValueError, OverflowError):
        found = -1
    if found < 0:
        raise Invalid(f"{name} must be a whole number, 0 or more.", code="node.config")
    return found


class Filter:
    """Keep the items for which something holds."""

    spec = NodeSpec(
        type="data.filter",
        title="Filter",
        summary="Keep the items for which conditions or an expression hold.",
        node_class=NodeClass.PURE,
        aliases=("transform_filter", "logic.filter", "logic.dataFilter", "filter", "n8n-nodes-base.filter"),
        parameters=record(
            {
                **ITEMS,
                **spelled(text("Expression over `item` and `index`."), "condition", "expression", "where"),
                "conditions": own(
                    many("Instead: comparisons, whose `field` is a path into the item.", CONDITION)
                ),
                **spelled(
                    text("Whether all comparisons must hold, or one.", default="and"),
                    "combine",
                    "combineWith",
                    "combinator",
                ),
            }
        ),
        raw=("condition", "conditions"),
        output={"items": [{"age": 20}], "count": 1, "removed": 2},
        example={"items": "{{trigger.people}}", "condition": "item.age >= 18"},
        docs=OPERATOR_DOCS,
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Keep what fits."""
        items = items_of(config, context)
        conditions, condition = config.get("conditions"), config.get("condition")
        if conditions is not None:
            checks, combine = entries(conditions), config.get("combine")
            kept = [
                item
                for index, item in enumerate(items)
                if all_hold(checks, combine, context, item, item=item, index=index)[0]
            ]
        elif isinstance(condition, str) and condition.strip():
            kept = [item for i, item in enumerate(items) if context.evaluate(condition, item=item, index=i)]
        else:
            raise Invalid("A filter needs a `condition` or `conditions`.", code="node.config")
        return listed(kept, removed=len(items) - len(kept))


def order_of(value: Any) -> tuple[int, Any]:
    """Place any JSON value in one order: absent, null, false, true, numbers, text, the rest by JSON."""
    if value is None or value is ABSENT:
        return 0, 0
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    if isinstance(value, str):
        return 3, value
    return 4, canonical(value)


class Sort:
    """Put items in order."""

    spec = NodeSpec(
        type="data.sort",
        title="Sort",
        summary="Put items in order, by one or more fields.",
        node_class=NodeClass.PURE,
        aliases=("logic.dataSort", "logic.sort", "sort", "data_sort", "n8n-nodes-base.sort"),
        parameters=record(
            {
                **ITEMS,
                **spelled(
                    either(
                        "A path, or a list of paths or of `{field, order}`.", {"type": "string"}, many("")
                    ),
                    "by",
                    "field",
                    "fields",
                    "sort_by",
                    "sortBy",
                ),
                **spelled(text("asc or desc.", default="asc"), "order", "direction"),
                **spelled(
                    flag("Ignore upper and lower case.", default=False), "ignore_case", "caseInsensitive"
                ),
            }
        ),
        output={"items": [1, 2, 3], "count": 3},
        example={"items": "{{trigger.people}}", "by": [{"field": "age", "order": "desc"}, "name"]},
        docs="Sorting is stable. Null and absent come first, then false, true, numbers, text.",
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Sort by the last key first, since sorting is stable."""
        items = list(items_of(config, context))
        by = config.get("by")
        keys = by if isinstance(by, list) else [by]
        for key in reversed(keys or [None]):
            path, direction = key, config.get("order")
            if isinstance(key, Mapping):
                path, direction = first(key, "field", "name"), first(key, "order", "direction")
            items.sort(
                key=self._key(path, folds=bool(config.get("ignore_case"))), reverse=_descends(direction)
            )
        return listed(items)

    @staticmethod
    def _key(path: Json, *, folds: bool) -> Any:
        def key(item: Json) -> tuple[int, Any]:
            value = field(item, path) if isinstance(path, str) and path else item
            return order_of(value.casefold() if folds and isinstance(value, str) else value)

        return key


def _descends(direction: Json) -> bool:
    word = str(direction or "asc").lower()
    if word not in ("asc", "ascending", "desc", "descending"):
        raise Invalid(f"{word[:20]!r} is not an order; take asc or desc.", code="node.config")
    return word.startswith("desc")


class Limit:
    """Keep some of the items."""

    spec = NodeSpec(
        type="data.limit",
        title="Limit",
        summary="Keep the first or last items, or a page of them.",
        node_class=NodeClass.PURE,
        aliases=("logic.dataLimit", "logic.limit", "limit", "data_limit", "n8n-nodes-base.limit"),
        parameters=record(
            {
                **ITEMS,
                **spelled(
                    either("How many.", {"type": "integer"}, {"type": "string"}),
                    "limit",
                    "count",
                    "maxItems",
                    "max_items",
                ),
                **spelled(
                    either("How many to leave out before.", {"type": "integer"}, {"type": "string"}),
                    "offset",
                    "skip",
                ),
                **spelled(
                    text("Which end.", default="first", choices=("first", "last", "firstItems", "lastItems")),
                    "from",
                    "keep",
                ),
            }
        ),
        output={"items": [1, 2], "count": 2, "total": 10},
        example={"items": "{{node_sort.items}}", "limit": 10},
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Cut the list."""
        items = items_of(config, context)
        limit = number_of(config.get("limit"), "limit", 1)
        offset = number_of(config.get("offset"), "offset", 0)
        if str(config.get("from") or "first").startswith("last"):
            end = max(0, len(items) - offset)
            kept = items[max(0, end - limit) : end]
        else:
            kept = items[offset : offset + limit]
        return listed(kept, total=len(items))


class Dedupe:
    """Keep each item once."""

    spec = NodeSpec(
        type="data.dedupe",
        title="Remove duplicates",
        summary="Keep each item once, by all of it or by some fields.",
        node_class=NodeClass.PURE,
        aliases=(
            "logic.remove_duplicates",
            "logic.removeDuplicates",
            "logic.unique",
            "dedupe",
            "data_dedupe",
            "data.unique",
            "n8n-nodes-base.removeDuplicates",
        ),
        parameters=record(
            {
                **ITEMS,
                **spelled(NAMES, "by", "field", "fields", "key"),
                "keep": text("Which of the same items.", default="first", choices=("first", "last")),
            }
        ),
        output={"items": [{"id": 1}], "count": 1, "removed": 3},
        example={"items": "{{trigger.rows}}", "by": ["email"]},
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Keep one of each."""
        items = items_of(config, context)
        paths = names_of(config.get("by"))
        found: dict[bytes, Json] = {}
        for item in reversed(items) if config.get("keep") == "last" else items:
            found.setdefault(_identity(item, paths), item)
        kept = list(found.values())
        if config.get("keep") == "last":
            kept.reverse()
        return listed(kept, removed=len(items) - len(kept))


def _identity(item: Json, paths: Sequence[str]) -> bytes:
    if not paths:
        return canonical(item)
    values = [field(item, path) for path in paths]
    return canonical([[] if value is ABSENT else [value] for value in values])


LISTS = (Filter(), Sort(), Limit(), Dedupe())
