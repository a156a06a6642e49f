"""Tasks that come twice, late, or after their session was buried: a worker runs each once, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from linkflow.engine.worker.service import CATCH_UP_S, RENEW_S, Worker
from linkflow.ports.services import ActivityReply, ActivityReport, Attempt, Task, TaskId
from linkflow.testing.fakes import FixedClock
from linkflow.testing.split import Place

GENEROUS_S = 10.0


class Told:
    """History and Matching of one worker, played by a test.

    Attributes:
        reports: What the worker reported.
        tasks: What the next poll brings.
        next: What the next reply carries.
        lost: What `lost_tasks` gives.
        held: What the worker said that it holds, at its last question.
        current: Whether a claim finds the attempt to be the worker's.
        returned: Credits given back.
        claims: What was claimed.
    """

    def __init__(self) -> None:
        self.reports: list[ActivityReport] = []
        self.tasks: list[Task] = []
        self.next: Task | None = None
        self.lost: list[Task] = []
        self.held: list[Attempt] = []
        self.current = True
        self.returned = 0
        self.claims: list[TaskId] = []
        self._news = asyncio.Event()

    async def until(self, count: int) -> None:
        """Wait for so many reports."""
        async with asyncio.timeout(GENEROUS_S):
            while len(self.reports) < count:
                self._news.clear()
                await self._news.wait()

    async def respond(self, reports: Sequence[ActivityReport]) -> Sequence[ActivityReply]:
        """Take a report in."""
        self.reports += reports
        self._news.set()
        task, self.next = self.next, None
        return [ActivityReply(accepted=True, task=task)]

    async def lost_tasks(self, session: str, held: Sequence[Attempt]) -> Sequence[Task]:
        """Give what was lost."""
        self.held = list(held)
        return self.lost

    async def claim(self, task: TaskId, session: str) -> Task | None:
        """Say whether an attempt is current."""
        self.claims.append(task)
        return started(task.execution_id) if self.current else None

    async def poll(self, session: str, queues: Sequence[str], slots: int, wait_s: float) -> Sequence[Task]:
        """Bring tasks."""
        await asyncio.sleep(0)
        tasks, self.tasks = self.tasks, []
        return tasks

    def release(self, sessions: Sequence[str]) -> None:
        """Take credits back."""
        self.returned += len(sessions)

    def cancelled(self, session: str) -> Sequence[tuple[str, str]]:
        """Stop nothing."""
        return []

    def is_idle(self, session: str) -> bool:
        """Say that nothing is left."""
        return True

    def drain(self, session: str) -> None:
        """Do nothing."""

    def resize(self, session: str, slots: int) -> None:
        """Do nothing."""

    def leave(self, session: str) -> None:
        """Do nothing."""


def started(execution_id: str = "e1") -> Task:
    """Say a task that was started for the worker."""
    return Task(
        execution_id=execution_id, key="a", attempt=1, workspace_id="w1", workflow_id="f", spec_hash="h",
        node_id="a", node_type="test.post", session="s1", config={},
    )  # fmt: skip


class Scene:
    """A worker and everything around it."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        clock: Any = self.clock
        self.place = Place(clock=clock)
        self.told = Told()
        self.worker: Worker = self.place.worker("s1", self.told, self.told, 4)

    @property
    def effects(self) -> dict[str, int]:
        """How often each effect began."""
        return dict(self.place.effects.met)


@asynccontextmanager
async def working() -> AsyncIterator[Scene]:
    """Run a worker until the block is left."""
    scene = Scene()
    running = asyncio.ensure_future(scene.worker.run())
    await scene.worker.ready.wait()
    try:
        yield scene
    finally:
        running.cancel()


@pytest.mark.parametrize("way", ["frame", "lost", "reply"])
async def test_a_task_that_comes_twice_runs_once(way: str) -> None:
    """However an attempt comes a second time, its effect happens once."""
    async with working() as scene:
        scene.told.tasks = [started()]
        await scene.told.until(1)
        if way == "frame":
            scene.told.tasks = [started()]
        elif way == "lost":
            scene.told.lost = [started()]
            await scene.clock.turn(CATCH_UP_S)
        else:
            scene.told.next = started()
        scene.told.tasks += [started("e2")]
        await scene.told.until(2)
        scene.told.tasks = [started("e3")]
        await scene.told.until(3)

    assert {"e1:a": 1, "e2:a": 1, "e3:a": 1} == scene.effects


async def test_a_task_that_was_lost_runs() -> None:
    """What never arrived is asked for, and what is in hand is named."""
    async with working() as scene:
        scene.place.effects.gate.clear()
        scene.told.tasks = [started()]
        await scene.place.effects.until(lambda: scene.effects)
        scene.told.lost = [started("e2")]
        await scene.clock.turn(CATCH_UP_S)
        await scene.place.effects.until(lambda: len(scene.effects) == 2)
        held, busy = scene.told.held, scene.worker.busy()
        scene.place.effects.gate.set()
        await scene.told.until(2)

    assert ([Attempt("e1", "a", 1)], 2) == (held, busy)


@pytest.mark.parametrize(("is_current", "count"), [(True, 1), (False, 0)])
async def test_after_a_burial_history_is_asked_first(is_current: bool, count: int) -> None:
    """A frame that was on its way while its session was buried begins only when it is still current."""
    async with working() as scene:
        await scene.place.sessions.bury(["s1"])
        await scene.clock.turn(RENEW_S)
        scene.told.current = is_current
        scene.told.tasks = [started()]
        await scene.told.until(1)
    error = scene.told.reports[0].completion.error

    assert count == len(scene.effects)
    assert ("node.worker_lost" if not is_current else None) == (error.code if error else None)


async def test_a_suspect_says_that_it_begins() -> None:
    """A suspect begins once History knows; what is not the worker's any more does not."""
    async with working() as scene:
        scene.told.tasks = [msgspec.structs.replace(started(), is_suspect=True)]
        await scene.told.until(1)
        scene.told.current = False
        scene.told.tasks = [msgspec.structs.replace(started("e2"), is_suspect=True)]
        await scene.told.until(2)

    assert [("e1", True), ("e2", True)] == [(each.execution_id, each.begins) for each in scene.told.claims]
    assert [None, "node.worker_lost"] == [
        each.completion.error.code if each.completion.error else None for each in scene.told.reports
    ]
