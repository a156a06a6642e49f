"""Branching nodes."""

import pytest

from linkflow.domain.errors import ActivityError, Invalid
from linkflow.domain.handles import output_handles
from linkflow.domain.values import Json
from linkflow.nodes.comparison import OPERATORS
from linkflow.nodes.logic import Condition, Noop, Switch, ThrowError
from linkflow.testing.fakes import evaluate

INPUT: Json = {"age": 20, "name": "Ada", "tags": ["a", "b"], "user": {"mail": "a@b.c"}, "none": None, "e": ""}


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("age", "eq", 20, True),
        ("age", "==", "20", True),
        ("age", "ne", 20, False),
        ("age", "gt", 19, True),
        ("age", ">", 20, False),
        ("age", "gte", "20", True),
        ("age", "less_than", 21, True),
        ("age", "<=", 19.5, False),
        ("name", "gt", "Aaa", True),
        ("name", "gt", 1, False),
        ("name", "contains", "da", True),
        ("tags", "contains", "b", True),
        ("tags", "notContains", "b", False),
        ("user", "contains", "mail", True),
        ("name", "startsWith", "A", True),
        ("name", "ends_with", "da", True),
        ("name", "regex", "^A.a$", True),
        ("name", "matches", "(?i)ADA", True),
        ("age", "in", [1, 20], True),
        ("name", "in", "Eve, Ada", True),
        ("age", "notIn", [1, 20], False),
        ("age", "between", [18, 20], True),
        ("age", "between", {"min": 21, "max": 30}, False),
        ("e", "empty", None, True),
        ("missing", "isEmpty", None, True),
        ("tags", "not_empty", None, True),
        ("user.mail", "exists", None, True),
        ("user.phone", "exists", None, False),
        ("user.phone", "not_exists", None, True),
        ("none", "isNull", None, True),
        ("age", "isNotNull", None, True),
        ("age", "isTrue", None, False),
        ("tags[1]", "eq", "b", True),
        ("tags.-1", "eq", "b", True),
    ],
)
def test_operators(field: str, operator: str, value: Json, expected: bool) -> None:
    """A comparison reads a field by its path and knows every spelling of every operator."""
    config = {"conditions": [{"field": field, "operator": operator, "value": value}]}

    result = evaluate(Condition(), config, INPUT)

    assert (expected, ("true",) if expected else ("false",)) == (result.output["result"], result.handles)


@pytest.mark.parametrize("name", list(OPERATORS))
def test_operators_never_fail_on_data(name: str) -> None:
    """Whatever the two sides are, a comparison gives yes or no."""
    values: list[Json] = [None, True, 0, -1.5, "", "x", "1e999", [], [1], {}, {"a": 1}]
    configs: list[Json] = [{"left": a, "operator": name, "right": b} for a in values for b in values]

    found = {evaluate(Condition(), config, None).output["result"] for config in configs}

    assert found <= {True, False}


@pytest.mark.parametrize(
    "config",
    [
        {"conditions": [{"field": "{{trigger.status}}", "operator": "equals", "value": "active"}]},
        {"conditions": [{"left": "{{trigger.status}}", "operator": "equals", "right": "{{trigger.wanted}}"}]},
        {"conditions": [{"field": "trigger.status", "value": "active"}]},
        {"conditions": [{"field": "age", "value": 0}, {"field": "age", "value": 20}], "combineWith": "or"},
        {"conditions": [{"left": "is {{trigger.status}}!", "right": "is active!"}]},
        {"field": "age", "operator": ">", "value": 18},
        {"left": "{{input.age}}", "operator": ">", "right": 18},
        {"expression": "input.age > 18 && trigger.status == 'active'"},
        {"condition": "{{ input.age > 18 }}"},
        {"expression": True},
    ],
)
def test_condition_shapes(config: Json) -> None:
    """A condition may be a list, one comparison or an expression, in any of the shapes of other products."""
    result = evaluate(Condition(), config, INPUT, trigger={"status": "active", "wanted": "active"})

    assert ("true",) == result.handles


def test_all_of_no_conditions_hold() -> None:
    """An empty list of conditions holds."""
    result = evaluate(Condition(), {"conditions": []}, INPUT)

    assert {"result": True, "branch": "true", "matched": []} == result.output


def test_condition_names_a_handle() -> None:
    """A comparison that holds takes the handle it names besides `true`."""
    config = {"conditions": [{"field": "age", "value": 20, "output": "adult"}]}

    assert ("true", "adult") == evaluate(Condition(), config, INPUT).handles
    assert ("true", "false", "adult", "20") == output_handles(Condition.spec, config)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "needs"),
        ({"conditions": "age > 3"}, "list of objects"),
        ({"conditions": [{"field": "age", "operator": "almost", "value": 1}]}, "not an operator"),
        ({"conditions": [{"field": "name", "operator": "regex", "value": "(a"}]}, "linear time"),
    ],
)
def test_condition_refuses_in_words(config: Json, said: str) -> None:
    """A condition that cannot be understood says why."""
    with pytest.raises(Invalid, match=said):
        evaluate(Condition(), config, INPUT)


def test_a_pattern_never_stalls() -> None:
    """A pattern with nested repetition takes linear time."""
    config: Json = {"conditions": [{"field": "x", "operator": "regex", "value": "^(a+)+$"}]}

    result = evaluate(Condition(), config, {"x": "a" * 50_000 + "!"})

    assert ("false",) == result.handles


@pytest.mark.parametrize(
    ("config", "handles", "index"),
    [
        ({"value": "{{trigger.tier}}", "cases": ["silver", "gold"]}, ("gold", "1"), 1),
        ({"switch_value": "gold", "cases": [{"value": "gold", "label": "Rich"}]}, ("Rich", "gold", "0"), 0),
        ({"field": "tier", "cases": {"gold": "g", "silver": "s"}}, ("g", "gold", "0"), 0),
        ({"value": 3, "cases": [{"value": "3", "output": "three"}]}, ("three", "3", "0"), 0),
        ({"value": "x", "cases": ["a"]}, ("default",), -1),
        ({"value": "x", "cases": ["a"], "default_output": "other"}, ("default", "other"), -1),
        ({"rules": [{"field": "n", "operator": ">", "value": 5, "output": "big"}]}, ("big", "0"), 0),
        ({"value": 1, "cases": [1, {"value": 1, "output": "b"}], "all_matching": True}, ("1", "0", "b"), 0),
    ],
)
def test_switch(config: Json, handles: tuple[str, ...], index: int) -> None:
    """A switch takes the first case that fits under each of its names, else the default."""
    result = evaluate(Switch(), config, {"tier": "gold", "n": 6}, trigger={"tier": "gold"})

    assert (set(handles), index) == (set(result.handles), result.output["outputIndex"])


def test_noop_passes_on() -> None:
    """A node that does nothing hands its input on, uncopied."""
    value = {"a": [1]}

    assert value is evaluate(Noop(), {}, value).output


def test_throw_error() -> None:
    """The error has the configured message and code and is permanent."""
    with pytest.raises(ActivityError) as raised:
        evaluate(
            ThrowError(),
            {"message": "No {{trigger.what}}.", "code": "order.empty"},
            trigger={"what": "items"},
        )

    assert ("No items.", "order.empty", "permanent") == (
        raised.value.error.message,
        raised.value.error.code,
        raised.value.error.kind,
    )
