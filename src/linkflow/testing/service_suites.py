"""Contract suites of the engine's services, whether they are called directly or over a wire."""

import asyncio

import msgspec
import pytest

from linkflow.domain.errors import ExecutionClosed, NotFound, Overloaded
from linkflow.domain.values import Json
from linkflow.ports.services import (
    ExecutionQuery,
    Frontend,
    ResolveWait,
    SignalExecution,
    StartExecution,
    Visibility,
)
from linkflow.ports.views import WHOLE, Part
from linkflow.testing.builders import node, spec
from linkflow.testing.engine import FakeEngine
from linkflow.testing.split import Split
from linkflow.testing.split import command as started_by

PATIENCE_S = 10.0
LONG_S = 18.0


def command(**changes: object) -> StartExecution:
    """Say a start."""
    given = {"workspace_id": "w1", "workflow_id": "f1", "spec_hash": "h1", **changes}
    return StartExecution(**given)  # type: ignore[arg-type]


def plain(record: msgspec.Struct) -> Json:
    """Say a record as JSON with every field, so that only values are compared."""
    return {name: msgspec.to_builtins(getattr(record, name)) or None for name in record.__struct_fields__}


class FrontDoorSuite:
    """What every caller of a Frontend sees; provide `engine`, and `frontend`, which leads to it."""

    async def test_a_start_comes_through_whole(self, engine: FakeEngine, frontend: Frontend) -> None:
        """Every field of a start arrives as it was sent."""
        asked = command(
            workflow_version=3,
            trigger="hook",
            trigger_kind="webhook",
            input={"a": [1, 2.5, None, "ü", True], "big": 2**53},
            execution_id=engine.ids.execution_id(),
            request_id="r1",
            mode="test",
            priority=0,
            callback_url="http://c",
            origin="o",
            depth=2,
            timeout_ms=5000,
            overrides={"n": {"x": 1}},
            variables={"v": "1"},
            session={},
            wait_ms=0,
        )
        started = await frontend.start(asked)

        assert [asked] == engine.commands
        assert (asked.execution_id, True, asked.input) == (
            started.execution_id,
            started.is_new,
            started.result,
        )

    async def test_defaults_come_through(self, engine: FakeEngine, frontend: Frontend) -> None:
        """A start that says only what it must arrives with the defaults; it may have got an id on the way."""
        started = await frontend.start(command())
        [got] = engine.commands

        assert got.execution_id in ("", started.execution_id)
        assert command(execution_id=got.execution_id) == got

    async def test_a_start_that_is_repeated_meets_the_first(
        self, engine: FakeEngine, frontend: Frontend
    ) -> None:
        """A request id that was used starts nothing, and says so."""
        first = await frontend.start(command(request_id="r"))
        again = await frontend.start(command(request_id="r"))

        assert (first.execution_id, True, False) == (again.execution_id, first.is_new, again.is_new)

    async def test_many_starts_at_once(self, engine: FakeEngine, frontend: Frontend) -> None:
        """Three hundred starts at once are all answered, each with its own."""
        asked = [command(input=number) for number in range(300)]
        async with asyncio.timeout(PATIENCE_S):
            started = await asyncio.gather(*(frontend.start(each) for each in asked))

        assert list(range(300)) == [each.result for each in started]

    async def test_errors_keep_their_class(self, engine: FakeEngine, frontend: Frontend) -> None:
        """What the service raises is raised at the caller, with code, message and advice."""
        engine.failure = Overloaded("Too much.", backlog=7)
        with pytest.raises(Overloaded, match="Too much") as refused:
            await frontend.start(command())
        engine.failure = None
        with pytest.raises(NotFound):
            await frontend.start(command(spec_hash="unknown"))
        with pytest.raises(NotFound):
            await frontend.view("nothing")

        assert (
            refused.value.code,
            refused.value.details,
            refused.value.retry_after_s,
        ) == ("overloaded", {"backlog": 7}, 1.0)

    async def test_people_reach_an_execution(self, engine: FakeEngine, frontend: Frontend) -> None:
        """Signals and decisions arrive as they were sent, and are refused when the execution is over."""
        engine.holds = True
        about = (await frontend.start(command())).execution_id
        signal = SignalExecution(execution_id=about, id="s1", name="paid", match="m", data={"n": 1})
        decision = ResolveWait(
            execution_id=about, key="k", action="approved", data=[1], by="ada", comment="why"
        )
        await frontend.signal(signal)
        await frontend.resolve(decision)
        explained = await frontend.explain(about)
        waiting = await frontend.awaiting("w1", "paid", "")
        engine.held.add(about)
        await frontend.release(about, "ada")
        await frontend.terminate(about, "why", "ada")
        over = await frontend.wait(about, 10)
        with pytest.raises(ExecutionClosed):
            await frontend.signal(signal)
        with pytest.raises(ExecutionClosed):
            await frontend.cancel(about, "why", "ada")

        assert ([signal], [decision]) == (engine.signals, engine.resolved)
        assert (explained.drivers[0].kind, explained.drivers[0].name) == ("event", "paid")
        assert ([about], "cancelled", False) == (list(waiting), over.status, over.is_new)

    async def test_an_execution_is_read_as_it_is(self, engine: FakeEngine, frontend: Frontend) -> None:
        """Views and events are the same whichever way they are read."""
        about = (await frontend.start(command(input={"a": 1}))).execution_id

        assert plain(await frontend.view(about)) == plain(engine.views[about])
        await frontend.view(about, Part(after=7, runs=False, logs=True))
        assert [WHOLE, Part(after=7, runs=False, logs=True)] == engine.parts[-2:]
        assert await frontend.events(about, 1, 2) == (await engine.events(about))[1:3]


