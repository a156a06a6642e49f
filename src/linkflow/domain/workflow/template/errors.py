"""What can be wrong with an expression; every one of them is an error of the node, never a stall."""

from typing import Any

from linkflow.domain.errors import Invalid


class ExpressionError(Invalid):
    """The expression cannot be evaluated.

    `details` may hold `expression` (its text) and what the subclass says.
    """

    code = "expression"

    def __init__(self, message: str | None = None, **details: Any) -> None:
        super().__init__(message, **details)


class ExpressionSyntax(ExpressionError):
    """The expression is not written correctly.

    `details` hold `position` (characters from the start of the text) and `expected`.
    """

    code = "expression.syntax"


class Unresolved(ExpressionError):
    """The expression names something that is not there.

    `details` hold `path` and, when one is close, `nearest`.
    """

    code = "expression.unresolved"


class OverBudget(ExpressionError):
    """The expression does more than is allowed."""

    code = "expression.budget"


class WrongType(ExpressionError):
    """The expression uses a value of the wrong type."""

    code = "expression.type"


class FunctionFailed(ExpressionError):
    """A function of the expression was called wrongly, or could not give a result."""

    code = "expression.function"


class Missing(Exception):
    """A path did not resolve; becomes `Unresolved` unless the expression allows absence.

    Attributes:
        path: What was asked for, as written.
        key: The first key that was not there; empty when the path's first name was not.
        known: Names that were there instead.
    """

    def __init__(self, path: str, key: str = "", known: tuple[str, ...] = ()) -> None:
        super().__init__(path)
        self.path = path
        self.key = key
        self.known = known
