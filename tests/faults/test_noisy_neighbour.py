"""A workspace that has queued more than can be done: another one's work goes on as if it were alone."""

import asyncio

import pytest

from linkflow.domain.workflow.spec import canonical_spec, content_hash
from linkflow.ports.services import StartExecution
from linkflow.testing.builders import spec
from linkflow.testing.split import WORKSPACE, Place, split

SLOTS = 4
NOISY, QUIET = 1_000, 20

pytestmark = pytest.mark.timeout(90)


async def test_a_quiet_workspace_takes_its_turns() -> None:
    """What comes behind a thousand of another workspace's tasks is done in turn with them, not after them."""
    place, job = Place(), spec("t -> a", a="test.post")
    for workspace in (WORKSPACE, "quiet"):
        await place.specs.put(workspace, content_hash(job), canonical_spec(job))
    place.effects.gate.clear()
    async with split(place, workers=1, slots=SLOTS) as cluster:

        async def start(workspace: str) -> str:
            command = StartExecution(
                workspace_id=workspace, workflow_id="f1", spec_hash=content_hash(job), input=None
            )
            execution_id: str = (await cluster.frontend.start(command)).execution_id
            return execution_id

        noisy = await asyncio.gather(*(start(WORKSPACE) for _ in range(NOISY)))
        quiet = await asyncio.gather(*(start("quiet") for _ in range(QUIET)))
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(cluster.frontend.wait(each, 60_000)) for each in (*quiet, *noisy)]
            place.effects.gate.set()
    order = [key.partition(":")[0] for key in place.effects.met]
    last = max(order.index(each) for each in quiet)

    assert {"completed"} == {each.result().status for each in waiting}
    assert last < 2 * (QUIET + SLOTS), f"the last of {QUIET} was done after {last} of {NOISY} others"
