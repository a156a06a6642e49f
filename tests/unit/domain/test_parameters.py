"""Config against the schema of its node type."""

import pytest

from linkflow.domain.errors import Invalid
from linkflow.domain.node import NodeClass, NodeSpec
from linkflow.domain.parameters import SAME_AS, config_problems, require_config, respell, schema_problems
from linkflow.domain.values import Json

SPEC = NodeSpec(
    type="a.b",
    title="A",
    summary="B.",
    node_class=NodeClass.PURE,
    parameters={
        "type": "object",
        "required": ["url"],
        "properties": {
            "url": {"type": "string", "minLength": 5},
            "uri": {"type": "string", SAME_AS: "url"},
            "count": {"type": "integer", "minimum": 1},
            "either": {"anyOf": [{"type": "integer"}, {"type": "object", "required": ["x"]}]},
            "list": {"type": "array", "items": {"type": "object", "required": ["k"]}},
            "name": {"pattern": "^(a+)+$"},
        },
    },
)


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        ({"url": "https"}, []),
        ({}, ["$"]),
        ({"url": None}, ["$"]),
        ({"url": "https", "count": None}, []),
        ({"url": "x", "count": 0}, ["$.count", "$.url"]),
        ({"url": "{{x}}", "count": "{{y}}"}, []),
        ({"url": "https", "count": "many"}, ["$.count"]),
        ({"url": "https", "either": "{{x}}"}, []),
        ({"url": "https", "either": {"y": "{{x}}"}}, []),
        ({"url": "https", "either": {"y": 1}}, ["$.either"]),
        ({"url": "https", "list": [{"k": 1}, {"{{x}}": 1}]}, ["$.list[1]"]),
    ],
)
def test_problems(config: Json, paths: list[str]) -> None:
    """Every problem is listed with its path; what an expression will fill in is not judged."""
    assert paths == sorted(path for path, _ in config_problems(SPEC, config))


def test_resolved_config_is_required_to_fit() -> None:
    """After expressions are resolved, a config that does not fit is refused with type, path and reason."""
    require_config(SPEC, {"url": "https"})

    with pytest.raises(Invalid, match=r"a\.b: count: .*integer") as raised:
        require_config(SPEC, {"url": "https", "count": "{{x}}"})

    assert ("node.config", "$.count") == (raised.value.code, raised.value.details["path"])


def test_spellings() -> None:
    """Another spelling of a field becomes the field, unless that is given too; nothing else is touched."""
    own = {"url": "a", "extra": 1}

    assert {"url": "b", "extra": 1} == respell(SPEC, {"uri": "b", "extra": 1})
    assert {"url": "a"} == respell(SPEC, {"uri": "b", "url": "a"})
    assert own is respell(SPEC, own)


def test_patterns_take_linear_time() -> None:
    """A pattern with nested repetition ends at once, however long the text."""
    assert ["$.name"] == [
        path for path, _ in config_problems(SPEC, {"url": "https", "name": "a" * 100_000 + "!"})
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:1/schema"},
        {"$ref": "file:///etc/passwd"},
        {"type": "no-such"},
        {"pattern": "(?=a)"},
    ],
)
def test_schemas_that_are_refused(schema: Json) -> None:
    """A schema that is none, or refers to a document elsewhere, is refused; nothing is fetched."""
    with pytest.raises(Invalid) as raised:
        schema_problems(schema, {})

    assert "schema.invalid" == raised.value.code


def test_schema_of_a_user() -> None:
    """D28: a value is checked against a JSON Schema that somebody wrote, with the path of each problem."""
    schema = {"type": "object", "properties": {"when": {"format": "date-time"}, "n": {"type": "number"}}}

    assert ["$.n", "$.when"] == sorted(
        path for path, _ in schema_problems(schema, {"when": "soon", "n": "x"})
    )
