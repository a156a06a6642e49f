"""The engine's services as if each were a process of its own: real ones over in-memory stores, over gRPC.

async with split(Place()) as cluster:
    await cluster.frontend.start(...)
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from linkflow.adapters.grpc.clients import FrontendClient, HistoryClient, TimerClient
from linkflow.adapters.grpc.dispatch import DispatchDesk
from linkflow.adapters.grpc.lines import lines
from linkflow.adapters.grpc.polling import PollClient
from linkflow.adapters.grpc.servers import serving
from linkflow.adapters.grpc.trust import Trust
from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.adapters.system import SystemClock, SystemIds
from linkflow.domain.errors import NotFound
from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.domain.workflow.spec import WorkflowSpec, canonical_spec, content_hash
from linkflow.engine.frontend import Frontend
from linkflow.engine.history.service import History
from linkflow.engine.matching.service import Matching
from linkflow.engine.timer import Timer
from linkflow.engine.worker.activity import Activities
from linkflow.engine.worker.service import Worker
from linkflow.ports.cluster import Member
from linkflow.ports.outbound import HttpRequest, HttpResponse
from linkflow.ports.services import StartExecution
from linkflow.testing.builders import catalog
from linkflow.testing.fakes import MemoryBlobStore, RefusingCode
from linkflow.testing.memory_history import MemoryHistoryStore
from linkflow.testing.memory_stores import MemoryLateResults, MemorySessions, MemorySpecStore

WORKSPACE = "w1"
TRUST = Trust(secret="a secret of these tests")  # noqa: S106  not a real one


def member(role: str, address: str, number: int = 1) -> Member:
    """Say a member with one role."""
    return Member(id=f"{role}-{number}", roles=[role], addresses={role: address})


class KnownPeers:
    """Peers as one process knows them; they change when they are told to."""

    def __init__(self, *members: Member) -> None:
        self._members = {each.id: each for each in members}
        self._changed: set[asyncio.Future[None]] = set()

    def know(self, *members: Member) -> None:
        """Meet members, or see that they changed."""
        self._members.update((each.id, each) for each in members)
        self._tell()

    def forget(self, member_id: str) -> None:
        """See that a member is gone."""
        self._members.pop(member_id, None)
        self._tell()

    def _tell(self) -> None:
        waiting, self._changed = self._changed, set()
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def of(self, role: str) -> Sequence[Member]:
        """List the members that have a role."""
        return [self._members[each] for each in sorted(self._members) if role in self._members[each].roles]

    async def changed(self) -> None:
        """Wait for a change."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._changed.add(waiting)
        await waiting


