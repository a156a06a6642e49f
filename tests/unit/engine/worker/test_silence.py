"""How long an attempt may say nothing: the worker watches on its own clock, which the test turns."""

import random
from collections.abc import Awaitable, Callable

import pytest

from linkflow.domain.node import Completion, NodeClass
from linkflow.engine.worker.activity import Activities
from linkflow.nodes.registry import NodeRegistry
from linkflow.nodes.sdk import node
from linkflow.ports.nodes import NodeContext
from linkflow.ports.services import Task
from linkflow.testing.fakes import MemoryBlobStore, RecordedHttp, RefusingCode
from linkflow.testing.virtual import VirtualClock, run

Work = Callable[[NodeContext], Awaitable[str]]
CLOCK = VirtualClock()


def attempt(
    work: Work, node_class: NodeClass = NodeClass.IDEMPOTENT, *, heartbeat_s: float = 5.0
) -> Completion:
    """Run one attempt of a node that does this work, in virtual time, with 60 s in all."""

    @node("mine.long", node_class=node_class)
    async def long(context: NodeContext) -> Completion:
        """Work long."""
        return Completion(output=await work(context))

    activities = Activities(
        nodes=NodeRegistry((long,)),
        http=RecordedHttp(),
        code=RefusingCode(),
        blobs=MemoryBlobStore(),
        broker=None,  # type: ignore[arg-type]  # no secret is asked for
        clock=CLOCK,
    )
    task = Task(
        execution_id="e",
        key="a",
        attempt=1,
        workspace_id="w",
        workflow_id="f",
        spec_hash="s",
        node_id="a",
        node_type="mine.long",
        config={},
        node_class=node_class.value,
        heartbeat_s=heartbeat_s,
    )
    found: list[Completion] = []

    async def once() -> None:
        found.append(await activities.run(task))

    run(random.Random(1), once())
    return found[0]


async def silent(context: NodeContext) -> str:
    """Say nothing for half a minute."""
    await CLOCK.sleep(30.0)
    return "done"


async def beating(context: NodeContext) -> str:
    """Say every four seconds how far it is."""
    for done in range(8):
        await CLOCK.sleep(4.0)
        await context.heartbeat({"done": done})
    return "done"


async def logging(context: NodeContext) -> str:
    """Write a line into the log every four seconds."""
    for _ in range(8):
        await CLOCK.sleep(4.0)
        context.log("still here")
    return "done"


async def endless(context: NodeContext) -> str:
    """Beat for ever."""
    while True:
        await CLOCK.sleep(1.0)
        await context.heartbeat()


async def stubborn(context: NodeContext) -> str:
    """Say one thing more when it is ended."""
    try:
        return await silent(context)
    finally:
        context.log("bye")


def test_who_says_nothing_for_too_long_has_timed_out() -> None:
    """A silent attempt ends after its silence, not after its whole time, with a transient error."""
    completion = attempt(silent)

    assert completion.error is not None
    assert ("node.heartbeat_timeout", "transient", 5_000.0) == (
        completion.error.code,
        completion.error.kind,
        completion.meta["ms"],
    )


@pytest.mark.parametrize("work", [beating, logging])
def test_signs_of_life_let_it_go_on(work: Work) -> None:
    """Heartbeats and lines of the log each let the silence begin anew."""
    assert ("done", None) == ((found := attempt(work)).output, found.error)


def test_the_last_progress_stays_with_the_result() -> None:
    """What the last heartbeat said is among the facts about the attempt."""
    assert {"done": 7} == attempt(beating).meta["progress"]


def test_without_a_limit_silence_is_allowed() -> None:
    """A node that sets no limit may be silent as long as it may take."""
    assert "done" == attempt(silent, heartbeat_s=0.0).output


def test_a_beating_attempt_still_has_a_limit() -> None:
    """Heartbeats do not extend the time of an attempt."""
    completion = attempt(endless)

    assert completion.error is not None
    assert ("node.timeout", 60_000.0) == (completion.error.code, completion.meta["ms"])


def test_a_sign_of_life_at_the_end_is_too_late() -> None:
    """What an attempt says while it is ended changes nothing, and is kept."""
    completion = attempt(stubborn)

    assert completion.error is not None
    assert ("node.heartbeat_timeout", 1) == (completion.error.code, len(completion.logs))


def test_a_silent_effect_is_unknown() -> None:
    """Of a silent attempt of class once nobody knows what it did."""
    assert attempt(silent, NodeClass.ONCE).unknown
