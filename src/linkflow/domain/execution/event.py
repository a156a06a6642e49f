"""What an event is, and the events of an execution as a whole: how it starts, ends and is paused."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from linkflow.domain.budget import Budget
from linkflow.domain.errors import NodeError
from linkflow.domain.pacing import DebouncePolicy, RatePolicy
from linkflow.domain.values import Json


class Event(msgspec.Struct, frozen=True, omit_defaults=True, tag=True, tag_field="type", gc=False):
    """One fact in the history of an execution."""


class Parent(msgspec.Struct, frozen=True, gc=False):
    """Who waits for a child: the parent execution, the node key there, and whether it waits."""

    execution_id: str
    key: str
    waits: bool = True
    close_policy: str = "cancel"


class WorkflowExecutionStarted(Event, frozen=True):
    """The first event: everything the execution was started with.

    Attributes:
        workspace_id: Tenant.
        workflow_id: What was started.
        workflow_version: Published number; 0 for a draft or an inline spec.
        spec_hash: Content hash of the spec that runs, for ever.
        trigger: Node id of the trigger that fired; empty means the spec's trigger.
        trigger_kind: manual, api, webhook, schedule, event, error, sub_workflow, retry, replay.
        input: What the trigger hands on.
        mode: production, test or replay.
        seed: Where chance comes from.
        deadline_at: Seconds since 1970; the execution times out then.
        request_id: The caller's key for "do this once".
        priority: 0 (first) to 9 (last).
        callback_url: Where signed calls go.
        parent: Who waits for it.
        origin: Execution it was made from (retry, replay, error workflow).
        depth: How many parents it has.
        overrides: `{node key: {"output": JSON, "handles": [..]}}`, taken instead of running the node;
            `<node id>#*` stands for every run of a node that has no line of its own.
        variables: What expressions read as `vars`.
        session: What expressions read as `session`.
        ticket: Concurrency key it needs a ticket for; empty for none.
        ticket_limit: Executions at once under that key.
        on_conflict: queue, skip, cancel or replace.
        attributes: What people search by.
        budget: How much it may use: the workflow's, else its starter's.
        metered: Meters of the workspace's budgets that the engine counts, told as they are used.
        rate: How many begin in a period; None for any number.
        debounce: Which starts become one; None for none.
        limit_s: Seconds it may take from when a start policy let it begin; 0 means that only `deadline_at`
            counts.
    """

    workspace_id: str
    workflow_id: str
    spec_hash: str
    workflow_version: int = 0
    trigger: str = ""
    trigger_kind: str = "manual"
    input: Json = None
    mode: str = "production"
    seed: int = 0
    deadline_at: float = 0.0
    request_id: str = ""
    priority: int = 5
    callback_url: str = ""
    parent: Parent | None = None
    origin: str = ""
    depth: int = 0
    overrides: Mapping[str, Any] = {}
    variables: Mapping[str, Any] = {}
    session: Mapping[str, Any] | None = None
    ticket: str = ""
    ticket_limit: int = 0
    on_conflict: str = "queue"
    attributes: Mapping[str, Any] = {}
    budget: Budget | None = None
    metered: Sequence[str] = ()
    rate: RatePolicy | None = None
    debounce: DebouncePolicy | None = None
    limit_s: float = 0.0


class WorkflowExecutionCompleted(Event, frozen=True):
    """Everything finished; the result is the responder's output, else the leaf's or leaves'."""

    result: Json = None


class WorkflowExecutionFailed(Event, frozen=True):
    """A node failed and nothing caught it."""

    error: NodeError
    key: str = ""


class WorkflowExecutionTimedOut(Event, frozen=True):
    """The execution's deadline passed."""


class WorkflowExecutionCancelled(Event, frozen=True):
    """Somebody cancelled it, and what was in flight has ended or its grace is over."""

    reason: str = ""


class WorkflowExecutionTerminated(Event, frozen=True):
    """Somebody ended it at once."""

    reason: str = ""


class WorkflowExecutionContinuedAsNew(Event, frozen=True):
    """The history was long; the execution goes on in its next run from a snapshot."""

    run: int


class CancelRequested(Event, frozen=True):
    """Somebody asked to cancel; wins over everything that completes afterwards."""

    reason: str = ""
    by: str = ""
    grace_until: float = 0.0


class FailureDecided(Event, frozen=True):
    """The execution will fail; what is in flight gets a grace period to tidy up."""

    error: NodeError
    key: str = ""
    grace_until: float = 0.0


class TicketQueued(Event, frozen=True):
    """The execution waits for a concurrency ticket."""

    ticket: str
    limit: int


class TicketGranted(Event, frozen=True):
    """The execution may run."""

    ticket: str


class SlotAsked(Event, frozen=True):
    """The execution does not begin before an instant that a start policy names.

    Attributes:
        policy: debounce or rate.
        key: Whose limit it is.
        begins_at: The instant, seconds since 1970; 0 while it is not known.
    """

    policy: str
    key: str
    begins_at: float = 0.0


class SlotPromised(Event, frozen=True):
    """The instant is known, or another one now."""

    policy: str
    begins_at: float


class SlotReached(Event, frozen=True):
    """The instant has come."""

    policy: str


class Snapshot(Event, frozen=True):
    """The folded state, where a new run begins."""

    state: Json


class VersionMigrated(Event, frozen=True):
    """The execution moved to another version of its workflow."""

    spec_hash: str
    workflow_version: int = 0


class ValueEdited(Event, frozen=True):
    """A person changed the output of a finished node."""

    key: str
    output: Json = None
    by: str = ""


class ForkedFrom(Event, frozen=True):
    """The events before this one are inherited from another execution."""

    execution_id: str
    event: int


class MocksApplied(Event, frozen=True):
    """Outputs that are taken instead of running nodes."""

    overrides: Mapping[str, Any]


class Quarantined(Event, frozen=True):
    """The engine could not decide about this execution; it stands still until a person acts."""

    reason: str


class Released(Event, frozen=True):
    """A person lets a quarantined execution go on."""

    by: str = ""


class BudgetExceeded(Event, frozen=True):
    """A budget is used up; no further node begins until somebody decides.

    Attributes:
        meter: What was used up.
        period: Empty for the execution's own budget; else the workspace's, `day 2026-01-31`, `month 2026-01`.
        deadline_at: Its own: it fails then. The workspace's: the period is over and it goes on.
    """

    meter: str
    limit: int
    used: int
    period: str = ""
    deadline_at: float = 0.0


class BudgetRaised(Event, frozen=True):
    """The execution goes on.

    Attributes:
        limits: Its own from now on.
        period: The workspace's budget that it no longer waits for.
        by: Who said so: from now on that period's budget does not stop it. Empty: there is room again.
    """

    limits: Mapping[str, int] = {}
    period: str = ""
    by: str = ""
