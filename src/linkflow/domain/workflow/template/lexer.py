"""Text to tokens, from a position up to the end or to the `}}` that closes an expression."""

import re

import msgspec

from linkflow.domain.workflow.template.errors import ExpressionSyntax

MAX_CHARACTERS = 64 * 1024
"""The longest expression."""

MAX_TOKENS = 10_000

_HINTS = {
    "=": "; compare with ==",
    "&": "; write && or and",
    "#": "; blocks such as {{#if}} have no place here",
}

_SPACE = re.compile(r"\s*")
_TOKEN = re.compile(
    r"""
      (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<name>node_[\w-]*\w|[^\W\d][\w$]*|\$[\w$]*)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)
    | (?P<operator>\?\.(?!\d)|\?\?|=>|===|!==|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()\[\]{}|])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


class Token(msgspec.Struct, frozen=True):
    """One word of an expression.

    Attributes:
        kind: `number`, `name`, `text`, `operator` or `end`.
        value: The word; for `text` without quotes and escapes.
        position: Characters from the start of the whole text.
    """

    kind: str
    value: str
    position: int


def tokens(source: str, start: int, *, is_embedded: bool) -> tuple[list[Token], int]:
    """Read the tokens of one expression.

    Args:
        source: The whole text.
        start: Where the expression begins.
        is_embedded: Whether it ends at `}}` (else at the end of the text).

    Returns:
        The tokens, closed by one of kind `end`, and the position after the expression and its `}}`.

    Raises:
        ExpressionSyntax: A character that begins nothing, a text without end, a missing `}}`, or too long.
    """
    found: list[Token] = []
    position = start
    depth = 0
    while True:
        position = _SPACE.match(source, position).end()  # type: ignore[union-attr]  # \s* always matches
        if position >= len(source):
            if is_embedded:
                raise ExpressionSyntax(
                    "The expression is not closed: }} is missing.", position=start, expected="}}"
                )
            break
        if is_embedded and depth == 0 and source.startswith("}}", position):
            found.append(Token("end", "}}", position))
            return found, position + 2
        match = _TOKEN.match(source, position)
        if match is None:
            raise _unknown(source, position)
        if match.end() - start > MAX_CHARACTERS or len(found) >= MAX_TOKENS:
            raise ExpressionSyntax("The expression is too long.", position=position, expected="a shorter one")
        token = _token(match)
        if token.kind == "operator":
            depth += (token.value in "([{") - (token.value in ")]}")
        found.append(token)
        position = match.end()
    found.append(Token("end", "", position))
    return found, position


def _token(match: re.Match[str]) -> Token:
    kind, position = match.lastgroup, match.start()
    assert kind is not None
    value = match.group()
    if kind == "text":
        value = _ESCAPE.sub(_unescaped, value[1:-1])
    elif kind == "name" and value == "$":
        raise ExpressionSyntax(
            f"A name must follow $ at position {position}.", position=position, expected="a name"
        )
    return Token(kind, value, position)


def _unknown(source: str, position: int) -> ExpressionSyntax:
    character = source[position]
    if character in "\"'`":
        return ExpressionSyntax(
            f"The text that begins at position {position} has no closing {character}.",
            position=position,
            expected=character,
        )
    hint = _HINTS.get(character, "")
    return ExpressionSyntax(
        f"{character!r} at position {position} is not understood{hint}.",
        position=position,
        expected="an expression",
    )


def _unescaped(match: re.Match[str]) -> str:
    code = match.group(1)
    if len(code) == 5:
        number = int(code[1:], 16)
        return chr(number) if not 0xD800 <= number <= 0xDFFF else "\ufffd"
    return _ESCAPES.get(code, code)
