"""The JSON shapes of what expressions give and name, and of what nodes said, for OpenAPI."""

from typing import Any

from pydantic import BaseModel


class OutputPage(BaseModel):
    """A page of an output; `indexes` with a search, `schema` alone where that is asked for."""

    kind: str | None = None
    count: int | None = None
    offset: int | None = None
    is_cut: bool | None = None
    output: Any = None
    indexes: list[int] | None = None


class FunctionLine(BaseModel):
    """A function that expressions can call."""

    name: str
    signature: str
    about: str
    family: str
    example: str


class FunctionList(BaseModel):
    """All of them, by family."""

    data: list[FunctionLine]


class ExpressionError(BaseModel):
    """Why an expression gives nothing; `position` counts characters, `nearest` is a name that is there."""

    code: str
    message: str
    position: int | None = None
    expected: str | None = None
    path: str | None = None
    nearest: str | None = None
    expression: str | None = None


class EvaluatedExpression(BaseModel):
    """What an expression gives: a value, shortened when `is_cut`, or an error."""

    value: Any = None
    type: str | None = None
    is_cut: bool = False
    error: ExpressionError | None = None


class EvaluatedExpressions(BaseModel):
    """What expressions give, in their order; `key` is that of the node run they would be part of."""

    key: str
    data: list[EvaluatedExpression]


class ScopeField(BaseModel):
    """A value that expressions can name by `path`; `count` and `fields` of lists and objects."""

    name: str | None = None
    path: str
    type: str
    sample: str | None = None
    count: int | None = None
    fields: list["ScopeField"] | None = None


class ScopeRoot(ScopeField):
    """Where names begin: `kind` is trigger, input, loop, node, vars, execution, workflow, session."""

    kind: str
    node_id: str | None = None
    label: str | None = None


class RunOfNode(BaseModel):
    """The run of a node whose data is shown: the how manieth of how many."""

    key: str
    status: str
    number: int
    count: int


class NodeScope(BaseModel):
    """What the expressions of a node can name, the nearest node first; `run` where it ran."""

    key: str
    data: list[ScopeRoot]
    run: RunOfNode | None
