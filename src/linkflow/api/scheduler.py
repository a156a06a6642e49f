"""The scheduler: who leads, which duties there are, how they went, run one now."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from linkflow.api import render
from linkflow.api.deps import Answer, Ask, Id, Shape, StrictRoute
from linkflow.control.duties import DutyLine
from linkflow.domain.values import Json
from linkflow.ports.upkeep import DutyRun

router = APIRouter(prefix="/api/v1/admin/scheduler", tags=["scheduler"], route_class=StrictRoute)


class Run(BaseModel):
    """One run of a duty; instants are null until they come."""

    id: str
    duty: str
    outcome: str
    asked_by: str | None
    dry_run: bool
    asked_at: str
    began_at: str | None
    ended_at: str | None
    duration_ms: int | None
    holder: str
    token: int
    result: Any
    error: str | None


class Duty(BaseModel):
    """A duty and its newest run."""

    name: str
    summary: str
    every_s: float
    last: Run | None


class Leader(BaseModel):
    """The process that does the duties."""

    holder: str
    token: int
    expires_at: str


class Scheduler(BaseModel):
    """Who leads (null while nobody does), and every duty."""

    leader: Leader | None
    duties: list[Duty]


def shown(run: DutyRun) -> Json:
    """Say a run."""
    return {
        "id": run.id,
        "duty": run.duty,
        "outcome": run.outcome,
        "asked_by": run.asked_by or None,
        "dry_run": run.is_dry,
        "asked_at": render.instant(run.asked_at),
        "began_at": render.instant(run.began_at),
        "ended_at": render.instant(run.ended_at),
        "duration_ms": render.elapsed_ms(run.began_at, run.ended_at),
        "holder": run.holder,
        "token": run.token,
        "result": run.result,
        "error": run.error or None,
    }


def line(found: DutyLine) -> Json:
    """Say a duty."""
    return {
        "name": found.kind.name,
        "summary": found.kind.summary,
        "every_s": found.kind.every_s,
        "last": None if found.last is None else shown(found.last),
    }


@router.get("", responses={200: {"model": Scheduler}}, summary="Read the scheduler")
async def read(ask: Ask) -> Response:
    """Say who leads and how each duty went; for the operator of the installation."""
    actor = await ask.actor()
    leader = await ask.plane.duties.leader(actor)
    return Answer(
        {
            "leader": None
            if leader is None
            else {
                "holder": leader.holder,
                "token": leader.token,
                "expires_at": render.instant(leader.expires_at),
            },
            "duties": [line(each) for each in await ask.plane.duties.list(actor)],
        }
    )


class RunBody(Shape):
    """How to run a duty: `dry_run` only says what would be done."""

    dry_run: bool = False


WaitMs = Annotated[int, Query(ge=0, le=60_000, description="Milliseconds to wait for the end.")]


@router.post(
    "/duties/{name}/run",
    status_code=202,
    responses={200: {"model": Run}, 202: {"model": Run}},
    summary="Run a duty",
)
async def run(ask: Ask, name: Id, body: RunBody | None = None, wait_ms: WaitMs = 0) -> Response:
    """Ask the leader to run a duty now: 200 once it is over, 202 while it is not."""
    is_dry = body is not None and body.dry_run
    found = await ask.plane.duties.run(await ask.actor(), name, is_dry=is_dry, wait_ms=wait_ms)
    return Answer(shown(found), 200 if found.ended_at is not None else 202)


@router.get("/runs/{run_id}", responses={200: {"model": Run}}, summary="Read a run of a duty")
async def read_run(ask: Ask, run_id: Id) -> Response:
    """Read how a run stands."""
    return Answer(shown(await ask.plane.duties.read(await ask.actor(), run_id)))
