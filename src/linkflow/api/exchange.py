"""Validate, compile, import, export; and seed 002's inline start."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from linkflow.api import render, seed_shapes, shapes
from linkflow.api.deps import Answer, Ask, Id, Object, Shape, StrictRoute, Word
from linkflow.control.exchange import Arrival, Verdict
from linkflow.control.executions import InlineStart
from linkflow.domain.values import Json

router = APIRouter(prefix="/api/v1/workflows", tags=["workflows"], route_class=StrictRoute)

INLINE_WAIT_MS = 60_000


def spec_of(body: dict[str, Any]) -> Json:
    """Take the spec out of a body: the body itself, or its `workflow` or `spec`."""
    for name in ("workflow", "spec"):
        if isinstance(body.get(name), dict):
            return body[name]
    return body


def problems(verdict: Verdict) -> Json:
    """Say the problems of a spec."""
    return {
        "errors": [msgspec.to_builtins(problem) | {"severity": "error"} for problem in verdict.errors],
        "warnings": [msgspec.to_builtins(problem) | {"severity": "warning"} for problem in verdict.warnings],
    }


@router.post("/validate", responses={200: {"model": shapes.Verdict}}, summary="Validate a spec")
async def validate(ask: Ask, body: Object) -> Response:
    """List every problem of a spec without saving it; the body is the spec, or holds it as `workflow`."""
    verdict = ask.plane.exchange.validate(await ask.actor(), spec_of(body))
    return Answer({"valid": verdict.is_valid} | problems(verdict))


@router.post("/compile", responses={200: {"model": shapes.Compiled}}, summary="Compile a spec")
async def compiled(ask: Ask, body: Object) -> Response:
    """Compile a spec as the engine would, without saving it."""
    verdict, graph = ask.plane.exchange.compile(await ask.actor(), spec_of(body))
    return Answer({"success": verdict.is_valid, "graph": graph} | problems(verdict))


class InlineOptions(Shape):
    """How an inline start behaves."""

    maxExecutionTimeMs: Annotated[int, Field(ge=0, le=31_536_000_000)] = 0  # noqa: N815  seed 002's name
    continueOnError: bool = False  # noqa: N815  seed 002's name
    dryRun: bool = False  # noqa: N815  seed 002's name


class InlineBody(Shape):
    """Seed 002's inline start."""

    workflow: Object
    triggerPayload: Any = None  # noqa: N815  seed 002's name
    sessionId: Word | None = None  # noqa: N815  seed 002's name
    options: InlineOptions | None = None


@router.post(
    "/execute", responses={200: {"model": seed_shapes.ExecutionResult}}, summary="Run a spec at once"
)
async def execute_inline(ask: Ask, body: InlineBody) -> Response:
    """Run a spec without saving it and answer with its result (202 when it takes over a minute)."""
    actor = await ask.actor()
    options = body.options or InlineOptions()
    if options.dryRun:
        verdict = ask.plane.exchange.validate(actor, body.workflow)
        return Answer({
            "executionId": "", "status": "completed" if verdict.is_valid else "failed", "output": None,
            "error": None, "nodeResults": [], "durationMs": 0, "sessionId": body.sessionId, "dryRun": True,
        } | problems(verdict))  # fmt: skip
    started = await ask.plane.executions.start_inline(
        actor,
        InlineStart(
            workflow=body.workflow,
            payload=body.triggerPayload,
            session_id=body.sessionId or "",
            max_execution_time_ms=options.maxExecutionTimeMs,
            continue_on_error=options.continueOnError,
            wait_ms=INLINE_WAIT_MS,
            request_key=ask.request_key,
        ),
    )
    view = await ask.plane.executions.read(actor, started.execution_id)
    status = 200 if started.status in render.TERMINAL else 202
    return Answer(render.execution_result(view, body.sessionId or ""), status)


@router.get("/executions", responses={200: {"model": shapes.Rows}}, summary="List execution logs")
async def execution_logs(ask: Ask) -> Response:
    """List the newest executions as seed 002 spells them."""
    page = await ask.plane.executions.newest(await ask.actor(), 100)
    return Answer({
        "data": [
            {
                "executionId": row.execution_id,
                "workflowId": row.workflow_id,
                "workflowVersion": row.workflow_version,
                "status": row.status,
                "startedAt": render.instant(row.started_at),
                "completedAt": render.instant(row.closed_at),
            }
            for row in page.rows
        ],
        "next": page.next or None,
    })  # fmt: skip


@router.get(
    "/executions/{execution_id}",
    responses={200: {"model": seed_shapes.ExecutionLog}},
    summary="Read an execution log",
)
async def execution_log(ask: Ask, execution_id: Id) -> Response:
    """Read one execution as seed 002's `ExecutionLog`."""
    return Answer(render.execution_log(await ask.plane.executions.read(await ask.actor(), execution_id)))


class ExportBody(Shape):
    """Which workflows go into the bundle."""

    workflow_ids: Annotated[list[Word], Field(min_length=1, max_length=100)]


def stamped(document: Json) -> Json:
    """Say the instant of an export as the API says instants."""
    return document | {"exported_at": render.instant(document["exported_at"])}


@router.post("/export-bulk", responses={200: {"model": shapes.Document}}, summary="Export several workflows")
async def export_many(ask: Ask, body: ExportBody) -> Response:
    """Take several workflows out, as one bundle."""
    return Answer(stamped(await ask.plane.exchange.export_many(await ask.actor(), body.workflow_ids)))


@router.get("/{workflow_id}/export", responses={200: {"model": shapes.Document}}, summary="Export a workflow")
async def export(ask: Ask, workflow_id: Id) -> Response:
    """Take a workflow out, as a file that `import` reads."""
    return Answer(stamped(await ask.plane.exchange.export(await ask.actor(), workflow_id)))


def arrival(found: Arrival) -> Json:
    """Say what became of one workflow of an import."""
    return {
        "id": found.workflow.id if found.workflow else None,
        "name": found.name,
        "shape": found.shape or None,
        "error": found.error or None,
        "notes": [msgspec.to_builtins(note) for note in found.notes],
        "problems": [msgspec.to_builtins(problem) for problem in found.problems],
    } | ({"spec": found.spec} if found.spec is not None else {})


@router.post(
    "/import",
    status_code=201,
    responses={
        200: {"model": shapes.Imported},
        201: {"model": shapes.Imported},
        207: {"model": shapes.Imported},
    },
    summary="Import workflows",
)
async def bring_in(ask: Ask, body: Object | list[Object], dry_run: bool = False) -> Response:
    """Import one workflow or a bundle, of any known shape; 207 when some could not be read.

    Each arrives inactive, under a free name, with a report of what was changed or left out.
    With `dry_run` nothing is kept: 200 with the spec that each would have.
    """
    found = await ask.plane.exchange.bring_in(await ask.actor(), body, is_dry=dry_run)
    failed = any(each.error for each in found)
    shown: dict[str, Json] = {"workflows": [arrival(each) for each in found]}
    return Answer(shown, 207 if failed else 200 if dry_run else 201)
