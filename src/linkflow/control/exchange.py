"""Workflows in and out: import of known shapes, export, validation and compilation without saving."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.executables import Executables
from linkflow.control.workflows import Workflows
from linkflow.domain.errors import Invalid
from linkflow.domain.node import Catalog
from linkflow.domain.values import Json, canonical, decode_json
from linkflow.domain.workflow.check import check
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.imports import Imported, import_workflows
from linkflow.domain.workflow.references import redirected
from linkflow.domain.workflow.spec import Problem, Severity, to_json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.records import Records, Workflow

EXPORT_VERSION = "1.0"
BUNDLE = 100
NAME_CHARACTERS = 255


class Verdict(msgspec.Struct, frozen=True):
    """Whether a spec can run, with every problem."""

    errors: Sequence[Problem]
    warnings: Sequence[Problem]

    @property
    def is_valid(self) -> bool:
        """Whether nothing stops it from running."""
        return not self.errors


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One workflow of an import: what it became, or why not; and what was changed or left out.

    Attributes:
        spec: What it would become, where nothing was kept.
    """

    name: str
    workflow: Workflow | None = None
    shape: str = ""
    error: str = ""
    notes: Sequence[Problem] = ()
    problems: Sequence[Problem] = ()
    spec: Json = None


class Exchange:
    """Bring workflows in and take them out."""

    def __init__(
        self,
        records: Records,
        workflows: Workflows,
        executables: Executables,
        catalog: Catalog,
        audit: Audit,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._records, self._workflows, self._executables = records, workflows, executables
        self._catalog, self._audit = catalog, audit
        self._clock, self._ids = clock, ids

    def validate(self, actor: Actor, raw: Json) -> Verdict:
        """List every problem of a spec, without saving it."""
        actor.require("workflow.view")
        try:
            found = self._executables.problems(self._readable(raw))
        except Invalid as error:
            found = [Problem(code="SCHEMA_VALIDATION_ERROR", message=str(error))]
        return Verdict(
            errors=[problem for problem in found if problem.severity is Severity.ERROR],
            warnings=[problem for problem in found if problem.severity is not Severity.ERROR],
        )

    def _readable(self, raw: Json) -> Json:
        """Read a spec of another shape as one of ours; ours stays as it was written."""
        if isinstance(raw, dict) and not isinstance(raw.get("trigger"), dict) and raw.get("nodes"):
            return to_json(self._executables.shaped(raw))
        return raw

    def compile(self, actor: Actor, raw: Json) -> tuple[Verdict, Json]:
        """Compile a spec: `{"spec_hash", "trigger", "nodes", "edges"}`; None with errors."""
        verdict = self.validate(actor, raw)
        if not verdict.is_valid:
            return verdict, None
        spec = self._executables.sound(raw)
        return verdict, shown_graph(ExecutionGraph(spec, self._catalog))

    async def export(self, actor: Actor, workflow_id: str) -> Json:
        """Take a workflow out: `{"version", "exported_at", "workflow": {"name", …, "spec"}}`."""
        actor.require("workflow.export")
        workflow = await self._workflows.read(actor, workflow_id)
        await self._audit.note(self._records.ledger, actor, "workflow.export", f"workflow:{workflow_id}")
        return {
            "version": EXPORT_VERSION,
            "exported_at": self._clock.now(),
            "workflow": exported(workflow),
        }

    async def export_many(self, actor: Actor, workflow_ids: Sequence[str]) -> Json:
        """Take several workflows out, as one bundle."""
        actor.require("workflow.export")
        found = [await self._workflows.read(actor, workflow_id) for workflow_id in workflow_ids]
        await self._audit.note(
            self._records.ledger,
            actor,
            "workflow.export",
            f"workspace:{actor.workspace_id}",
            workflows=[each.id for each in found],
        )
        return {
            "version": EXPORT_VERSION,
            "exported_at": self._clock.now(),
            "workflows": [exported(workflow) for workflow in found],
        }

    async def bring_in(self, actor: Actor, document: Json, *, is_dry: bool = False) -> Sequence[Arrival]:
        """Import one workflow or a bundle, of any known shape. Each arrives inactive, under a free name.

        A workflow with problems arrives as a draft; what has no known shape does not, the others do.

        Args:
            actor: Who asks.
            document: The JSON of the file.
            is_dry: Keep nothing; say what would come.

        Raises:
            Invalid: Nothing in it is a workflow.
        """
        actor.require("workflow.create")
        items = entries(document)
        found: list[tuple[str, Imported | str]] = []
        for number, item in enumerate(items, 1):
            try:
                read = import_workflows(opened(item), self._catalog)
                found += [(name_of(item), imported) for imported in read]
            except Invalid as error:
                if len(items) == 1:
                    raise
                found.append((name_of(item) or f"#{number}", str(error)))
        if is_dry:
            return [self._seen(imported, name) for name, imported in found]
        new_ids = [self._ids.uuid() for _ in found]
        moved = {
            imported.spec.metadata.workflow_id: new_id
            for (_, imported), new_id in zip(found, new_ids, strict=True)
            if not isinstance(imported, str) and imported.spec.metadata.workflow_id
        }
        return [
            Arrival(name=name, error=imported)
            if isinstance(imported, str)
            else await self._keep(actor, imported, name, new_id, moved)
            for (name, imported), new_id in zip(found, new_ids, strict=True)
        ]

    def _seen(self, imported: Imported | str, name: str) -> Arrival:
        """Say what one workflow would become."""
        if isinstance(imported, str):
            return Arrival(name=name, error=imported)
        return Arrival(
            name=name or imported.spec.metadata.name,
            shape=imported.shape,
            notes=imported.notes,
            problems=check(imported.spec, self._catalog),
            spec=to_json(imported.spec),
        )

    async def _keep(
        self, actor: Actor, imported: Imported, given: str, new_id: str, moved: Mapping[str, str]
    ) -> Arrival:
        """Write one imported workflow; references to those that came with it follow them."""
        now = self._clock.now()
        spec = redirected(imported.spec, moved, self._catalog)
        name = (given or imported.spec.metadata.name or "Imported workflow")[:NAME_CHARACTERS]
        workflow = Workflow(
            id=new_id,
            workspace_id=actor.workspace_id,
            name=await self._workflows.free_name(actor, name),
            draft=canonical(to_json(spec)),
            description=imported.spec.metadata.description,
            tags=list(imported.spec.metadata.tags),
            created_at=now,
            updated_at=now,
            created_by=actor.user_id,
        )
        async with self._records.transaction() as records:
            await records.workflows.add(workflow)
            await self._audit.note(
                records.ledger, actor, "workflow.import", f"workflow:{workflow.id}", shape=imported.shape
            )
        return Arrival(
            name=workflow.name,
            workflow=workflow,
            shape=imported.shape,
            notes=imported.notes,
            problems=check(spec, self._catalog),
        )


def entries(document: Json) -> Sequence[Json]:
    """List the workflows of a document: a bundle, a list, or one.

    Raises:
        Invalid: There is none, or there are too many.
    """
    if isinstance(document, dict) and isinstance(document.get("workflows"), list):
        document = document["workflows"]
    found = document if isinstance(document, list) else [document]
    if not found or not all(isinstance(item, dict) for item in found):
        raise Invalid("There is no workflow in it.", code="import.unknown")
    if len(found) > BUNDLE:
        raise Invalid(f"A bundle has at most {BUNDLE} workflows.", code="import.too_large")
    return found


def opened(item: Json) -> Json:
    """Take the spec out of our own export; anything else stays as it is."""
    found = item.get("workflow") if isinstance(item.get("workflow"), dict) else item
    return found["spec"] if isinstance(found.get("spec"), dict) else item


def name_of(item: Mapping[str, Json]) -> str:
    """Read what a workflow is called where it comes from; empty when nobody says."""
    inner = item.get("workflow") if isinstance(item.get("workflow"), dict) else {}
    name = item.get("name") or (inner or {}).get("name") or ""
    return name if isinstance(name, str) else ""


def exported(workflow: Workflow) -> Json:
    """Say a workflow; its id stays in the metadata, so that references within a bundle can follow it."""
    spec = decode_json(workflow.draft)
    metadata = spec.get("metadata") or {}
    return {
        "name": workflow.name,
        "description": workflow.description,
        "tags": list(workflow.tags),
        "spec": spec | {"metadata": metadata | {"workflowId": workflow.id}},
    }


def shown_graph(graph: ExecutionGraph) -> Json:
    """Say a compiled graph."""
    return {
        "spec_hash": graph.spec_hash,
        "trigger": graph.nodes[0].id,
        "nodes": [
            {
                "id": node.id,
                "type": f"{node.spec.type}@{node.spec.version}",
                "class": str(node.spec.node_class),
            }
            for node in graph.nodes
        ],
        "edges": [
            {
                "id": edge.id,
                "source": graph.nodes[edge.source].id,
                "target": graph.nodes[edge.target].id,
                "handle": edge.handle,
            }
            for edge in graph.edges
        ],
    }
