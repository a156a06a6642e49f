"""Nodes that shape data."""

import pytest

from linkflow.domain.errors import Invalid
from linkflow.domain.node import PureNode
from linkflow.domain.values import Json
from linkflow.nodes.data_crypto import Crypto
from linkflow.nodes.data_dates import DateTime
from linkflow.nodes.data_groups import Aggregate, Merge, Split
from linkflow.nodes.data_lists import Dedupe, Filter, Limit, Sort
from linkflow.nodes.data_values import JsonNode, Log, Math
from linkflow.testing.fakes import evaluate

PEOPLE: Json = [
    {"name": "Eve", "age": 30, "city": "Kisumu"},
    {"name": "ada", "age": 20, "city": "Nairobi"},
    {"name": "Bob", "age": None, "city": "Nairobi"},
]


def names(items: list[Json]) -> list[str]:
    return [item["name"] for item in items]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"condition": "item.age != null && item.age >= 20"}, ["Eve", "ada"]),
        ({"condition": "{{ index == 2 }}"}, ["Bob"]),
        ({"conditions": [{"field": "city", "value": "{{trigger.city}}"}]}, ["ada", "Bob"]),
        (
            {
                "conditions": [{"field": "age", "operator": "empty"}, {"field": "age", "value": 30}],
                "combine": "or",
            },
            ["Eve", "Bob"],
        ),
    ],
)
def test_filter(config: Json, expected: list[str]) -> None:
    """A filter keeps the items for which an expression or comparisons hold."""
    output = evaluate(
        Filter(), {"items": "{{trigger.people}}", **config}, trigger={"people": PEOPLE, "city": "Nairobi"}
    ).output

    assert (expected, len(expected), 3 - len(expected)) == (
        names(output["items"]),
        output["count"],
        output["removed"],
    )


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"by": "age"}, ["Bob", "ada", "Eve"]),
        ({"by": "age", "order": "desc"}, ["Eve", "ada", "Bob"]),
        ({"by": "name"}, ["Bob", "Eve", "ada"]),
        ({"field": "name", "ignore_case": True}, ["ada", "Bob", "Eve"]),
        ({"by": [{"field": "city", "order": "desc"}, "age"]}, ["Bob", "ada", "Eve"]),
    ],
)
def test_sort(config: Json, expected: list[str]) -> None:
    """Items are sorted by one or more fields, whatever the types, and the input is left alone."""
    given = list(PEOPLE)

    assert expected == names(evaluate(Sort(), config, given).output["items"])
    assert PEOPLE == given


def test_sort_mixes_types() -> None:
    """Values of all types have one order."""
    given: Json = ["b", 2, None, True, [1], "a", 1.5, {"a": 1}, False]

    assert [None, False, True, 1.5, 2, "a", "b", [1], {"a": 1}] == evaluate(Sort(), {}, given).output["items"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"limit": 2}, [0, 1]),
        ({"limit": "2", "offset": 3}, [3, 4]),
        ({"limit": 2, "from": "last"}, [3, 4]),
        ({"limit": 2, "from": "last", "offset": 4}, [0]),
        ({"limit": 0}, []),
        ({"maxItems": 99}, [0, 1, 2, 3, 4]),
    ],
)
def test_limit(config: Json, expected: list[int]) -> None:
    """A limit keeps items from either end, after an offset."""
    output = evaluate(Limit(), config, [0, 1, 2, 3, 4]).output

    assert {"items": expected, "count": len(expected), "total": 5} == output


@pytest.mark.parametrize(
    ("config", "given", "expected"),
    [
        ({}, [1, "1", 1, {"a": 1, "b": 2}, {"b": 2, "a": 1}], [1, "1", {"a": 1, "b": 2}]),
        ({"by": "a"}, [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {}], [{"a": 1, "b": 1}, {}]),
        ({"by": "a", "keep": "last"}, [{"a": 1, "b": 1}, {"a": 1, "b": 2}], [{"a": 1, "b": 2}]),
    ],
)
def test_dedupe(config: Json, given: Json, expected: Json) -> None:
    """Each item stays once, by all of it or by some fields."""
    assert expected == evaluate(Dedupe(), config, given).output["items"]


