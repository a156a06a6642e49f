"""WorkflowSpec: the JSON of one workflow version, the shape that editor and API share.

Field names are camelCase in JSON (seed 002) and snake_case here. Unknown fields are dropped;
`check` names them, so nothing disappears unnoticed.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from linkflow.domain.budget import Budget
from linkflow.domain.errors import SpecInvalid
from linkflow.domain.values import Json, canonical, decode_json, digest


class Severity(StrEnum):
    """Whether a problem stops a workflow from being published and run."""

    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Something to mend in a spec.

    Attributes:
        code: Upper-case code, such as `CYCLE_DETECTED`.
        message: What is wrong and what to do about it.
        severity: Errors block, warnings do not.
        path: JSON path into the spec, such as `$.nodes[2].config.url`.
        node_id: The node it is about, if any.
        edge_id: The edge it is about, if any.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    path: str = "$"
    node_id: str | None = None
    edge_id: str | None = None


class Retry(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How often and how soon a failed node is tried again.

    Attributes:
        max_attempts: Attempts in all, 1 or more.
        initial_delay_ms: Before the second attempt.
        backoff_multiplier: Each further delay is this many times the last.
        max_delay_ms: No delay is longer, unless the receiver asks for it.
        retryable_errors: Codes or kinds that are tried again; empty means transient and rate_limit.
    """

    max_attempts: int = 3
    initial_delay_ms: int = 1_000
    backoff_multiplier: float = 2.0
    max_delay_ms: int = 60_000
    retryable_errors: tuple[str, ...] = ()


class OnError(StrEnum):
    """What follows when a node has failed for good."""

    FAIL = "fail"
    BRANCH = "branch"
    CONTINUE = "continue"


