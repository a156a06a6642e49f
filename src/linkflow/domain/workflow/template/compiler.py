"""The shape of an expression to a closure that evaluates it.

Each part becomes one Python closure `(meter) -> JSON`; nothing is looked at again while it runs. What runs
once per rendering is bounded by the expression's length; only loops take steps from the budget.
"""

import difflib
from collections.abc import Callable, Iterable, Sequence

from linkflow.domain.values import Json
from linkflow.domain.workflow.template import operators
from linkflow.domain.workflow.template.errors import (
    ExpressionSyntax,
    FunctionFailed,
    Missing,
    OverBudget,
)
from linkflow.domain.workflow.template.functions import SPELLINGS
from linkflow.domain.workflow.template.functions.table import Function
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.parser import children, parse
from linkflow.domain.workflow.template.paths import Key
from linkflow.domain.workflow.template.roots import Closure, Start, begin, follow, soft
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

_DEEPEST_LOOP = 8


class Compiler:
    """Compile expressions and collect what they need.

    Attributes:
        roots: What the expressions read; see `Template.roots`.
        builds: Whether a result may hold one part several times, so that it must be weighed.
    """

    def __init__(self) -> None:
        self.roots: set[str] = set()
        self.builds = False

    def compile(self, expression: Expression, names: Sequence[str] = ()) -> Closure:
        """Compile one part; `names` are the loop variables in sight, outermost first."""
        match expression:
            case Const(value):
                return lambda _: value
            case Name() | Member():
                return self._path(expression, names)
            case Unary(operator, operand):
                return _unary(operator, self.compile(operand, names))
            case Binary():
                return self._binary(expression, names)
            case Choice(test, then, otherwise):
                asked, yes, no = (self.compile(part, names) for part in (test, then, otherwise))
                return lambda meter: yes(meter) if asked(meter) else no(meter)
            case Call():
                return self._call(expression, names)
            case ListOf(items):
                return self._list([self.compile(item, names) for item in items])
            case ObjectOf(pairs):
                return self._object([(key, self.compile(item, names)) for key, item in pairs])
            case Lambda(position=position):
                raise ExpressionSyntax(
                    f"`=>` at position {position} is only understood inside functions such as map().",
                    position=position,
                    expected="a value",
                )
        raise AssertionError(expression)

    # --- paths ---

    def _path(self, expression: Name | Member, names: Sequence[str]) -> Closure:
        keys: list[Key] = []
        optional: list[bool] = []
        target: Expression = expression
        while isinstance(target, Member):
            key = target.key.value if isinstance(target.key, Const) else None
            if not isinstance(key, str | int) or isinstance(key, bool):
                break
            keys.insert(0, key)
            optional.insert(0, target.is_optional)
            target = target.target
        if isinstance(target, Member):
            start = self._indexed(target, names)
        elif isinstance(target, Name):
            start = begin(target, keys, names)
            self.roots.update(start.roots)
            optional = optional[len(optional) - len(start.keys) :]
        else:
            start = Start(self.compile(target, names), tuple(keys), "(…)", frozenset())
        return follow(start, optional)

    def _indexed(self, member: Member, names: Sequence[str]) -> Start:
        """Compile `target[key]` where the key is known only while it runs."""
        box, key = self.compile(member.target, names), self.compile(member.key, names)
        is_optional = member.is_optional

        def run(meter: Meter) -> Json:
            wanted = key(meter)
            if isinstance(wanted, float) and wanted.is_integer():
                wanted = int(wanted)
            if isinstance(wanted, bool) or not isinstance(wanted, str | int):
                raise Missing(f"[{operators.kind(wanted)}]")
            return follow(Start(box, (wanted,), "(…)", frozenset()), [is_optional])(meter)

        return Start(run, (), "(…)", frozenset())

    # --- operators ---

    def _binary(self, expression: Binary, names: Sequence[str]) -> Closure:
        left, right = self.compile(expression.left, names), self.compile(expression.right, names)
        operator = expression.operator
        match operator:
            case "&&":
                return lambda meter: left(meter) and right(meter)
            case "||":
                return lambda meter: left(meter) or right(meter)
            case "??":
                maybe = soft(left)
                return lambda meter: found if (found := maybe(meter)) is not None else right(meter)
            case "==":
                return lambda meter: operators.equal(left(meter), right(meter), meter)
            case "!=":
                return lambda meter: not operators.equal(left(meter), right(meter), meter)
            case "in":
                return lambda meter: operators.contains(left(meter), right(meter), meter)
            case "+":
                self.builds = True
                return lambda meter: operators.add(left(meter), right(meter), meter)
            case "<" | "<=" | ">" | ">=":
                return lambda meter: operators.compare(operator, left(meter), right(meter))
        return lambda meter: operators.calculate(operator, left(meter), right(meter))

    # --- values built here ---

    def _list(self, items: Sequence[Closure]) -> Closure:
        self.builds = self.builds or bool(items)

        def run(meter: Meter) -> Json:
            meter.produce(8 * len(items))
            return [item(meter) for item in items]

        return run

    def _object(self, pairs: Sequence[tuple[str, Closure]]) -> Closure:
        self.builds = self.builds or bool(pairs)

        def run(meter: Meter) -> Json:
            meter.produce(16 * len(pairs))
            return {key: item(meter) for key, item in pairs}

        return run

    # --- functions ---

    def _call(self, call: Call, names: Sequence[str]) -> Closure:
        function = _function(call)
        self.builds = self.builds or function.builds
        arguments: list[Closure] = []
        for at, argument in enumerate(call.arguments):
            if at == function.body_at:
                arguments.append(self._body(function, argument, names))
            elif at == 0 and function.is_soft:
                arguments.append(soft(self.compile(argument, names)))
            else:
                arguments.append(self.compile(argument, names))
        return _called(function, arguments)

    def _body(self, function: Function, argument: Expression, names: Sequence[str]) -> Closure:
        """Compile a body; what comes out gives, per rendering, the callable for the function."""
        own, body = function.body, argument
        if isinstance(argument, Lambda):
            own, body = argument.names[: len(function.body)], argument.body
        elif isinstance(argument, Const) and isinstance(argument.value, str):
            body = _written_body(argument.value)
        if len(names) >= 3 * _DEEPEST_LOOP:
            raise OverBudget(f"Loops nest deeper than {_DEEPEST_LOOP}.", budget="depth")
        slots = range(len(names), len(names) + len(own))
        run = self.compile(body, (*names, *own))
        cost = sum(1 for _ in _parts(body))

        def make(meter: Meter) -> Callable[..., Json]:
            variables = meter.locals

            def each(*values: Json) -> Json:
                meter.step(cost)
                for slot, value in zip(slots, values, strict=False):
                    variables[slot] = value
                return run(meter)

            return each

        return make


