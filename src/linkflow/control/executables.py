"""Which spec a workflow runs: its published version, else its draft. Kept at hand for the hot paths."""

from collections.abc import Sequence

import msgspec

from linkflow.domain.errors import SpecInvalid
from linkflow.domain.execution.partial import unpinned
from linkflow.domain.node import Catalog
from linkflow.domain.values import Json, decode_json
from linkflow.domain.workflow.check import check_json, require_valid
from linkflow.domain.workflow.imports import import_workflows
from linkflow.domain.workflow.spec import (
    Problem,
    Severity,
    WorkflowSpec,
    canonical_spec,
    content_hash,
    parse,
)
from linkflow.ports.coordination import Cache, Prepared
from linkflow.ports.records import Records
from linkflow.ports.services import PublishedWorkflow
from linkflow.ports.stores import SpecStore

KEPT_S = 300.0
CHANGED_S = 30.0


class Executables:
    """Find and prepare what executions run; the engine's `WorkflowDirectory`."""

    def __init__(
        self, records: Records, specs: SpecStore, catalog: Catalog, prepared: Prepared, cache: Cache
    ) -> None:
        self._records, self._specs, self._catalog = records, specs, catalog
        self._prepared, self._cache = prepared, cache

    def known(self, workspace_id: str, workflow_id: str) -> PublishedWorkflow | None:
        """Find what was prepared a moment ago, without waiting."""
        found: PublishedWorkflow | None = self._prepared.get(f"executable:{workspace_id}:{workflow_id}")
        return found

    async def published(self, workspace_id: str, workflow_id: str) -> PublishedWorkflow:
        """Prepare a workflow's published version, else its draft.

        Raises:
            NotFound: No such workflow in this workspace.
            SpecInvalid: The draft has problems that must be mended first.
        """
        found = self.known(workspace_id, workflow_id) or await self._cached(workspace_id, workflow_id)
        if found is None:
            found = await self._read(workspace_id, workflow_id)
        self._prepared.put(f"executable:{workspace_id}:{workflow_id}", found, KEPT_S)
        return found

    async def _cached(self, workspace_id: str, workflow_id: str) -> PublishedWorkflow | None:
        """Find what any process read from the records a while ago (D40)."""
        kept = await self._cache.get(f"workflow:{workflow_id}")
        if not isinstance(kept, dict) or kept.get("workspace_id") != workspace_id:
            return None
        return PublishedWorkflow(
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            spec_hash=kept["spec_hash"],
            workflow_version=kept["workflow_version"],
        )

    async def _read(self, workspace_id: str, workflow_id: str) -> PublishedWorkflow:
        """Read a workflow from the records, and let every process know of its published version."""
        workflow = await self._records.workflows.get(workspace_id, workflow_id)
        if workflow.version:
            version = await self._records.workflows.version(workspace_id, workflow_id, workflow.version)
            spec_hash = version.spec_hash
            await self._specs.put(workspace_id, spec_hash, version.spec)
            kept = {
                "workspace_id": workspace_id,
                "spec_hash": spec_hash,
                "workflow_version": workflow.version,
            }
            await self._cache.put_if_absent(f"workflow:{workflow_id}", kept, KEPT_S)
        else:
            spec_hash = await self.prepare(workspace_id, self.sound(decode_json(workflow.draft)))
        return PublishedWorkflow(
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            spec_hash=spec_hash,
            workflow_version=workflow.version,
        )

    async def of_version(self, workspace_id: str, workflow_id: str, number: int) -> PublishedWorkflow:
        """Prepare one version of a workflow; number 0 is the draft as it is now.

        Raises:
            NotFound: No such workflow or version.
            SpecInvalid: The draft has problems that must be mended first.
        """
        if number == 0:
            workflow = await self._records.workflows.get(workspace_id, workflow_id)
            spec_hash = await self.prepare(workspace_id, self.sound(decode_json(workflow.draft)))
            return PublishedWorkflow(
                workspace_id=workspace_id, workflow_id=workflow_id, spec_hash=spec_hash, workflow_version=0
            )
        version = await self._records.workflows.version(workspace_id, workflow_id, number)
        await self._specs.put(workspace_id, version.spec_hash, version.spec)
        return PublishedWorkflow(
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            spec_hash=version.spec_hash,
            workflow_version=number,
        )

    async def forget(self, workspace_id: str, workflow_id: str) -> None:
        """Look again the next time: the workflow has changed.

        For a moment nothing is cached at all, so that whoever read the records before cannot put it back.
        """
        await self._cache.put(f"workflow:{workflow_id}", None, CHANGED_S)
        self._prepared.drop(f"executable:{workspace_id}:{workflow_id}")

    async def prepare(self, workspace_id: str, spec: WorkflowSpec) -> str:
        """Store a spec where the engine finds it, without pins, and return its hash. Safe to repeat."""
        spec = unpinned(spec)
        spec_hash = content_hash(spec)
        known = f"spec:{workspace_id}:{spec_hash}"
        if self._prepared.get(known) is None:
            await self._specs.put(workspace_id, spec_hash, canonical_spec(spec))
            self._prepared.put(known, True, KEPT_S)
        return spec_hash

    def problems(self, raw: Json) -> Sequence[Problem]:
        """List everything that is wrong with a spec as written."""
        return check_json(raw, self._catalog)[1]

    def shaped(self, raw: Json) -> WorkflowSpec:
        """Read a spec, ours or of a known other shape; it may have problems.

        Raises:
            SpecInvalid: It does not have the right shape.
            Invalid: It has none of the known shapes.
        """
        if isinstance(raw, dict) and not isinstance(raw.get("trigger"), dict):
            return import_workflows(raw, self._catalog)[0].spec
        return parse(raw)

    def sound(self, raw: Json) -> WorkflowSpec:
        """Read a spec that can run.

        Raises:
            SpecInvalid: It has problems of severity error; `details["problems"]` lists all.
        """
        if isinstance(raw, dict) and not isinstance(raw.get("trigger"), dict):
            spec = self.shaped(raw)
            require_valid(spec, self._catalog)
            return spec
        found, problems = check_json(raw, self._catalog)
        if found is not None:
            require_valid(found, self._catalog)
            return found
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise SpecInvalid(
            f"The workflow cannot run: {errors[0].message}{more}",
            problems=[msgspec.to_builtins(problem) for problem in problems],
        )
