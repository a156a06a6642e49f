"""Load, decide, append: the loop that moves executions on, and the only writer of histories.

    news ─► inbox of the execution ─► [one driver at a time]
                                        load when not in memory
                                        decide   (pure; large values are fetched when it asks)
                                        append   (group commit; returns when durable)
                                        fold, then let everything out that was waiting for durability

Whoever brings news while nobody drives starts a driver, a task of its own: a caller that goes away takes
nothing with it. News that arrives during a commit is decided together into the next record. A version
conflict means that another member was first: forget, load, decide again; when there are several members,
news that changes nothing is compared with the store, too. After an unknown outcome the
record is looked for: when it is there, all that waited for its durability is let out, as if the answer had
come; when it is not, the news is decided again.
"""

import asyncio
from collections.abc import Callable, Sequence

from linkflow import telemetry
from linkflow.domain.errors import (
    LinkFlowError,
    NotFound,
    OutcomeUnknown,
    StoreFull,
    Unavailable,
    VersionConflict,
)
from linkflow.domain.execution import news as n
from linkflow.domain.execution.decide import decide, has_more, roll_over
from linkflow.domain.execution.events import encode
from linkflow.domain.execution.evolve import fold
from linkflow.domain.execution.scope import NeedsBlobs
from linkflow.domain.execution.snapshot import started_of
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.turn import Turn
from linkflow.engine.history import measures
from linkflow.engine.history.entries import Entries, Entry, Told
from linkflow.engine.history.graphs import Graphs
from linkflow.engine.history.opened import OpenedBlobs
from linkflow.engine.history.recording import externalised, is_same, record_of
from linkflow.engine.history.tasks import QUEUE
from linkflow.ports.clock import Clock
from linkflow.ports.outbound import BlobStore
from linkflow.ports.services import Dispatch
from linkflow.ports.stores import HistoryStore, Message, Record, Recorded

CREDITS = 64
"""Worker credits a turn may use; what it schedules beyond them goes through a queue."""

PATIENCE_S = 30.0
"""How long news is tried while the store does not answer, before it is refused."""

CONFLICTS = 100
"""How often other writers may be first before news is refused."""

log = telemetry.logger("history")

Committed = Callable[[Entry, ExecutionState, Turn, Sequence[Message]], None]
Answers = Sequence[bool | LinkFlowError]


