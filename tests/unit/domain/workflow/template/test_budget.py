"""Nothing an expression says can stall the process that evaluates it."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.domain.values import Json, encode_json
from linkflow.domain.workflow.template import (
    Budget,
    ExpressionError,
    compile_expression,
    compile_template,
    weigh,
)
from linkflow.domain.workflow.template.functions import SPELLINGS
from linkflow.testing.scopes import FixedScope

GREEDY = [
    "repeat('a', 1000000000)",
    "padStart('a', 1000000000)",
    "padEnd('a', 1000000000)",
    "range(0, 1000000000)",
    "range(0, -1000000000, -1)",
    "replace(repeat('a', 10000), 'a', repeat('b', 10000))",
    "map(range(0, 1000), map(range(0, 1000), item * index))",
    "reduce(range(0, 60), 'x', [total, total])",
    "reduce(range(0, 60), 'x', {a: total, b: total})",
    "reduce(range(0, 60), 'x', concat([total], [total]))",
    "reduce(range(0, 60), 'xxxxxxxx', total + total)",
    "jsonStringify(reduce(range(0, 40), 'x', [total, total]))",
    "reduce(range(0, 40), [1], total + total)",
    "reduce(range(0, 40), [1], [total, total]) == reduce(range(0, 40), [1], [total, total])",
    "reduce(range(0, 20000), 'x', [total])",
    "jsonParse(repeat('[', 100000))",
    "pow(10, 400)",
    "pow(2, 63)",
    "join(map(range(0, 1000), repeat('ab', 1000)), '')",
    "map(range(0, 1000), input.big)",
    "formatNumber(1e300, 18)",
    "matches(repeat('a', 100000) + '!', '^(a+)+$')",
    "intersect(range(0, 3000), range(0, 3000))",
    "map(range(0, 1500), indexOf(range(0, 1500), -1))",
    "matches('a', '(((a{1000}){1000}){1000})')",
]


@pytest.mark.parametrize("text", GREEDY)
def test_greed_ends_in_an_error(text: str) -> None:
    """An expression that would take too much memory or time is an error, or its value is small."""
    scope = FixedScope({"input": {"big": ["x" * 100] * 1_000}})

    try:
        value = compile_expression(text).render(scope)
    except ExpressionError:
        return

    assert 1_000_000 > max(weigh(value), len(encode_json(value)))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "[" * 500 + "]" * 500,
        "-" * 5_000 + "1",
        "1" + " + 1" * 3_000,
        "a" + ".b" * 9_000,
        "x ? " * 500,
        "not " * 2_000 + "true",
        "'" + "a" * 200_000 + "'",
        "1" * 10_000,
        "map([1], " * 60 + "item" + ")" * 60,
    ],
)
def test_overgrown_source_is_refused(text: str) -> None:
    """The parser bounds length, depth and chains; it never overflows the stack."""
    with pytest.raises(ExpressionError):
        compile_expression(text)


def test_a_small_budget_is_kept() -> None:
    """The caller's budget decides, also below the default."""
    template = compile_expression("map(range(0, 100), item * 2)")

    with pytest.raises(ExpressionError) as raised:
        template.render(FixedScope(), Budget(steps=50))

    assert ("expression.budget", "steps", 50) == (
        raised.value.code,
        raised.value.details["budget"],
        raised.value.details["limit"],
    )


def test_names_from_outside_cost_little() -> None:
    """The search for the nearest name looks at short names only, and at few of them."""
    outside = {f"{'ab' * 5_000}{number}": 1 for number in range(1_000)} | {"name": 1}
    scope = FixedScope({"trigger": outside})

    with pytest.raises(ExpressionError) as raised:
        compile_expression(f"trigger.{'ba' * 5_000}").render(scope)

    assert 1_000 > len(str(raised.value))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
NAMES = [
    "trigger",
    "input",
    "a",
    "b",
    "item",
    "index",
    "total",
    "node_a",
    "$node",
    "$json",
    "vars",
    "$now",
    "credential",
]
MARKS = [
    ".",
    ",",
    ":",
    "?",
    "?.",
    "??",
    "|",
    "||",
    "&&",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "=>",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{{",
    "}}",
    "\\",
]
LITERALS = ["in", "not", "true", "null", "1", "0", "2.5", "'text'", '"name"']
WORDS = [*NAMES, *SPELLINGS, *MARKS, *LITERALS]
SOURCES = (
    st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
    | st.lists(st.sampled_from(WORDS), max_size=12).map("".join)
    | st.text(alphabet=string.printable, max_size=60)
    | st.text(max_size=40)
)


def plain(depth: int) -> st.SearchStrategy[str]:
    """Make well-formed expressions."""
    leaf = st.sampled_from(
        [
            "1",
            "0",
            "2.5",
            "'a'",
            "''",
            "null",
            "true",
            "[1, 2, 'x']",
            "{a: 1}",
            "trigger",
            "trigger.a",
            "input?.b",
            "b",
        ]
    )
    if depth == 0:
        return leaf
    inner = plain(depth - 1)
    call = st.tuples(st.sampled_from(sorted(SPELLINGS)), st.lists(inner, max_size=3)).map(
        lambda made: f"{made[0]}({', '.join(made[1])})"
    )
    binary = st.tuples(
        inner, st.sampled_from(["+", "-", "*", "/", "%", "==", "<", "in", "&&", "||", "??"]), inner
    )
    return leaf | call | binary.map(lambda made: f"({made[0]} {made[1]} {made[2]})")


@given(SOURCES | plain(3), JSON)
def test_any_text_gives_a_value_or_an_expression_error(source: str, data: Json) -> None:
    """Whatever the text and the data, a rendering gives a value or an ExpressionError, nothing else."""
    scope = FixedScope({"trigger": data, "input": data, "vars": {"a": data}}, {"a": data})
    for compile_ in (compile_expression, lambda text: compile_template({"f": f"{{{{{text}}}}} and {text}"})):
        try:
            compile_(source).render(scope, Budget(steps=2_000, bytes=50_000, values=5_000))
        except ExpressionError as error:
            assert error.code.startswith("expression.")  # any other exception fails the test


@given(JSON)
def test_json_survives_a_round_trip(data: Json) -> None:
    """Written as JSON and read again, a value is itself."""
    scope = FixedScope({"trigger": data})

    assert compile_expression("jsonParse(jsonStringify(trigger)) == trigger").render(scope)


@given(st.text(max_size=50))
def test_encodings_survive_a_round_trip(data: str) -> None:
    """Encoded and decoded again, text is itself."""
    scope = FixedScope({"trigger": data})

    assert [data, data, data] == compile_expression(
        "[base64Decode(base64Encode(trigger)), hexDecode(hexEncode(trigger)), urlDecode(urlEncode(trigger))]"
    ).render(scope)


@given(st.text(max_size=60))
def test_escaped_text_is_kept(data: str) -> None:
    """Text whose braces are escaped renders to itself."""
    escaped = data.replace("{{", "\\{{")

    assert data == compile_template(escaped).render(FixedScope()) or data.startswith("={{") or "\\{{" in data
