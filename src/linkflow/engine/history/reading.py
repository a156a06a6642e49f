"""Answers about executions, folded from their histories."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

import msgspec

from linkflow.domain.attributes import NODE_TYPE, kept
from linkflow.domain.errors import NotFound
from linkflow.domain.execution.approvals import approvals, has_approvals
from linkflow.domain.execution.drivers import drivers, explain
from linkflow.domain.execution.effects import closing_error
from linkflow.domain.execution.events import WorkflowExecutionFailed, WorkflowExecutionStarted, tag
from linkflow.domain.execution.evolve import fold
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.view import N, NodeRun, RunsFold, log_lines, newest_runs, node_runs
from linkflow.domain.values import Json
from linkflow.engine.history.entries import Entries, Entry
from linkflow.engine.history.graphs import Graphs
from linkflow.ports.clock import Clock
from linkflow.ports.services import ExecutionRow, ExecutionView, Explanation, Projected, RecordedEvent
from linkflow.ports.stores import HistoryStore, LateResults, Recorded
from linkflow.ports.views import WHOLE, Part

AWAITING_PAGE = 500
LONG = 1_000
"""Events from which on what was folded for people is kept, as long as the execution is in memory."""
KEPT_S = 30.0
"""So long the last long execution that is over is kept: who looks at it asks several questions."""


class Kept(NamedTuple):
    """A long execution that is over, as it was folded for people."""

    execution_id: str
    state: ExecutionState
    shown: RunsFold
    until: float


class Reader:
    """Reads executions: from memory where they are there, from the store otherwise. Only committed events."""

    def __init__(
        self,
        entries: Entries,
        store: HistoryStore,
        graphs: Graphs,
        late: LateResults,
        clock: Clock,
        *,
        is_shared: bool,
    ) -> None:
        """Put it together.

        Args:
            entries: What is in memory.
            store: Every history.
            graphs: To fold with.
            late: What came too late.
            clock: Time.
            is_shared: Other members write to the store, too: what is in memory is compared with it first.
        """
        self._is_shared = is_shared
        self._entries = entries
        self._store = store
        self._graphs = graphs
        self._late = late
        self._clock = clock
        self._kept: Kept | None = None

    async def state(self, execution_id: str) -> ExecutionState:
        """Read the folded state; not to be changed.

        Raises:
            NotFound: No such execution.
        """
        entry = await self._newest(execution_id)
        if entry is not None and entry.state is not None:
            return entry.state
        kept = await self._kept_of(execution_id)
        return kept.state if kept is not None else (await self._load(execution_id))[0]

    def remembered(self, execution_id: str) -> ExecutionState | None:
        """Say what is in memory, which another member may have moved on; not to be changed."""
        entry = self._entry(execution_id)
        return entry.state if entry is not None else None

    def _entry(self, execution_id: str) -> Entry | None:
        entry = self._entries.find(execution_id)
        return entry if entry is not None and entry.state is not None and entry.state.version else None

    async def _newest(self, execution_id: str) -> Entry | None:
        """Find an execution in memory, unless another member has moved it on meanwhile."""
        return self._unless_behind(execution_id, await self._stored_versions([execution_id]))

    async def _stored_versions(self, execution_ids: Sequence[str]) -> Mapping[str, int]:
        """Read the versions of those in memory, where other members may have moved them on."""
        known = [each for each in execution_ids if self._entry(each) is not None] if self._is_shared else []
        return await self._store.versions(known) if known else {}

    def _unless_behind(self, execution_id: str, versions: Mapping[str, int]) -> Entry | None:
        entry = self._entry(execution_id)
        if entry is None or entry.state is None:
            return None
        if entry.state.version < versions.get(execution_id, 0):
            if not entry.is_driven:
                entry.forget()
            return None
        return entry

    async def _whole(
        self, execution_id: str, entry: Entry | None
    ) -> tuple[ExecutionState, Sequence[Recorded]]:
        if entry is not None and entry.state is not None and entry.is_whole:
            return entry.state, entry.records
        return await self._load(execution_id)

    async def _load(self, execution_id: str) -> tuple[ExecutionState, Sequence[Recorded]]:
        records = await self._store.load(execution_id)
        if not records:
            raise NotFound("There is no such execution.", execution_id=execution_id)
        started = records[0].events[0]
        assert isinstance(started, WorkflowExecutionStarted)
        graph = await self._graphs.get(started.workspace_id, started.spec_hash)
        return fold(execution_id, graph, records), records

    async def view(self, execution_id: str, part: Part = WHOLE) -> ExecutionView:
        """Read one execution with its nodes and logs, as far as asked for."""
        state, shown = await self._shown(execution_id)
        start = state.start
        return ExecutionView(
            execution_id=execution_id,
            workspace_id=start.workspace_id,
            workflow_id=start.workflow_id,
            workflow_version=start.workflow_version,
            spec_hash=start.spec_hash,
            status=state.status().value,
            version=state.version,
            trigger_kind=start.trigger_kind,
            trigger=start.trigger,
            mode=start.mode,
            input=start.input,
            result=getattr(state.closed, "result", None),
            responded=state.responded,
            error=closing_error(state.closed) if state.closed is not None else None,
            error_key=state.closed.key if isinstance(state.closed, WorkflowExecutionFailed) else "",
            started_at=state.started_at,
            closed_at=state.closed_at if state.is_closed else None,
            deadline_at=state.deadline_at,
            origin=start.origin,
            parent=start.parent,
            nodes=_runs(shown, part) if part.runs else (),
            logs=_later(shown.logs(), part.after) if part.logs else (),
        )

    async def _shown(self, execution_id: str) -> tuple[ExecutionState, RunsFold]:
        """Fold what people see; of a long execution in memory only what is new since somebody looked."""
        entry = await self._newest(execution_id)
        if entry is not None and entry.state is not None and entry.shown is not None:
            if entry.shown.fits(entry.records):
                entry.shown.take(entry.records)
                return entry.state, entry.shown
            entry.shown = None
        if entry is None and (kept := await self._kept_of(execution_id)) is not None:
            return kept.state, kept.shown
        state, records = await self._whole(execution_id, entry)
        shown = RunsFold(state.graph)
        shown.take(records)
        if state.version >= LONG:
            if entry is not None and entry.state is not None:
                entry.shown = shown
            elif state.is_closed:
                self._kept = Kept(execution_id, state, shown, self._clock.now() + KEPT_S)
        return state, shown

    async def _kept_of(self, execution_id: str) -> Kept | None:
        """Find what was folded of an execution a moment ago, unless something was appended since."""
        kept = self._kept
        if kept is None or kept.until <= self._clock.now():
            self._kept = None
            return None
        if kept.execution_id != execution_id:
            return None
        versions = await self._store.versions([execution_id])
        return kept if versions.get(execution_id) == kept.state.version else None

    async def events(self, execution_id: str, after: int, limit: int) -> Sequence[RecordedEvent]:
        """Read events after a number, oldest first."""
        entry = await self._newest(execution_id)
        if entry is not None and entry.is_whole:
            records: Sequence[Recorded] = entry.records
        else:
            records = await self._store.load(execution_id, after, limit)
            if not records and not await self._store.versions([execution_id]):
                raise NotFound("There is no such execution.", execution_id=execution_id)
        found: list[RecordedEvent] = []
        for record in records:
            if record.first + len(record.events) <= after:
                continue
            for number, event in enumerate(record.events, record.first):
                if number > after:
                    data: dict[str, Any] = msgspec.to_builtins(event)
                    data.pop("type", None)
                    data.pop("seed", None)  # resume tokens derive from it
                    data.pop("token", None)  # whoever holds one decides
                    found.append(RecordedEvent(number=number, type=tag(event), at=record.at, data=data))
                    if len(found) == limit:
                        return found
        return found

    async def explain(self, execution_id: str) -> Explanation:
        """Say what an execution waits for."""
        state = await self.state(execution_id)
        now = self._clock.now()
        return Explanation(
            execution_id=execution_id,
            status=state.status().value,
            summary=explain(state, now),
            version=state.version,
            drivers=drivers(state),
            late=await self._late.list(execution_id),
        )

    async def awaiting(self, workspace_id: str, names: Set[str], after: str) -> Sequence[str]:
        """List executions that await one of these events, a page in order of their ids."""
        return await self._store.awaiting(workspace_id, sorted(names), after, AWAITING_PAGE)

    async def projected(self, execution_ids: Sequence[str]) -> Sequence[Projected]:
        """Read what the projection writes for executions, in the order asked for."""
        versions = await self._stored_versions(execution_ids)
        asked = (self._projected(each, self._unless_behind(each, versions)) for each in execution_ids)
        return await asyncio.gather(*asked)

    async def _projected(self, execution_id: str, entry: Entry | None) -> Projected:
        state, records = await self._whole(execution_id, entry)
        start = state.start
        row = ExecutionRow(
            execution_id=execution_id,
            workspace_id=start.workspace_id,
            workflow_id=start.workflow_id,
            workflow_version=start.workflow_version,
            status=state.status().value,
            trigger_kind=start.trigger_kind,
            mode=start.mode,
            started_at=state.started_at,
            closed_at=state.closed_at if state.is_closed else None,
            version=state.version,
            error=closing_error(state.closed) if state.closed is not None else None,
            error_key=state.closed.key if isinstance(state.closed, WorkflowExecutionFailed) else "",
            origin=start.origin,
            parent_id=start.parent.execution_id if start.parent is not None else "",
        )
        runs = node_runs(state.graph, records) if state.is_closed or _sets_attributes(state) else ()
        row = msgspec.structs.replace(row, attributes=_attributes(start, runs))
        asked = approvals(state.graph, records) if has_approvals(state) else ()
        if not state.is_closed:
            return Projected(row=row, approvals=asked)
        nodes: Sequence[Json] = runs
        return Projected(row=row, nodes=nodes, logs=log_lines(records), approvals=asked)


def _runs(shown: RunsFold, part: Part) -> Sequence[NodeRun]:
    """List the node runs that a part has."""
    found = _later(shown.runs(), part.after)
    return newest_runs(found) if 0 < part.most < len(found) else found


def _later(found: Sequence[N], after: int) -> Sequence[N]:
    return [each for each in found if each.event > after] if after else found


def _sets_attributes(state: ExecutionState) -> bool:
    """Say whether any node of the workflow sets attributes."""
    return any(node.spec.type == NODE_TYPE for node in state.graph.nodes)


def _attributes(start: WorkflowExecutionStarted, runs: Sequence[NodeRun]) -> Mapping[str, Json]:
    """Say what an execution is found by: as it was started, and what its nodes said since."""
    said = [run for run in runs if run.node_type == NODE_TYPE and run.status == "success"]
    if not said:
        return start.attributes
    found = dict(start.attributes)
    for run in sorted(said, key=lambda run: run.event):
        found |= kept(run.output)
    return kept(found)
