"""Executions, many at once: cancel, try again."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from linkflow.api.deps import Answer, Ask, Shape, StrictRoute, Text, Word
from linkflow.control import bulk
from linkflow.control.bulk import MOST_AT_ONCE, Outcome

router = APIRouter(prefix="/api/v1/executions/bulk", tags=["executions"], route_class=StrictRoute)

Ids = Annotated[list[Word], Field(min_length=1, max_length=MOST_AT_ONCE)]


class BulkOutcome(BaseModel):
    """What became of one execution; `code` and `detail` say why nothing was done."""

    id: str
    ok: bool
    new_execution_id: str | None
    code: str | None
    detail: str | None


class BulkOutcomes(BaseModel):
    """What became of each execution, in the order asked for, and how many were done and not."""

    done: int
    failed: int
    data: list[BulkOutcome]


def answer(found: Sequence[Outcome]) -> Response:
    """Say what became of executions."""
    failed = sum(each.error is not None for each in found)
    return Answer({
        "done": len(found) - failed,
        "failed": failed,
        "data": [
            {
                "id": each.execution_id,
                "ok": each.error is None,
                "new_execution_id": each.new_execution_id or None,
                "code": None if each.error is None else each.error.code,
                "detail": None if each.error is None else str(each.error),
            }
            for each in found
        ],
    })  # fmt: skip


class CancelMany(Shape):
    """Which executions, and why."""

    ids: Ids
    reason: Text = ""


@router.post("/cancel", responses={200: {"model": BulkOutcomes}}, summary="Cancel many")
async def cancel(ask: Ask, body: CancelMany) -> Response:
    """Ask up to 200 executions to end, with an answer for each. Safe to repeat."""
    return answer(await bulk.cancel(ask.plane.executions, await ask.actor(), body.ids, body.reason))


class RetryMany(Shape):
    """Which executions.

    Attributes:
        workflow: original runs the version that ran; current the workflow of today, for a test its draft.
    """

    ids: Ids
    workflow: Literal["original", "current"] = "original"


@router.post("/retry", responses={200: {"model": BulkOutcomes}}, summary="Try many again")
async def retry(ask: Ask, body: RetryMany) -> Response:
    """Start up to 200 executions again from what did not end well, with an answer for each.

    With an `Idempotency-Key` it is safe to repeat: no execution is tried again twice under one key.
    """
    found = await bulk.retry(
        ask.plane.executions,
        await ask.actor(),
        body.ids,
        request_key=ask.request_key,
        is_current=body.workflow == "current",
    )
    return answer(found)