class Proxy:
    """A TCP line that can be cut, and that can hold back what passes.

    Attributes:
        address: Where it answers.
        cuts: How often it was cut.
        carried: Connections that it carried so far.
        overheard: Everything that passed, once `listen_in` was called.
    """

    def __init__(self, target: str, listens: str = "127.0.0.1:0") -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listens = listens.rpartition(":")
        self._open: set[asyncio.StreamWriter] = set()
        self._asks, self._answers = asyncio.Event(), asyncio.Event()
        self.let_go()
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = ""
        self.cuts = 0
        self.carried = 0
        self.overheard: list[bytes] | None = None

    def listen_in(self) -> None:
        """Remember from now on whatever passes."""
        self.overheard = []

    async def start(self) -> None:
        """Listen."""
        host, _, port = self._listens
        self._server = await asyncio.start_server(self._met, host, int(port))
        self.address = f"{host}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Close everything."""
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection, whatever is on its way."""
        self.cuts += 1
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    def hold(self, *, asks: bool = True, answers: bool = True) -> None:
        """Hold back whatever comes, as a network that fell silent, in both directions or in one."""
        for passes, is_held in ((self._asks, asks), (self._answers, answers)):
            if is_held:
                passes.clear()

    def let_go(self) -> None:
        """Let everything pass again."""
        self._asks.set()
        self._answers.set()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self.carried += 1
        self._open |= {writer, far_writer}
        ways = ((reader, far_writer, self._asks), (far_reader, writer, self._answers))
        for source, sink, passes in ways:
            task = asyncio.get_running_loop().create_task(self._carry(source, sink, passes))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, passes: asyncio.Event
    ) -> None:
        try:
            while data := await source.read(65536):
                await passes.wait()
                if self.overheard is not None:
                    self.overheard.append(data)
                sink.write(data)
                await sink.drain()
        except (OSError, RuntimeError):
            pass  # cut, or cut while it was held back
        finally:
            sink.transport.abort()


class Effects:
    """The outside world.

    Attributes:
        met: How often each effect began, by its key.
        stopped: Effects that were cut off.
        gate: Effects end only while it is open.
    """

    def __init__(self) -> None:
        self.met: Counter[str] = Counter()
        self.stopped: list[str] = []
        self._news = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Do what is asked, and count it."""
        key = request.headers["Idempotency-Key"]
        self.met[key] += 1
        self._news.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.stopped.append(key)
            self._news.set()
            raise
        asked = decode_json(request.body or b"{}")
        body = encode_json({"key": asked["key"]})
        return HttpResponse(status=200, reason="OK", headers={}, body=body, url=request.url, duration_ms=0.0)

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until something is so that only effects can bring about."""
        while not is_so():
            self._news.clear()
            await self._news.wait()


@dataclass
class Place:
    """What outlives every process: the stores, and the outside world."""

    store: MemoryHistoryStore = field(default_factory=MemoryHistoryStore)
    specs: MemorySpecStore = field(default_factory=MemorySpecStore)
    blobs: MemoryBlobStore = field(default_factory=MemoryBlobStore)
    effects: Effects = field(default_factory=Effects)
    clock: SystemClock = field(default_factory=SystemClock)
    ids: SystemIds = field(default_factory=SystemIds)

    def __post_init__(self) -> None:
        self.sessions = MemorySessions(self.clock)
        self.late = MemoryLateResults(self.clock)

    async def publish(self, spec: WorkflowSpec) -> str:
        """Store a workflow; its hash."""
        spec_hash = content_hash(spec)
        await self.specs.put(WORKSPACE, spec_hash, canonical_spec(spec))
        return spec_hash

    async def open(self, workspace_id: str, name: str, purpose: str = "") -> Mapping[str, Json]:
        """There are no credentials."""
        raise NotFound("There is no such credential.")

    def history(self, matching: Any, timer: Any, *, is_shared: bool = False) -> History:
        """Make a History."""
        return History(
            store=self.store,
            specs=self.specs,
            late=self.late,
            blobs=self.blobs,
            catalog=catalog(),
            matching=matching,
            timer=timer,
            clock=self.clock,
            ids=self.ids,
            deliver=lambda messages: None,
            changed=lambda execution_id: None,
            is_shared=is_shared,
        )

    def worker(self, session: str, history: Any, matching: Any, slots: int) -> Worker:
        """Make a worker."""
        http: Any = self.effects
        return Worker(
            session=session,
            history=history,
            matching=matching,
            sessions=self.sessions,
            activities=Activities(
                nodes=catalog(),
                http=http,
                code=RefusingCode(),
                blobs=self.blobs,
                broker=self,
                clock=self.clock,
            ),
            clock=self.clock,
            slots=slots,
        )


def command(spec_hash: str, **changes: Any) -> StartExecution:
    """Say a start."""
    return StartExecution(workspace_id=WORKSPACE, workflow_id="f1", spec_hash=spec_hash, **changes)


@dataclass
class Split:
    """The running services, and the lines between them.

    Attributes:
        frontend: As a client of the installation reaches it.
        proxies: The line to each member, by the member's id.
    """

    place: Place
    frontend: Any
    histories: Sequence[History]
    matching: Matching
    workers: Sequence[Worker]
    slots: int
    proxies: Mapping[str, Proxy]


@asynccontextmanager
async def together(place: Place, *, slots: int = 8) -> AsyncIterator[Split]:
    """Run the same services in one process, by direct calls."""
    matching, timer = Matching(MemoryTaskQueue()), Timer(place.store, place.clock)
    history = place.history(matching, timer)
    matching.connect(history)
    timer.connect(history)
    worker = place.worker(place.ids.uuid(), history, matching, slots)
    async with asyncio.TaskGroup() as group:
        history.own_tasks(group)
        tasks = [group.create_task(each.run()) for each in (matching, timer, worker)]
        await worker.ready.wait()
        try:
            yield Split(place, Frontend(history, lambda: 0), [history], matching, [worker], slots, {})
        finally:
            await worker.drain(1.0)
            for task in tasks:
                task.cancel()


@asynccontextmanager
async def split(
    place: Place, *, histories: int = 2, workers: int = 2, slots: int = 8, trust: Trust = TRUST
) -> AsyncIterator[Split]:
    """Run each service as if it were a process of its own; every line passes through a proxy."""
    async with AsyncExitStack() as stack:
        group = await stack.enter_async_context(asyncio.TaskGroup())
        peers = KnownPeers()
        proxies: dict[str, Proxy] = {}
        running: list[asyncio.Task[None]] = []

        async def serve(role: str, part: Any, number: int = 1) -> None:
            bound = await stack.enter_async_context(serving("127.0.0.1:0", {role: part}, trust))
            proxy = proxies[f"{role}-{number}"] = Proxy(bound.address)
            await proxy.start()
            stack.push_async_callback(proxy.stop)
            peers.know(member(role, proxy.address, number))

        async def reach() -> Any:
            return await stack.enter_async_context(lines(peers, trust))

        matching, timer = Matching(MemoryTaskQueue()), Timer(place.store, place.clock)
        for service in (matching, timer):
            service.connect(HistoryClient(await reach(), place.ids))
            running.append(group.create_task(service.run()))
        await serve("matching", matching)
        await serve("timer", timer)
        owners = []
        for number in range(histories):
            found = await reach()
            desk = DispatchDesk(found)
            history = place.history(desk, TimerClient(found), is_shared=True)
            desk.connect(history.sessions_lost)
            history.own_tasks(group)
            owners.append(history)
            await serve("history", history, number + 1)
        hands = []
        for number in range(workers):
            found = await reach()
            poll = PollClient(found)
            worker = place.worker(f"session-{number}", HistoryClient(found, place.ids), poll, slots)
            poll.connect(worker.busy)
            running.append(group.create_task(worker.run()))
            hands.append(worker)
        await serve("frontend", Frontend(HistoryClient(await reach(), place.ids), lambda: 0))
        for worker in hands:
            await worker.ready.wait()
        client = FrontendClient(await reach(), place.ids)
        try:
            yield Split(place, client, owners, matching, hands, slots, proxies)
        finally:
            await asyncio.gather(*(worker.drain(5.0) for worker in hands))
            for task in running:
                task.cancel()
