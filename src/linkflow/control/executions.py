"""Executions: start, wait, read, list, signal, decide, cancel, try again."""

from collections.abc import Mapping

import msgspec

from linkflow.control.actor import Actor
from linkflow.control.executables import Executables
from linkflow.control.plans import Plans
from linkflow.control.variables import Variables
from linkflow.domain.errors import Invalid, Kind, NodeError, NotFound
from linkflow.domain.execution.retry_from import finished_runs, nodes_again, retry_overrides
from linkflow.domain.execution.spending import KEY as BUDGET
from linkflow.domain.values import Json, blob_of, decode_json, is_execution_id
from linkflow.domain.workflow.spec import ErrorHandling, WorkflowSpec, parse
from linkflow.ports.clock import IdSource
from linkflow.ports.outbound import BlobStore
from linkflow.ports.records import Records
from linkflow.ports.services import (
    ExecutionPage,
    ExecutionQuery,
    ExecutionView,
    Explanation,
    Frontend,
    PublishedWorkflow,
    ResolveWait,
    SignalExecution,
    StartedExecution,
    StartExecution,
    Visibility,
)
from linkflow.ports.stores import SpecStore
from linkflow.ports.views import RUNS, Part
from linkflow.telemetry import about

WAIT_MS = 60_000
"""Longest that a request waits for the end of an execution."""

ACTIONS = ("done", "approved", "rejected", "retry", "fail")


class InlineStart(msgspec.Struct, frozen=True, kw_only=True):
    """A spec to run at once, without saving it as a workflow (seed 002)."""

    workflow: Json
    payload: Json = None
    session_id: str = ""
    max_execution_time_ms: int = 0
    continue_on_error: bool = False
    wait_ms: int = 0
    request_key: str = ""


