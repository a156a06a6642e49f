"""Schedules."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from linkflow.api import render, shapes, trigger_shapes
from linkflow.api.deps import Answer, Ask, Id, Shape, StrictRoute, Word
from linkflow.domain.values import Json
from linkflow.ports.triggers import Schedule

router = APIRouter(prefix="/api/v1/schedules", tags=["schedules"], route_class=StrictRoute)

Interval = Annotated[float, Field(ge=1, le=366 * 86_400)]
Misfire = Literal["skip", "once", "all"]


class NewSchedule(Shape):
    """When a workflow starts: a cron expression or an interval in seconds."""

    workflow_id: Word
    name: Word = ""
    cron: Annotated[Word, Field(validation_alias="cron")] = ""
    cron_expression: Word = ""
    interval_s: Interval | None = None
    timezone: Word = "UTC"
    misfire: Misfire = "once"
    input: Any = None
    input_data: Any = None
    enabled: bool = True
    start_at: Word | None = None
    end_at: Word | None = None
    max_executions: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None


class ScheduleChange(Shape):
    """What changes; what is left out stays."""

    name: Word | None = None
    cron: Word | None = None
    interval_s: Interval | None = None
    timezone: Word | None = None
    misfire: Misfire | None = None
    input: Any = None


def shown(schedule: Schedule) -> Json:
    """Say a schedule."""
    rule = schedule.rule
    return {
        "id": schedule.id,
        "workspace_id": schedule.workspace_id,
        "workflow_id": schedule.workflow_id,
        "node_id": schedule.node_id,
        "name": schedule.name,
        "cron": rule.get("cron") or rule.get("cronExpression") or rule.get("cron_expression"),
        "interval_s": rule.get("interval_s") or rule.get("interval"),
        "timezone": schedule.timezone,
        "misfire": schedule.misfire,
        "input": schedule.input,
        "is_paused": schedule.is_paused,
        "disabled_reason": schedule.disabled_reason or None,
        "next_run_at": None if schedule.is_paused else render.instant(schedule.next_at),
        "last_run_at": render.instant(schedule.last_at),
        "run_count": schedule.runs,
        "source": schedule.source,
        "created_at": render.instant(schedule.created_at),
    }


@router.post(
    "", status_code=201, responses={201: {"model": trigger_shapes.Schedule}}, summary="Create a schedule"
)
async def create(ask: Ask, body: NewSchedule) -> Response:
    """Let a workflow start as time passes; trigger nodes get their schedule at activation."""
    rule: dict[str, Json] = {"cron": body.cron or body.cron_expression, "interval_s": body.interval_s}
    rule |= {"start_at": body.start_at, "end_at": body.end_at, "max_executions": body.max_executions}
    found = await ask.plane.schedules.create(
        await ask.actor(),
        body.workflow_id,
        name=body.name,
        rule={name: value for name, value in rule.items() if value},
        timezone=body.timezone,
        misfire=body.misfire,
        data=body.input if body.input_data is None else body.input_data,
        is_paused=not body.enabled,
    )
    return Answer(shown(found), 201)


@router.get("", responses={200: {"model": shapes.Rows}}, summary="List schedules")
async def listed(ask: Ask, workflow_id: Word = "") -> Response:
    """List schedules, newest first."""
    found = await ask.plane.schedules.list(await ask.actor(), workflow_id)
    return Answer({"data": [shown(each) for each in found], "next": None})


@router.get("/{schedule_id}", responses={200: {"model": trigger_shapes.Schedule}}, summary="Read a schedule")
async def read(ask: Ask, schedule_id: Id) -> Response:
    """Read a schedule with its next and last run."""
    return Answer(shown(await ask.plane.schedules.read(await ask.actor(), schedule_id)))


@router.put(
    "/{schedule_id}", responses={200: {"model": trigger_shapes.Schedule}}, summary="Change a schedule"
)
async def change(ask: Ask, schedule_id: Id, body: ScheduleChange) -> Response:
    """Change a schedule; its next run is found anew."""
    rule: dict[str, Json] | None = None
    if body.cron is not None or body.interval_s is not None:
        rule = {"cron": body.cron} if body.cron else {"interval_s": body.interval_s}
    found = await ask.plane.schedules.change(
        await ask.actor(),
        schedule_id,
        name=body.name,
        rule=rule,
        timezone=body.timezone,
        misfire=body.misfire,
        data=body.input,
        has_data="input" in body.model_fields_set,
    )
    return Answer(shown(found))


@router.delete("/{schedule_id}", status_code=204, summary="Remove a schedule")
async def delete(ask: Ask, schedule_id: Id) -> None:
    """Remove a schedule."""
    await ask.plane.schedules.delete(await ask.actor(), schedule_id)


@router.post("/{schedule_id}/pause", responses={200: {"model": trigger_shapes.Schedule}}, summary="Pause")
async def pause(ask: Ask, schedule_id: Id) -> Response:
    """Let a schedule rest."""
    return Answer(shown(await ask.plane.schedules.pause(await ask.actor(), schedule_id)))


@router.post("/{schedule_id}/resume", responses={200: {"model": trigger_shapes.Schedule}}, summary="Resume")
async def resume(ask: Ask, schedule_id: Id) -> Response:
    """Let a schedule fire again, from now on."""
    return Answer(shown(await ask.plane.schedules.resume(await ask.actor(), schedule_id)))
