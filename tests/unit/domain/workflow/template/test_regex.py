"""Regular expressions with groups, in linear time."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.domain.workflow.template import Budget, ExpressionError, compile_expression
from linkflow.domain.workflow.template.errors import FunctionFailed
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.regex import search
from linkflow.testing.scopes import FixedScope


def meter() -> Meter:
    return Meter(FixedScope(), Budget(steps=1_000_000))


EDGES = st.sampled_from([r"\b", "^", "$"])
ATOMS = st.sampled_from(
    ["a", "b", "c", ".", "[ab]", "[^a]", "[a-b]", r"\w", r"\d", r"\.", "1", "(?:ab)", "(b)"]
)
REPEATS = st.sampled_from(["", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,}"])
PIECES = st.tuples(ATOMS, REPEATS).map("".join) | EDGES


def nested(pieces: st.SearchStrategy[str], repeats: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        pieces,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3).map("".join)
            | st.lists(inner, min_size=2, max_size=3).map("|".join).map(lambda body: f"(?:{body})")
            | st.tuples(inner, repeats).map(lambda made: f"({made[0]}){made[1]}")
        ),
        max_leaves=5,
    )


@given(nested(PIECES, st.just("")), st.text(alphabet="abc1. ", max_size=8))
def test_matches_are_those_of_the_standard_library(pattern: str, text: str) -> None:
    """A match begins and ends where Python's own engine finds it."""
    expected = re.search(pattern.replace("$", r"\Z"), text)
    found = search(pattern, text, 0, meter())

    assert (None if expected is None else expected.span()) == (
        None if found is None else (found[0], found[1])
    )


@given(nested(PIECES, REPEATS), st.text(alphabet="abc1. ", max_size=8))
def test_nested_repetitions_match_where_they_should(pattern: str, text: str) -> None:
    """However repetitions nest, a match begins where Python's own engine finds it, or there is none."""
    expected = re.search(pattern.replace("$", r"\Z"), text)
    found = search(pattern, text, 0, meter())

    assert (None if expected is None else expected.start()) == (None if found is None else found[0])


CASES = [
    ("(a+)(b*)", "xaabb", [1, 5, 1, 3, 3, 5]),
    ("(a)|(b)", "b", [0, 1, -1, -1, 0, 1]),
    ("(a|ab)(c|bcd)", "abcd", [0, 4, 0, 1, 1, 4]),
    ("(?i)KSH ([0-9]+)", "paid ksh 50", [5, 11, 9, 11]),
    ("[]a]+", "]a", [0, 2]),
    ("a{,2}", "a{,2}", [0, 5]),
    (r"(\d{3})-(\d{4})$", "555-1234", [0, 8, 0, 3, 4, 8]),
    ("x", "abc", None),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), CASES)
def test_groups_are_found(pattern: str, text: str, expected: list[int] | None) -> None:
    """Groups have the places that the leftmost, first-choice match gives them."""
    assert expected == search(pattern, text, 0, meter())


REFUSED = ["(", ")", "a)", "[a", "*a", "a**", "(?=a)", r"\k", r"(a)\1", "a{9999}", "[b-a]", "\\"]


@pytest.mark.parametrize("pattern", [*REFUSED, "(((a{99}){99}){99})", "(" * 50 + ")" * 50])
def test_other_patterns_are_refused(pattern: str) -> None:
    """What is not of this kind, or too large, is refused in words."""
    with pytest.raises(FunctionFailed):
        search(pattern, "text", 0, meter())


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|a)*$", "(a*)*b", "(.*a){20}b", "(a|ab|b)*c"])
def test_cruel_patterns_end_within_the_budget(pattern: str) -> None:
    """Patterns that stall other engines end: with an answer, or over the budget."""
    text = "a" * 5_000 + "!"
    try:
        found = compile_expression(f"extract(trigger, '{pattern}')").render(FixedScope({"trigger": text}))
    except ExpressionError as error:
        assert "expression.budget" == error.code
    else:
        assert None is found


@given(st.text(alphabet="ab(|)*+?[]{}^$.\\1,-:", max_size=15), st.text(max_size=10))
def test_any_pattern_is_matched_or_refused(pattern: str, text: str) -> None:
    """Whatever the pattern, there is an answer or a refusal."""
    try:
        search(pattern, text, 0, meter())
    except ExpressionError:
        return
