"""Conditions of n8n's If, Filter and Switch as comparisons of ours."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from linkflow.domain.values import Json
from linkflow.domain.workflow.n8n.data import Say

_WORDS = {
    "equal": "equals",
    "notEqual": "not_equals",
    "notEquals": "not_equals",
    "gt": "greater_than",
    "larger": "greater_than",
    "after": "greater_than",
    "gte": "greater_or_equal",
    "largerEqual": "greater_or_equal",
    "afterOrEquals": "greater_or_equal",
    "lt": "less_than",
    "smaller": "less_than",
    "before": "less_than",
    "lte": "less_or_equal",
    "smallerEqual": "less_or_equal",
    "beforeOrEquals": "less_or_equal",
    "notContains": "not_contains",
    "startsWith": "starts_with",
    "endsWith": "ends_with",
    "regex": "matches",
    "notRegex": "not_matches",
    "true": "is_true",
    "false": "is_false",
    "empty": "is_empty",
    "isEmpty": "is_empty",
    "notEmpty": "is_not_empty",
    "isNotEmpty": "is_not_empty",
    "notExists": "not_exists",
}
_KEPT = frozenset(["equals", "contains", "exists"])
_BETWEEN = {
    "equals": "{} == {}",
    "not_equals": "{} != {}",
    "greater_than": "{} > {}",
    "greater_or_equal": "{} >= {}",
    "less_than": "{} < {}",
    "less_or_equal": "{} <= {}",
    "contains": "includes({}, {})",
    "not_contains": "not includes({}, {})",
    "starts_with": "startsWith({}, {})",
    "ends_with": "endsWith({}, {})",
    "matches": "matches({}, {})",
    "not_matches": "not matches({}, {})",
    "is_true": "{} == true",
    "is_false": "{} == false",
    "is_empty": "isEmpty({})",
    "is_not_empty": "not isEmpty({})",
    "exists": "exists({})",
    "not_exists": "not exists({})",
}


def conditions_of(given: Json, say: Say) -> tuple[list[dict[str, Json]], str]:
    """Read the conditions of an If or a Filter of any version: comparisons, and `and` or `or`."""
    if not isinstance(given, dict):
        return [], "and"
    if isinstance(given.get("conditions"), list):
        found = [_compared(each, say) for each in given["conditions"] if isinstance(each, dict)]
        return found, "or" if given.get("combinator") == "or" else "and"
    older = [
        compared(each.get("value1"), each.get("operation") or _default(kind), each.get("value2"), say)
        for kind, listed in given.items()
        if isinstance(listed, list)
        for each in listed
        if isinstance(each, dict)
    ]
    return older, "and"


def _default(kind: str) -> str:
    return "smaller" if kind == "number" else "equals"


def _compared(each: Mapping[str, Any], say: Say) -> dict[str, Json]:
    operator = each.get("operator")
    word = operator.get("operation", "equals") if isinstance(operator, dict) else "equals"
    return compared(each.get("leftValue"), word, each.get("rightValue"), say)


def compared(left: Json, word: Json, right: Json, say: Say) -> dict[str, Json]:
    """Say one comparison in our words."""
    theirs = str(word)
    found = _WORDS.get(theirs, theirs)
    if theirs not in _WORDS and theirs not in _KEPT:
        say("OPERATOR", f"There is no comparison '{theirs}' here; choose another.")
    if found.startswith(("is_", "exists", "not_exists")):
        return {"left": left, "operator": found}
    return {"left": left, "operator": found, "value": right}


def one_rule(conditions: Sequence[Mapping[str, Json]], combine: str, say: Say) -> dict[str, Json]:
    """Say the comparisons of one rule of a Switch as one: several become an expression."""
    if not conditions:
        return {"left": True, "operator": "is_true"}
    if len(conditions) == 1:
        return dict(conditions[0])
    parts = [_expression(each) for each in conditions]
    if any(part is None for part in parts):
        say("RULE", "A rule of several comparisons could not be said as one; only its first is kept.")
        return dict(conditions[0])
    joined = f" {combine} ".join(f"({part})" for part in parts)
    return {"left": f"{{{{ {joined} }}}}", "operator": "is_true"}


def _expression(condition: Mapping[str, Json]) -> str | None:
    form = _BETWEEN.get(str(condition["operator"]))
    sides = [_side(condition[name]) for name in ("left", "value") if name in condition]
    if form is None or any(side is None for side in sides):
        return None
    return form.format(*sides)


def _side(value: Json) -> str | None:
    if not isinstance(value, str) or "{{" not in value:
        return json.dumps(value)
    inner = value.strip()
    if inner.startswith("{{") and inner.endswith("}}") and inner.count("{{") == 1:
        return inner[2:-2].strip()
    return None
