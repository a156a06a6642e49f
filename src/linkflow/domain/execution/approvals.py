"""The approvals of an execution, folded from its history: what is asked, of whom, and what was said."""

import uuid
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from linkflow.domain.budget import OnExceeded
from linkflow.domain.execution import events as e
from linkflow.domain.execution.log import RecordedEvents
from linkflow.domain.execution.spending import KEY, question
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.view import NodeRun, node_runs
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph

NODE_TYPE = "logic.approval"
OPEN = "open"
STATUSES = (OPEN, "approved", "rejected", "timed_out", "cancelled")


class Approval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question to people, and how it stands.

    Attributes:
        key: Of the node, in its execution.
        status: open, approved, rejected, timed_out or cancelled.
        round: From 1; an escalation asks others, which is the next round.
        opened_at: Seconds since 1970, as the others; of the first round.
        due_at: When its deadline decides.
        asked: What people see: title, description, payload, deciders, form.
        answer: What was filled in.
    """

    key: str
    node_id: str
    label: str = ""
    status: str = OPEN
    round: int = 1
    opened_at: float
    due_at: float
    asked: Json = None
    decided_at: float | None = None
    decided_by: str = ""
    comment: str = ""
    answer: Json = None

    @property
    def deciders(self) -> Sequence[str]:
        """Who may decide, in lower case; empty for everybody who may at all."""
        named = self.asked.get("deciders") if isinstance(self.asked, dict) else None
        if isinstance(named, str):
            named = named.split(",")
        found = [each.strip().lower() for each in named or () if isinstance(each, str)]
        return [each for each in found if each]


def approval_id(execution_id: str, key: str) -> str:
    """Say the id of an approval, which follows from its execution and its key there."""
    return str(uuid.uuid5(uuid.UUID(execution_id), key))


def has_approvals(state: ExecutionState) -> bool:
    """Say whether an execution asks people anything, or may ask about its budget."""
    budget = state.start.budget
    asks = budget is not None and budget.on_exceeded is OnExceeded.PAUSE
    return asks or any(node.spec.type == NODE_TYPE for node in state.graph.nodes)


def approvals(graph: ExecutionGraph, records: Iterable[RecordedEvents]) -> Sequence[Approval]:
    """List the approvals of a history, in the order they were asked for.

    Args:
        graph: Of the workflow.
        records: The whole history, oldest first.
    """
    kept = list(records)
    asked: dict[str, list[tuple[e.WaitOpened, float]]] = {}
    for record in kept:
        for event in record.events:
            if isinstance(event, e.WaitOpened) and event.kind == "approval":
                asked.setdefault(event.key, []).append((event, record.at))
    runs = {run.key: run for run in node_runs(graph, kept)}
    return [*(_approval(runs[key], rounds) for key, rounds in asked.items()), *_about_budget(kept)]


def _about_budget(records: Iterable[RecordedEvents]) -> Iterator[Approval]:
    """Say what an execution asks about its own budget: one question, asked again each time it is used up."""
    found: Approval | None = None
    for record in records:
        for event in record.events:
            if isinstance(event, e.BudgetExceeded) and not event.period:
                found = Approval(
                    key=KEY,
                    node_id="",
                    label="Budget",
                    round=found.round + 1 if found is not None else 1,
                    opened_at=found.opened_at if found is not None else record.at,
                    due_at=event.deadline_at,
                    asked=question(event),
                )
            elif found is not None and found.status == OPEN:
                found = _decided(found, event, record.at)
    if found is not None:
        yield found


def _decided(asked: Approval, event: e.Event, at: float) -> Approval:
    """Say how a question about a budget stands after an event."""
    if isinstance(event, e.BudgetRaised):
        limit = event.limits.get(asked.asked["meter"])
        return msgspec.structs.replace(
            asked, status="approved", decided_at=at, decided_by=event.by, answer={"limit": limit}
        )
    if isinstance(event, e.FailureDecided | e.WorkflowExecutionFailed):
        status = "rejected" if at < asked.due_at else "timed_out"
        return msgspec.structs.replace(asked, status=status, decided_at=at)
    if isinstance(event, e.CLOSING):
        return msgspec.structs.replace(asked, status="cancelled", decided_at=at)
    return asked


def _approval(run: NodeRun, rounds: Sequence[tuple[e.WaitOpened, float]]) -> Approval:
    """Say one approval."""
    last = rounds[-1][0]
    said = run.output if isinstance(run.output, dict) else {}
    return Approval(
        key=run.key,
        node_id=run.node_id,
        label=run.label,
        status=_status(run, said),
        round=len(rounds),
        opened_at=rounds[0][1],
        due_at=last.deadline_at,
        asked=last.data,
        decided_at=run.ended_at,
        decided_by=str(said.get("decided_by") or ""),
        comment=str(said.get("comment") or ""),
        answer=said.get("decision_payload"),
    )


def _status(run: NodeRun, said: dict[str, Json]) -> str:
    """Say how an approval stands; an output that is a blob still says by which handle it left."""
    if run.status == "waiting":
        return OPEN
    if run.status == "success":
        decision = said.get("decision") or (run.handles[0] if run.handles else "")
        return decision if decision in ("approved", "rejected") else "timed_out"
    return "cancelled" if run.status == "cancelled" else "timed_out"
