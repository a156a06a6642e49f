"""Backlogs: what is under way, waits or failed in the whole installation, and trying it again."""

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from linkflow.api.deps import Answer, Ask, Id, StrictRoute
from linkflow.api.queues import Look, Queue

router = APIRouter(prefix="/api/v1/admin/backlogs", tags=["backlogs"], route_class=StrictRoute)


class BacklogRow(BaseModel):
    """Work of one kind; `oldest_s` is how long what waited longest waits."""

    name: str
    summary: str
    waiting: int
    failed: int
    oldest_s: float
    can_retry: bool


class Background(BaseModel):
    """Open executions by status, the task queues of workers, the outboxes of everything else."""

    executions: dict[str, int]
    queues: list[Queue]
    backlogs: list[BacklogRow]


class Retried(BaseModel):
    """How much is tried again."""

    retried: int


@router.get("", responses={200: {"model": Background}}, summary="What runs in the background")
async def read(ask: Ask) -> Response:
    """Say what is under way, what waits, since when, and what failed, over all workspaces."""
    found = await ask.plane.backlogs.read(await ask.actor())
    look: Look = ask.request.app.state.queues
    queues = [msgspec.to_builtins(queue) for queue in await look()]
    backlogs = [msgspec.to_builtins(each) for each in found.backlogs]
    return Answer({"executions": dict(found.executions), "queues": queues, "backlogs": backlogs})


@router.post("/{name}/retry", responses={200: {"model": Retried}}, summary="Try again what failed")
async def retry(ask: Ask, name: Id) -> Response:
    """Try again what failed of one kind: `notifications` or `deliveries`, each with all its tries.

    Messages of a subscription that is switched off wait until it is on. Dead letters have their own routes.
    """
    return Answer({"retried": await ask.plane.backlogs.retry(await ask.actor(), name)})
