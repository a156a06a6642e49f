"""Plans: which there are, how the workspace stands, and putting one on a plan."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from linkflow.api.deps import Answer, Ask, Shape, StrictRoute, Word
from linkflow.domain.plan import ANY, PLANS
from linkflow.domain.values import Json

router = APIRouter(prefix="/api/v1", tags=["usage"], route_class=StrictRoute)


class PlanShown(BaseModel):
    """A plan; a limit of null means any number."""

    name: str
    title: str
    limits: dict[str, int | None]
    features: list[str]


class PlanList(BaseModel):
    """Every plan."""

    data: list[PlanShown]
    next: str | None


class Meter(BaseModel):
    """How a meter stands; a limit of null means any number."""

    meter: str
    used: int
    limit: int | None
    percent: float | None


class Limits(BaseModel):
    """The plan of the workspace and how each meter stands."""

    plan: str
    title: str
    is_locked: bool
    data: list[Meter]


class Change(Shape):
    """Put a workspace on a plan (empty: the installation's own); `limits` replace those of the plan."""

    workspace_id: Word
    plan: Literal["", "self-hosted", "free", "starter", "pro", "teams", "enterprise"] = ""
    is_locked: bool = False
    limits: dict[str, int | None] = Field(default_factory=dict)


def _limit(limit: int) -> int | None:
    """Say a limit; null for any number."""
    return None if limit == ANY else limit


@router.get("/plans", responses={200: {"model": PlanList}}, summary="List plans")
async def listed(ask: Ask) -> Response:
    """List the plans with their limits."""
    await ask.actor()
    rows: Json = [
        {
            "name": plan.name,
            "title": plan.title,
            "limits": {meter: _limit(limit) for meter, limit in plan.limits.items()},
            "features": list(plan.features),
        }
        for plan in PLANS.values()
    ]
    return Answer({"data": rows, "next": None})


@router.get("/usage/limits", responses={200: {"model": Limits}}, summary="Read limits")
async def limits(ask: Ask) -> Response:
    """Say the plan of the workspace and how much of each limit is used; executions count by the month."""
    standing, lines = await ask.plane.plans.read(await ask.actor())
    rows: Json = [
        {
            "meter": line.meter,
            "used": line.used,
            "limit": _limit(line.limit),
            "percent": round(line.used * 100 / line.limit, 1) if line.limit > 0 else None,
        }
        for line in lines
    ]
    return Answer(
        {
            "plan": standing.plan.name,
            "title": standing.plan.title,
            "is_locked": standing.is_locked,
            "data": rows,
        }
    )


@router.put("/admin/plans", status_code=204, summary="Put a workspace on a plan")
async def change(ask: Ask, body: Change) -> None:
    """Put a workspace on a plan, or lock it; it counts within five seconds."""
    agreed = {meter: ANY if limit is None else max(limit, 0) for meter, limit in body.limits.items()}
    await ask.plane.plans.change(
        await ask.actor(), body.workspace_id, plan=body.plan, is_locked=body.is_locked, limits=agreed
    )
