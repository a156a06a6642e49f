"""Make a node type out of a function with type hints.

```python
@node("example.greet", title="Greet")
async def greet(context: NodeContext, name: str, times: Annotated[int, Meta(ge=1, le=9)] = 1) -> str:
    '''Greet somebody.'''
    return ", ".join([f"Hello {name}"] * times)
```

The parameters after `context` become the JSON Schema of the config; the docstring becomes the node's text.
A function that is not async, and takes no context or a `PureContext`, is a pure node when its class says so.
A package offers the result through the entry point group `linkflow.nodes`.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, get_type_hints

import msgspec

from linkflow.domain.errors import Invalid
from linkflow.domain.node import NOT_DONE, Completion, NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json
from linkflow.ports.nodes import NodeContext

__all__ = ["NOT_DONE", "FunctionNode", "PureFunctionNode", "node"]

_CONFIG = "Config"


class FunctionNode:
    """A node that runs a coroutine function on a worker; calling it calls the function."""

    def __init__(
        self,
        spec: NodeSpec,
        function: Callable[..., Awaitable[Any]],
        config: type,
        *,
        wants: bool,
        look_up: Callable[[NodeContext], Awaitable[Any]] | None = None,
    ) -> None:
        self.spec = spec
        self._function = function
        self._config = config
        self._wants_context = wants
        self._look_up = look_up

    def __call__(self, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Call the function itself."""
        return self._function(*args, **kwargs)

    async def run(self, context: NodeContext) -> Completion:
        """Check the config against the hints and call the function."""
        arguments = _arguments(self.spec, self._config, context.config)
        found = await (
            self._function(context, **arguments) if self._wants_context else self._function(**arguments)
        )
        return found if isinstance(found, Completion) else Completion(output=msgspec.to_builtins(found))

    async def look_up(self, context: NodeContext) -> Completion:
        """Ask what became of an attempt; see `ports.nodes.LooksUp`.

        Raises:
            Invalid: `node.no_answer`: the function said nothing, so nobody knows.
        """
        found = await self._look_up(context) if self._look_up is not None else None
        if found is None:
            raise Invalid(f"The look-up of {self.spec.type} gave no answer.", code="node.no_answer")
        return found if isinstance(found, Completion) else Completion(output=msgspec.to_builtins(found))


class PureFunctionNode:
    """A pure node that calls a function; calling it calls the function."""

    def __init__(self, spec: NodeSpec, function: Callable[..., Any], config: type, *, wants: bool) -> None:
        self.spec = spec
        self._function = function
        self._config = config
        self._wants_context = wants

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself."""
        return self._function(*args, **kwargs)

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Check the config against the hints and call the function."""
        arguments = _arguments(self.spec, self._config, config)
        found = self._function(context, **arguments) if self._wants_context else self._function(**arguments)
        return found if isinstance(found, PureResult) else PureResult(output=msgspec.to_builtins(found))


def node(
    type: str,  # noqa: A002  the word of NodeSpec
    *,
    title: str = "",
    node_class: NodeClass = NodeClass.ONCE,
    version: int = 1,
    aliases: Sequence[str] = (),
    outputs: Sequence[str] = ("out",),
    timeout_s: float | None = None,
    heartbeat_s: float | None = None,
    unknown: str = "",
    look_up: Callable[[NodeContext], Awaitable[Any]] | None = None,
    example: Json = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Turn a function into a node type.

    Args:
        type: `group.name`.
        title: Short name for people; the name's last part when empty.
        node_class: What may happen twice to it; ONCE is the careful one. PURE needs a plain function, the
            others a coroutine function.
        version: Edition of the type.
        aliases: Other spellings.
        outputs: Output handles; return `Completion(output=…, handle=…)` to take one.
        timeout_s: Limit of one attempt.
        heartbeat_s: How long an attempt may go without `context.heartbeat` or a line in the log.
        unknown: What happens to an attempt whose outcome is unknown: fail, park, retry, look_up; by default
            look_up where there is one, else fail.
        look_up: Asks the receiver what became of an attempt: gives its output when it happened, `NOT_DONE`
            when it did not and cannot any more; raises, or gives None, when nobody knows yet.
        example: A config that works.

    Raises:
        Invalid: `node.invalid`: the function cannot be a node; the message says why.
    """

    def wrap(function: Callable[..., Any]) -> Any:
        is_pure = node_class is NodeClass.PURE
        if is_pure == inspect.iscoroutinefunction(function):
            wanted = "a plain function" if is_pure else "a coroutine function (async def)"
            raise Invalid(f"{type} of class {node_class} needs {wanted}.", code="node.invalid")
        hints = get_type_hints(function, include_extras=True)
        wants = next(iter(inspect.signature(function).parameters), "") == "context"
        config = _struct(type, function, hints)
        about = inspect.cleandoc(function.__doc__ or "")
        summary, _, docs = about.partition("\n\n")
        spec = NodeSpec(
            type=type,
            version=version,
            title=title or type.rpartition(".")[2].replace("_", " ").capitalize(),
            summary=" ".join(summary.split()),
            docs=docs.partition("Args:")[0].strip(),
            node_class=node_class,
            parameters=_schema(config),
            output=_output(hints.get("return")),
            aliases=tuple(aliases),
            outputs=tuple(outputs),
            timeout_s=timeout_s if is_pure else timeout_s or 60.0,
            heartbeat_s=heartbeat_s,
            unknown=unknown or ("look_up" if look_up is not None else "fail"),
            can_look_up=look_up is not None,
            example=example,
        )
        if is_pure:
            return PureFunctionNode(spec, function, config, wants=wants)
        return FunctionNode(spec, function, config, wants=wants, look_up=look_up)

    return wrap


def _struct(node_type: str, function: Callable[..., Any], hints: Mapping[str, Any]) -> type:
    """Make a struct of the parameters, whose schema and checks msgspec knows."""
    fields: list[Any] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "context":
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise Invalid(
                f"{node_type}: the parameter {name} must have a name of its own.", code="node.invalid"
            )
        if name not in hints:
            raise Invalid(f"{node_type}: the parameter {name} needs a type hint.", code="node.invalid")
        has_default = parameter.default is not parameter.empty
        fields.append((name, hints[name], parameter.default) if has_default else (name, hints[name]))
    return msgspec.defstruct(_CONFIG, fields, kw_only=True)


def _schema(config: type) -> Json:
    _, parts = msgspec.json.schema_components([config], ref_template="#/$defs/{name}")
    own = parts.pop(_CONFIG)
    own.pop("title", None)
    return {**own, **({"$defs": parts} if parts else {})}


def _output(hint: Any) -> Json:
    if hint is None or hint in (Completion, PureResult, Any):
        return None
    return msgspec.json.schema(hint)


def _arguments(spec: NodeSpec, config: type, given: Mapping[str, Json]) -> dict[str, Any]:
    try:
        made: Any = msgspec.convert(dict(given), config, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"{spec.type}: {error}", code="node.config") from error
    return {name: getattr(made, name) for name in made.__struct_fields__}
