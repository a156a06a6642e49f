"""Previews: what an expression gives at a node, and what there is to name, without running anything.

The engine's own decider and evaluator answer (`domain.execution.preview`), with the data of an execution, of
pins, or as handed in. Secrets are never opened here: where one would stand, the answer has dots.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from linkflow.control.actor import Actor
from linkflow.control.executables import Executables
from linkflow.control.executions import Executions
from linkflow.control.variables import Variables
from linkflow.domain.errors import LinkFlowError, NotFound
from linkflow.domain.execution.events import WorkflowExecutionStarted
from linkflow.domain.execution.partial import ALWAYS, pinned_overrides
from linkflow.domain.execution.preview import Standing, preview_graph, standing_at
from linkflow.domain.execution.scope import NeedsBlobs
from linkflow.domain.node import Catalog
from linkflow.domain.outline import Outliner, shortened, step, type_of
from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.domain.workflow.spec import Node, WorkflowSpec
from linkflow.domain.workflow.template import Credential, SealedText, compile_expression, compile_template
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Prepared
from linkflow.ports.outbound import BlobStore
from linkflow.ports.records import Records
from linkflow.ports.services import ExecutionView

KEPT_S = 20.0
SHOWN_BYTES = 16 * 1024
"""A longer value is shown shortened."""

LARGE_VALUES = 50
"""Blobs that one question may open."""

DOTS = "••••••"
_FAILED = frozenset({"error", "timeout"})
_ROOTS = ("trigger", "input", "loop", "vars", "execution", "workflow", "session")

T = TypeVar("T")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where expressions stand, and with whose data.

    Attributes:
        workflow_id: The workflow; its draft says what leads to the node.
        node_id: The node whose parameters hold the expressions.
        execution_id: Whose data is used; empty for none.
        run: Which run of the node in that execution, where a loop ran it often: its number from 1, or its
            key; otherwise the last that failed, else the last.
        trigger: The trigger's data instead of the execution's; UNSET leaves it.
        outputs: `{"<node id>": JSON}` instead of what the execution says.
    """

    workflow_id: str
    node_id: str
    execution_id: str = ""
    run: str = ""
    trigger: Json = msgspec.UNSET
    outputs: Mapping[str, Json] = {}


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """What one expression gave.

    Attributes:
        value: The value, secrets as dots, shortened when `is_cut`.
        type: text, number, boolean, list, object or null.
        error: `{"code", "message", "position"?, "path"?, "nearest"?, "expression"?}`, or None.
    """

    value: Json = None
    type: str = "null"
    is_cut: bool = False
    error: Mapping[str, Json] | None = None


