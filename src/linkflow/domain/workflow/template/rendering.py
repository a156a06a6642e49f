"""Templates: any JSON value whose strings may hold `{{ expressions }}`, compiled once, rendered often."""

import difflib
from collections.abc import Container, Sequence

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.compiler import Compiler
from linkflow.domain.workflow.template.errors import ExpressionError, Missing, OverBudget, Unresolved
from linkflow.domain.workflow.template.meter import DEFAULT_BUDGET, Budget, Meter, Scope, weigh
from linkflow.domain.workflow.template.operators import to_text
from linkflow.domain.workflow.template.parser import parse
from linkflow.domain.workflow.template.roots import Closure
from linkflow.domain.workflow.template.sealed import Credential, SealedText
from linkflow.domain.workflow.template.syntax import Expression

_DEEPEST = 100
_SHOWN = 120
_NAMES = 200
_NAME = 64


class Template:
    """A compiled value; safe to share and to render any number of times.

    Attributes:
        roots: What a rendering reads: names of roots (`trigger`, `input`, …), `node:<ref>` (an id as it is,
            or as `node_<id>`; see `node_of`), `label:<label or id>`, `credential:<name>`, and `name:<x>`: an
            extra name, else the node with that id, else a field of the trigger.
        is_constant: The value holds no expression and is returned as it is.
    """

    __slots__ = ("_run", "is_constant", "roots")

    def __init__(self, run: Closure, roots: frozenset[str], *, is_constant: bool) -> None:
        self._run = run
        self.roots = roots
        self.is_constant = is_constant

    def render(self, scope: Scope, budget: Budget = DEFAULT_BUDGET) -> Json:
        """Evaluate every expression; parts of the scope are handed through, never copied.

        Raises:
            ExpressionError: An expression names what is not there, uses a wrong type, or is over the budget.
        """
        return self._run(Meter(scope, budget))


def compile_template(value: Json) -> Template:
    r"""Compile any JSON value; strings with `{{ }}` are compiled, everything else is kept as it is.

    Text that is one whole expression keeps the type of its value; expressions inside other text are written
    into it. `\\{{` stands for `{{`. Keys of objects are not looked at.

    Raises:
        ExpressionSyntax: An expression is not written correctly.
    """
    compiler = Compiler()
    run = _value(compiler, value, 0)
    if run is None:
        return Template(lambda _: value, frozenset(), is_constant=True)
    return Template(run, frozenset(compiler.roots), is_constant=False)


def compile_expression(text: str) -> Template:
    """Compile one expression, with or without `{{ }}` around it; `{{ a }} == 200` is one as well.

    Raises:
        ExpressionSyntax: The expression is not written correctly.
    """
    compiler = Compiler()
    source = _bare(text)
    run = _expression(compiler, parse(source)[0], source)
    return Template(run, frozenset(compiler.roots), is_constant=False)


def references(value: Json) -> frozenset[str]:
    """List what a value's expressions read, in the words of `Template.roots`.

    Raises:
        ExpressionSyntax: An expression is not written correctly.
    """
    return compile_template(value).roots


def node_of(ref: str, ids: Container[str]) -> str | None:
    """Find the node that `<id>` or `node_<id>` names among the ids of a spec."""
    if ref in ids:
        return ref
    bare = ref.removeprefix("node_")
    return bare if bare in ids else None


def _bare(text: str) -> str:
    """Take the braces off; the parts of `{{ a }} == {{ b }}` become parentheses."""
    source = text.strip().removeprefix("=") if text.strip().startswith("={{") else text.strip()
    if "{{" not in source:
        return source
    found = ""
    at = 0
    while (start := source.find("{{", at)) >= 0:
        _, end = parse(source, start + 2, is_embedded=True)
        found += f"{source[at:start]}({source[start + 2 : end - 2]})"
        at = end
    return found + source[at:]


def _value(compiler: Compiler, value: Json, depth: int) -> Closure | None:
    """Compile a part of a value; None when it holds no expression."""
    if depth > _DEEPEST:
        raise OverBudget(f"The value nests deeper than {_DEEPEST}.", budget="depth")
    if isinstance(value, str):
        return _text(compiler, value) if "{{" in value else None
    if isinstance(value, dict):
        return _object(compiler, value, depth)
    if isinstance(value, list | tuple):
        return _list(compiler, value, depth)
    return None


