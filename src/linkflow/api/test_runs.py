"""Test runs: a draft, or a part of it, and the outputs that are pinned for them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from linkflow.api import shapes
from linkflow.api.deps import Answer, Ask, Id, NodeId, Shape, StrictRoute, Word
from linkflow.api.executions import WAIT_MS, start_answer

router = APIRouter(prefix="/api/v1/workflows", tags=["executions"], route_class=StrictRoute)


class TestRun(Shape):
    """What a draft is tried with.

    Attributes:
        input: What the trigger hands on; left out, the input of `execution_id`, else the trigger's pin.
        from_node: Node to begin with; what comes before is taken from `execution_id` and from pins.
        to_node: Node to end with.
        execution_id: An earlier execution of the workflow, whose data is used.
    """

    input: Any = None
    from_node: NodeId = ""
    to_node: NodeId = ""
    execution_id: Word = ""
    mode: Literal["async", "wait"] = "async"
    wait_ms: Annotated[int, Field(ge=0, le=60_000)] = WAIT_MS


@router.post(
    "/{workflow_id}/test-run",
    status_code=202,
    responses={200: {"model": shapes.Started}, 202: {"model": shapes.Started}},
    summary="Try the draft",
)
async def test_run(ask: Ask, workflow_id: Id, body: TestRun | None = None) -> Response:
    """Run the draft as it is saved now, marked as a test; what is published is left alone.

    `from_node` and `to_node` run a part: one node alone when both name it, all up to a node, all that follows
    one. Only what is needed runs; pins stand for their nodes.
    """
    asked = body or TestRun()
    found = await ask.plane.test_runs.run(
        await ask.actor(),
        workflow_id,
        data=asked.input,
        has_data=asked.input is not None,
        first=asked.from_node,
        last=asked.to_node,
        execution_id=asked.execution_id,
        request_key=ask.request_key,
        wait_ms=asked.wait_ms if asked.mode == "wait" else 0,
    )
    return start_answer(found, waited=asked.mode == "wait")


class Pin(Shape):
    """What to pin: an output, or what a node of an execution said."""

    output: Any = None
    execution_id: Word = ""
    key: Word = ""


@router.post("/{workflow_id}/pins", responses={200: {"model": shapes.Pin}}, summary="Make a pin")
async def pin(ask: Ask, workflow_id: Id, body: Pin) -> Response:
    """Make the value of a node's `pinned` in a draft; a large output is kept apart and named.

    It takes effect once the draft is saved with it. Test runs take what is pinned instead of running the
    node; published versions have no pins.
    """
    found = await ask.plane.test_runs.pin(
        await ask.actor(), workflow_id, output=body.output, execution_id=body.execution_id, key=body.key
    )
    return Answer(found)