class RunOfNode(msgspec.Struct, frozen=True, kw_only=True):
    """The run of a node whose data is used: its key and status, and the how manieth of how many it is."""

    key: str
    status: str
    number: int
    count: int


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a node's expressions can name.

    Attributes:
        key: The key that the node would run under.
        roots: Where names begin, described; the nearest node first.
        run: The run of the node whose data it is; None where it did not run.
    """

    key: str
    roots: Sequence[Json]
    run: RunOfNode | None


class Previews:
    """Evaluates expressions for people who write them."""

    def __init__(
        self,
        records: Records,
        executables: Executables,
        executions: Executions,
        catalog: Catalog,
        variables: Variables,
        blobs: BlobStore,
        prepared: Prepared,
        clock: Clock,
    ) -> None:
        self._records, self._executables, self._executions = records, executables, executions
        self._catalog, self._variables, self._blobs = catalog, variables, blobs
        self._prepared, self._clock = prepared, clock

    async def evaluate(
        self, actor: Actor, place: Place, texts: Sequence[Json], *, are_bare: bool
    ) -> tuple[str, Sequence[Evaluated]]:
        """Evaluate expressions one by one, as the node itself would.

        Args:
            actor: Who asks.
            place: Where they stand.
            texts: Values of parameters, `{{ }}` around what is an expression.
            are_bare: They are expressions without braces, as conditions are.

        Returns:
            The key that the node would run under, and for each text what it gave.

        Raises:
            NotFound: No such workflow, node or execution.
            SpecInvalid: What leads to the node cannot run yet.
        """
        standing, _ = await self._standing(actor, place)
        found = []
        for text in texts:

            def evaluated(text: Json = text) -> Evaluated:
                return _evaluated(standing, text, is_bare=are_bare)

            found.append(await self._with_blobs(actor, standing, evaluated))
        return standing.key, found

    async def scope(self, actor: Actor, place: Place) -> Scope:
        """Describe all that the node's expressions can name.

        Raises:
            NotFound: No such workflow, node or execution.
            SpecInvalid: What leads to the node cannot run yet.
        """
        standing, run = await self._standing(actor, place)
        roots = await self._with_blobs(actor, standing, lambda: _described(standing))
        return Scope(key=standing.key, roots=roots, run=run)

    async def _standing(self, actor: Actor, place: Place) -> tuple[Standing, RunOfNode | None]:
        """Find where the node stands; kept for a moment, because people type."""
        actor.require("workflow.view")
        workflow = await self._records.workflows.get(actor.workspace_id, place.workflow_id)
        view = await self._executions.read(actor, place.execution_id) if place.execution_id else None
        if view is not None and view.workflow_id != place.workflow_id:
            raise NotFound("The execution is of another workflow.", execution_id=place.execution_id)
        run = run_of(view, place.node_id, place.run) if view is not None else None
        key = run.key if run is not None else ""
        plain = place.trigger is msgspec.UNSET and not place.outputs
        version = (
            f"{workflow.revision}:{place.node_id}:{place.execution_id}:{view.version if view else 0}:{key}"
        )
        name = f"preview:{workflow.workspace_id}:{workflow.id}:{version}"
        found: Standing | None = self._prepared.get(name) if plain else None
        if found is None:
            spec = self._executables.shaped(decode_json(workflow.draft))
            started = await self._started(actor, place, spec, view)
            graph = await asyncio.to_thread(preview_graph, spec, place.node_id, self._catalog)
            blobs: dict[str, Json] = {}
            now = self._clock.now()

            def stand() -> Standing:
                return standing_at(graph, place.node_id, started, place.execution_id, now, blobs, key)

            found = await self._with_blobs(actor, blobs, stand)
            if plain:
                self._prepared.put(name, found, KEPT_S)
        return found, run

    async def _started(
        self, actor: Actor, place: Place, spec: WorkflowSpec, view: ExecutionView | None
    ) -> WorkflowExecutionStarted:
        """Make up the first event: what is handed in counts before pins, and they before the execution."""
        overrides: dict[str, Json] = {}
        data: Json = (spec.trigger.pinned or {}).get("output")
        if view is not None:
            data = view.input
            overrides = {
                run.key: {"output": run.output, "handles": list(run.handles)}
                for run in view.nodes
                if run.status == "success" and run.node_id != spec.trigger.id
            }
        overrides |= pinned_overrides(spec)
        overrides |= {f"{node_id}{ALWAYS}": {"output": value} for node_id, value in place.outputs.items()}
        return WorkflowExecutionStarted(
            workspace_id=actor.workspace_id,
            workflow_id=place.workflow_id,
            spec_hash="",
            workflow_version=view.workflow_version if view else 0,
            trigger=view.trigger if view else "",
            trigger_kind=view.trigger_kind if view else "api",
            input=data if place.trigger is msgspec.UNSET else place.trigger,
            mode=view.mode if view else "test",
            overrides=overrides,
            variables=await self._variables.of(actor.workspace_id),
        )

    async def _with_blobs(
        self, actor: Actor, holder: "Standing | dict[str, Json]", ask: Callable[[], T]
    ) -> T:
        """Ask beside the event loop, and fetch large values until there is an answer.

        Raises:
            NotFound: It needs more of them than one question may open.
        """
        blobs = holder if isinstance(holder, dict) else holder.blobs
        assert isinstance(blobs, dict)
        for _ in range(LARGE_VALUES):
            try:
                return await asyncio.to_thread(ask)
            except NeedsBlobs as needed:
                data = await self._blobs.get(actor.workspace_id, needed.sha256)
                blobs[needed.sha256] = decode_json(data)
        raise NotFound(f"The preview would open more than {LARGE_VALUES} large values; name fewer of them.")


def run_of(view: ExecutionView, node_id: str, wanted: str) -> RunOfNode | None:
    """Find the run of a node that is wanted, by number or key; else the last that failed, else the last."""
    runs = [run for run in view.nodes if run.node_id == node_id]
    if not runs:
        return None
    chosen = next((at for at, run in enumerate(runs) if run.key == wanted), -1)
    if chosen < 0 and wanted.isascii() and wanted.isdigit() and 0 < int(wanted) <= len(runs):
        chosen = int(wanted) - 1
    if chosen < 0:
        failed = [at for at, run in enumerate(runs) if run.status in _FAILED]
        chosen = failed[-1] if failed else len(runs) - 1
    run = runs[chosen]
    return RunOfNode(key=run.key, status=run.status, number=chosen + 1, count=len(runs))


def _evaluated(standing: Standing, text: Json, *, is_bare: bool) -> Evaluated:
    try:
        template = compile_expression(str(text)) if is_bare else compile_template(text)
        value = _redacted(template.render(standing.scope()))
    except LinkFlowError as error:
        return Evaluated(error={"code": error.code, "message": str(error), **error.details})
    is_cut = len(encode_json(value)) > SHOWN_BYTES
    return Evaluated(value=shortened(value) if is_cut else value, type=type_of(value), is_cut=is_cut)


def _redacted(value: Json) -> Json:
    """Put dots where secrets stand; an opened one never comes here."""
    if isinstance(value, Credential):
        return DOTS
    if isinstance(value, SealedText):
        return "".join(part if isinstance(part, str) else DOTS for part in value.parts)
    if isinstance(value, dict):
        return {name: _redacted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    return value


def _described(standing: Standing) -> Sequence[Json]:
    """Describe the roots and the nodes before; the nearest node first."""
    scope, outliner = standing.scope(), Outliner()
    found: list[Json] = []
    for name in _ROOTS:
        try:
            value = scope.root(name)
        except KeyError:
            continue
        found.append({"kind": name, **outliner.describe(value, name)})
    for node, output in reversed(list(standing.outputs())):
        value = scope.open(output)
        described = outliner.describe(value, _path(node))
        found.append({"kind": "node", "node_id": node.id, "label": node.label, **described})
    return found


def _path(node: Node) -> str:
    """Write how expressions name a node's output."""
    return (
        f"node_{node.id}.output"
        if node.id.replace("_", "a").isalnum()
        else step("$node", node.id) + ".output"
    )
