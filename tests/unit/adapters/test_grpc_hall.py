"""Credits of a Matching that serves other processes: what is lost with a line comes back."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import grpc
import pytest

from linkflow.adapters.grpc._gen.matching_pb2 import DispatchCall, PollCall
from linkflow.adapters.grpc.failures import LineCut
from linkflow.adapters.grpc.hall import LEAKS, Hall
from linkflow.adapters.grpc.wire import Wire
from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.domain.values import decode_json, encode_json
from linkflow.engine.matching.service import Matching
from linkflow.ports.commands import Task, TaskId

GENEROUS_S = 10.0


class Pipe:
    """One end of a stream in memory."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Any] = asyncio.Queue()
        self.peer: Pipe | None = None

    async def read(self) -> Any:
        """Wait for what the peer wrote."""
        assert self.peer is not None
        return await self.peer.sent.get()

    async def write(self, frame: Any) -> None:
        """Send."""
        await self.sent.put(frame)

    async def end(self) -> None:
        """Hang up."""
        await self.sent.put(grpc.aio.EOF)


class Far:
    """A History or a worker at the other end of a line.

    Attributes:
        heard: Notes that came, as (call, record).
    """

    def __init__(self) -> None:
        self._pipe, near = Pipe(), Pipe()
        self._pipe.peer, near.peer = near, self._pipe
        self.near = Wire(near, "far")
        self.wire = Wire(self._pipe, "near")
        self.heard: list[tuple[int, Any]] = []
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Take in whatever comes."""
        numbers = {*DispatchCall.values(), *PollCall.values()}
        await self.wire.run(notes={number: self._hear(number) for number in numbers})

    def _hear(self, number: int) -> Any:
        def hear(record: bytes) -> None:
            self.heard.append((number, decode_json(record) if record else None))
            self._news.set()

        return hear

    async def until(self, call: int, *, wanted: Any = None) -> Any:
        """Wait for a note, or for one that says what is wanted; its record."""
        async with asyncio.timeout(GENEROUS_S):
            while True:
                found = [record for number, record in self.heard if number == call]
                if found and wanted in (None, *found):
                    return found[-1]
                self._news.clear()
                await self._news.wait()


class Scene:
    """A hall, and who comes in."""

    def __init__(self, group: asyncio.TaskGroup, matching: Matching | None = None) -> None:
        self.matching = matching or Matching(MemoryTaskQueue())
        self.hall = Hall(self.matching)
        self._group = group
        self.tasks = [group.create_task(self.hall.run())]

    def _live(self, *lives: Coroutine[Any, Any, None]) -> None:
        self.tasks += [self._group.create_task(each) for each in lives]

    def history(self) -> Far:
        """Let a History in."""
        far = Far()
        self._live(self.hall.dispatch(far.near), far.run())
        return far

    async def worker(self, session: str, slots: int, in_hand: int = 0) -> Far:
        """Let a worker in."""
        far = Far()
        self._live(self.hall.poll(far.near), far.run())
        await far.wire.call(PollCall.POLL_CALL_OPEN, encode_json((session, ["default"], slots, in_hand)))
        return far

    async def settled(self, session: str, in_use: int) -> None:
        """Let the hall go on until so many credits are in use."""
        async with asyncio.timeout(GENEROUS_S):
            while self.matching.in_use(session) != in_use:  # noqa: ASYNC110  the hall tells nobody
                await asyncio.sleep(0)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """Open a hall."""
    async with asyncio.TaskGroup() as group:
        found = Scene(group)
        yield found
        for task in found.tasks:
            task.cancel()


async def test_histories_share_the_credits(scene: Scene) -> None:
    """Two Histories get half of the slots between them ahead; the other half is for whoever runs out."""
    first, second = scene.history(), scene.history()
    await scene.worker("s1", 16)
    got = [await each.until(DispatchCall.DISPATCH_CALL_GRANT_CREDITS) for each in (first, second)]

    assert ([["default", {"s1": 4}]] * 2, 8) == (got, scene.matching.in_use("s1"))


async def test_a_history_that_is_alone_gets_all_credits(scene: Scene) -> None:
    """A History that shares workers with nobody may start as much as there is room for, without a queue."""
    history = scene.history()
    await scene.worker("s1", 16)

    assert ["default", {"s1": 16}] == await history.until(DispatchCall.DISPATCH_CALL_GRANT_CREDITS)


async def test_a_worker_that_comes_later_gets_work_too(scene: Scene) -> None:
    """A History with credits of one worker at hand is given those of a second one, and spreads over both."""
    history = scene.history()
    await scene.worker("s1", 16)
    await history.until(DispatchCall.DISPATCH_CALL_GRANT_CREDITS)
    await scene.worker("s2", 16)

    await history.until(DispatchCall.DISPATCH_CALL_GRANT_CREDITS, wanted=["default", {"s2": 16}])


async def test_a_history_that_dies_gives_its_credits_back(scene: Scene) -> None:
    """What a History kept idle is there for others as soon as its line is cut."""
    history = scene.history()
    await scene.worker("s1", 8)
    await history.until(DispatchCall.DISPATCH_CALL_GRANT_CREDITS)
    before = scene.matching.in_use("s1")
    history.wire.close()
    history.near.close()
    await scene.settled("s1", 0)

    assert 8 == before


async def test_a_worker_that_comes_back_is_counted_by_what_it_holds(scene: Scene) -> None:
    """A worker that opens again with three attempts in hand has room for the rest only."""
    await scene.worker("s1", 8, in_hand=3)

    assert (3, 5) == (scene.matching.in_use("s1"), len(scene.matching.reserve("default", 64)))


class Hasty(Matching):
    """A Matching that gives two credits of a worker away while that worker still sits down."""

    async def poll(self, session: str, queues: Sequence[str], slots: int, wait_s: float) -> Sequence[Task]:
        """Register, and grant at once."""
        found = await super().poll(session, queues, slots, wait_s)
        if queues:
            self.reserve("default", 2)
        return found


async def test_credits_granted_while_a_worker_sits_down_are_counted() -> None:
    """What a History got of a worker before the worker's own count was taken is not given away again."""
    async with asyncio.TaskGroup() as group:
        scene = Scene(group, Hasty(MemoryTaskQueue()))
        await scene.worker("s1", 8, in_hand=3)
        in_use = scene.matching.in_use("s1")
        for task in scene.tasks:
            task.cancel()

    assert 5 == in_use