class ExecutionSuite:
    """What an engine does, whether its services are in one process or not; provide `engine`."""

    async def test_effects_run_through_every_service(self, engine: Split) -> None:
        """A job of three effects starts, runs on a worker and ends; each effect happens once."""
        job = await engine.place.publish(spec("t -> a -> b -> c", b="test.post"))
        started = await engine.frontend.start(started_by(job, wait_ms=10_000))

        assert (started.status, started.result) == ("completed", {"key": "c"})
        assert (
            dict.fromkeys((f"{started.execution_id}:{key}" for key in "abc"), 1) == engine.place.effects.met
        )

    async def test_more_than_there_is_room_for(self, engine: Split) -> None:
        """Three hundred jobs on few slots all end, through the queue where there is no room at once."""
        job = await engine.place.publish(spec("t -> a -> b -> c", "t -> d -> c", b="test.post"))
        async with asyncio.timeout(LONG_S):
            ended = await asyncio.gather(
                *(engine.frontend.start(started_by(job, wait_ms=60_000)) for _ in range(300))
            )

        assert {"completed"} == {each.status for each in ended}
        assert (4 * 300, {1}) == (len(engine.place.effects.met), set(engine.place.effects.met.values()))

    async def test_no_more_than_the_slots_at_once(self, engine: Split) -> None:
        """Workers have as many attempts in hand as they have slots, and take more as those end."""
        job = await engine.place.publish(spec("t -> a"))
        engine.place.effects.gate.clear()
        starts = [
            asyncio.ensure_future(engine.frontend.start(started_by(job, wait_ms=60_000))) for _ in range(100)
        ]
        slots = engine.slots * len(engine.workers)
        async with asyncio.timeout(LONG_S):
            await engine.place.effects.until(lambda: len(engine.place.effects.met) == slots)
            begun = sum(worker.busy() for worker in engine.workers)
            engine.place.effects.gate.set()
            ended = await asyncio.gather(*starts)

        assert slots == begun
        assert {"completed"} == {each.status for each in ended}

    async def test_a_delay_ends(self, engine: Split) -> None:
        """A delay of a tenth of a second is over when the Timer says so."""
        job = await engine.place.publish(spec("t -> d -> a", d=node("logic.delay", milliseconds=100)))
        ended = await engine.frontend.start(started_by(job, wait_ms=10_000))

        assert (ended.status, ended.result) == ("completed", {"key": "a"})

    async def test_a_running_effect_is_cancelled(self, engine: Split) -> None:
        """A cancel reaches the worker that runs the attempt, and the execution ends cancelled."""
        job = await engine.place.publish(spec("t -> a -> b"))
        engine.place.effects.gate.clear()
        about = (await engine.frontend.start(started_by(job))).execution_id
        async with asyncio.timeout(LONG_S):
            await engine.place.effects.until(lambda: engine.place.effects.met)
        await engine.frontend.cancel(about, "enough", "ada")
        ended = await engine.frontend.wait(about, 10_000)
        async with asyncio.timeout(LONG_S):
            await engine.place.effects.until(lambda: engine.place.effects.stopped)

        assert (ended.status, [f"{about}:a"]) == ("cancelled", list(engine.place.effects.met))


class VisibilitySuite:
    """What every caller of a Visibility sees; provide `engine`, and `visibility`, which leads to it."""

    async def test_lists_and_counts_come_through(self, engine: FakeEngine, visibility: Visibility) -> None:
        """Rows, cursors and counts are the same whichever way they are asked for."""
        for _ in range(3):
            await engine.start(command())
        asked = ExecutionQuery(workspace_id="w1", status=["completed"], started_from=0.5, limit=2)

        assert await visibility.list(asked) == await engine.list(asked)
        assert await visibility.count(asked) == {"completed": 2}
        assert await visibility.dead_letters("w1") == []

    async def test_the_newest_of_workflows_come_through(
        self, engine: FakeEngine, visibility: Visibility
    ) -> None:
        """The newest of each workflow are the same whichever way they are asked for."""
        for _ in range(3):
            await engine.start(command())
        workflow_ids = [command().workflow_id, "nothing"]
        found = await visibility.latest("w1", workflow_ids, 2)

        assert found == await engine.latest("w1", workflow_ids, 2)
        assert await visibility.latest("w2", workflow_ids, 2) == []
