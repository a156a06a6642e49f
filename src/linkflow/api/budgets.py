"""Budgets: of a day, of a month, of each execution; and what an execution asks when one is used up."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from linkflow.api import shapes
from linkflow.api.deps import Answer, Ask, Id, Shape, StrictRoute
from linkflow.api.render import instant
from linkflow.control.standing import BudgetLine
from linkflow.domain.values import Json
from linkflow.ports.plans import WorkspaceBudget

router = APIRouter(prefix="/api/v1", tags=["usage"], route_class=StrictRoute)

Period = Literal["execution", "day", "month"]


class BudgetMeter(BaseModel):
    """How a meter of a budget stands in the period that is under way, such as `day 2026-01-31`."""

    meter: str
    used: int
    limit: int
    percent: float
    period: str
    resets_at: str


class BudgetShown(BaseModel):
    """A budget; `data` says how it stands, and is empty for that of each execution."""

    period: Period
    limits: dict[str, int]
    on_exceeded: Literal["pause", "fail"]
    changed_by: str
    changed_at: str
    data: list[BudgetMeter]


class BudgetList(BaseModel):
    """Every budget of the workspace."""

    data: list[BudgetShown]
    next: str | None


class BudgetBody(Shape):
    """A budget: limits by meter, and what happens to what is running when one is used up."""

    limits: dict[str, int] = Field(
        min_length=1,
        description="executions (of a day or month), attempts, node_ms, ai_tokens, sms_parts, airtime_cents",
    )
    on_exceeded: Literal["pause", "fail"] = "pause"


class BudgetDecision(Shape):
    """`raise` lets the execution go on, with new limits of its own or as much again; `stop` fails it."""

    action: Literal["raise", "stop"]
    limits: dict[str, int] | None = None


def _shown(budget: WorkspaceBudget, lines: list[BudgetLine]) -> dict[str, Json]:
    """Say a budget."""
    return {
        "period": budget.period,
        "limits": dict(budget.limits),
        "on_exceeded": budget.on_exceeded,
        "changed_by": budget.changed_by,
        "changed_at": instant(budget.changed_at),
        "data": [
            {
                "meter": line.meter,
                "used": line.used,
                "limit": line.limit,
                "percent": round(line.used * 100 / line.limit, 1),
                "period": line.period,
                "resets_at": instant(line.resets_at),
            }
            for line in lines
        ],
    }


@router.get("/budgets", responses={200: {"model": BudgetList}}, summary="List budgets")
async def listed(ask: Ask) -> Response:
    """List the workspace's budgets and how they stand."""
    budgets, lines = await ask.plane.budgets.read(await ask.actor())
    rows: Json = [
        _shown(each, [line for line in lines if line.period.startswith(f"{each.period} ")])
        for each in budgets
    ]
    return Answer({"data": rows, "next": None})


@router.put("/budgets/{period}", status_code=204, summary="Set a budget")
async def put(ask: Ask, period: Id, body: BudgetBody) -> None:
    """Limit what the workspace uses in a `day` or a `month`, or each `execution` by default."""
    await ask.plane.budgets.put(await ask.actor(), period, body.limits, body.on_exceeded)


@router.delete("/budgets/{period}", status_code=204, summary="Remove a budget")
async def delete(ask: Ask, period: Id) -> None:
    """Remove the budget of a `day`, a `month` or each `execution`; what waits for it goes on."""
    await ask.plane.budgets.put(await ask.actor(), period, {}, "pause")


@router.post(
    "/executions/{execution_id}/budget",
    status_code=202,
    responses={202: {"model": shapes.Done}},
    summary="Decide about a budget",
)
async def decide(ask: Ask, execution_id: Id, body: BudgetDecision) -> Response:
    """Let an execution whose budget is used up go on, or stop it."""
    await ask.plane.budgets.decide(await ask.actor(), execution_id, body.action, body.limits)
    return Answer({"ok": True}, 202)
