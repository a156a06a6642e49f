"""Workflows and their versions in PostgreSQL."""

from collections.abc import Sequence

from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.errors import Conflict, NotFound
from linkflow.ports.records import Workflow, WorkflowQuery, WorkflowVersion

WORKFLOWS = Table("control.workflows", Workflow)
VERSIONS = Table("control.workflow_versions", WorkflowVersion)
_workflow = WORKFLOWS.reader(Workflow)
_version = VERSIONS.reader(WorkflowVersion)


class SqlWorkflows:
    """Workflows on tables; a deleted one keeps its row and is not shown."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def add(self, workflow: Workflow) -> None:
        """Keep a new workflow."""
        await self._sql.of(workflow.workspace_id).run(WORKFLOWS.insert, *WORKFLOWS.values(workflow))

    async def get(self, workspace_id: str, workflow_id: str) -> Workflow:
        """Read a workflow."""
        found = await self._sql.of(workspace_id).row(
            f"{WORKFLOWS.select} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
            workflow_id,
            workspace_id,
        )
        if found is None:
            raise NotFound("There is no such workflow.", workflow_id=workflow_id)
        return _workflow(found)

    async def home(self, user_id: str, workflow_id: str) -> str:
        """Say in which of a user's workspaces a workflow is."""
        found = await self._sql.row(
            "SELECT w.workspace_id FROM control.workflows AS w"
            " JOIN control.members AS m ON m.workspace_id = w.workspace_id AND m.user_id = $2"
            " WHERE w.id = $1 AND w.deleted_at IS NULL",
            workflow_id,
            user_id,
        )
        return "" if found is None else str(found["workspace_id"])

    async def list(self, query: WorkflowQuery) -> Sequence[Workflow]:
        """List workflows, newest first."""
        found = await self._sql.of(query.workspace_id).rows(
            f"""{WORKFLOWS.select} WHERE workspace_id = $1 AND deleted_at IS NULL
                AND ($2 = '' OR strpos(lower(name), lower($2)) > 0)
                AND ($3 = '' OR $3 = ANY (tags))
                AND ($4::boolean IS NULL OR is_active = $4)
                AND ($5 = '' OR (created_at, id) <
                  (SELECT created_at, id FROM control.workflows WHERE id = $5))
                ORDER BY created_at DESC, id DESC LIMIT $6""",
            query.workspace_id,
            query.search,
            query.tag,
            query.is_active,
            query.after,
            query.limit + 1,
        )
        return [_workflow(row) for row in found]

    async def names(self, workspace_id: str, like: str) -> Sequence[str]:
        """List the names that begin with a text."""
        found = await self._sql.of(workspace_id).rows(
            "SELECT name FROM control.workflows"
            " WHERE workspace_id = $1 AND deleted_at IS NULL AND starts_with(name, $2)",
            workspace_id,
            like,
        )
        return [row["name"] for row in found]

    async def save(self, workflow: Workflow, expected_revision: int) -> None:
        """Replace everything but id and origin."""
        done = await self._sql.of(workflow.workspace_id).run(
            """UPDATE control.workflows SET name = $4, description = $5, tags = $6,
               is_active = $7, draft = $8,
               revision = $9, version = $10, updated_at = $11
               WHERE id = $1 AND workspace_id = $2 AND revision = $3 AND deleted_at IS NULL""",
            workflow.id,
            workflow.workspace_id,
            expected_revision,
            workflow.name,
            workflow.description,
            list(workflow.tags),
            workflow.is_active,
            workflow.draft,
            workflow.revision,
            workflow.version,
            workflow.updated_at,
        )
        if not done:
            raise Conflict(
                "Somebody else changed this workflow meanwhile.", code="workflow.revision_conflict"
            )

    async def delete(self, workspace_id: str, workflow_id: str, at: float) -> None:
        """Hide a workflow."""
        await self._sql.of(workspace_id).run(
            "UPDATE control.workflows SET deleted_at = $3, is_active = false"
            " WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
            workflow_id,
            workspace_id,
            at,
        )

    async def add_version(self, version: WorkflowVersion) -> None:
        """Keep a new version."""
        await self._sql.of(version.workspace_id).insert(
            Conflict("Somebody else published this workflow meanwhile.", code="workflow.version_conflict"),
            VERSIONS.insert,
            *VERSIONS.values(version),
        )

    async def versions(self, workspace_id: str, workflow_id: str) -> Sequence[WorkflowVersion]:
        """List versions, newest first."""
        found = await self._sql.of(workspace_id).rows(
            f"{VERSIONS.select} WHERE workflow_id = $1 AND workspace_id = $2 ORDER BY number DESC LIMIT 1000",
            workflow_id,
            workspace_id,
        )
        return [_version(row) for row in found]

    async def version(self, workspace_id: str, workflow_id: str, number: int) -> WorkflowVersion:
        """Read a version."""
        found = await self._sql.of(workspace_id).row(
            f"{VERSIONS.select} WHERE workflow_id = $1 AND workspace_id = $2 AND number = $3",
            workflow_id,
            workspace_id,
            number,
        )
        if found is None:
            raise NotFound("There is no such version.", workflow_id=workflow_id, version=number)
        return _version(found)
