"""The shape of a parsed expression."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from linkflow.domain.values import Json


class Const(msgspec.Struct, frozen=True):
    """A literal."""

    value: Json


class Name(msgspec.Struct, frozen=True):
    """A name at the start of a path."""

    name: str
    position: int


class Member(msgspec.Struct, frozen=True):
    """`target.key`, `target[key]`, `target?.key`.

    Attributes:
        is_optional: Written with `?.`: absence gives null.
    """

    target: Expression
    key: Expression
    position: int
    is_optional: bool = False


class Unary(msgspec.Struct, frozen=True):
    """`-a`, `!a`."""

    operator: str
    operand: Expression


class Binary(msgspec.Struct, frozen=True):
    """`a + b` and its like, including `&&`, `||` and `??`, which look at `right` only when needed."""

    operator: str
    left: Expression
    right: Expression


class Choice(msgspec.Struct, frozen=True):
    """`test ? then : otherwise`."""

    test: Expression
    then: Expression
    otherwise: Expression


class Call(msgspec.Struct, frozen=True):
    """`name(arguments)`, also written `first | name(rest)` and `first.name(rest)`."""

    name: str
    arguments: tuple[Expression, ...]
    position: int


class ListOf(msgspec.Struct, frozen=True):
    """`[a, b]`."""

    items: tuple[Expression, ...]


class ObjectOf(msgspec.Struct, frozen=True):
    """`{a: 1, "b": 2}`."""

    items: tuple[tuple[str, Expression], ...]


class Lambda(msgspec.Struct, frozen=True):
    """`x => body`, only as an argument of a function that wants one."""

    names: tuple[str, ...]
    body: Expression
    position: int


Expression: TypeAlias = Const | Name | Member | Unary | Binary | Choice | Call | ListOf | ObjectOf | Lambda
