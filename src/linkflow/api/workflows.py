"""Workflows, drafts, versions."""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import Field
from starlette.responses import Response

from linkflow.api import render, shapes
from linkflow.api.deps import Answer, Ask, Cursor, Id, Limit, Line, Object, Shape, StrictRoute, Text, Word
from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json
from linkflow.ports.records import Workflow, WorkflowQuery

router = APIRouter(prefix="/api/v1/workflows", tags=["workflows"], route_class=StrictRoute)

Number = Annotated[int, Field(ge=1, le=2_147_483_647)]


class NewWorkflow(Shape):
    """A workflow to create."""

    name: Line
    spec: Object | None = None
    description: Text = ""
    tags: Annotated[list[Word], Field(max_length=100)] = Field(default_factory=list)


class Change(Shape):
    """What changes; what is left out stays."""

    name: Line | None = None
    description: Text | None = None
    tags: list[Word] | None = None
    spec: Object | None = None


class Note(Shape):
    """What a version is about."""

    note: Text = ""


class Name(Shape):
    """What the copy is called; made up when left out."""

    name: Word = ""


def etag(workflow: Workflow) -> dict[str, str]:
    """Say the draft's revision as an ETag."""
    return {"etag": f'"{workflow.revision}"'}


def revision(if_match: str | None) -> int | None:
    """Read the revision out of If-Match.

    Raises:
        Invalid: It is not an ETag of a draft.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise Invalid('If-Match is the ETag of the draft, such as "3".', code="workflow.etag")
    return int(text)


def created(workflow: Workflow, **more: Json) -> Response:
    """Answer a workflow that was just made."""
    return Answer(
        render.workflow(workflow) | more,
        201,
        {"location": f"/api/v1/workflows/{workflow.id}"} | etag(workflow),
    )


@router.post("", status_code=201, responses={201: {"model": shapes.Workflow}}, summary="Create a workflow")
async def create(ask: Ask, body: NewWorkflow) -> Response:
    """Create a workflow with a first draft; without a spec it begins with a manual trigger."""
    actor = await ask.actor()
    workflow = await ask.plane.workflows.create(
        actor, name=body.name, spec=body.spec, description=body.description, tags=body.tags
    )
    return created(workflow)


@router.get("", responses={200: {"model": shapes.WorkflowPage}}, summary="List workflows")
async def listed(
    ask: Ask,
    search: Word = "",
    tag: Word = "",
    is_active: bool | None = None,
    after: Cursor = "",
    limit: Limit = 20,
) -> Response:
    """List workflows, newest first."""
    actor = await ask.actor()
    query = WorkflowQuery(
        workspace_id=actor.workspace_id, search=search, tag=tag, is_active=is_active, after=after, limit=limit
    )
    page, next_cursor = await ask.plane.workflows.list(actor, query)
    return Answer({
        "data": [render.workflow(workflow, with_spec=False) for workflow in page],
        "next": next_cursor or None,
    })  # fmt: skip


@router.get("/{workflow_id}", responses={200: {"model": shapes.Workflow}}, summary="Read a workflow")
async def read(ask: Ask, workflow_id: Id) -> Response:
    """Read a workflow with its draft."""
    workflow = await ask.plane.workflows.read(await ask.actor(), workflow_id)
    return Answer(render.workflow(workflow), headers=etag(workflow))


@router.put("/{workflow_id}", responses={200: {"model": shapes.Workflow}}, summary="Change a workflow")
@router.patch("/{workflow_id}", responses={200: {"model": shapes.Workflow}}, summary="Change a workflow")
async def change(ask: Ask, workflow_id: Id, body: Change) -> Response:
    """Change name, description, tags or draft; what is left out stays."""
    workflow = await ask.plane.workflows.change(
        await ask.actor(),
        workflow_id,
        name=body.name,
        description=body.description,
        tags=body.tags,
        spec=body.spec,
    )
    return Answer(render.workflow(workflow), headers=etag(workflow))


@router.delete("/{workflow_id}", status_code=204, summary="Delete a workflow")
async def delete(ask: Ask, workflow_id: Id) -> None:
    """Deactivate and hide a workflow; its executions stay."""
    await ask.plane.workflows.delete(await ask.actor(), workflow_id)


def _draft(workflow: Workflow) -> Response:
    """Answer a draft."""
    shown = render.workflow(workflow)
    return Answer(
        {"workflow_id": workflow.id, **{key: shown[key] for key in ("revision", "spec", "updated_at")}},
        headers=etag(workflow),
    )


@router.get("/{workflow_id}/draft", responses={200: {"model": shapes.Draft}}, summary="Read the draft")
async def read_draft(ask: Ask, workflow_id: Id) -> Response:
    """Read the draft with its revision, which is its ETag."""
    return _draft(await ask.plane.workflows.read(await ask.actor(), workflow_id))


@router.put("/{workflow_id}/draft", responses={200: {"model": shapes.Draft}}, summary="Save the draft")
async def save_draft(
    ask: Ask, workflow_id: Id, body: Object, if_match: Annotated[str | None, Header()] = None
) -> Response:
    """Replace the draft by a spec (or `{"spec": …}`).

    With `If-Match` a draft that somebody else saved meanwhile is not overwritten: 409, with `base`,
    `revision` and `theirs`.
    """
    expected = revision(if_match)
    spec: Any = body["spec"] if isinstance(body.get("spec"), dict) else body
    return _draft(await ask.plane.workflows.save_draft(await ask.actor(), workflow_id, spec, expected))


@router.get(
    "/{workflow_id}/versions", responses={200: {"model": shapes.VersionList}}, summary="List versions"
)
async def versions(ask: Ask, workflow_id: Id) -> Response:
    """List versions, newest first."""
    found = await ask.plane.workflows.versions(await ask.actor(), workflow_id)
    return Answer({"data": [render.version(each, with_spec=False) for each in found]})


@router.post(
    "/{workflow_id}/versions",
    status_code=201,
    responses={201: {"model": shapes.Version}},
    summary="Publish the draft",
)
@router.post(
    "/{workflow_id}/publish",
    status_code=201,
    responses={201: {"model": shapes.Version}},
    summary="Publish the draft",
)
async def publish(ask: Ask, workflow_id: Id, body: Note | None = None) -> Response:
    """Make the draft the next version; an unchanged draft gives the version that is there."""
    note = body.note if body else ""
    found = await ask.plane.workflows.publish(await ask.actor(), workflow_id, note)
    return Answer(render.version(found, with_spec=True), 201)


@router.get(
    "/{workflow_id}/versions/{number}", responses={200: {"model": shapes.Version}}, summary="Read a version"
)
async def version(ask: Ask, workflow_id: Id, number: Number) -> Response:
    """Read a version with its spec."""
    found = await ask.plane.workflows.version(await ask.actor(), workflow_id, number)
    return Answer(render.version(found, with_spec=True))


@router.post(
    "/{workflow_id}/versions/{number}/publish",
    responses={200: {"model": shapes.Workflow}},
    summary="Publish an old version again",
)
async def republish(ask: Ask, workflow_id: Id, number: Number) -> Response:
    """Make an old version the draft and publish it as the next version."""
    actor = await ask.actor()
    await ask.plane.workflows.restore(actor, workflow_id, number)
    await ask.plane.workflows.publish(actor, workflow_id, f"Again version {number}")
    return Answer(render.workflow(await ask.plane.workflows.read(actor, workflow_id)))


@router.post(
    "/{workflow_id}/versions/{number}/restore",
    responses={200: {"model": shapes.Workflow}},
    summary="Make an old version the draft",
)
async def restore(ask: Ask, workflow_id: Id, number: Number) -> Response:
    """Make an old version the draft again."""
    workflow = await ask.plane.workflows.restore(await ask.actor(), workflow_id, number)
    return Answer(render.workflow(workflow), headers=etag(workflow))


@router.post("/{workflow_id}/activate", responses={200: {"model": shapes.Workflow}}, summary="Activate")
async def activate(ask: Ask, workflow_id: Id) -> Response:
    """Let the triggers start executions; a workflow that was never published is published first."""
    return Answer(render.workflow(await ask.plane.workflows.activate(await ask.actor(), workflow_id)))


@router.post("/{workflow_id}/deactivate", responses={200: {"model": shapes.Workflow}}, summary="Deactivate")
async def deactivate(ask: Ask, workflow_id: Id) -> Response:
    """Let the triggers rest; what runs goes on."""
    return Answer(render.workflow(await ask.plane.workflows.deactivate(await ask.actor(), workflow_id)))


@router.post(
    "/{workflow_id}/duplicate",
    status_code=201,
    responses={201: {"model": shapes.Workflow}},
    summary="Copy a workflow",
)
@router.post(
    "/{workflow_id}/clone",
    status_code=201,
    responses={201: {"model": shapes.Workflow}},
    summary="Copy a workflow",
)
async def duplicate(ask: Ask, workflow_id: Id, body: Name | None = None) -> Response:
    """Create a copy from the draft; it arrives inactive."""
    name = body.name if body else ""
    return created(await ask.plane.workflows.duplicate(await ask.actor(), workflow_id, name))
