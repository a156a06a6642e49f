"""Test runs: the draft, or a part of it, with an earlier execution's data and with pins."""

from linkflow.control.actor import Actor
from linkflow.control.executables import Executables
from linkflow.control.executions import WAIT_MS, Executions
from linkflow.control.plans import Plans
from linkflow.control.variables import Variables
from linkflow.domain.errors import Invalid, NotFound, PayloadTooLarge
from linkflow.domain.execution.partial import Part, part_of, pinned_overrides, unpinned
from linkflow.domain.execution.retry_from import finished_runs
from linkflow.domain.values import (
    INLINE_BYTES,
    OUTPUT_BYTES,
    Json,
    blob_of,
    blob_reference,
    decode_json,
    encode_json,
)
from linkflow.domain.workflow.spec import to_json
from linkflow.ports.outbound import BlobStore
from linkflow.ports.records import Records
from linkflow.ports.services import ExecutionView, Frontend, StartedExecution, StartExecution


class TestRuns:
    """Tries drafts, whole or in part; what is published is left alone."""

    __test__ = False  # its name is no test's

    def __init__(
        self,
        frontend: Frontend,
        records: Records,
        executables: Executables,
        executions: Executions,
        variables: Variables,
        blobs: BlobStore,
        plans: Plans,
    ) -> None:
        self._records, self._executables, self._executions = records, executables, executions
        self._variables, self._blobs, self._start = variables, blobs, plans.starter(frontend)

    async def run(
        self,
        actor: Actor,
        workflow_id: str,
        *,
        data: Json = None,
        has_data: bool = False,
        first: str = "",
        last: str = "",
        execution_id: str = "",
        request_key: str = "",
        wait_ms: int = 0,
    ) -> StartedExecution:
        """Run the draft, or only what is needed from one node to another; pins are taken.

        Args:
            actor: Who asks.
            workflow_id: Whose draft.
            data: What the trigger hands on.
            has_data: Whether `data` was given; else it is the execution's input, else what is pinned at
                the trigger.
            first: Node to begin with: what comes before it is taken from the execution and from pins. Empty
                for the trigger.
            last: Node to end with; empty for all that follows.
            execution_id: Whose data is used; empty for none.
            request_key: Idempotency key.
            wait_ms: How long to wait for the end.

        Raises:
            NotFound: No such workflow, node or execution.
            SpecInvalid: What is needed has errors; nothing was started.
            Invalid: The input does not match the workflow's schema; nothing was started.
        """
        actor.require("workflow.execute")
        workflow = await self._records.workflows.get(actor.workspace_id, workflow_id)
        view = await self._execution(actor, workflow_id, execution_id)
        draft = self._executables.shaped(decode_json(workflow.draft))
        if first or last:
            part = part_of(draft, finished_runs(view.nodes) if view else (), first=first, last=last)
        else:
            part = Part(draft, pinned_overrides(draft))
        spec = self._executables.sound(to_json(unpinned(part.spec)))
        if not has_data:
            data = (draft.trigger.pinned or {}).get("output") if view is None else view.input
        if (large := blob_of(data)) is not None:
            data = decode_json(await self._blobs.get(actor.workspace_id, large))
        key = f"{actor.user_id}:workflow:{workflow_id}:test-run:{request_key}" if request_key else ""
        return await self._start(
            StartExecution(
                workspace_id=actor.workspace_id,
                workflow_id=workflow_id,
                spec_hash=await self._executables.prepare(actor.workspace_id, spec),
                trigger=view.trigger if view else "",
                trigger_kind=view.trigger_kind if view else "api",
                input=data,
                request_id=key,
                mode="test",
                origin=execution_id,
                overrides=part.overrides,
                variables=await self._variables.of(actor.workspace_id),
                wait_ms=min(wait_ms, WAIT_MS),
            )
        )

    async def pin(
        self, actor: Actor, workflow_id: str, *, output: Json = None, execution_id: str = "", key: str = ""
    ) -> Json:
        """Make a pin of an output; it takes effect once it is saved with the draft.

        Args:
            actor: Who asks.
            workflow_id: The workflow.
            output: The output, unless an execution is named.
            execution_id: The execution whose node said it.
            key: Key of that node.

        Returns:
            `{"output": JSON, "handles"?: [str]}`; an output above 64 KB as a blob reference.

        Raises:
            NotFound: No such workflow, execution or node run.
            PayloadTooLarge: It is beyond 10 MB.
        """
        actor.require("workflow.update")
        await self._records.workflows.get(actor.workspace_id, workflow_id)
        view = await self._execution(actor, workflow_id, execution_id)
        if view is None:
            return {"output": await self._stored(actor, output)}
        run = next((run for run in reversed(view.nodes) if key in (run.key, run.node_id)), None)
        if run is None or run.status != "success":
            raise NotFound(f"The execution has no output of {key!r}; run the node first.", key=key)
        return {"output": await self._renewed(actor, run.output), "handles": list(run.handles or ("out",))}

    async def _renewed(self, actor: Actor, output: Json) -> Json:
        """Put a large value again, so that it is as young as the draft that will name it."""
        if (large := blob_of(output)) is None:
            return output
        return await self._stored(actor, decode_json(await self._blobs.get(actor.workspace_id, large)))

    async def _stored(self, actor: Actor, output: Json) -> Json:
        data = encode_json(output)
        if len(data) > OUTPUT_BYTES:
            raise PayloadTooLarge(f"The output has {len(data)} bytes; the limit is {OUTPUT_BYTES}.")
        if len(data) <= INLINE_BYTES:
            return output
        return blob_reference(await self._blobs.put(actor.workspace_id, data), len(data))

    async def _execution(self, actor: Actor, workflow_id: str, execution_id: str) -> ExecutionView | None:
        """Read the execution whose data is used; None for none."""
        if not execution_id:
            return None
        view = await self._executions.read(actor, execution_id)
        if view.workflow_id != workflow_id:
            raise Invalid(
                "The execution is of another workflow; name one of this one.", code="test_run.workflow"
            )
        return view