def _parts(expression: Expression) -> Iterable[Expression]:
    pending = [expression]
    while pending:
        part = pending.pop()
        yield part
        pending.extend(children(part))


def _written_body(source: str) -> Expression:
    """Read a body that stands in quotes: `'name'` is a path into the item, else an expression."""
    expression, _ = parse(source)
    first = expression
    while isinstance(first, Member):
        first = first.target
    if isinstance(first, Name) and first.name not in ("item", "index", "total") and first.name.isidentifier():
        return parse(f"item.{source}")[0] if not isinstance(expression, Call) else expression
    return expression


def _function(call: Call) -> Function:
    function = SPELLINGS.get(call.name)
    if function is None:
        near = difflib.get_close_matches(call.name, SPELLINGS, 1)
        raise ExpressionSyntax(
            f"There is no function {call.name[:60]}()" + (f"; did you mean {near[0]}()?" if near else "."),
            position=call.position,
            expected=near[0] if near else "a function",
        )
    count = len(call.arguments)
    if count < function.least or (function.most is not None and count > function.most):
        raise ExpressionSyntax(
            f"{call.name}() takes other arguments: {function.signature}.",
            position=call.position,
            expected=function.signature,
        )
    return function


def _called(function: Function, arguments: Sequence[Closure]) -> Closure:
    call, name = function.call, function.name

    def run(meter: Meter) -> Json:
        try:
            return call(meter, *[argument(meter) for argument in arguments])
        except FunctionFailed as error:
            if "function" in error.details:
                raise
            raise FunctionFailed(f"{name}(): {error}", function=name) from None
        except (ValueError, TypeError, OverflowError, ArithmeticError, LookupError) as error:
            raise FunctionFailed(f"{name}(): {str(error)[:200]}", function=name) from None

    return run


def _unary(operator: str, operand: Closure) -> Closure:
    if operator == "!":
        return lambda meter: not operand(meter)
    if operator == "-":
        return lambda meter: operators.negate(operand(meter))
    return lambda meter: operators.calculate("-", operand(meter), 0)
