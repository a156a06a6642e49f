"""Every function does what its documentation says."""

from pathlib import Path

import pytest

from linkflow.domain.workflow.template import compile_expression
from linkflow.domain.workflow.template.functions import FUNCTIONS, SPELLINGS
from linkflow.domain.workflow.template.functions.reference import function_reference
from linkflow.domain.workflow.template.functions.table import Function
from linkflow.testing.scopes import FixedScope

CHECKED = [function for function in FUNCTIONS.values() if function.is_checked]


@pytest.mark.parametrize("function", CHECKED, ids=lambda function: function.name)
def test_the_documented_example_is_true(function: Function) -> None:
    """The example of each function gives the documented result."""
    scope = FixedScope({"trigger": {}})

    assert function.result == compile_expression(function.example).render(scope)


def test_no_spelling_is_taken_twice() -> None:
    """Every name and alias belongs to one function."""
    spellings = [
        spelling for function in FUNCTIONS.values() for spelling in (function.name, *function.aliases)
    ]

    assert len(SPELLINGS) == len(spellings)


def test_every_function_is_documented() -> None:
    """Every function has one sentence and an example that calls it."""
    silent = [
        function.name
        for function in FUNCTIONS.values()
        if not function.summary.endswith(".") or function.name not in function.example
    ]

    assert [] == silent


DATES = [
    ("dateAdd('2026-03-28T12:00:00', 1, 'day', 'Europe/Berlin')", "2026-03-29T10:00:00.000Z"),
    ("dateAdd('2026-03-28T12:00:00', 24, 'hours', 'Europe/Berlin')", "2026-03-29T11:00:00.000Z"),
    ("dateAdd('2024-02-29', -1, 'year')", "2023-02-28T00:00:00.000Z"),
    ("dateDiff('2026-01-31', '2026-03-01', 'months')", 1),
    ("dateDiff('2026-03-01', '2026-01-31', 'months')", -1),
    ("dateDiff('2026-01-01', '2026-01-08', 'weeks')", 1),
    ("startOf('2026-11-21T08:30:45Z', 'week')", "2026-11-16T00:00:00.000Z"),
    ("startOf('2026-11-21T22:30:00Z', 'day', 'Africa/Nairobi')", "2026-11-21T21:00:00.000Z"),
    ("endOf('2026-02-10', 'month')", "2026-02-28T23:59:59.999Z"),
    ("endOf('2026-10-25T00:00:00', 'day', 'Europe/Berlin')", "2026-10-25T22:59:59.999Z"),
    ("dateFormat(1795249800000, '%d/%m/%Y %H:%M')", "21/11/2026 08:30"),
    ("dateFormat('2026-11-21', '[day] dddd D MMMM')", "day Saturday 21 November"),
    ("dateFormat('2026-11-21T15:05:00Z', 'h:mm a Z', 'America/New_York')", "10:05 am -05:00"),
    ("dateParse('21 Nov 2026 3:05 pm', 'D MMM YYYY h:mm a')", "2026-11-21T15:05:00.000Z"),
    ("dateParse('2026-11-21', '%Y-%m-%d', 'Africa/Nairobi')", "2026-11-20T21:00:00.000Z"),
    ("datePart('2026-11-21T22:30:00Z', 'hour', 'Africa/Nairobi')", 1),
    ("isBefore(1, 2)", True),
    ("unique([{a: 1}, {a: 2}, {a: 1}], 'a')", [{"a": 1}, {"a": 2}]),
    ("sort(['b', 'A', 2, 10, null])", [None, 2, 10, "A", "b"]),
    ("sortBy([{n: 1}, {n: 3}], item.n, 'desc') | pluck('n')", [3, 1]),
    ("split('a,b,c', ',', 2)", ["a", "b,c"]),
    ("split('ab', '')", ["a", "b"]),
    ("round(-2.5)", -3),
    ("round(1234.5, -2)", 1200),
    ("sum([0.1, 0.2, 0.3])", 0.6),
    ("min([])", None),
    ("number(true)", 1),
    ("get({a: null}, 'a', 'd')", "d"),
    ("toBoolean('no')", False),
    ("first('abc', 2)", "ab"),
    ("last([1, 2, 3], 2)", [2, 3]),
    ("concat(1, [2], 'x')", [1, 2, "x"]),
]


@pytest.mark.parametrize(("text", "expected"), DATES)
def test_functions_keep_their_corners(text: str, expected: object) -> None:
    """Time zones, month ends, rounding, empty and mixed lists give what people expect."""
    assert expected == compile_expression(text).render(FixedScope())


def test_the_reference_page_is_in_step() -> None:
    """The page on expressions is what the functions say; `make docs` writes it."""
    page = Path(__file__).parents[5] / "docs" / "reference" / "expressions.md"

    assert function_reference() == page.read_text()
