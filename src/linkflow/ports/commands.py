"""What the engine's services are told: starts, tasks, reports, signals, decisions.

Every record is a frozen value that has a JSON form, so a later binding to gRPC changes no caller.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from linkflow.domain.budget import Budget
from linkflow.domain.errors import NodeError
from linkflow.domain.execution.events import Parent
from linkflow.domain.node import Completion
from linkflow.domain.values import Json


class StartExecution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is needed to start an execution.

    Attributes:
        workspace_id: Tenant.
        workflow_id: What people will find it under.
        workflow_version: Published number; 0 for a draft or an inline spec.
        spec_hash: Content hash of a spec that `SpecStore` holds.
        trigger: Node id of the trigger that fired; empty for the spec's own.
        trigger_kind: manual, api, webhook, schedule, event, error, sub_workflow, retry, replay.
        input: JSON the trigger hands on.
        execution_id: Known beforehand when derived from a cause; else empty.
        request_id: Idempotency key; the same key within 24 h meets the same execution.
        mode: production or test.
        wait_ms: How long the caller waits for the end; 0 answers at once.
        attributes: What people search by; they go before those of the workflow's settings.
        budget: How much it may use when its workflow does not say.
        metered: Meters of the workspace's budgets that the engine counts and tells as they are used.
    """

    workspace_id: str
    workflow_id: str
    spec_hash: str
    workflow_version: int = 0
    trigger: str = ""
    trigger_kind: str = "manual"
    input: Json = None
    execution_id: str = ""
    request_id: str = ""
    mode: str = "production"
    priority: int = 5
    callback_url: str = ""
    parent: Parent | None = None
    origin: str = ""
    depth: int = 0
    timeout_ms: int = 0
    overrides: Mapping[str, Json] = {}
    variables: Mapping[str, Json] = {}
    session: Mapping[str, Json] | None = None
    wait_ms: int = 0
    attributes: Mapping[str, Json] = {}
    budget: Budget | None = None
    metered: Sequence[str] = ()


class StartedExecution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a start or a wait answers.

    Attributes:
        execution_id: The execution; durable by now.
        status: queued, running, waiting, completed, failed, cancelled, timed_out.
        is_new: False when an idempotency key met an earlier execution.
        result: The result when it is over.
        error: Why it failed.
        responded: The responder's output, once there is one, even while the execution goes on.
    """

    execution_id: str
    status: str
    is_new: bool = True
    result: Json = None
    error: NodeError | None = None
    responded: Json = None


LOOK_UP = "/look_up"
"""Ends the node type of a task that asks what became of an attempt: a worker that knows no look-ups must not
run the node instead."""


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt of an activity, or one look-up of an attempt, as a worker gets it.

    Attributes:
        node_type: What is run; with `/look_up` at its end what is asked.
        session: The worker session that may run it; empty until it is started.
        node_id: Node in the spec; with spec_hash it names the compiled config.
        config: The node's config, expressions unresolved.
        roots: Only the values that the config's expressions name, by root.
        input: The node's input.
        scheduled_at: Seconds since 1970: what `now()` means, for every attempt.
        seed: Where draws come from, for every attempt.
        node_class: Effective side-effect contract.
        timeout_s: For this attempt.
        heartbeat_s: How long it may say nothing; 0 means as long as it may take.
        is_suspect: The node may be what stopped a worker before: it runs alone.
    """

    execution_id: str
    key: str
    attempt: int
    workspace_id: str
    workflow_id: str
    spec_hash: str
    node_id: str
    node_type: str
    node_version: int = 1
    queue: str = "default"
    session: str = ""
    config: Json = None
    roots: Mapping[str, Json] = {}
    input: Json = None
    scheduled_at: float = 0.0
    seed: int = 0
    node_class: str = "once"
    timeout_s: float = 60.0
    heartbeat_s: float = 0.0
    priority: int = 5
    is_suspect: bool = False

    @property
    def effect_key(self) -> str:
        """A key for receivers that do a thing once: the same over all attempts and look-ups."""
        return f"{self.execution_id}:{self.key}"


class Attempt(NamedTuple):
    """Names an attempt that was started for a worker session."""

    execution_id: str
    key: str
    attempt: int


class TaskId(msgspec.Struct, frozen=True):
    """Names a task that is ready: brokers carry only this.

    Attributes:
        begins: Said by a worker that has it already: it runs it from now on, and nothing beside it.
    """

    execution_id: str
    key: str
    attempt: int
    queue: str = "default"
    workspace_id: str = ""
    priority: int = 5
    begins: bool = False


class ActivityReport(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended, from the worker that ran it.

    Attributes:
        wants_more: The worker takes the next task of this execution in the reply, if there is one.
    """

    execution_id: str
    key: str
    attempt: int
    session: str
    completion: Completion
    wants_more: bool = True


class ActivityReply(msgspec.Struct, frozen=True, kw_only=True):
    """Acknowledges a report: it is durable, or was not wanted any more.

    Attributes:
        accepted: False when the attempt was not current any more (late, cancelled, closed).
        task: The next task for the same worker.
    """

    accepted: bool
    task: Task | None = None


class SignalExecution(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a running execution; `id` makes a repeat harmless."""

    execution_id: str
    id: str
    name: str
    match: str = ""
    data: Json = None


class ResolveWait(msgspec.Struct, frozen=True, kw_only=True):
    """A decision about something an execution waits for.

    Attributes:
        key: Node key; or empty when `token` names the wait.
        token: Resume token; stands in for permission.
        action: done, approved, rejected, retry, fail.
        data: Becomes the output (done) or the decision's payload.
        by: Who decided, for the history.
        comment: Why, of an approval.
    """

    execution_id: str
    key: str = ""
    token: str = ""
    action: str = "done"
    data: Json = None
    by: str = ""
    comment: str = ""
