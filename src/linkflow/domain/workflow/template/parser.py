"""Tokens to the shape of an expression: a precedence climber with bounded depth.

From loosest to tightest: `|` (pipe), `? :`, `??`, `||`/`or`, `&&`/`and`, `not`, comparisons and `in`,
`+ -`, `* / %`, unary `- !`, and then member access, indexing and calls.
"""

from collections.abc import Iterator

from linkflow.domain.workflow.template.errors import ExpressionSyntax
from linkflow.domain.workflow.template.lexer import Token, tokens
from linkflow.domain.workflow.template.syntax import (
    Binary,
    Call,
    Choice,
    Const,
    Expression,
    Lambda,
    ListOf,
    Member,
    Name,
    ObjectOf,
    Unary,
)

MAX_DEPTH = 64
"""How deep brackets and operators may nest."""

MAX_HEIGHT = 100
"""The longest chain of operations that wait for each other, such as `a + b + c + …`."""

_PIPE, _CHOICE, _UNARY = 1, 2, 10
_BINARY = {
    "??": 3, "||": 4, "or": 4, "&&": 5, "and": 5,
    "==": 7, "!=": 7, "===": 7, "!==": 7, "<": 7, "<=": 7, ">": 7, ">=": 7, "in": 7, "not": 7,
    "+": 8, "-": 8, "*": 9, "/": 9, "%": 9,
}  # fmt: skip
_NOT_WORD = 6
_SAME = {"===": "==", "!==": "!=", "and": "&&", "or": "||"}
_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": None}
_WORDS = {"and", "or", "not", "in"}


def parse(source: str, start: int = 0, *, is_embedded: bool = False) -> tuple[Expression, int]:
    """Parse one expression.

    Args:
        source: The whole text.
        start: Where the expression begins.
        is_embedded: Whether it ends at `}}`.

    Returns:
        The expression and the position after it.

    Raises:
        ExpressionSyntax: Not an expression; says where and what was expected.
    """
    words, end = tokens(source, start, is_embedded=is_embedded)
    parser = _Parser(words)
    expression = parser.expression(0)
    parser.expect_end()
    if _height(expression) > MAX_HEIGHT:
        raise ExpressionSyntax(
            f"The expression chains more than {MAX_HEIGHT} operations; split it.",
            position=start,
            expected="less",
        )
    return expression, end


def children(expression: Expression) -> Iterator[Expression]:
    """Iterate over the parts of an expression, left to right."""
    match expression:
        case Member(target, key):
            yield from (target, key)
        case Unary(_, operand):
            yield operand
        case Binary(_, left, right):
            yield from (left, right)
        case Choice(test, then, otherwise):
            yield from (test, then, otherwise)
        case Call(_, arguments):
            yield from arguments
        case ListOf(items):
            yield from items
        case ObjectOf(pairs):
            yield from (item for _, item in pairs)
        case Lambda(_, body):
            yield body


def _height(expression: Expression) -> int:
    highest = 0
    pending = [(expression, 1)]
    while pending:
        item, height = pending.pop()
        highest = max(highest, height)
        pending.extend((child, height + 1) for child in children(item))
    return highest