@pytest.mark.parametrize(("in_hand", "after"), [(0, 0), (5, 5), (2, 2)])
async def test_credits_that_were_lost_are_found(scene: Scene, in_hand: int, after: int) -> None:
    """Credits that are neither idle nor in hand for some heartbeats come back; and the reverse."""
    worker = await scene.worker("s1", 8)
    scene.matching.reserve("default", 3)
    for _ in range(LEAKS):
        worker.wire.note(PollCall.POLL_CALL_HEARTBEAT, encode_json(in_hand))
    await scene.settled("s1", after)


async def test_queued_tasks_take_precedence_over_idle_credits(scene: Scene) -> None:
    """While tasks are queued a History may keep no idle credits."""
    history = scene.history()
    await scene.worker("s1", 2)
    await history.until(DispatchCall.DISPATCH_CALL_GRANT_CREDITS)
    before = await history.until(DispatchCall.DISPATCH_CALL_LIMIT_CREDITS)
    await history.wire.call(DispatchCall.DISPATCH_CALL_ADD_TASK, encode_json([TaskId("e1", "n", 1)]))
    await history.until(DispatchCall.DISPATCH_CALL_LIMIT_CREDITS, wanted=0)

    assert 2 == before


class Slow(Matching):
    """A Matching that a worker sits down at for ever."""

    def __init__(self) -> None:
        super().__init__(MemoryTaskQueue())
        self.asked = asyncio.Event()

    async def poll(self, session: str, queues: Sequence[str], slots: int, wait_s: float) -> Sequence[Task]:
        """Register, and say nothing."""
        await super().poll(session, queues, slots, wait_s)
        self.asked.set()
        await asyncio.Event().wait()
        return ()


async def test_a_line_that_is_cut_while_a_worker_sits_down_leaves_no_credits() -> None:
    """A worker whose line is cut before it was answered has no room that anybody is granted."""
    matching = Slow()
    async with asyncio.TaskGroup() as group:
        scene = Scene(group, matching)

        async def sits_down() -> None:
            with suppress(LineCut):
                await scene.worker("s1", 8)

        worker = group.create_task(sits_down())
        await asyncio.wait_for(matching.asked.wait(), GENEROUS_S)
        before = len(scene.hall.queues())
        for task in scene.tasks[1:]:
            task.cancel()
        await asyncio.wait(scene.tasks[1:])
        after = matching.reserve("default", 8)
        worker.cancel()
        scene.tasks[0].cancel()

    assert (1, []) == (before, list(after))
