"""Task queues: what waits for workers, and which there are."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from linkflow.api.deps import Answer, Ask, StrictRoute
from linkflow.ports.services import QueueView

router = APIRouter(prefix="/api/v1/admin/queues", tags=["queues"], route_class=StrictRoute)


Look = Callable[[], Awaitable[Sequence[QueueView]]]
"""Says how every queue stands that has tasks or workers, by name."""


async def nobody() -> Sequence[QueueView]:
    """List nothing: there is no engine."""
    return []


class Queue(BaseModel):
    """A queue as it stands; `oldest_s` is how long the first in line waits, 0 when none does."""

    name: str
    depth: int
    oldest_s: float
    in_flight: int
    credits: int
    workers: int


class Queues(BaseModel):
    """Every queue that has tasks or workers, by name."""

    data: list[Queue]


@router.get("", responses={200: {"model": Queues}}, summary="How the task queues stand")
async def list_queues(ask: Ask) -> Response:
    """Say of each queue what waits, for how long, what is under way and who works on it."""
    await ask.actor()
    queues: Look = ask.request.app.state.queues
    return Answer({"data": [msgspec.to_builtins(queue) for queue in await queues()]})
