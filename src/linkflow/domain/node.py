"""What a node type is: its class, handles, parameters; and the protocol of pure nodes."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from linkflow.domain.errors import Kind, NodeError
from linkflow.domain.values import Json


class NodeClass(StrEnum):
    """What may happen twice to a node: its side-effect contract."""

    TRIGGER = "trigger"  # begins an execution; passes the trigger's data on
    PURE = "pure"  # decided in History, exactly once in history
    CONTROL = "control"  # interpreted by the decider itself: loops, waits, children
    IDEMPOTENT = "idempotent"  # may repeat; the first completion wins
    KEYED = "keyed"  # the receiver honours the effect key
    ONCE = "once"  # at most once, never silent


class Unknown(StrEnum):
    """What follows when nobody knows whether the effect of an attempt happened."""

    FAIL = "fail"  # as `node.outcome_unknown`
    LOOK_UP = "look_up"  # ask the receiver
    PARK = "park"  # a person decides
    RETRY = "retry"  # it may happen twice


class NodeSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the catalogue, the check and the editor know of a node type.

    Attributes:
        type: Canonical name, `group.name`.
        version: Edition of the type; `type@version` never changes its meaning.
        title: Short name for people.
        summary: One sentence for people.
        node_class: The side-effect contract.
        parameters: JSON Schema of the config, after expressions are resolved.
        outputs: Names of the output handles, the default one first.
        dynamic_outputs: Further handles come from the config (the cases of a switch).
        inputs: Names of the input handles.
        aliases: Other spellings that specs may use.
        timeout_s: Start-to-close limit of one attempt, seconds; None for nodes that do not run on a worker.
        heartbeat_s: How long an attempt may say nothing, seconds; None means as long as it may take.
        unknown: What happens by default to an attempt with an unknown outcome: fail, park, retry or look_up.
        can_look_up: The receiver can be asked what became of an attempt, so `unknown` may be look_up; a type
            with a parameter `look_up` asks only where that is given, and then does so by default.
        raw: Parameters that hold expressions which the node evaluates itself; they are not resolved before.
            `look_up.found` is the field `found` of the parameter `look_up`.
        output: JSON Schema or example of the output, for the docs and completion.
        example: A config that works, for the docs.
        docs: Longer text for the node's page, Markdown.
        is_responder: Its output answers the caller and is the execution's result.
        waits: A cycle through this node is legal, because the node waits.
    """

    type: str
    version: int = 1
    title: str
    summary: str
    node_class: NodeClass
    parameters: Mapping[str, Json] = msgspec.field(default_factory=lambda: {"type": "object"})
    outputs: Sequence[str] = ("out",)
    dynamic_outputs: bool = False
    inputs: Sequence[str] = ("in",)
    aliases: Sequence[str] = ()
    timeout_s: float | None = None
    heartbeat_s: float | None = None
    unknown: str = "fail"
    can_look_up: bool = False
    raw: Sequence[str] = ()
    output: Json = None
    example: Json = None
    docs: str = ""
    is_responder: bool = False
    waits: bool = False

    @property
    def group(self) -> str:
        """The part of the type before the dot, the palette's category."""
        return self.type.partition(".")[0]

    @property
    def runs_on_worker(self) -> bool:
        """Whether the node is an activity."""
        return self.node_class in (NodeClass.IDEMPOTENT, NodeClass.KEYED, NodeClass.ONCE)


class PureResult(msgspec.Struct, frozen=True):
    """What a pure node decided.

    Attributes:
        output: The node's output.
        handles: The handles taken; every edge that leaves another one dies.
        logs: `[{"level": "info", "message": str, "data": JSON}]`, oldest first.
    """

    output: Json
    handles: Sequence[str] = ("out",)
    logs: Sequence[Json] = ()


class PureNode(Protocol):
    """A node that is decided inside History: no clock, network or chance.

    `spec` describes it. `evaluate` raises `LinkFlowError` (kind and code go into the history).
    """

    spec: NodeSpec

    def evaluate(self, config: Mapping[str, Json], context: "PureContext") -> PureResult:
        """Decide the output and the handles from the resolved config and the input."""
        ...


class PureContext(Protocol):
    """What a pure node may read."""

    @property
    def input(self) -> Json:
        """The output of the one taken predecessor; with several, an object by source node id."""
        ...

    @property
    def now(self) -> float:
        """Seconds since 1970 of the record being decided."""
        ...

    def draw(self) -> float:
        """Draw from [0, 1), seeded by execution and key, so that a replay repeats it."""
        ...

    def evaluate(self, expression: str, **names: Json) -> Json:
        """Evaluate an expression with extra names in scope, such as `item`."""
        ...


class Catalog(Protocol):
    """The node types that are known, by canonical name or alias."""

    def find(self, node_type: str) -> NodeSpec | None:
        """Find a node type by `group.name`, `group.name@version` or an alias; None when unknown."""
        ...

    def pure(self, node_type: str, version: int = 1) -> PureNode | None:
        """Find the evaluator of a pure node type; None when it is not pure."""
        ...

    def specs(self) -> Sequence[NodeSpec]:
        """List every node type, by type."""
        ...


def parted(config: Mapping[str, Json], paths: Sequence[str]) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
    """Part a config into what is resolved before the node runs, and its raw parameters by path.

    Args:
        config: As written.
        paths: `NodeSpec.raw`.
    """
    rest, raw = dict(config), {}
    for path in paths:
        name, _, field = path.partition(".")
        value = rest.get(name)
        if not field and name in rest:
            raw[path] = rest.pop(name)
        elif isinstance(value, dict) and field in value:
            raw[path] = value[field]
            rest[name] = {key: part for key, part in value.items() if key != field}
    return rest, raw


def joined(config: Mapping[str, Json], raw: Mapping[str, Json]) -> Mapping[str, Json]:
    """Put raw parameters back into a config whose rest is resolved; see `parted`."""
    found = dict(config)
    for path, value in raw.items():
        name, _, field = path.partition(".")
        found[name] = {**found[name], field: value} if field else value
    return found


LOOK_UP = "look_up"
"""The parameter that says where a node type looks up."""


def looks_up(spec: NodeSpec, config: Mapping[str, Json]) -> bool:
    """Say whether a node can ask what became of an attempt.

    Args:
        spec: Its type.
        config: As written.
    """
    needs_config = LOOK_UP in (spec.parameters.get("properties") or {})
    return spec.can_look_up and (not needs_config or bool(config.get(LOOK_UP)))


class Completion(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one attempt ended, as the worker reports it.

    Attributes:
        output: The output when it succeeded (a blob reference when large).
        handle: The output handle taken.
        handles: All handles taken, where there are several; wins over `handle`.
        error: The error when it failed.
        unknown: The effect may or may not have happened.
        logs: `[{"at": seconds, "level": "info", "message": str, "data": JSON}]`, oldest first.
        meta: Facts for people: `{"ms": 12, "bytes": 345}`.
    """

    output: Json = None
    handle: str = "out"
    handles: Sequence[str] = ()
    error: NodeError | None = None
    unknown: bool = False
    logs: Sequence[Json] = ()
    meta: Mapping[str, Json] = {}


NOT_DONE = Completion(
    error=NodeError(
        "node.not_done", Kind.TRANSIENT, "The receiver says that it was not done.", not_started=True
    )
)
"""The answer of a look-up: the effect did not happen, and cannot happen any more."""


def is_not_done(error: NodeError) -> bool:
    """Say whether a look-up that ended with this found that the effect did not happen."""
    return NOT_DONE.error is not None and error.code == NOT_DONE.error.code and error.not_started
