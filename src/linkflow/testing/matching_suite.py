"""Contract suite of Matching: of what History uses and of what a worker uses, direct or over a wire."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from linkflow.ports.services import Dispatch, Poll, Task, TaskId

PATIENCE_S = 10.0
QUEUES = ("default",)

T = TypeVar("T")


async def eventually(look: Callable[[], T]) -> T:
    """Look until something is there: the other side of a wire tells when it likes."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := look()):  # noqa: ASYNC110  there is no event on this side of the wire
            await asyncio.sleep(0.005)
    return found


def task(number: int, session: str) -> Task:
    """Say a task that was started for a session."""
    return Task(
        execution_id=f"e{number}", key="n", attempt=1, workspace_id="w", workflow_id="f", spec_hash="h",
        node_id="n", node_type="http.request", session=session,
    )  # fmt: skip


@dataclass
class Claims:
    """The History of a Matching: starts a queued task for whoever claims it first.

    Attributes:
        started: By whom.
        lost: Sessions whose attempts were ended.
    """

    started: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    async def claim(self, wanted: TaskId, session: str) -> Task | None:
        """Start a task once."""
        if self.started.setdefault(wanted.execution_id, session) != session:
            return None
        return task(int(wanted.execution_id[1:]), session)

    async def sessions_lost(self, sessions: Sequence[str]) -> None:
        """End what they had started."""
        self.lost += sessions


class MatchingSuite:
    """What a Matching does for History (`dispatch`) and workers (`poll`, `another`).

    `claims` is the History that starts queued tasks.
    """

    async def test_a_started_task_reaches_its_worker(self, dispatch: Dispatch, poll: Poll) -> None:
        """C5: History takes a credit, delivers, and the worker that polls has the task as it was."""
        await poll.poll("s1", QUEUES, 2, 0.0)
        [session] = await eventually(lambda: dispatch.reserve("default", 1))
        delivered = dispatch.deliver(task(1, session))
        [got] = await poll.poll("s1", QUEUES, 2, PATIENCE_S)

        assert ("s1", True, task(1, "s1")) == (session, delivered, got)

    async def test_credits_are_never_more_than_slots(self, dispatch: Dispatch, poll: Poll) -> None:
        """D7: History gets as many credits as the worker has slots, and more only when some return."""
        await poll.poll("s1", QUEUES, 4, 0.0)
        found: list[str] = []

        def all_found() -> bool:
            found.extend(dispatch.reserve("default", 64))
            return len(found) >= 4

        await eventually(all_found)
        more = list(dispatch.reserve("default", 64))
        dispatch.release(["s1"])
        again = await eventually(lambda: dispatch.reserve("default", 64))

        assert (found, more, list(again)) == (["s1"] * 4, [], ["s1"])

    async def test_a_worker_is_given_more_room(self, dispatch: Dispatch, poll: Poll) -> None:
        """C6r: a worker that may run more at once from now on is given more."""
        await poll.poll("s1", QUEUES, 1, 0.0)
        found: list[str] = list(await eventually(lambda: dispatch.reserve("default", 1)))
        poll.resize("s1", 3)

        def all_found() -> bool:
            found.extend(dispatch.reserve("default", 64))
            return len(found) >= 3

        await eventually(all_found)

        assert (found, list(dispatch.reserve("default", 64))) == (["s1"] * 3, [])

    async def test_who_reports_gets_the_next_task(
        self, dispatch: Dispatch, poll: Poll, another: Poll
    ) -> None:
        """Of two workers with room, the one that waits for a reply comes first, whoever has more room."""
        await poll.poll("s1", QUEUES, 4, 0.0)
        await another.poll("s2", QUEUES, 16, 0.0)
        both = Counter(s1=1, s2=1)
        found: Counter[str] = Counter()

        def both_found() -> bool:
            found.update(dispatch.reserve("default", 2))
            return found >= both

        await eventually(both_found)
        dispatch.release(list(found.elements()))

        came = [dispatch.reserve("default", 1, each)[0] for each in ("s1", "s2")]

        assert came == ["s1", "s2"]

    async def test_an_unknown_queue_has_no_credits(self, dispatch: Dispatch, poll: Poll) -> None:
        """Credits are for the queues that the worker named."""
        await poll.poll("s1", QUEUES, 4, 0.0)
        await eventually(lambda: dispatch.reserve("default", 1))

        assert list(dispatch.reserve("other", 64)) == []

    async def test_queued_tasks_come_when_there_is_room(
        self, dispatch: Dispatch, poll: Poll, claims: Claims
    ) -> None:
        """D5, D6: queued tasks are started for a worker with room, and the rest when credits come back."""
        await poll.poll("s1", QUEUES, 2, 0.0)
        await dispatch.add([TaskId(f"e{number}", "n", 1) for number in range(5)])
        got: list[Task] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(got) < 5:
                came = await poll.poll("s1", QUEUES, 2, PATIENCE_S)
                got += came
                poll.release(["s1"] * len(came))

        assert [f"e{number}" for number in range(5)] == sorted(each.execution_id for each in got)
        assert {"s1"} == set(claims.started.values())

    async def test_a_poll_ends_when_its_time_is_over(self, poll: Poll) -> None:
        """D6: a poll without tasks ends empty."""
        await poll.poll("s1", QUEUES, 2, 0.0)

        assert await poll.poll("s1", QUEUES, 2, 0.01) == []

    async def test_stops_reach_the_worker(self, dispatch: Dispatch, poll: Poll) -> None:
        """A worker hears which attempts to stop, once."""
        await poll.poll("s1", QUEUES, 2, 0.0)
        await eventually(lambda: dispatch.reserve("default", 1))
        polling = asyncio.ensure_future(poll.poll("s1", QUEUES, 2, PATIENCE_S))
        dispatch.cancel("s1", "e1", "n")
        await polling
        stops = list(poll.cancelled("s1"))

        assert (stops, list(poll.cancelled("s1"))) == ([("e1", "n")], [])

    async def test_a_draining_worker_gets_nothing_further(self, dispatch: Dispatch, poll: Poll) -> None:
        """D8: a session that drains has no credits; what was started comes; it is idle when all are back."""
        await poll.poll("s1", QUEUES, 3, 0.0)
        [session] = await eventually(lambda: dispatch.reserve("default", 1))
        poll.drain("s1")

        def none_left() -> bool:
            more = dispatch.reserve("default", 1)
            dispatch.release(more)
            return not more

        await eventually(none_left)
        was_idle = poll.is_idle("s1")
        dispatch.deliver(task(1, session))
        got: list[Task] = []
        async with asyncio.timeout(PATIENCE_S):
            while not got:
                got += await poll.poll("s1", QUEUES, 3, PATIENCE_S)
        poll.release(["s1"])
        async with asyncio.timeout(PATIENCE_S):
            while not poll.is_idle("s1"):
                await poll.poll("s1", QUEUES, 3, 0.05)

        assert (False, [task(1, "s1")]) == (was_idle, got)

    async def test_a_session_that_left_takes_no_task(self, dispatch: Dispatch, poll: Poll) -> None:
        """History hears that a worker is over: at once, or when it delivers."""
        await poll.poll("s1", QUEUES, 2, 0.0)
        await eventually(lambda: dispatch.reserve("default", 1))
        poll.leave("s1")

        assert await eventually(lambda: not dispatch.deliver(task(1, "s1")))