class Node(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One vertex: an instance of a node type.

    Attributes:
        id: Stable for the life of the workflow; letters, digits, `_`, `-`.
        type: Node type by canonical name or alias, optionally `@version`.
        label: What people call it; unique labels can be used in expressions.
        config: Parameters of the node type; strings may hold `{{ expressions }}`.
        position: `{"x": number, "y": number}` on the canvas; parallel results are shown in this order.
        retry: Overrides the workflow's default.
        timeout: Limit of one attempt in milliseconds; None means the node type's default.
        heartbeat_timeout: How long an attempt may say nothing, in milliseconds; None means the node type's
            default.
        schedule_to_start: How long an attempt may wait for a worker, in milliseconds; None means as long as
            the execution may take.
        disabled: Passes its input on through `out` without running.
        on_error: `fail`, `branch` (the `error` handle) or `continue`; None means branch when an
            edge leaves `error`, else the workflow's default.
        unknown: What happens to an attempt whose outcome is unknown: fail, park, retry, look_up.
        notes: Text for people.
        pinned: What test runs take instead of running the node: `{"output": JSON or a blob reference,
            "handles": [str]}`. Only drafts have pins; a version loses them.
    """

    id: str
    type: str
    label: str = ""
    config: Mapping[str, Any] = {}
    position: Mapping[str, float] = {}
    retry: Retry | None = None
    timeout: int | None = None
    heartbeat_timeout: int | None = None
    schedule_to_start: int | None = None
    disabled: bool = False
    on_error: OnError | None = None
    unknown: str | None = None
    notes: str = ""
    pinned: Mapping[str, Any] | None = None


class Edge(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """From a handle of one node to a handle of another.

    Attributes:
        id: Unique; filled in from its ends when missing.
        source: Node id.
        target: Node id.
        source_handle: Output handle; empty means the default one, or the one that `condition` names.
        target_handle: Input handle; empty means `in`.
        condition: A handle of the source, else an expression over the source's output; empty means always.
        label: Text for people.
        back: Declares a back edge (imports).
        max_visits: Bound of a back edge.
    """

    source: str
    target: str
    id: str = ""
    source_handle: str = ""
    target_handle: str = ""
    condition: str = ""
    label: str = ""
    back: bool = False
    max_visits: int = 1_000


class Metadata(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Who and what a spec is (seed 002)."""

    name: str = ""
    workflow_id: str = ""
    version: int = 0
    created_by: str = ""
    created_at: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    environment: str = ""


class OnConflict(StrEnum):
    """What happens to a start when the concurrency limit is reached."""

    QUEUE = "queue"
    SKIP = "skip"
    CANCEL = "cancel"  # cancel the new one
    REPLACE = "replace"  # cancel the running one


class Concurrency(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How many executions of a workflow may run at once (seed 004's lock is `limit: 1`).

    Attributes:
        limit: Executions at once, 1 or more.
        key: An expression over the trigger; the limit counts per value. Empty means the whole workflow.
        on_conflict: What happens to one too many.
    """

    limit: int = 1
    key: str = ""
    on_conflict: OnConflict = OnConflict.QUEUE


class OnExceed(StrEnum):
    """What happens to a start beyond the rate."""

    QUEUE = "queue"
    SKIP = "skip"


class Rate(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How many executions of a workflow may begin in a period.

    Attributes:
        limit: Executions in any time as long as the period, 1 to 10,000.
        period_seconds: Length of the period, 1 second to 30 days.
        key: An expression over the trigger; the limit counts per value. Empty means the whole workflow.
        on_exceed: One too many waits for its turn, or is skipped.
    """

    limit: int = 1
    period_seconds: float = 60.0
    key: str = ""
    on_exceed: OnExceed = OnExceed.QUEUE


class Debounce(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Starts that follow closely become one: the latest runs, the earlier ones are cancelled.

    Attributes:
        seconds: A start runs when none followed for so long, up to 7 days.
        key: An expression over the trigger; starts of one value belong together. Empty means all.
        max_seconds: So long after the first start the latest one runs, whatever follows; 0 means no bound.
    """

    seconds: float = 5.0
    key: str = ""
    max_seconds: float = 0.0


class Settings(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How executions of a workflow behave.

    Attributes:
        max_execution_time_ms: How long an execution may take from when it begins, milliseconds; 0 means one
            year.
        timezone: IANA name, for schedules and dates.
        concurrency: Limit of executions at once.
        rate: Limit of executions that begin in a period.
        debounce: Starts that follow closely become one.
        max_concurrent_executions: The same as a bare number; 0 means no limit.
        error_workflow: Id of the workflow that starts when an execution fails.
        callback_url: Where a signed call goes when nodes and the execution finish.
        input_schema: JSON Schema of the input; a start that does not match is refused.
        variables: Values that expressions read as `vars.NAME`.
        priority: 0 (first) to 9 (last).
        attributes: What people search executions by: values, or expressions over the trigger's data.
        budget: How much an execution may use before it fails or asks; None means the workspace's default.
    """

    max_execution_time_ms: int = 0
    timezone: str = "UTC"
    concurrency: Concurrency | None = None
    rate: Rate | None = None
    debounce: Debounce | None = None
    max_concurrent_executions: int = 0
    error_workflow: str = ""
    callback_url: str = ""
    input_schema: Mapping[str, Any] | None = None
    variables: Mapping[str, Any] = {}
    priority: int = 5
    attributes: Mapping[str, Any] = {}
    budget: Budget | None = None


class ErrorHandling(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What happens on errors, unless a node says otherwise.

    Attributes:
        default_retry: For nodes without their own.
        continue_on_error: A node that failed for good lets the execution go on.
        error_workflow: Id of the workflow that starts when an execution fails.
    """

    default_retry: Retry | None = None
    continue_on_error: bool = False
    error_workflow: str = ""


class CanvasNote(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A text on the canvas.

    Attributes:
        id: Unique among the notes.
        text: Markdown.
        position: `{"x": number, "y": number}` of its upper left corner.
        size: `{"width": number, "height": number}`.
        colour: yellow (also when empty), green, blue, red or grey.
    """

    id: str
    text: str = ""
    position: Mapping[str, float] = {}
    size: Mapping[str, float] = {}
    colour: str = ""


class CanvasGroup(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Nodes in one frame.

    Attributes:
        id: Unique among the groups.
        label: What people call it.
        nodes: Ids of its nodes; ids of no node are ignored.
        collapsed: Drawn as one card.
    """

    id: str
    label: str = ""
    nodes: tuple[str, ...] = ()
    collapsed: bool = False


class Canvas(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What stands on the canvas for people only; nothing of it reaches an execution."""

    notes: tuple[CanvasNote, ...] = ()
    groups: tuple[CanvasGroup, ...] = ()


class WorkflowSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One workflow version: what a person designs.

    Attributes:
        trigger: The trigger node. Further triggers may stand among `nodes`.
        nodes: All other nodes; a repeat of the trigger here is tolerated.
        edges: From handle to handle.
        canvas: Notes and groups, for people only.
    """

    trigger: Node
    metadata: Metadata = Metadata()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    settings: Settings = Settings()
    error_handling: ErrorHandling = ErrorHandling()
    canvas: Canvas = Canvas()

    def every_node(self) -> Iterator[Node]:
        """Iterate over the trigger and every other node once, the trigger first."""
        yield self.trigger
        for node in self.nodes:
            if node.id != self.trigger.id:
                yield node


def parse(raw: Json) -> WorkflowSpec:
    """Read a spec from JSON.

    Raises:
        SpecInvalid: The shape is wrong; says where. `check` lists every problem at once.
    """
    try:
        spec = msgspec.convert(raw, WorkflowSpec)
    except msgspec.ValidationError as error:
        raise SpecInvalid(f"The workflow does not have the right shape: {error}.") from error
    return filled(spec)


def filled(spec: WorkflowSpec) -> WorkflowSpec:
    """Fill in what may be left out: edge ids."""
    if all(edge.id for edge in spec.edges):
        return spec
    taken = {edge.id for edge in spec.edges}
    edges: list[Edge] = []
    for edge in spec.edges:
        if not edge.id:
            name = f"{edge.source}-{edge.source_handle or 'out'}-{edge.target}"
            number = 1
            found = name
            while found in taken:
                number += 1
                found = f"{name}-{number}"
            taken.add(found)
            edge = msgspec.structs.replace(edge, id=found)  # the same edge, with its id
        edges.append(edge)
    return msgspec.structs.replace(spec, edges=tuple(edges))


def to_json(spec: WorkflowSpec) -> Json:
    """Say a spec as JSON values, with the names of the API; defaults are left out."""
    return decode_json(msgspec.json.encode(spec))


def canonical_spec(spec: WorkflowSpec) -> bytes:
    """Encode a spec so that equal specs give equal bytes."""
    return canonical(to_json(spec))


def content_hash(spec: WorkflowSpec) -> str:
    """Hash what a spec does: its metadata (names, authors, version) does not count."""
    return digest({key: value for key, value in to_json(spec).items() if key != "metadata"})


def nodes_by_id(nodes: Sequence[Node]) -> dict[str, Node]:
    """Index nodes by id; of two with one id the first counts."""
    found: dict[str, Node] = {}
    for node in nodes:
        found.setdefault(node.id, node)
    return found
