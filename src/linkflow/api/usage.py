"""How much the workspace used."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from linkflow.api.deps import Answer, Ask, StrictRoute
from linkflow.domain.budget import REPORTED
from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json
from linkflow.ports.usage import GAUGES, Usage

router = APIRouter(prefix="/api/v1/usage", tags=["usage"], route_class=StrictRoute)


class Amount(BaseModel):
    """What was used.

    Executions that started, ended, failed; nodes that workers ran in those that ended, and how long; what
    nodes reported, also in executions that go on; and the most that large values took at a time.
    """

    started: int
    closed: int
    failed: int
    nodes: int
    node_seconds: float
    ai_tokens: int
    sms_parts: int
    airtime_cents: int
    storage_bytes: int


class Line(Amount):
    """The amount of a day, or of the month that begins with it (UTC)."""

    day: str


class Report(BaseModel):
    """Usage from a day to a day, both included, oldest first, and its sum; days without any are left out."""

    first: str
    last: str
    by: str
    data: list[Line]
    total: Amount


def amount(usage: Usage) -> dict[str, Json]:
    """Say an amount."""
    return {
        "started": usage.started,
        "closed": usage.closed,
        "failed": usage.failed,
        "nodes": usage.nodes,
        "node_seconds": usage.node_ms / 1000,
        **{meter: usage.meters.get(meter, 0) for meter in (*REPORTED, *GAUGES)},
    }


def _day(text: str | None, name: str) -> date | None:
    """Read a day.

    Raises:
        Invalid: It is none.
    """
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"`{name}` is no day; write it as 2026-01-31.", code="usage.stretch") from None


Day = Annotated[str | None, Query(max_length=20, description="A day, as 2026-01-31.")]


@router.get("", responses={200: {"model": Report}}, summary="Read usage")
async def read(
    ask: Ask,
    first: Annotated[Day, Query(alias="from")] = None,
    last: Annotated[Day, Query(alias="to")] = None,
    by: Literal["day", "month"] = "day",
) -> Response:
    """Say what the workspace used, by day or by month (UTC), exactly; this month to today by default."""
    found = await ask.plane.usage.read(
        await ask.actor(), first=_day(first, "from"), last=_day(last, "to"), by=by
    )
    return Answer(
        {
            "first": found.first.isoformat(),
            "last": found.last.isoformat(),
            "by": by,
            "data": [{"day": line.day.isoformat(), **amount(line)} for line in found.lines],
            "total": amount(found.total),
        }
    )
