"""How an execution begins."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.domain.execution.news import Begin
from linkflow.domain.values import Json
from linkflow.domain.workflow.spec import canonical_spec, content_hash
from linkflow.engine.history.driver import Driver
from linkflow.engine.history.graphs import Graphs
from linkflow.engine.history.starting import started_event
from linkflow.engine.matching.service import Matching
from linkflow.ports.services import StartExecution
from linkflow.ports.stores import Recorded
from linkflow.testing.builders import catalog, spec
from linkflow.testing.fakes import FixedClock, MemoryBlobStore
from linkflow.testing.memory_history import MemoryHistoryStore
from linkflow.testing.memory_stores import MemorySpecStore

EXECUTION = "01936d2e-7a00-8001-8000-000000000001"
WORKSPACE = "workspace"


class CountingStore(MemoryHistoryStore):
    """A history store that counts how often it is read."""

    reads = 0

    async def load(self, execution_id: str, after: int = 0, limit: int = 0) -> Sequence[Recorded]:
        """Count and load."""
        self.reads += 1
        return await super().load(execution_id, after, limit)


async def begin(store: MemoryHistoryStore, times: int = 1) -> list[bool]:
    """Let a fresh member begin the same execution some times; whether it was new."""
    clock, specs, blobs = FixedClock(), MemorySpecStore(), MemoryBlobStore()
    graphs = Graphs(specs, catalog())
    design = spec("t -> a")
    spec_hash = content_hash(design)
    await specs.put(WORKSPACE, spec_hash, canonical_spec(design))
    command = StartExecution(workspace_id=WORKSPACE, workflow_id="w", spec_hash=spec_hash)
    graph = await graphs.get(WORKSPACE, spec_hash)
    driver = Driver(
        store=store,
        graphs=graphs,
        blobs=blobs,
        matching=Matching(MemoryTaskQueue()),
        clock=clock,
        committed=lambda entry, state, turn, messages: None,
    )
    async with asyncio.TaskGroup() as group:
        driver.own_tasks(group)
        news = Begin(await started_event(command, graph, blobs, clock.now(), seed=1))
        return [await driver.tell(EXECUTION, news) for _ in range(times)]


async def test_a_start_reads_no_history() -> None:
    """A new execution costs one append: that nothing is there yet is for the append to find out."""
    store = CountingStore()

    await begin(store)

    assert 0 == store.reads


async def test_a_start_meets_the_execution_that_is_there() -> None:
    """A start under an id that is taken is no second start, even where nobody has it in memory."""
    store = MemoryHistoryStore()

    assert [[True], [False]] == [await begin(store), await begin(store)]


async def test_what_is_said_at_the_start_knows_the_time() -> None:
    """Attributes and concurrency keys that ask for the time are told when the execution starts."""
    specs, now = MemorySpecStore(), FixedClock().now()
    settings: Json = {"attributes": {"day": "{{ now() }}"}, "concurrency": {"key": "now()"}}
    design = spec("t -> a", workflow={"settings": settings})
    spec_hash = content_hash(design)
    await specs.put(WORKSPACE, spec_hash, canonical_spec(design))
    graph = await Graphs(specs, catalog()).get(WORKSPACE, spec_hash)
    command = StartExecution(workspace_id=WORKSPACE, workflow_id="w", spec_hash=spec_hash)
    started = await started_event(command, graph, MemoryBlobStore(), now, seed=1)

    said = str(started.attributes["day"])
    assert f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d}" == said[:10]
    assert said[:10] in started.ticket
