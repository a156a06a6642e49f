"""The set node."""

import pytest

from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json
from linkflow.nodes.data import Set
from linkflow.testing.fakes import evaluate


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"values": {"a": 1, "b.c": "{{input.x}}"}}, {"a": 1, "b": {"c": 7}}),
        (
            {"values": [{"key": "a", "value": 1}, {"name": "b", "value": "2", "type": "number"}]},
            {"a": 1, "b": 2},
        ),
        ({"name": "a", "value": "{{input.x}}"}, {"a": 7}),
        ({"values": {"a": 1}, "include_input": True}, {"x": 7, "y": {"z": 1}, "a": 1}),
        ({"values": {"y.q": 2}, "keepOnlySet": False}, {"x": 7, "y": {"z": 1, "q": 2}}),
        ({"values": {"b.c": 1}, "dot_notation": False}, {"b.c": 1}),
        (
            {"assignments": {"assignments": [{"name": "ok", "value": "true", "type": "boolean"}]}},
            {"ok": True},
        ),
        ({"operation": "set", "field": "y.z", "value": 5}, {"x": 7, "y": {"z": 5}}),
        ({"operation": "rename", "from_field": "y.z", "to_field": "w"}, {"x": 7, "y": {}, "w": 1}),
        ({"operation": "delete", "field": "x"}, {"y": {"z": 1}}),
        ({"operation": "delete", "values": ["x", "y.z", "no.such"]}, {"y": {}}),
        ({"operation": "pick", "values": ["y.z"]}, {"y": {"z": 1}}),
    ],
)
def test_shapes(config: Json, expected: Json) -> None:
    """Values come as an object, a list or one pair; an operation changes the input instead."""
    given: Json = {"x": 7, "y": {"z": 1}}

    assert expected == evaluate(Set(), config, given).output
    assert {"x": 7, "y": {"z": 1}} == given


@pytest.mark.parametrize("config", [{}, {"values": 3}, {"values": [{"value": 1}]}, {"operation": "explode"}])
def test_refuses(config: Json) -> None:
    """A config without a field to set is refused."""
    with pytest.raises(Invalid):
        evaluate(Set(), config, {})
