"""Load, decide, append: the loop that moves executions on, and the only writer of histories.

    news ─► inbox of the execution ─► [one driver at a time]
                                        load when not in memory
                                        decide   (pure; large values are fetched when it asks)
                                        append   (group commit; returns when durable)
                                        fold, then let everything out that was waiting for durability

Whoever brings news while nobody drives becomes the driver; the others wait for their answer. News that
arrives during a commit is decided together into the next record. A version conflict means that another
member was first: forget, load, decide again. An unknown outcome is the same: news is safe to repeat.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from linkflow import telemetry
from linkflow.domain.errors import (
    Conflict,
    LinkFlowError,
    NotFound,
    OutcomeUnknown,
    Unavailable,
    VersionConflict,
)
from linkflow.domain.execution import news as n
from linkflow.domain.execution.decide import decide, has_more
from linkflow.domain.execution.effects import outgoing
from linkflow.domain.execution.events import Event, WorkflowExecutionStarted, encode
from linkflow.domain.execution.evolve import evolve, fold
from linkflow.domain.execution.scope import NeedsBlobs
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.turn import Turn
from linkflow.domain.values import INLINE_BYTES, blob_reference, encode_json
from linkflow.engine.history.entries import Entries, Entry, Told
from linkflow.engine.history.graphs import Graphs
from linkflow.engine.history.opened import OpenedBlobs
from linkflow.engine.history.tasks import QUEUE
from linkflow.ports.clock import Clock
from linkflow.ports.outbound import BlobStore
from linkflow.ports.services import Matching
from linkflow.ports.stores import Head, HistoryStore, Message, Record, Recorded

CREDITS = 64
"""Worker credits a turn may use; what it schedules beyond them goes through a queue."""

TRIES = 40
"""How often a record is tried when the store does not answer, before its news is refused."""

REQUEST_KEY_S = 24 * 3600.0
"""How long an idempotency key is remembered (seed 004)."""

log = telemetry.logger("history")

Committed = Callable[[Entry, ExecutionState, Turn, Sequence[Message]], None]


class Driver:
    """Moves executions on, one record at a time."""

    def __init__(
        self,
        *,
        store: HistoryStore,
        graphs: Graphs,
        blobs: BlobStore,
        matching: Matching,
        clock: Clock,
        committed: Committed,
    ) -> None:
        self.entries = Entries()
        self.opened = OpenedBlobs(blobs)
        self._store = store
        self._graphs = graphs
        self._blobs = blobs
        self._matching = matching
        self._clock = clock
        self._committed = committed

    async def tell(self, execution_id: str, news: n.News) -> bool:
        """Tell an execution something; return when what follows is durable.

        Returns:
            Whether the news was wanted; False for repeats and for what came too late.

        Raises:
            NotFound: No such execution.
            Conflict: The news does not fit where the execution stands; nothing was written.
            Unavailable: The store does not answer; try again.
        """
        entry = self.entries.get(execution_id)
        told = Told(news)
        entry.inbox.append(told)
        if entry.is_driven:
            told.done = asyncio.get_running_loop().create_future()
            return await told.done
        return await self._drive(entry, told)

    async def _drive(self, entry: Entry, mine: Told) -> bool:
        """Decide and commit until the inbox is empty; the answer to the driver's own news."""
        entry.is_driven = True
        outcome: bool | LinkFlowError = False
        try:
            while entry.inbox or (entry.state is not None and has_more(entry.state)):
                told, entry.inbox = entry.inbox, []
                answers = await self._advance(entry, told)
                for item, answer in zip(told, answers, strict=True):
                    if item is mine:
                        outcome = answer
                    else:
                        _answer(item, answer)
        except BaseException:
            entry.forget()
            for item in entry.inbox:
                _answer(item, Unavailable("The engine stopped while it was deciding; try again."))
            entry.inbox = []
            raise
        finally:
            entry.is_driven = False
        if isinstance(outcome, LinkFlowError):
            raise outcome
        return outcome

    async def _advance(self, entry: Entry, told: Sequence[Told]) -> Sequence[bool | LinkFlowError]:
        """Decide one turn and commit it, again and again until it is the next record of the history."""
        for attempt in range(TRIES):
            try:
                state = entry.state or await self._load(entry, told)
                return await self._turn(entry, state, [item.news for item in told])
            except VersionConflict:
                entry.forget()
            except (OutcomeUnknown, Unavailable) as error:
                entry.forget()
                if attempt == TRIES - 1:
                    return [error] * len(told)
                await self._clock.sleep(min(1.0, 0.02 * 2 ** min(attempt, 6)))
            except (NotFound, Conflict, LinkFlowError) as error:
                if len(told) <= 1:
                    return [error] * len(told)
                return [answer for item in told for answer in await self._advance(entry, [item])]
        return [Unavailable("Other writers were always first; try again.")] * len(told)

    async def _load(self, entry: Entry, told: Sequence[Told]) -> ExecutionState:
        records = list(await self._store.load(entry.execution_id))
        if records:
            started = records[0].events[0]
        else:
            begins = [item.news.started for item in told if isinstance(item.news, n.Begin)]
            if not begins:
                raise NotFound("There is no such execution.", execution_id=entry.execution_id)
            started = begins[0]
        assert isinstance(started, WorkflowExecutionStarted)
        graph = await self._graphs.get(started.workspace_id, started.spec_hash)
        entry.records = records
        entry.state = fold(entry.execution_id, graph, records)
        return entry.state

    async def _turn(
        self, entry: Entry, state: ExecutionState, news: Sequence[n.News]
    ) -> Sequence[bool | LinkFlowError]:
        granted = list(self._matching.reserve(QUEUE, CREDITS))
        used = 0
        try:
            turn = await self._decide(state, news, granted)
            if turn.events:
                turn, data = await self._externalise(state, turn)
                messages = await self._append(entry, state, turn, data, news)
                used = turn.sessions_used
                entry.records.append(Recorded(first=state.version + 1, at=turn.at, events=turn.events))
                entry.state = turn.state
                self._committed(entry, state, turn, messages)
            return turn.accepted
        finally:
            self._matching.release(granted[used:])

    async def _decide(self, state: ExecutionState, news: Sequence[n.News], granted: Sequence[str]) -> Turn:
        while True:
            try:
                return decide(state, news, self._clock.now(), sessions=granted, blobs=self.opened.values)
            except NeedsBlobs as needed:
                await self.opened.fetch(_workspace_of(state, news), needed.sha256)
            except LinkFlowError:
                raise
            except Exception as error:  # a bug must stop this execution only
                log.exception("decision failed", execution_id=state.execution_id)
                reason = f"{type(error).__name__}: {error}"[:500]
                if state.started is None:
                    raise LinkFlowError(f"The execution cannot start: {reason}") from error
                return decide(state, [n.Quarantine(reason)], self._clock.now())

    async def _externalise(self, before: ExecutionState, turn: Turn) -> tuple[Turn, bytes]:
        """Move large outputs of pure nodes to the blob store; the encoded events."""
        data = encode(turn.events)
        if len(data) <= INLINE_BYTES:
            return turn, data
        events: list[Event] = []
        for event in turn.events:
            changed = {}
            for name in ("output", "items", "result", "input"):
                value = getattr(event, name, None)
                if isinstance(value, dict | list | str) and len(encoded := encode_json(value)) > INLINE_BYTES:
                    sha256 = await self._blobs.put(turn.state.start.workspace_id, encoded)
                    changed[name] = blob_reference(sha256, len(encoded))
            events.append(msgspec.structs.replace(event, **changed) if changed else event)
        state = before.copy()
        for event in events:
            evolve(state, event, turn.at)
        turn.state, turn.events = state, events
        return turn, encode(events)

    async def _append(
        self, entry: Entry, before: ExecutionState, turn: Turn, data: bytes, news: Sequence[n.News]
    ) -> Sequence[Message]:
        state = turn.state
        start = state.start
        messages = [
            Message(
                execution_id=entry.execution_id,
                number=out.number,
                kind=out.kind,
                to=out.to,
                body=out.body,
            )
            for out in outgoing(before, turn.events, state)
        ]
        request_key = start.request_id if before.version == 0 else ""
        await self._store.append(
            Record(
                execution_id=entry.execution_id,
                expected=before.version,
                events=turn.events,
                at=turn.at,
                head=Head(
                    workspace_id=start.workspace_id,
                    workflow_id=start.workflow_id,
                    workflow_version=start.workflow_version,
                    status=state.status().value,
                    started_at=state.started_at,
                    wakeup_at=None if state.flying or state.is_closed else state.wakeup_at(),
                    closed_at=state.closed_at if state.is_closed else None,
                ),
                outbox=messages,
                request_key=f"{start.workspace_id}:{request_key}" if request_key else "",
                request_until=turn.at + REQUEST_KEY_S,
                data=data,
            )
        )
        return messages


def _workspace_of(state: ExecutionState, news: Sequence[n.News]) -> str:
    """The tenant of an execution, also of one that is about to start."""
    if state.started is not None:
        return state.started.workspace_id
    return next(item.started.workspace_id for item in news if isinstance(item, n.Begin))


def _answer(told: Told, answer: bool | LinkFlowError) -> None:  # the outcome itself
    if told.done is None or told.done.done():
        return
    if isinstance(answer, LinkFlowError):
        told.done.set_exception(answer)
    else:
        told.done.set_result(answer)
