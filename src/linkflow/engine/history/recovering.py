"""Open executions get their drivers back, a page of them at once.

After a loss every open execution is looked at, and most of them need nothing: their tasks run, or their time
has not come. So a page is read with one question, and only where something must be decided is an execution
told. What waits for a worker is only said: who queues it may have to wait for a Matching, and the next page
must not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set

from linkflow import telemetry
from linkflow.domain.errors import LinkFlowError, Unavailable
from linkflow.domain.execution import news as n
from linkflow.domain.execution.decide import has_more
from linkflow.domain.execution.effects import slot_question
from linkflow.domain.execution.evolve import fold
from linkflow.domain.execution.snapshot import started_of
from linkflow.domain.execution.state import ExecutionState, Slot
from linkflow.engine.history.entries import Entries
from linkflow.engine.history.graphs import Graphs
from linkflow.engine.history.tasks import task_id
from linkflow.ports.clock import Clock
from linkflow.ports.services import TaskId
from linkflow.ports.stores import HistoryStore, Message, Recorded

AT_ONCE = 64
"""Executions that are told something at once."""

Alive = Callable[[Set[str]], Awaitable[Set[str]]]
"""Says which of some worker sessions are not buried."""

Tell = Callable[[str, n.News], Awaitable[None]]

log = telemetry.logger("recovery")


class Recovering:
    """Looks at executions and gives them what moves them on."""

    def __init__(
        self,
        *,
        entries: Entries,
        store: HistoryStore,
        graphs: Graphs,
        clock: Clock,
        tell: Tell,
        deliver: Callable[[Sequence[Message]], None],
        plan: Callable[[str, ExecutionState], None],
    ) -> None:
        """Put it together.

        Args:
            entries: What this member has in memory.
            store: Every history.
            graphs: To fold with.
            clock: Time.
            tell: Tells an execution news that may have become pointless.
            deliver: Takes messages that leave an execution.
            plan: Tells the timer when an execution wants to be woken.
        """
        self._entries = entries
        self._store = store
        self._graphs = graphs
        self._clock = clock
        self._tell = tell
        self._deliver = deliver
        self._plan = plan

    async def recover(self, execution_ids: Sequence[str], alive: Alive) -> Sequence[TaskId]:
        """Give open executions their drivers back. Safe to repeat.

        Args:
            execution_ids: Open executions.
            alive: Says which worker sessions live.

        Returns:
            What waits for a worker, to be queued.

        Raises:
            Unavailable: The store did not answer for some of them; do it again.
        """
        states = await self._states(execution_ids)
        # Asked after the states were read: a session that they name was there before.
        dead = await self._dead(states.values(), alive)
        waiting: list[TaskId] = []
        owed: dict[str, n.News] = {}
        now = self._clock.now()
        for execution_id, state in states.items():
            waiting += [task_id(state, key) for key in state.flying if not state.nodes[key].session]
            due = state.wakeup_at()
            lost = sorted(dead & _sessions(state))
            if lost or has_more(state) or (due is not None and due <= now):
                owed[execution_id] = n.SessionsLost(lost)
            if state.ticket_since:
                self._deliver([_ask_for_ticket(execution_id, state)])
            if state.slot is not None and not state.slot.begins_at:
                self._deliver([_ask_for_slot(execution_id, state, state.slot)])
            self._plan(execution_id, state)
        await self._tell_all(owed)
        return waiting

    async def bury(self, alive: Alive) -> int:
        """End attempts in memory whose worker session was buried, also those started on it afterwards.

        Returns:
            How many executions had some.
        """
        states = {
            entry.execution_id: entry.state
            for entry in self._entries
            if entry.state is not None and entry.is_in_flight
        }
        dead = await self._dead(states.values(), alive)
        lost = {each: sorted(dead & _sessions(state)) for each, state in states.items()} if dead else {}
        owed = {each: n.SessionsLost(sessions) for each, sessions in lost.items() if sessions}
        await self._tell_all(owed)
        return len(owed)

    async def sessions_lost(self, sessions: Sequence[str]) -> None:
        """End attempts of dead sessions in memory; what is being loaded just now is told, too."""
        lost = set(sessions)
        await self._tell_all(
            {
                entry.execution_id: n.SessionsLost(sessions)
                for entry in self._entries
                if entry.state is None or lost & _sessions(entry.state)
            }
        )

    async def _tell_all(self, owed: Mapping[str, n.News]) -> None:
        """Tell many executions, some at once; the first that the store did not answer for is raised."""
        room = asyncio.Semaphore(AT_ONCE)
        unreached: list[Unavailable] = []

        async def tell(execution_id: str, news: n.News) -> None:
            async with room:
                try:
                    await self._tell(execution_id, news)
                except Unavailable as error:
                    unreached.append(error)

        await asyncio.gather(*(tell(execution_id, news) for execution_id, news in owed.items()))
        if unreached:
            raise unreached[0]

    async def _dead(self, states: Iterable[ExecutionState], alive: Alive) -> Set[str]:
        sessions: set[str] = set()
        for state in states:
            sessions |= _sessions(state)
        return sessions - await alive(sessions) if sessions else set()

    # ------------------------------------------------------------ reading many

    async def _states(self, execution_ids: Sequence[str]) -> Mapping[str, ExecutionState]:
        """Fold executions; those in memory that nobody has moved on meanwhile are there already."""
        known = {each: state for each in execution_ids if (state := self._remembered(each)) is not None}
        versions = await self._store.versions(list(known)) if known else {}
        found = {each: state for each, state in known.items() if state.version >= versions.get(each, 0)}
        for execution_id in known.keys() - found.keys():  # moved on by one we took for dead
            entry = self._entries.find(execution_id)
            if entry is not None and not entry.is_driven:
                entry.forget()
        missing = [each for each in execution_ids if each not in found]
        for execution_id, records in (await self._loaded(missing)).items():
            try:
                state = await self._fold(execution_id, records)
            except Unavailable:
                raise
            except Exception:  # one execution that cannot be read must not keep the others from going on
                log.exception("not recovered", execution_id=execution_id)
            else:
                found[execution_id] = state
        return {each: state for each, state in found.items() if not state.is_closed}

    def _remembered(self, execution_id: str) -> ExecutionState | None:
        entry = self._entries.find(execution_id)
        return entry.state if entry is not None and entry.state is not None and entry.state.version else None

    async def _loaded(self, execution_ids: Sequence[str]) -> Mapping[str, Sequence[Recorded]]:
        """Load many; where one cannot be read, the others alone."""
        if not execution_ids:
            return {}
        try:
            return await self._store.load_runs(execution_ids)
        except LinkFlowError:
            raise
        except Exception:
            if len(execution_ids) == 1:
                log.exception("not recovered", execution_id=execution_ids[0])
                return {}
        half = len(execution_ids) // 2
        first, rest = execution_ids[:half], execution_ids[half:]
        return {**await self._loaded(first), **await self._loaded(rest)}

    async def _fold(self, execution_id: str, records: Sequence[Recorded]) -> ExecutionState:
        started = started_of(records)
        graph = await self._graphs.get(started.workspace_id, started.spec_hash)
        state = fold(execution_id, graph, records)
        if _sessions(state):
            # Whose member died before its worker got the task: nobody else knows of it, see `lost_tasks`.
            self._entries.keep(execution_id, state, records)
        return state


def _sessions(state: ExecutionState) -> Set[str]:
    """List the worker sessions that have attempts of an execution."""
    return {state.nodes[key].session for key in state.flying} - {""}


def _ask_for_ticket(execution_id: str, state: ExecutionState) -> Message:
    start = state.start
    body = {"limit": start.ticket_limit, "on_conflict": start.on_conflict}
    return Message(execution_id=execution_id, number=2, kind="ticket", to=start.ticket, body=body)


def _ask_for_slot(execution_id: str, state: ExecutionState, slot: Slot) -> Message:
    body = slot_question(state, slot.policy)
    return Message(execution_id=execution_id, number=2, kind="slot", to=slot.key, body=body)