class Driver:
    """Moves executions on, one record at a time.

    Attributes:
        driving: Executions that are decided, committed or tried again right now.
    """

    def __init__(
        self,
        *,
        store: HistoryStore,
        graphs: Graphs,
        blobs: BlobStore,
        matching: Dispatch,
        clock: Clock,
        committed: Committed,
        is_shared: bool = False,
    ) -> None:
        self._is_shared = is_shared
        self.entries = Entries()
        self.opened = OpenedBlobs(blobs)
        self.driving = 0
        self._store = store
        self._graphs = graphs
        self._blobs = blobs
        self._matching = matching
        self._clock = clock
        self._committed = committed
        self._group: asyncio.TaskGroup | None = None
        self._is_stopping = False

    def own_tasks(self, group: asyncio.TaskGroup) -> None:
        """Say which task group owns the drivers."""
        self._group = group

    def stop(self) -> None:
        """Refuse further news, and give up at once what the store does not take."""
        self._is_stopping = True

    async def tell(self, execution_id: str, news: n.News) -> bool:
        """Tell an execution something; return when what follows is durable.

        Returns:
            Whether the news was wanted; False for repeats and for what came too late.

        Raises:
            NotFound: No such execution.
            Conflict: The news does not fit where the execution stands; nothing was written.
            Unavailable: The store does not answer; try again.
        """
        if self._is_stopping:
            raise Unavailable("The engine is stopping; try again.")
        assert self._group is not None, "own_tasks comes first"
        entry = self.entries.get(execution_id)
        told = Told(news, asyncio.get_running_loop().create_future())
        entry.inbox.append(told)
        if not entry.is_driven:
            entry.is_driven = True
            self.driving += 1
            self._group.create_task(self._drive(entry))
        return await told.done

    async def _drive(self, entry: Entry) -> None:
        """Decide and commit until the inbox is empty."""
        told: Sequence[Told] = ()
        try:
            while entry.inbox or (entry.state is not None and has_more(entry.state)):
                told, entry.inbox = entry.inbox, []
                for item, answer in zip(told, await self._advance(entry, told), strict=True):
                    item.answer(answer)
                await self._roll_over(entry)
        except Exception as error:  # a bug, or a history that cannot be read: it stops this execution only
            log.exception("execution cannot be moved on", execution_id=entry.execution_id)
            reason = f"{type(error).__name__}: {error}"[:500]
            self._refuse(entry, told, LinkFlowError(f"The execution cannot be moved on: {reason}"))
        except asyncio.CancelledError:
            self._refuse(entry, told, Unavailable("The engine stopped while it was deciding; try again."))
            raise
        finally:
            entry.is_driven = False
            self.driving -= 1

    def _refuse(self, entry: Entry, told: Sequence[Told], error: LinkFlowError) -> None:
        for item in (*told, *entry.inbox):
            item.answer(error)
        entry.inbox = []
        entry.forget()

    async def _advance(self, entry: Entry, told: Sequence[Told]) -> Answers:
        """Decide one turn and commit it, again and again until it is the next record of the history."""
        until = self._clock.monotonic() + PATIENCE_S
        conflicts = waits = 0
        while True:
            is_first = not conflicts and not waits
            try:
                state = entry.state or await self._load(entry, told, is_first=is_first)
                return await self._turn(entry, state, told)
            except VersionConflict as error:
                entry.forget()
                measures.CONFLICTS.inc()
                conflicts += 1
                if conflicts == CONFLICTS:
                    return [Unavailable(f"Other writers were always first: {error}")] * len(told)
            except Unavailable as error:
                is_new = entry.state is not None and not entry.state.version
                has_no_room = is_new and isinstance(error, StoreFull)
                entry.forget()
                if has_no_room or self._is_stopping or self._clock.monotonic() >= until:
                    return [error] * len(told)  # a start that has no room is refused at once
                await self._pause(waits)
                waits += 1
            except LinkFlowError as error:
                if entry.state is not None and not entry.state.version:
                    entry.forget()  # it was only taken for new
                if len(told) <= 1:
                    return [error] * len(told)
                return [answer for item in told for answer in await self._advance(entry, [item])]

    async def _pause(self, waits: int) -> None:
        await self._clock.sleep(min(1.0, 0.02 * 2 ** min(waits, 6)))

    async def _load(self, entry: Entry, told: Sequence[Told], *, is_first: bool) -> ExecutionState:
        """Fold the history. What is asked to begin is taken for new at first: else the append will say so."""
        begins = [item.news.started for item in told if isinstance(item.news, n.Begin)]
        if not begins:
            measures.MISSES["execution"].inc()
        records = [] if begins and is_first else list(await self._store.load_run(entry.execution_id))
        if not records and not begins:
            raise NotFound("There is no such execution.", execution_id=entry.execution_id)
        started = started_of(records) if records else begins[0]
        graph = await self._graphs.get(started.workspace_id, started.spec_hash)
        entry.records = records
        entry.state = fold(entry.execution_id, graph, records)
        return entry.state

    async def _turn(self, entry: Entry, state: ExecutionState, told: Sequence[Told]) -> Answers:
        """Decide and commit one record; credits that it does not use are given back at once."""
        if state.version:
            measures.HITS["execution"].inc()
        reporting = next((item.news.session for item in told if isinstance(item.news, n.Report)), "")
        granted = self._matching.reserve(QUEUE, CREDITS, reporting)
        used = 0
        try:
            turn = await self._decide(state, [item.news for item in told], granted)
            used = turn.sessions_used
        except LinkFlowError:
            await self._require_newest(state)
            raise
        finally:
            self._matching.release(granted[used:])
        if not turn.events:
            await self._require_newest(state)
            return turn.accepted
        try:
            turn, data = await externalised(state, turn, self._blobs)
            record = record_of(entry.execution_id, state, turn, data)
            await self._commit(record, told)
        except BaseException:
            self._matching.release(granted[:used])
            raise
        entry.records.append(Recorded(first=state.version + 1, at=turn.at, events=turn.events))
        entry.state = turn.state
        measures.count(state, turn)
        self._committed(entry, state, turn, record.outbox)
        return turn.accepted

    async def _require_newest(self, state: ExecutionState) -> None:
        """See to it that what is not appended, and so not compared, was not decided on an old state.

        Raises:
            VersionConflict: Another member has moved the execution on.
        """
        if self._is_shared:
            versions = await self._store.versions([state.execution_id])
            if versions.get(state.execution_id, 0) > state.version:
                raise VersionConflict

    async def _roll_over(self, entry: Entry) -> None:
        """Begin the next run when this one has become long; what follows is decided on it."""
        state = entry.state
        turn = roll_over(state, self._now()) if state is not None else None
        if state is None or turn is None:
            return
        try:
            record = record_of(entry.execution_id, state, turn, encode(turn.events))
            await self._commit(record, ())
            await self._store.begin_run(entry.execution_id, state.version + 1)
        except LinkFlowError as error:
            log.warning("the next run begins later", execution_id=entry.execution_id, error=str(error))
            entry.forget()
            return
        entry.state = turn.state
        entry.records = [Recorded(first=state.version + 1, at=turn.at, events=turn.events)]

    async def _commit(self, record: Record, told: Sequence[Told]) -> None:
        """Append; return when the record is durable, raise when it is certain that it is not."""
        try:
            await self._store.append(record)
        except OutcomeUnknown as error:
            log.warning("outcome unknown; the record is looked for", execution_id=record.execution_id)
            if not await self._is_written(record, told, error):
                raise

    async def _is_written(self, record: Record, told: Sequence[Told], cause: OutcomeUnknown) -> bool:
        """Find out whether a record was written; whoever cannot wait for that is answered meanwhile."""
        until = self._clock.monotonic() + PATIENCE_S
        waits = 0
        while True:
            try:
                found = await self._store.load(record.execution_id, record.expected)
            except Unavailable:
                if self._is_stopping:
                    raise
                if self._clock.monotonic() >= until:
                    for item in told:
                        item.answer(cause)
                await self._pause(waits)
                waits += 1
            else:
                return bool(found) and found[0].first == record.expected + 1 and is_same(found[0], record)

    def _now(self) -> float:
        """Say when something is decided, to the microsecond: as exactly as the store will say it."""
        return round(self._clock.now(), 6)

    async def _decide(self, state: ExecutionState, news: Sequence[n.News], granted: Sequence[str]) -> Turn:
        while True:
            try:
                return decide(state, news, self._now(), sessions=granted, blobs=self.opened.values)
            except NeedsBlobs as needed:
                await self.opened.fetch(_workspace_of(state, news), needed.sha256)
            except LinkFlowError:
                raise
            except Exception as error:  # a bug must stop this execution only
                log.exception("decision failed", execution_id=state.execution_id)
                return self._quarantine(state, news, f"{type(error).__name__}: {error}"[:500])

    def _quarantine(self, state: ExecutionState, news: Sequence[n.News], reason: str) -> Turn:
        """Let the execution stand still; what it was told is kept where that can still be decided."""
        if state.started is None:
            raise LinkFlowError(f"The execution cannot start: {reason}", code="execution.quarantined")
        now = self._now()
        try:
            turn = decide(state, [n.Quarantine(reason), *news], now)
            del turn.accepted[0]
        except Exception:  # the news itself is what cannot be decided
            log.exception("news lost to a quarantine", execution_id=state.execution_id)
            turn = decide(state, [n.Quarantine(reason)], now)
            turn.accepted = [False] * len(news)
        return turn


def _workspace_of(state: ExecutionState, news: Sequence[n.News]) -> str:
    """The tenant of an execution, also of one that is about to start."""
    if state.started is not None:
        return state.started.workspace_id
    return next(item.started.workspace_id for item in news if isinstance(item, n.Begin))