@pytest.mark.parametrize(
    ("config", "rows", "result"),
    [
        ({"operation": "count"}, [{"count": 3}], 3),
        ({"operation": "sum", "field": "age"}, [{"sum_age": 50}], 50),
        ({"operation": "average", "field": "age"}, [{"avg_age": 25}], 25),
        ({"operation": "min", "field": "age"}, [{"min_age": 20}], 20),
        ({"operation": "max", "field": "name"}, [{"max_name": "ada"}], "ada"),
        (
            {"operation": "concat", "field": "name", "separator": "-"},
            [{"concat_name": "Eve-ada-Bob"}],
            "Eve-ada-Bob",
        ),
        (
            {"operation": "unique", "field": "city", "as": None},
            [{"unique_city": ["Kisumu", "Nairobi"]}],
            ["Kisumu", "Nairobi"],
        ),
        (
            {"operation": "count", "groupBy": "city"},
            [{"city": "Kisumu", "count": 1}, {"city": "Nairobi", "count": 2}],
            1,
        ),
        (
            {
                "operations": [{"operation": "count", "as": "n"}, {"operation": "first", "field": "name"}],
                "group_by": "city",
            },
            [
                {"city": "Kisumu", "n": 1, "first_name": "Eve"},
                {"city": "Nairobi", "n": 2, "first_name": "ada"},
            ],
            None,
        ),
    ],
)
def test_aggregate(config: Json, rows: Json, result: Json) -> None:
    """Items become one value, or one for each group."""
    output = evaluate(Aggregate(), config, PEOPLE).output

    assert (rows, result) == (output["items"], output["result"])


def test_aggregate_of_nothing() -> None:
    """Counting nothing gives 0, and its average is null."""
    counted = evaluate(Aggregate(), {"operation": "count"}, []).output["result"]
    averaged = evaluate(Aggregate(), {"operation": "avg"}, []).output["result"]

    assert (0, None) == (counted, averaged)


@pytest.mark.parametrize(
    ("config", "given", "expected"),
    [
        ({"field": "lines"}, {"lines": [1, 2]}, [1, 2]),
        ({"field": "lines", "include": "id"}, {"id": 7, "lines": [{"a": 1}]}, [{"id": 7, "a": 1}]),
        ({"field": "tags"}, {"tags": "a, b"}, ["a", "b"]),
        ({"separator": "|"}, "a|b", ["a", "b"]),
        ({"size": 2}, [1, 2, 3], [[1, 2], [3]]),
        ({"field": "none"}, {}, []),
    ],
)
def test_split(config: Json, given: Json, expected: Json) -> None:
    """One value becomes many items."""
    assert expected == evaluate(Split(), config, given).output["items"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"values": [{"a": 1, "o": {"x": 1}}, {"o": {"y": 2}}]}, {"a": 1, "o": {"y": 2}}),
        ({"values": [{"o": {"x": 1}}, {"o": {"y": 2}}], "mode": "deep"}, {"o": {"x": 1, "y": 2}}),
        ({"values": [[1], [2, 3]], "mode": "append"}, {"items": [1, 2, 3], "count": 3}),
        (
            {"values": [[{"a": 1}], [{"b": 2}, {"b": 3}]], "mode": "position"},
            {"items": [{"a": 1, "b": 2}, {"b": 3}], "count": 2},
        ),
        (
            {
                "values": [[{"id": 1, "a": 1}, {"id": 2}], [{"id": 1, "b": 2}]],
                "mode": "key",
                "key": "id",
                "keep_unmatched": False,
            },
            {"items": [{"id": 1, "a": 1, "b": 2}], "count": 1},
        ),
    ],
)
def test_merge(config: Json, expected: Json) -> None:
    """Objects are put over each other, lists together or side by side."""
    assert expected == evaluate(Merge(), config).output


