"""The JSON shapes of answers, for OpenAPI. What is sent is made in `render`; a test compares the two."""

from typing import Any

from pydantic import BaseModel


class Problem(BaseModel):
    """What went wrong (RFC 9457); further members are facts about it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    kind: str
    request_id: str


class WorkflowLine(BaseModel):
    """A workflow in a list."""

    id: str
    workspace_id: str
    name: str
    description: str
    tags: list[str]
    version: int
    revision: int
    is_active: bool
    created_by: str
    created_at: str
    updated_at: str


class Workflow(WorkflowLine):
    """A workflow; `spec` is its draft."""

    spec: dict[str, Any]


class WorkflowPage(BaseModel):
    """Workflows, newest first."""

    data: list[WorkflowLine]
    next: str | None


class Draft(BaseModel):
    """The draft of a workflow."""

    workflow_id: str
    revision: int
    spec: dict[str, Any]
    updated_at: str


class VersionLine(BaseModel):
    """A version in a list."""

    workflow_id: str
    version: int
    spec_hash: str
    note: str
    created_by: str
    created_at: str


class Version(VersionLine):
    """A version with its spec."""

    spec: dict[str, Any]


class VersionList(BaseModel):
    """Versions, newest first."""

    data: list[VersionLine]


class SpecProblem(BaseModel):
    """Something to mend in a spec."""

    code: str
    message: str
    severity: str
    path: str
    nodeId: str | None = None  # noqa: N815  specs are camelCase
    edgeId: str | None = None  # noqa: N815  specs are camelCase


class Verdict(BaseModel):
    """Whether a spec can run."""

    valid: bool
    errors: list[SpecProblem]
    warnings: list[SpecProblem]


class Compiled(BaseModel):
    """A spec as the engine sees it."""

    success: bool
    graph: dict[str, Any] | None
    errors: list[SpecProblem]
    warnings: list[SpecProblem]


class Failure(BaseModel):
    """Why something failed."""

    code: str
    kind: str
    message: str
    details: dict[str, Any]


class Started(BaseModel):
    """A start that is durable; result and error once it is over."""

    execution_id: str
    status: str
    result: Any = None
    error: Failure | None = None


class ExecutedSpec(BaseModel):
    """What an execution runs; version 0 is a draft, or a part of one."""

    execution_id: str
    workflow_id: str
    version: int
    spec_hash: str
    spec: dict[str, Any]


class Pin(BaseModel):
    """What test runs take instead of running a node."""

    output: Any
    handles: list[str] | None = None


class NodeRunLine(BaseModel):
    """One execution of a node."""

    key: str
    node_id: str
    type: str
    label: str
    status: str
    attempt: int
    handles: list[str]
    error: Failure | None
    waits_for: str | None
    scheduled_at: str | None
    started_at: str | None
    ended_at: str | None
    retry_at: str | None
    deadline_at: str | None
    duration_ms: int | None
    event: int


class NodeRun(NodeRunLine):
    """One execution of a node with its output, where that is asked for."""

    output: Any = None


class NodeRuns(BaseModel):
    """Nodes in the order of their first event; `next` is the event number to go on after, of a page."""

    data: list[NodeRun]
    next: int | None
    version: int


class ExecutionLine(BaseModel):
    """An execution in a list."""

    id: str
    workspace_id: str
    workflow_id: str
    workflow_version: int
    status: str
    trigger_kind: str
    mode: str
    error: Failure | None
    error_key: str | None
    started_at: str
    closed_at: str | None
    duration_ms: int | None
    origin: str | None
    version: int


class ExecutionPage(BaseModel):
    """Executions, newest first."""

    data: list[ExecutionLine]
    next: str | None


class LatestOfWorkflow(BaseModel):
    """The newest executions of one workflow, newest first."""

    workflow_id: str
    executions: list[ExecutionLine]


class LatestExecutions(BaseModel):
    """The newest executions of each workflow that was asked for, in that order."""

    data: list[LatestOfWorkflow]


class Execution(ExecutionLine):
    """One execution with its nodes, their outputs left out; `nodes_next` is where `GET …/nodes` goes on."""

    trigger: str
    input: Any
    result: Any
    deadline_at: str | None
    parent: dict[str, Any] | None
    nodes: list[NodeRunLine]
    nodes_next: int | None


class Event(BaseModel):
    """One event of a history."""

    number: int
    type: str
    at: str
    data: dict[str, Any]


class Events(BaseModel):
    """Events, oldest first; `next` is the number to go on after."""

    data: list[Event]
    next: int | None


class LogLine(BaseModel):
    """One line of the log."""

    at: str
    level: str
    message: str
    key: str
    data: Any
    event: int


class LogLines(BaseModel):
    """Lines, oldest first; `next` is the event number to go on after, of a page."""

    data: list[LogLine]
    next: int | None
    version: int


class Done(BaseModel):
    """It was accepted and is durable."""

    ok: bool


class Rows(BaseModel):
    """Rows of one kind."""

    data: list[dict[str, Any]]
    next: str | None = None


class Document(BaseModel):
    """Workflows as a file."""

    version: str
    exported_at: str
    workflow: dict[str, Any] | None = None
    workflows: list[dict[str, Any]] | None = None


class Imported(BaseModel):
    """What became of each workflow of an import."""

    workflows: list[dict[str, Any]]


class NodeType(BaseModel):
    """A node type."""

    type: str
    version: int
    group: str
    title: str
    summary: str
    inputs: list[str]
    outputs: list[str]
    dynamic_outputs: bool
    aliases: list[str]
    parameters: dict[str, Any]
    output: Any
    example: Any
    timeout_s: float | None
    heartbeat_s: float | None
    unknown: str
    can_look_up: bool
    docs: str


class Template(BaseModel):
    """A workflow to begin with."""

    slug: str
    name: str
    description: str
    tags: list[str]
    spec: dict[str, Any]


class EventAccepted(BaseModel):
    """An event that is durable."""

    event_id: str
    execution_ids: list[str]
    signalled: list[str]


class Letter(BaseModel):
    """Work given up on."""

    id: str
    kind: str
    execution_id: str
    reason: str
    at: str
    body: Any