class _Parser:
    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._at = 0
        self._depth = 0

    # --- tokens ---

    def _peek(self, ahead: int = 0) -> Token:
        return self._words[min(self._at + ahead, len(self._words) - 1)]

    def _next(self) -> Token:
        token = self._words[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def _is(self, value: str, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token.kind == "operator" and token.value == value

    def _accept(self, value: str) -> bool:
        if self._is(value):
            self._at += 1
            return True
        return False

    def _expect(self, value: str) -> None:
        if not self._accept(value):
            raise self._unexpected(value)

    def expect_end(self) -> None:
        """Refuse whatever follows a whole expression."""
        if self._peek().kind != "end":
            raise self._unexpected("an operator or the end")

    def _unexpected(self, expected: str) -> ExpressionSyntax:
        token = self._peek()
        found = "the end" if token.kind == "end" else repr(token.value)
        return ExpressionSyntax(
            f"At position {token.position}: {expected} was expected, but there is {found}.",
            position=token.position,
            expected=expected,
        )

    # --- expressions ---

    def expression(self, binding: int) -> Expression:
        """Parse an expression whose operators bind at least as tight as `binding`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionSyntax(
                f"The expression nests deeper than {MAX_DEPTH}.",
                position=self._peek().position,
                expected="less",
            )
        left = self._prefix()
        while True:
            further = self._further(left, binding)
            if further is None:
                break
            left = further
        self._depth -= 1
        return left

    def _further(self, left: Expression, binding: int) -> Expression | None:
        token = self._peek()
        if token.kind not in ("operator", "name"):
            return None
        word = token.value
        if word == "|" and binding <= _PIPE:
            self._at += 1
            return self._pipe(left)
        if word == "?" and binding <= _CHOICE:
            self._at += 1
            then = self.expression(0)
            self._expect(":")
            return Choice(left, then, self.expression(_CHOICE))
        power = _BINARY.get(word)
        if power is None or power < binding:
            return None
        if word == "not" and self._peek(1).value != "in":
            return None
        self._at += 1
        if word == "not":
            self._at += 1
            return Unary("!", Binary("in", left, self.expression(power + 1)))
        return Binary(_SAME.get(word, word), left, self.expression(power + 1))

    def _pipe(self, left: Expression) -> Expression:
        name = self._name("a function's name")
        rest = self._arguments() if self._accept("(") else ()
        return Call(name.value, (left, *rest), name.position)

    def _name(self, expected: str) -> Token:
        if self._peek().kind != "name":
            raise self._unexpected(expected)
        return self._next()

    def _prefix(self) -> Expression:
        token = self._peek()
        if token.kind == "operator" and token.value in ("-", "!", "+"):
            self._at += 1
            operand = self.expression(_UNARY)
            if token.value == "-" and isinstance(operand, Const) and type(operand.value) in (int, float):
                return Const(-operand.value)
            return Unary(token.value, operand)
        if token.kind == "name" and token.value == "not":
            self._at += 1
            return Unary("!", self.expression(_NOT_WORD))
        return self._postfix(self._primary())

    def _primary(self) -> Expression:
        token = self._peek()
        if token.kind == "number":
            self._at += 1
            return Const(_number(token))
        if token.kind == "text":
            self._at += 1
            return Const(token.value)
        if token.kind == "name":
            return self._named(token)
        if self._accept("("):
            return self._parenthesis(token)
        if self._accept("["):
            return ListOf(self._sequence("]"))
        if self._accept("{"):
            return self._object()
        raise self._unexpected("a value")

    def _named(self, token: Token) -> Expression:
        if token.value in _WORDS:
            raise self._unexpected("a value")
        self._at += 1
        if token.value in _CONSTANTS:
            return Const(_CONSTANTS[token.value])
        if self._accept("=>"):
            return Lambda((token.value,), self.expression(_CHOICE), token.position)
        if self._accept("("):
            return Call(token.value, self._arguments(), token.position)
        return Name(token.value, token.position)

    def _parenthesis(self, opening: Token) -> Expression:
        names: list[str] = []
        ahead = 0
        while self._peek(ahead).kind == "name":
            names.append(self._peek(ahead).value)
            ahead += 1
            if not self._is(",", ahead):
                break
            ahead += 1
        if names and self._is(")", ahead) and self._is("=>", ahead + 1):
            self._at += ahead + 2
            return Lambda(tuple(names), self.expression(_CHOICE), opening.position)
        inner = self.expression(0)
        self._expect(")")
        return inner

    def _arguments(self) -> tuple[Expression, ...]:
        return self._sequence(")")

    def _sequence(self, closing: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while not self._accept(closing):
            items.append(self.expression(0))
            if not self._accept(","):
                self._expect(closing)
                break
        return tuple(items)

    def _object(self) -> Expression:
        items: list[tuple[str, Expression]] = []
        while not self._accept("}"):
            key = self._next()
            if key.kind not in ("name", "text", "number"):
                self._at -= key.kind != "end"
                raise self._unexpected("a key")
            self._expect(":")
            items.append((key.value, self.expression(0)))
            if not self._accept(","):
                self._expect("}")
                break
        return ObjectOf(tuple(items))

    def _postfix(self, target: Expression) -> Expression:
        while True:
            position = self._peek().position
            if self._accept("."):
                target = self._member(target, position)
            elif self._accept("?."):
                if self._accept("["):
                    target = self._index(target, position, is_optional=True)
                else:
                    key = self._name("a name").value
                    target = Member(target, Const(key), position, is_optional=True)
            elif self._accept("["):
                target = self._index(target, position, is_optional=False)
            else:
                return target

    def _member(self, target: Expression, position: int) -> Expression:
        if self._peek().kind == "number" and self._peek().value.isdigit():
            return Member(target, Const(int(self._next().value)), position)
        key = self._name("a name")
        if self._accept("("):
            return Call(key.value, (target, *self._arguments()), key.position)
        return Member(target, Const(key.value), position)

    def _index(self, target: Expression, position: int, *, is_optional: bool) -> Expression:
        start = None if self._is(":") else self.expression(0)
        if self._accept(":"):
            stop = Const(None) if self._is("]") else self.expression(0)
            self._expect("]")
            return Call("slice", (target, start or Const(0), stop), position)
        self._expect("]")
        assert start is not None
        return Member(target, start, position, is_optional=is_optional)


def _number(token: Token) -> int | float:
    if len(token.value) > 400:
        raise ExpressionSyntax("A number is too long.", position=token.position, expected="a number")
    if token.value.isdigit():
        return int(token.value)
    value = float(token.value)
    if value == float("inf"):
        raise ExpressionSyntax("A number is too large.", position=token.position, expected="a number")
    return value
