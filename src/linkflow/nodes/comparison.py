"""The operators of conditions, in every spelling, and conditions made of them.

Equality never mixes types, except a number with text that is a number; order compares numbers, or texts.
What cannot be compared is simply not so: a condition never fails on the data.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from linkflow.domain.errors import Invalid
from linkflow.domain.node import PureContext
from linkflow.domain.patterns import pattern_found
from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import ExpressionError
from linkflow.nodes.fields import ABSENT, Absent, as_expression, field, first, operand


def equal(left: Any, right: Any) -> bool:
    """Say whether two values are the same."""
    if type(left) is type(right):
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if isinstance(left, str) and isinstance(right, int | float):
        return _number(left) == right
    if isinstance(right, str) and isinstance(left, int | float):
        return _number(right) == left
    return bool(left == right)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) <= 40:
        try:
            found = float(value)
        except ValueError:
            return None
        return found if abs(found) < float("inf") else None
    return None


def _order(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def holds(left: Any, right: Any) -> bool:
        a, b = _number(left), _number(right)
        if a is not None and b is not None:
            return test(a, b)
        return isinstance(left, str) and isinstance(right, str) and test(left, right)

    return holds


_less = _order(lambda a, b: a < b)
_at_most = _order(lambda a, b: a <= b)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return isinstance(right, str | int | float) and str(right) in left
    if isinstance(left, list):
        return any(equal(item, right) for item in left)
    return isinstance(left, dict) and isinstance(right, str) and right in left


def _among(left: Any, right: Any) -> bool:
    if isinstance(right, str) and not isinstance(left, list | dict):
        return any(equal(left, part.strip()) for part in right.split(","))
    return isinstance(right, list) and any(equal(left, item) for item in right)


def _between(left: Any, right: Any) -> bool:
    if isinstance(right, Mapping):
        right = [first(right, "min", "from", "low"), first(right, "max", "to", "high")]
    return (
        isinstance(right, list) and len(right) == 2 and _at_most(right[0], left) and _at_most(left, right[1])
    )


def _empty(left: Any, _: Any) -> bool:
    return left is None or left is ABSENT or (isinstance(left, str | list | dict) and not left)


def _exists(left: Any, _: Any) -> bool:
    return left is not None and left is not ABSENT


def _is_true(left: Any, _: Any) -> bool:
    return left is True or (isinstance(left, str) and left.strip().lower() == "true")


def _is_false(left: Any, _: Any) -> bool:
    return left is False or (isinstance(left, str) and left.strip().lower() == "false")


def _matches(left: Any, right: Any) -> bool:
    return isinstance(left, str) and isinstance(right, str) and pattern_found(right, left)


def _starts(left: Any, right: Any) -> bool:
    return isinstance(left, str) and isinstance(right, str) and left.startswith(right)


def _ends(left: Any, right: Any) -> bool:
    return isinstance(left, str) and isinstance(right, str) and left.endswith(right)


def _not(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: not test(left, right)


OPERATORS: Mapping[str, tuple[Callable[[Any, Any], bool], Sequence[str]]] = {
    "equals": (equal, ("equal", "eq", "==", "=", "===", "is")),
    "not_equals": (_not(equal), ("not_equal", "ne", "neq", "!=", "!==", "<>", "is_not")),
    "greater_than": (lambda a, b: _less(b, a), ("gt", ">", "greater", "larger", "after")),
    "greater_or_equal": (
        lambda a, b: _at_most(b, a),
        ("gte", ">=", "greater_than_or_equal", "greater_equal", "greater_than_or_equals", "larger_equal"),
    ),
    "less_than": (_less, ("lt", "<", "less", "smaller", "before")),
    "less_or_equal": (
        _at_most,
        ("lte", "<=", "less_than_or_equal", "less_equal", "less_than_or_equals", "smaller_equal"),
    ),
    "contains": (_contains, ("includes", "has")),
    "not_contains": (_not(_contains), ("does_not_contain", "excludes", "not_includes")),
    "starts_with": (_starts, ("begins_with",)),
    "ends_with": (_ends, ()),
    "matches": (_matches, ("regex", "match", "matches_regex")),
    "not_matches": (_not(_matches), ("not_regex",)),
    "in": (_among, ("one_of", "is_in", "any_of")),
    "not_in": (_not(_among), ("none_of",)),
    "between": (_between, ()),
    "is_empty": (_empty, ("empty",)),
    "is_not_empty": (_not(_empty), ("not_empty",)),
    "exists": (_exists, ("is_set",)),
    "not_exists": (_not(_exists), ("does_not_exist", "is_not_set")),
    "is_true": (_is_true, ("true",)),
    "is_false": (_is_false, ("false",)),
    "is_null": (_not(_exists), ("null",)),
    "is_not_null": (_exists, ("not_null",)),
}
"""Each operator with its test and its other spellings; case, `_`, `-` and blanks do not matter."""


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


_TESTS = {
    _fold(name): test for canonical, (test, others) in OPERATORS.items() for name in (canonical, *others)
}


@lru_cache(maxsize=256)
def operator(name: str) -> Callable[[Any, Any], bool]:
    """Find an operator by any of its spellings.

    Raises:
        Invalid: `node.config`: there is no such operator.
    """
    try:
        return _TESTS[_fold(name)]
    except KeyError:
        raise Invalid(
            f"{name[:40]!r} is not an operator; take one of: {', '.join(OPERATORS)}.", code="node.config"
        ) from None


def holds(condition: Mapping[str, Json], context: PureContext, subject: Json, **names: Json) -> bool:
    """Say whether one condition holds.

    Args:
        condition: `{"field", "operator", "value"}`, where `field` is a path into `subject` or an
            expression; or `{"left", "operator", "right"}`, where both are values or expressions.
        context: Evaluates expressions.
        subject: What a path leads into.
        **names: Further names that expressions see.
    """
    test = operator(str(first(condition, "operator", "operation", "op", default="equals")))
    right = first(condition, "value", "right", "value2", "rightValue")
    if isinstance(right, str | list | dict):
        right = operand(right, context, **names)
    return test(_left(condition, context, subject, names), right)


def all_hold(
    conditions: Sequence[Mapping[str, Json]],
    combine: Json,
    context: PureContext,
    subject: Json,
    **names: Json,
) -> tuple[bool, list[int]]:
    """Combine conditions with `and` (the default) or `or`.

    Returns:
        Whether they hold, and the indexes of those that do.
    """
    found = [index for index, entry in enumerate(conditions) if holds(entry, context, subject, **names)]
    if str(combine or "and").lower() in ("or", "any", "||"):
        return bool(found), found
    return len(found) == len(conditions), found


def _left(
    condition: Mapping[str, Json], context: PureContext, subject: Json, names: Mapping[str, Json]
) -> Any:
    path = condition.get("field")
    if path is None:
        value = first(condition, "left", "value1", "leftValue")
        return _or_absent(value, context, names) if isinstance(value, str) and "{{" in value else value
    if not isinstance(path, str):
        return path
    if "{{" in path:
        return _or_absent(path, context, names)
    found: Json | Absent = field(subject, path)
    if found is ABSENT and ("." in path or path.startswith("$")):
        return _or_absent(path, context, names)
    return found


def _or_absent(text: str, context: PureContext, names: Mapping[str, Json]) -> Any:
    """Evaluate an expression; what it names but is not there is absent, so that `exists` can ask for it."""
    try:
        return context.evaluate(as_expression(text), **names)
    except ExpressionError as error:
        if error.code in ("expression.unresolved", "expression.syntax") and "{{" not in text:
            return ABSENT
        if error.code == "expression.unresolved":
            return ABSENT
        raise