def _object(compiler: Compiler, value: dict[str, Json], depth: int) -> Closure | None:
    compiled = ((key, _value(compiler, item, depth + 1)) for key, item in value.items())
    runs = [(key, run) for key, run in compiled if run is not None]
    if not runs:
        return None

    def render(meter: Meter) -> Json:
        made = dict(value)
        for key, run in runs:
            made[key] = run(meter)
        return made

    return render


def _list(compiler: Compiler, value: Sequence[Json], depth: int) -> Closure | None:
    compiled = ((at, _value(compiler, item, depth + 1)) for at, item in enumerate(value))
    runs = [(at, run) for at, run in compiled if run is not None]
    if not runs:
        return None

    def render(meter: Meter) -> Json:
        made = list(value)
        for at, run in runs:
            made[at] = run(meter)
        return made

    return render


def _text(compiler: Compiler, text: str) -> Closure | None:
    parts = _parts(compiler, text)
    if all(isinstance(part, str) for part in parts):
        literal = "".join(part for part in parts if isinstance(part, str))
        return None if literal == text else lambda _: literal
    dynamic = [part for part in parts if not isinstance(part, str)]
    if len(dynamic) == 1 and all(not part.strip() for part in parts if isinstance(part, str)):
        return dynamic[0]
    return _mixed(parts)


def _parts(compiler: Compiler, text: str) -> list[str | Closure]:
    source = text.removeprefix("=") if text.startswith("={{") else text
    parts: list[str | Closure] = []
    at = 0
    while (start := source.find("{{", at)) >= 0:
        if source[at:start].endswith("\\"):
            parts.append(source[at : start - 1] + "{{")
            at = start + 2
            continue
        if start > at:
            parts.append(source[at:start])
        expression, at = parse(source, start + 2, is_embedded=True)
        parts.append(_expression(compiler, expression, source[start:at]))
    if at < len(source):
        parts.append(source[at:])
    return parts


def _mixed(parts: Sequence[str | Closure]) -> Closure:
    runs: list[Closure] = [_same(part) if isinstance(part, str) else part for part in parts]

    def render(meter: Meter) -> Json:
        written: list[str] = []
        seals: dict[int, Credential] = {}
        for at, run in enumerate(runs):
            value = run(meter)
            if isinstance(value, str):
                written.append(value)
            elif isinstance(value, Credential):
                seals[at] = value
                written.append("")
            else:
                written.append(to_text(value, meter))
        meter.produce(sum(map(len, written)))
        if seals:
            return SealedText(tuple(seals.get(at, part) for at, part in enumerate(written)))
        return "".join(written)

    return render


def _same(text: str) -> Closure:
    return lambda _: text


def _expression(compiler: Compiler, expression: Expression, source: str) -> Closure:
    """Compile one expression so that its errors say which one it was."""
    builds, compiler.builds = compiler.builds, False
    run = compiler.compile(expression)
    checked = _weighed(run) if compiler.builds else run
    compiler.builds = builds
    shown = source if len(source) <= _SHOWN else source[: _SHOWN - 1] + "…"

    def render(meter: Meter) -> Json:
        try:
            return checked(meter)
        except Missing as missing:
            raise _unresolved(missing, meter, shown) from None
        except ExpressionError as error:
            error.details = {"expression": shown, **error.details}
            raise
        except RecursionError:
            raise OverBudget("The value nests too deep.", budget="depth", expression=shown) from None

    return render


def _weighed(run: Closure) -> Closure:
    def render(meter: Meter) -> Json:
        value = run(meter)
        if isinstance(value, dict | list):
            weigh(value, meter.budget)
        return value

    return render


def _unresolved(missing: Missing, meter: Meter, source: str) -> Unresolved:
    names = missing.known if missing.key else sorted(set(meter.scope.names()))
    known = [
        name for name in names[:_NAMES] if len(name) <= _NAME and name != missing.path
    ]  # they may come from outside: bound the work
    near = difflib.get_close_matches((missing.key or missing.path)[:_NAME], known, 1, 0.5)
    message = f"{missing.path} is not there"
    if missing.key and not missing.path.endswith(f".{missing.key[:100]}"):
        message += f" ({missing.key[:100]} is missing)"
    if near:
        message += f"; did you mean {near[0]}?"
    elif known:
        message += f"; there is {', '.join(known[:8])}{', …' if len(known) > 8 else ''}."
    else:
        message += "."
    return Unresolved(message, path=missing.path, expression=source, **({"nearest": near[0]} if near else {}))