def test_merge_takes_several_predecessors() -> None:
    """Without values, the outputs of the predecessors are merged."""
    assert {"a": 1, "b": 2} == evaluate(Merge(), {}, {"first": {"a": 1}, "second": {"b": 2}}).output


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"value": '{"a":[1]}'}, {"a": [1]}),
        ({"operation": "stringify", "value": {"a": 1}}, '{"a":1}'),
        ({"operation": "get", "path": "a.b[1]", "value": {"a": {"b": [1, 2]}}}, 2),
        ({"operation": "get", "path": "x", "value": {}, "default": 5}, 5),
        ({"operation": "set", "path": "a.c", "to": 1, "value": {"a": {"b": 2}}}, {"a": {"b": 2, "c": 1}}),
        ({"operation": "delete", "path": "a.b", "value": {"a": {"b": 2}}}, {"a": {}}),
        ({"operation": "entries", "value": {"a": 1}}, [{"key": "a", "value": 1}]),
        (
            {"operation": "flatten", "value": {"a": {"b": [1, {"c": 2}]}, "e": {}}},
            {"a.b.0": 1, "a.b.1.c": 2, "e": {}},
        ),
    ],
)
def test_json(config: Json, expected: Json) -> None:
    """JSON is read, written and changed."""
    assert expected == evaluate(JsonNode(), config).output["value"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"expression": "input.a * 2"}, 42),
        ({"operation": "+", "a": [1, "2", 3.5]}, 6.5),
        ({"operation": "subtract", "a": 5, "b": 7}, -2),
        ({"operation": "divide", "a": 1, "b": 4}, 0.25),
        ({"operation": "round", "a": 2.5}, 3),
        ({"operation": "round", "a": -2.345, "b": 2}, -2.35),
        ({"operation": "median", "a": [3, 1, 2, 10]}, 2.5),
        ({"operation": "power", "a": 2, "b": 10}, 1024),
        ({"operation": "sqrt", "a": 16}, 4),
        ({"operation": "max", "a": [1, 9, 3]}, 9),
    ],
)
def test_math(config: Json, expected: Json) -> None:
    """Numbers are calculated with, also those written as text."""
    assert expected == evaluate(Math(), config, {"a": 21}).output["value"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "2030-03-17T17:46:40+00:00"),
        ({"timezone": "Africa/Nairobi"}, "2030-03-17T20:46:40+03:00"),
        ({"operation": "format", "value": 0, "format": "%d.%m.%Y"}, "01.01.1970"),
        ({"operation": "format", "value": "2030-01-02T03:04:05Z", "format": "unix"}, 1893553445),
        (
            {
                "operation": "parse",
                "value": "31/12/2030 10:00",
                "pattern": "%d/%m/%Y %H:%M",
                "timezone": "Africa/Nairobi",
            },
            "2030-12-31T10:00:00+03:00",
        ),
        (
            {"operation": "add", "value": "2030-01-31", "amount": 1, "unit": "months"},
            "2030-02-28T00:00:00+00:00",
        ),
        (
            {"operation": "subtract", "value": "2030-03-01T00:00:00Z", "amount": "90", "unit": "minutes"},
            "2030-02-28T22:30:00+00:00",
        ),
        (
            {
                "operation": "add",
                "value": "2030-10-26T12:00:00",
                "amount": 1,
                "unit": "day",
                "timezone": "Europe/Berlin",
            },
            "2030-10-27T12:00:00+01:00",
        ),
        (
            {
                "operation": "add",
                "value": "2030-10-26T12:00:00",
                "amount": 24,
                "unit": "h",
                "timezone": "Europe/Berlin",
            },
            "2030-10-27T11:00:00+01:00",
        ),
        (
            {
                "operation": "end_of",
                "value": "2030-10-27T12:00:00",
                "unit": "day",
                "timezone": "Europe/Berlin",
            },
            "2030-10-27T23:59:59.999000+01:00",
        ),
        (
            {"operation": "start_of", "value": "2030-03-17T17:46:40Z", "unit": "week"},
            "2030-03-11T00:00:00+00:00",
        ),
        (
            {"operation": "end_of", "value": "2030-02-03T00:00:00Z", "unit": "month"},
            "2030-02-28T23:59:59.999000+00:00",
        ),
        ({"operation": "diff", "value": "2030-01-31", "to": "2030-03-30", "unit": "months"}, 1),
        ({"operation": "diff", "value": "2030-01-01", "to": "2030-01-03T12:00:00", "unit": "days"}, 2.5),
        (
            {
                "operation": "diff",
                "value": "2030-10-27T00:00:00",
                "to": "2030-10-28T00:00:00",
                "unit": "h",
                "timezone": "Europe/Berlin",
            },
            25,
        ),
    ],
)
def test_datetime(config: Json, expected: Json) -> None:
    """Instants are read, written, moved by the calendar and compared, in their time zone."""
    assert expected == evaluate(DateTime(), config).output["value"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"value": "test"}, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ({"value": "test", "algorithm": "md5"}, "098f6bcd4621d373cade4e832627b4f6"),
        (
            {"operation": "hmac", "value": "Hello, World!", "key": "It's a Secret to Everybody"},
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ),
        (
            {
                "operation": "verify",
                "value": "Hello, World!",
                "key": "It's a Secret to Everybody",
                "signature": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            },
            True,
        ),
        ({"operation": "verify", "value": "x", "key": "k", "signature": "00"}, False),
        ({"operation": "encode", "value": "hi?"}, "aGk/"),
        ({"operation": "encode", "value": "hi?", "encoding": "base64url"}, "aGk_"),
        ({"operation": "encode", "value": "a b", "encoding": "url"}, "a%20b"),
        ({"operation": "decode", "value": "aGk_"}, "hi?"),
        ({"operation": "decode", "value": "6869", "encoding": "hex"}, "hi"),
    ],
)
def test_crypto(config: Json, expected: Json) -> None:
    """Text is hashed, signed, verified, encoded and decoded; GitHub's published vector comes out."""
    assert expected == evaluate(Crypto(), config).output["value"]


