"""Workflows: create, read, list, change, delete; drafts with revisions; immutable versions."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from linkflow.control.activation import Activation
from linkflow.control.actor import Actor, Audit
from linkflow.control.executables import Executables
from linkflow.control.plans import Plans
from linkflow.domain.audit import changed
from linkflow.domain.errors import Conflict
from linkflow.domain.execution.partial import unpinned
from linkflow.domain.values import Json, canonical, decode_json
from linkflow.domain.workflow.spec import canonical_spec, content_hash, parse, to_json
from linkflow.ports.audit import AuditQuery
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus
from linkflow.ports.records import Records, Workflow, WorkflowQuery, WorkflowVersion

SPELL_S = 600.0
"""Saves of a draft by one person leave one line of the audit log in this time."""
BLANK: Mapping[str, Any] = {
    "trigger": {"id": "start", "type": "trigger.manual", "label": "Start"},
    "nodes": [],
    "edges": [],
}
"""What a new workflow begins with when no spec is given."""


class Workflows:
    """What people do with workflows."""

    def __init__(
        self,
        records: Records,
        executables: Executables,
        activation: Activation,
        audit: Audit,
        bus: EventBus,
        clock: Clock,
        ids: IdSource,
        plans: Plans,
    ) -> None:
        self._plans = plans
        self._records, self._executables, self._activation = records, executables, activation
        self._audit, self._bus, self._clock, self._ids = audit, bus, clock, ids

    async def create(
        self, actor: Actor, *, name: str, spec: Json, description: str = "", tags: Sequence[str] = ()
    ) -> Workflow:
        """Create a workflow with a first draft.

        Raises:
            SpecInvalid: The spec has errors; nothing was written.
            LimitReached: The plan has no room for one more.
        """
        actor.require("workflow.create")
        await self._plans.room(actor.workspace_id, "workflows")
        sound = self._executables.sound(BLANK if spec is None else spec)
        now = self._clock.now()
        workflow = Workflow(
            id=self._ids.uuid(),
            workspace_id=actor.workspace_id,
            name=name or sound.metadata.name or "Untitled",
            draft=canonical(to_json(sound)),
            description=description or sound.metadata.description,
            tags=list(tags or sound.metadata.tags),
            created_at=now,
            updated_at=now,
            created_by=actor.user_id,
        )
        async with self._records.transaction() as records:
            await records.workflows.add(workflow)
            await self._audit.note(records.ledger, actor, "workflow.create", f"workflow:{workflow.id}")
        return workflow

    async def read(self, actor: Actor, workflow_id: str) -> Workflow:
        """Read a workflow.

        Raises:
            NotFound: No such workflow in the actor's workspace.
        """
        actor.require("workflow.view")
        return await self._records.workflows.get(actor.workspace_id, workflow_id)

    async def list(self, actor: Actor, query: WorkflowQuery) -> tuple[Sequence[Workflow], str]:
        """List workflows, newest first, and the cursor of the next page."""
        actor.require("workflow.view")
        found = await self._records.workflows.list(query)
        page = found[: query.limit]
        return page, page[-1].id if len(found) > query.limit else ""

    async def change(
        self,
        actor: Actor,
        workflow_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        spec: Json = None,
    ) -> Workflow:
        """Change what a workflow is called, and its draft when a spec is given.

        Raises:
            SpecInvalid: The spec does not have the right shape; nothing was written.
        """
        actor.require("workflow.update")
        before = await self._records.workflows.get(actor.workspace_id, workflow_id)
        after = msgspec.structs.replace(
            before,
            name=before.name if name is None else name,
            description=before.description if description is None else description,
            tags=before.tags if tags is None else list(tags),
            draft=before.draft if spec is None else canonical(to_json(self._executables.shaped(spec))),
        )
        return await self._save(actor, before, after, "workflow.update")

    async def save_draft(
        self, actor: Actor, workflow_id: str, spec: Json, expected_revision: int | None
    ) -> Workflow:
        """Replace the draft. A draft may have problems; only its shape must be right.

        Args:
            actor: Who asks.
            workflow_id: Which workflow.
            spec: The whole spec.
            expected_revision: The revision the change was made on; None replaces whatever is there.

        Raises:
            Conflict: `workflow.revision_conflict`: somebody else saved; `details["theirs"]` is their draft
                and `details["revision"]` its revision.
        """
        actor.require("workflow.update")
        draft = canonical(to_json(self._executables.shaped(spec)))
        before = await self._records.workflows.get(actor.workspace_id, workflow_id)
        if expected_revision is not None and expected_revision != before.revision:
            if draft == before.draft:
                return before  # the same change again: its answer got lost
            raise Conflict(
                "Somebody else saved this workflow meanwhile.",
                code="workflow.revision_conflict",
                base=expected_revision,
                revision=before.revision,
                theirs=decode_json(before.draft),
            )
        if draft == before.draft:
            return before
        return await self._save(actor, before, msgspec.structs.replace(before, draft=draft), "workflow.draft")

    async def _save(self, actor: Actor, before: Workflow, after: Workflow, action: str) -> Workflow:
        """Write a changed workflow as the next revision."""
        after = msgspec.structs.replace(after, revision=before.revision + 1, updated_at=self._clock.now())
        async with self._records.transaction() as records:
            await records.workflows.save(after, before.revision)
            if action == "workflow.draft":
                await self._note_draft(records, actor, after)
            else:
                await self._audit.note(
                    records.ledger, actor, action, f"workflow:{after.id}", **changed(before, after)
                )
        await self._changed(after)
        return after

    async def _note_draft(self, records: Records, actor: Actor, workflow: Workflow) -> None:
        """Say that somebody works on a draft: once in a while, as autosaves would drown everything else."""
        resource, since = f"workflow:{workflow.id}", self._clock.now() - SPELL_S
        lately = AuditQuery(
            workspace_id=actor.workspace_id,
            action="workflow.draft",
            resource=resource,
            actor_id=actor.user_id,
            since=since,
            limit=1,
        )
        if not await records.audit_log.list(lately):
            await self._audit.note(
                records.ledger, actor, "workflow.draft", resource, revision=workflow.revision
            )

    async def _changed(self, workflow: Workflow) -> None:
        """Let everybody look at the workflow again."""
        await self._executables.forget(workflow.workspace_id, workflow.id)
        self._bus.publish(f"workflow:{workflow.id}")

    async def delete(self, actor: Actor, workflow_id: str) -> None:
        """Deactivate and hide a workflow for good; its executions stay.

        Raises:
            NotFound: No such workflow.
        """
        actor.require("workflow.delete")
        workflow = await self._records.workflows.get(actor.workspace_id, workflow_id)
        async with self._records.transaction() as records:
            await self._activation.unregister(records, workflow, for_good=True)
            await records.workflows.delete(actor.workspace_id, workflow_id, self._clock.now())
            await self._audit.note(records.ledger, actor, "workflow.delete", f"workflow:{workflow_id}")
        await self._changed(workflow)
        self._activation.nudge()

    async def versions(self, actor: Actor, workflow_id: str) -> Sequence[WorkflowVersion]:
        """List versions, newest first."""
        workflow = await self.read(actor, workflow_id)
        return await self._records.workflows.versions(actor.workspace_id, workflow.id)

    async def version(self, actor: Actor, workflow_id: str, number: int) -> WorkflowVersion:
        """Read a version."""
        workflow = await self.read(actor, workflow_id)
        return await self._records.workflows.version(actor.workspace_id, workflow.id, number)

    async def publish(self, actor: Actor, workflow_id: str, note: str = "") -> WorkflowVersion:
        """Make the draft the next version; executions pin it from now on. Publishing the same twice is one.

        Raises:
            SpecInvalid: The draft has errors; nothing was written.
            Conflict: Somebody else published meanwhile.
            LimitReached: The plan has no room for its triggers.
        """
        actor.require("workflow.update")
        before = await self._records.workflows.get(actor.workspace_id, workflow_id)
        spec = unpinned(self._executables.sound(decode_json(before.draft)))
        spec_hash = content_hash(spec)
        if before.version:
            latest = await self._records.workflows.version(actor.workspace_id, workflow_id, before.version)
            if latest.spec_hash == spec_hash:
                return latest
        await self._executables.prepare(actor.workspace_id, spec)
        now = self._clock.now()
        version = WorkflowVersion(
            workspace_id=actor.workspace_id,
            workflow_id=workflow_id,
            number=before.version + 1,
            spec=canonical_spec(spec),
            spec_hash=spec_hash,
            note=note,
            created_at=now,
            created_by=actor.user_id,
        )
        after = msgspec.structs.replace(before, version=version.number, updated_at=now)
        async with self._records.transaction() as records:
            await records.workflows.add_version(version)
            await records.workflows.save(after, before.revision)
            if after.is_active:
                counted = await self._plans.counts(records, actor.workspace_id)
                await self._activation.register(records, after, spec)
                await self._plans.within(records, actor.workspace_id, counted)
            await self._audit.note(
                records.ledger, actor, "workflow.publish", f"workflow:{workflow_id}", version=version.number
            )
        await self._changed(after)
        self._activation.nudge()
        return version

    async def restore(self, actor: Actor, workflow_id: str, number: int) -> Workflow:
        """Make an old version the draft again.

        Raises:
            NotFound: No such workflow or version.
        """
        version = await self.version(actor, workflow_id, number)
        return await self.save_draft(actor, workflow_id, decode_json(version.spec), None)

    async def activate(self, actor: Actor, workflow_id: str) -> Workflow:
        """Let the triggers start executions; a workflow that was never published is published first.

        Raises:
            SpecInvalid: It cannot run; nothing was changed.
            LimitReached: The plan has no room for one more active workflow, or for its triggers.
        """
        actor.require("workflow.activate")
        workflow = await self._records.workflows.get(actor.workspace_id, workflow_id)
        if not workflow.version:
            await self.publish(actor, workflow_id)
            workflow = await self._records.workflows.get(actor.workspace_id, workflow_id)
        version = await self._records.workflows.version(actor.workspace_id, workflow_id, workflow.version)
        spec = parse(decode_json(version.spec))
        await self._executables.published(actor.workspace_id, workflow_id)
        return await self._switch(actor, workflow, True, spec)

    async def deactivate(self, actor: Actor, workflow_id: str) -> Workflow:
        """Let the triggers rest; what runs goes on. Safe to repeat."""
        actor.require("workflow.activate")
        workflow = await self._records.workflows.get(actor.workspace_id, workflow_id)
        return await self._switch(actor, workflow, False, None)

    async def _switch(self, actor: Actor, workflow: Workflow, is_active: bool, spec: Any) -> Workflow:
        """Write whether a workflow is active, with its triggers."""
        after = msgspec.structs.replace(workflow, is_active=is_active, updated_at=self._clock.now())
        async with self._records.transaction() as records:
            counted = await self._plans.counts(records, actor.workspace_id) if is_active else {}
            await records.workflows.save(after, workflow.revision)
            if is_active:
                await self._activation.register(records, after, spec)
                await self._plans.within(records, actor.workspace_id, counted)
            else:
                await self._activation.unregister(records, after, for_good=False)
            action = "workflow.activate" if is_active else "workflow.deactivate"
            await self._audit.note(records.ledger, actor, action, f"workflow:{workflow.id}")
        await self._changed(after)
        self._activation.nudge()
        return after

    async def duplicate(self, actor: Actor, workflow_id: str, name: str = "") -> Workflow:
        """Create a copy from the draft; it arrives inactive, with a name of its own."""
        original = await self.read(actor, workflow_id)
        return await self.create(
            actor,
            name=name or await self.free_name(actor, original.name),
            spec=decode_json(original.draft),
            description=original.description,
            tags=original.tags,
        )

    async def free_name(self, actor: Actor, name: str) -> str:
        """Find a name that no workflow has: the name itself, else with a number behind it."""
        taken = set(await self._records.workflows.names(actor.workspace_id, name))
        number = 1
        found = name
        while found in taken:
            number += 1
            found = f"{name} ({number})"
        return found
