"""What a function of the expression language is, and how its arguments are read."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import WrongType
from linkflow.domain.workflow.template.operators import bounded, kind, to_number

Body = Callable[..., Json]
"""A part of an expression that a function evaluates for each element."""


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """One function.

    Attributes:
        name: What people write.
        family: `strings`, `patterns`, `numbers`, `lists`, `objects`, `dates`, `encoding`, `hashes`, `chance`.
        signature: `name(a, b, c=default)`.
        summary: One sentence.
        example: An expression.
        result: What the example gives; None with `is_checked` false when chance or time decides it.
        aliases: Other spellings.
        call: `(meter, *arguments) -> JSON`.
        least: Fewest arguments.
        most: Most arguments; None means any number.
        body: Names that the body sees; empty when the function has none.
        body_at: Which argument is the body.
        is_soft: The first argument may be absent; the function then gets null.
        builds: The result may hold one part several times.
        is_checked: A test evaluates the example.
    """

    name: str
    family: str
    signature: str
    summary: str
    example: str
    result: Json
    aliases: tuple[str, ...]
    call: Callable[..., Json]
    least: int
    most: int | None
    body: tuple[str, ...]
    body_at: int
    is_soft: bool
    builds: bool
    is_checked: bool


Maker = Callable[[str], Function]


def define(
    call: Callable[..., Json],
    example: str,
    result: Json = None,
    *aliases: str,
    body: Sequence[str] = (),
    is_soft: bool = False,
    builds: bool = False,
    is_checked: bool = True,
) -> Maker:
    """Describe a function from its Python form: name, parameters and first line of the docstring."""
    parameters = list(inspect.signature(call).parameters.values())[1:]
    names = [_camel(parameter.name) for parameter in parameters]
    required = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    is_open = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)
    name = _camel(call.__name__)

    def make(family: str) -> Function:
        return Function(
            name=name,
            family=family,
            signature=f"{name}({', '.join(map(_written, parameters))})",
            summary=(call.__doc__ or "").strip().splitlines()[0],
            example=example,
            result=result,
            aliases=aliases,
            call=call,
            least=len(required),
            most=None if is_open else len(parameters),
            body=tuple(body),
            body_at=names.index("body") if body else -1,
            is_soft=is_soft,
            builds=builds,
            is_checked=is_checked,
        )

    return make


def family(name: str, *makers: Maker) -> Mapping[str, Function]:
    """Collect the functions of a family by name."""
    made = [make(name) for make in makers]
    return {function.name: function for function in made}


def _camel(name: str) -> str:
    first, *rest = name.strip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def _written(parameter: inspect.Parameter) -> str:
    name = _camel(parameter.name)
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"…{name}"
    if parameter.default is parameter.empty:
        return name
    default = {None: "null", True: "true", False: "false"}.get(parameter.default, parameter.default)
    return f"{name}={default!r}" if isinstance(parameter.default, str) else f"{name}={default}"


# --- arguments: each says what it wanted when it got something else ---


def text(value: Json) -> str:
    """Take text; numbers become text.

    Raises:
        WrongType: A list, an object, true/false, null or a credential.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(bounded(value))
    raise WrongType(f"Text is needed, not {kind(value)}.")


def number(value: Json) -> int | float:
    """Take a number, or text that is one.

    Raises:
        WrongType: Anything else.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bounded(value)
    found = to_number(value) if isinstance(value, str) else None
    if found is None:
        raise WrongType(f"A number is needed, not {kind(value)}.")
    return found


def whole(value: Json) -> int:
    """Take a whole number, or text that is one.

    Raises:
        WrongType: Anything else.
    """
    found = number(value)
    if isinstance(found, float):
        if not found.is_integer():
            raise WrongType(f"A whole number is needed, not {found}.")
        return int(found)
    return found


def items(value: Json) -> list[Any]:
    """Take a list; null is an empty one.

    Raises:
        WrongType: Anything else.
    """
    if isinstance(value, list):
        return value
    if value is None:
        return []
    raise WrongType(f"A list is needed, not {kind(value)}.")


def fields(value: Json) -> dict[str, Any]:
    """Take an object; null is an empty one.

    Raises:
        WrongType: Anything else.
    """
    if isinstance(value, dict):
        return value
    if value is None:
        return {}
    raise WrongType(f"An object is needed, not {kind(value)}.")