class Executions:
    """What people do with executions."""

    def __init__(
        self,
        frontend: Frontend,
        visibility: Visibility,
        specs: SpecStore,
        records: Records,
        executables: Executables,
        variables: Variables,
        blobs: BlobStore,
        ids: IdSource,
        plans: Plans,
    ) -> None:
        self._frontend, self._visibility, self._specs = frontend, visibility, specs
        self._records, self._executables, self._variables = records, executables, variables
        self._blobs, self._ids, self._start = blobs, ids, plans.starter(frontend)

    async def start(
        self,
        actor: Actor,
        workflow_id: str,
        *,
        data: Json = None,
        wait_ms: int = 0,
        request_key: str = "",
        version: int | None = None,
        mode: str = "production",
        kind: str = "api",
        attributes: Mapping[str, Json] | None = None,
    ) -> StartedExecution:
        """Start a version of a workflow (0: the draft), else the published one. Safe to repeat with a key.

        Raises:
            NotFound: No such workflow or version.
            SpecInvalid: The draft has errors; nothing was started.
            Invalid: The input does not match the workflow's schema; nothing was started.
            Overloaded: Try again later; nothing was started.
        """
        actor.require("workflow.execute")
        if version is None:
            found = self._executables.known(actor.workspace_id, workflow_id)
            found = found or await self._executables.published(actor.workspace_id, workflow_id)
        else:
            found = await self._executables.of_version(actor.workspace_id, workflow_id, version)
        key = f"{actor.user_id}:workflow:{workflow_id}:execute:{request_key}" if request_key else ""
        how = {"request_id": key, "mode": mode}
        return await self.launch(found, kind=kind, data=data, wait_ms=wait_ms, attributes=attributes, **how)

    async def launch(
        self,
        found: PublishedWorkflow,
        *,
        kind: str,
        data: Json,
        trigger: str = "",
        request_id: str = "",
        execution_id: str = "",
        wait_ms: int = 0,
        mode: str = "production",
        attributes: Mapping[str, Json] | None = None,
    ) -> StartedExecution:
        """Start what was found, for whatever reason; no permission is asked here."""
        started = await self._start(
            StartExecution(
                workspace_id=found.workspace_id,
                workflow_id=found.workflow_id,
                workflow_version=found.workflow_version,
                spec_hash=found.spec_hash,
                trigger=trigger,
                trigger_kind=kind,
                input=data,
                request_id=request_id,
                execution_id=execution_id,
                mode=mode,
                variables=await self._variables.of(found.workspace_id),
                wait_ms=min(wait_ms, WAIT_MS),
                attributes=attributes or {},
            )
        )
        about(execution_id=started.execution_id)
        return started

    async def start_inline(self, actor: Actor, start: InlineStart) -> StartedExecution:
        """Run a spec at once; it becomes an immutable one named by its content.

        Raises:
            SpecInvalid: It has errors; nothing was started.
        """
        actor.require("workflow.execute")
        spec = self._executables.sound(start.workflow)
        if start.continue_on_error:
            handling = msgspec.structs.replace(spec.error_handling, continue_on_error=True)
            spec = msgspec.structs.replace(spec, error_handling=handling)
        assert isinstance(spec.error_handling, ErrorHandling)
        spec_hash = await self._executables.prepare(actor.workspace_id, spec)
        workflow_id = spec.metadata.workflow_id or f"inline-{spec_hash[:16]}"
        key = f"{actor.user_id}:workflow:{workflow_id}:execute:{start.request_key}"
        return await self._start(
            StartExecution(
                workspace_id=actor.workspace_id,
                workflow_id=workflow_id,
                spec_hash=spec_hash,
                trigger_kind="api",
                input=start.payload,
                request_id=key if start.request_key else "",
                timeout_ms=start.max_execution_time_ms,
                session={"sessionId": start.session_id} if start.session_id else None,
                variables=await self._variables.of(actor.workspace_id),
                wait_ms=min(start.wait_ms, WAIT_MS),
            )
        )

    async def read(self, actor: Actor, execution_id: str, part: Part = RUNS) -> ExecutionView:
        """Read one execution with its nodes, or a part; one in the inbox is `queued` before it starts.

        Raises:
            NotFound: No such execution in the actor's workspace.
        """
        actor.require("execution.view")
        if not is_execution_id(execution_id):
            raise _missing(execution_id)
        try:
            view = await self._frontend.view(execution_id, part)
        except NotFound:
            view = await self._promised(actor.workspace_id, execution_id)
        if view.workspace_id != actor.workspace_id:
            raise _missing(execution_id)
        return view

    async def _promised(self, workspace_id: str, execution_id: str) -> ExecutionView:
        """Show an execution that is in the inbox: it starts soon, or never because the engine refused it."""
        event = await self._records.trigger_events.of_execution(workspace_id, execution_id)
        if event is None:
            raise _missing(execution_id)
        start = next(start for start in event.starts if start.execution_id == execution_id)
        refusal = None
        if event.state == "refused":
            refusal = NodeError(code="trigger.refused", kind=Kind.VALIDATION, message=event.reason)
        return ExecutionView(
            execution_id=execution_id,
            workspace_id=event.workspace_id,
            workflow_id=start.workflow_id,
            workflow_version=start.workflow_version,
            spec_hash=start.spec_hash,
            status="queued" if refusal is None else "failed",
            version=0,
            trigger_kind=event.kind,
            started_at=event.at_ms / 1000,
            closed_at=None if refusal is None else event.at_ms / 1000,
            error=refusal,
        )

    async def list(self, actor: Actor, query: ExecutionQuery) -> ExecutionPage:
        """List executions, newest first."""
        actor.require("execution.view")
        return await self._visibility.list(query)

    async def newest(self, actor: Actor, limit: int) -> ExecutionPage:
        """List the newest executions."""
        return await self.list(actor, ExecutionQuery(workspace_id=actor.workspace_id, limit=limit))

    async def explain(self, actor: Actor, execution_id: str) -> Explanation:
        """Say what an execution waits for; tokens only to those who may decide."""
        view = await self.read(actor, execution_id)
        if not view.version:
            return Explanation(
                execution_id=execution_id,
                status=view.status,
                summary=(
                    "It is in the webhook's inbox and starts as soon as there is room."
                    if view.error is None
                    else f"It never started: {view.error.message}"
                ),
                version=0,
            )
        return await self._frontend.explain(execution_id)

    async def output(self, actor: Actor, execution_id: str, key: str, number: int = 1) -> Json:
        """Read the whole output of a node, large ones from the blob store.

        Args:
            actor: Who asks.
            execution_id: Which execution.
            key: Node key, or node id.
            number: Which run of the node, from 1, when `key` is a node id.

        Raises:
            NotFound: The node did not run.
        """
        view = await self.read(actor, execution_id)
        exact = [run for run in view.nodes if run.key == key]
        of_node = [run for run in view.nodes if run.node_id == key]
        found = of_node[number - 1 : number] if number > 1 or not exact else exact
        if not found:
            raise NotFound(f"The execution has no run {number} of node {key!r}.", key=key)
        sha256 = blob_of(found[0].output)
        if sha256 is None:
            return found[0].output
        return decode_json(await self._blobs.get(view.workspace_id, sha256))

    async def wait(self, actor: Actor, execution_id: str, wait_ms: int) -> StartedExecution:
        """Wait until an execution is over, at most `wait_ms`."""
        await self.read(actor, execution_id)
        return await self._frontend.wait(execution_id, min(wait_ms, WAIT_MS))

    async def signal(
        self, actor: Actor, execution_id: str, *, name: str, match: str, data: Json, signal_id: str = ""
    ) -> None:
        """Send a message to an execution. Safe to repeat with an id.

        Raises:
            ExecutionClosed: It is over.
        """
        actor.require("workflow.execute")
        await self.read(actor, execution_id)
        await self._frontend.signal(
            SignalExecution(
                execution_id=execution_id, id=signal_id or self._ids.uuid(), name=name, match=match, data=data
            )
        )

    async def resolve(self, actor: Actor, execution_id: str, *, key: str, action: str, data: Json) -> None:
        """Decide an approval or an unknown outcome.

        Raises:
            Invalid: No such action.
            NotFound: Nothing is open under this key.
            ExecutionClosed: It is over.
        """
        actor.require("approval.decide")
        if key == BUDGET:
            raise Invalid("Decide about a budget at POST /executions/{id}/budget.", code="wait.action")
        if action not in ACTIONS:
            raise Invalid(f"There is no decision {action!r}; say one of {', '.join(ACTIONS)}.")
        await self.read(actor, execution_id)
        await self._frontend.resolve(
            ResolveWait(execution_id=execution_id, key=key, action=action, data=data, by=actor.email)
        )

    async def cancel(self, actor: Actor, execution_id: str, reason: str) -> None:
        """Ask an execution to end, with a grace period. Safe to repeat."""
        actor.require("execution.cancel")
        await self.read(actor, execution_id)
        await self._frontend.cancel(execution_id, reason, actor.email)

    async def terminate(self, actor: Actor, execution_id: str, reason: str) -> None:
        """End an execution at once. Safe to repeat."""
        actor.require("execution.cancel")
        await self.read(actor, execution_id)
        await self._frontend.terminate(execution_id, reason, actor.email)

    async def release(self, actor: Actor, execution_id: str) -> None:
        """Let a quarantined execution try again."""
        actor.require("execution.retry")
        await self.read(actor, execution_id)
        await self._frontend.release(execution_id, actor.email)

    async def explanation(self, execution_id: str) -> Explanation:
        """Say what an execution waits for, to the scheduler, which belongs to no workspace."""
        return await self._frontend.explain(execution_id)

    async def spec(self, actor: Actor, execution_id: str) -> tuple[ExecutionView, WorkflowSpec]:
        """Read an execution with the spec that it is pinned to."""
        view = await self.read(actor, execution_id)
        return view, await self._spec(view)

    async def _spec(self, runs: ExecutionView | PublishedWorkflow) -> WorkflowSpec:
        return parse(decode_json(await self._specs.get(runs.workspace_id, runs.spec_hash)))

    async def _of_today(self, view: ExecutionView) -> PublishedWorkflow:
        """Prepare what a workflow runs today: the draft for a test, else what is published."""
        if view.mode == "test" or not view.workflow_version:
            return await self._executables.of_version(view.workspace_id, view.workflow_id, 0)
        return await self._executables.published(view.workspace_id, view.workflow_id)

    async def retry(
        self,
        actor: Actor,
        execution_id: str,
        *,
        from_node: str = "",
        data: Json = None,
        has_data: bool = False,
        request_key: str = "",
        new_id: str = "",
        wait_ms: int = 0,
        is_current: bool = False,
    ) -> StartedExecution:
        """Start a new execution that takes over what earlier nodes said and runs the rest again.

        Args:
            actor: Who asks.
            execution_id: The execution before; it stays as it is.
            from_node: Node id or key to begin with; empty means the nodes that did not end well.
            data: The new input.
            has_data: Whether `data` replaces the input; everything runs again then, unless a node is named.
            request_key: Idempotency key.
            new_id: Id of the new execution, which then starts once; made up when empty.
            wait_ms: How long to wait for the end.
            is_current: It runs the workflow as it is today, not as it was: the draft for a test, else what
                is published.

        Raises:
            NotFound: The execution has no such node.
            SpecInvalid: The workflow of today cannot run; nothing was started.
        """
        actor.require("execution.retry")
        view = await self.read(actor, execution_id)
        runs = await self._of_today(view) if is_current else view
        spec = await self._spec(runs)
        finished = finished_runs(view.nodes)
        again = {spec.trigger.id} if has_data and not from_node else nodes_again(spec, view.nodes, from_node)
        key = f"{actor.user_id}:execution:{execution_id}:retry:{request_key}" if request_key else ""
        return await self._start(
            StartExecution(
                workspace_id=runs.workspace_id,
                workflow_id=runs.workflow_id,
                workflow_version=runs.workflow_version,
                spec_hash=runs.spec_hash,
                trigger=view.trigger,
                trigger_kind="retry",
                execution_id=new_id,
                input=data if has_data else view.input,
                request_id=key,
                mode=view.mode,
                origin=view.execution_id,
                overrides=retry_overrides(spec, finished, again),
                variables=await self._variables.of(view.workspace_id),
                wait_ms=min(wait_ms, WAIT_MS),
            )
        )


def _missing(execution_id: str) -> NotFound:
    """Say that there is no such execution, or that it may not be seen."""
    return NotFound("There is no such execution.", execution_id=execution_id)