def test_ids_repeat_with_the_seed() -> None:
    """A UUID is one of version 4, the same for the same seed and another for another."""
    first, again, other = (
        evaluate(Crypto(), {"operation": "uuid"}, seed=seed).output["value"] for seed in (1, 1, 2)
    )

    assert (first, "4", True) == (again, first[14], first != other)


def test_log() -> None:
    """The line of a log node is its output."""
    output = evaluate(
        Log(), {"message": "Hi {{trigger.n}}", "level": "warn", "fields": {"a": 1}}, trigger={"n": 3}
    ).output

    assert {"level": "warning", "label": "", "message": "Hi 3", "fields": {"a": 1}} == output


@pytest.mark.parametrize(
    ("node", "config"),
    [
        (Filter(), {}),
        (Filter(), {"conditions": 3}),
        (Sort(), {"by": "a", "order": "sideways"}),
        (Limit(), {"limit": -1}),
        (Limit(), {"limit": "many"}),
        (Aggregate(), {"operation": "guess"}),
        (Merge(), {"values": [[1]], "mode": "key"}),
        (JsonNode(), {"value": "{"}),
        (JsonNode(), {"operation": "get"}),
        (JsonNode(), {"operation": "explode"}),
        (Math(), {"operation": "divide", "a": 1, "b": 0}),
        (Math(), {"operation": "sqrt", "a": -1}),
        (Math(), {"operation": "add", "a": ["x"]}),
        (Math(), {"operation": "power", "a": 10, "b": 1000}),
        (Math(), {"operation": "power", "a": 2.0, "b": 1e9}),
        (Math(), {"operation": "multiply", "a": [1e200, 1e200]}),
        (Math(), {"operation": "guess", "a": 1}),
        (DateTime(), {"value": "yesterday"}),
        (DateTime(), {"timezone": "Mars/Olympus"}),
        (DateTime(), {"operation": "add", "amount": 1e15, "unit": "days"}),
        (DateTime(), {"operation": "add", "amount": 1, "unit": "moon"}),
        (DateTime(), {"value": float("nan")}),
        (Crypto(), {"algorithm": "rot13"}),
        (Crypto(), {"operation": "hmac", "value": "x"}),
        (Crypto(), {"operation": "decode", "value": "%%%"}),
        (Crypto(), {"operation": "random", "length": 10**9}),
    ],
)
def test_refusals(node: PureNode, config: Json) -> None:
    """A config or a value that a node cannot work with is refused in words."""
    with pytest.raises(Invalid, match=r"\w+ \w+"):
        evaluate(node, config, [{"a": 1}])
