"""The simulation is worth its name: an engine with one safety broken is found out.

Each mutant takes one safety out of the real services, or out of the store under them, for the time of a
run. One that no seed finds out would mean that nothing guards that safety.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import msgspec
import pytest

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.domain.execution import decide as decider
from linkflow.domain.execution import events as e
from linkflow.domain.execution import evolve as folds
from linkflow.domain.execution import news as n
from linkflow.domain.execution import queueing, waiting
from linkflow.domain.execution.keys import locate
from linkflow.domain.execution.state import ExecutionState, NodeState
from linkflow.domain.execution.turn import Turn
from linkflow.domain.pacing import Debounced
from linkflow.engine.history import tasks
from linkflow.engine.history.driver import CREDITS, Driver
from linkflow.engine.history.outbox import Outbox
from linkflow.engine.history.recording import record_of
from linkflow.engine.history.service import History
from linkflow.engine.matching.service import Matching
from linkflow.engine.recovery.service import Recovery
from linkflow.engine.worker.activity import Context
from linkflow.ports.stores import Message, Record, Recorded
from linkflow.testing import memory_slots
from linkflow.testing.outside import OpenStore
from linkflow.testing.simulation import Simulation
from linkflow.testing.virtual import VirtualClock
from linkflow.testing.world import World

SEEDS = 400
"""Seeds within which every mutant is found out; most are by the first few."""

LOST = Debounced("", 0.0, 0.0, 1.0, newer="nobody")
Mutant = Callable[[], AbstractContextManager[Callable[..., World]]]


@contextmanager
def swapped(target: Any, name: str, value: Any) -> Iterator[Callable[..., World]]:
    """Break one part of the engine for a while."""
    before = target[name] if isinstance(target, dict) else target.__dict__[name]
    put = target.__setitem__ if isinstance(target, dict) else lambda key, part: setattr(target, key, part)
    put(name, value)
    try:
        yield World
    finally:
        put(name, before)


@contextmanager
def stored_in(store: type[OpenStore]) -> Iterator[Callable[..., World]]:
    """Put a broken store under the engine."""
    yield lambda rng, faults: World(rng, faults, store())


class Unversioned(OpenStore):
    """Takes every record, whatever it expected."""

    def _apply(self, record: Record) -> None:
        kept = self._executions.get(record.execution_id)
        if kept is not None:
            kept.version = record.expected
        super()._apply(record)


class Hasty(OpenStore):
    """Says that a record is durable before it is."""

    async def append(self, record: Record) -> None:
        """Apply it a little later."""
        asyncio.get_running_loop().call_later(0.05, self._apply, record)
        await asyncio.sleep(0)


class Oblivious(OpenStore):
    """Keeps no idempotency keys."""

    async def append(self, record: Record) -> None:
        """Drop the key."""
        await super().append(msgspec.structs.replace(record, request_key=""))


class Outboxless(OpenStore):
    """Keeps no messages with the events."""

    async def append(self, record: Record) -> None:
        """Drop the messages."""
        await super().append(msgspec.structs.replace(record, outbox=()))


def before_commit() -> AbstractContextManager[Callable[..., World]]:
    async def hasty(self: Driver, entry: Any, state: Any, told: Any) -> Any:
        granted = self._matching.reserve("default", CREDITS)
        turn = await self._decide(state, [item.news for item in told], granted)
        self._matching.release(granted[turn.sessions_used :])
        if turn.events:
            record = record_of(entry.execution_id, state, turn, e.encode(turn.events))
            self._committed(entry, state, turn, record.outbox)
            await VirtualClock().sleep(0.01)
            await self._commit(record, told)
            entry.state = turn.state
            entry.records.append(Recorded(first=state.version + 1, at=turn.at, events=turn.events))
        return turn.accepted

    return swapped(Driver, "_turn", hasty)


def any_attempt_counts() -> AbstractContextManager[Callable[..., World]]:
    on_report = waiting.on_report

    def lax(turn: Turn, news: Any) -> bool:
        node = turn.state.nodes.get(news.key)
        if node is not None:
            news = msgspec.structs.replace(news, attempt=node.attempt, session=node.session)
        return on_report(turn, news)

    return swapped(decider, "on_report", lax)


def once_is_tried_again() -> AbstractContextManager[Callable[..., World]]:
    def again(turn: Turn, key: str, node: NodeState) -> None:
        turn.emit(e.ActivityTaskRetryScheduled(key, node.attempt + 1, turn.at))

    return swapped(decider, "worker_lost", again)


def completes_too_early() -> AbstractContextManager[Callable[..., World]]:
    close = decider._close

    def early(turn: Turn) -> None:
        state = turn.state
        if state.started and not (state.is_ending or state.flying or state.retries or state.ticket_since):
            turn.emit(e.WorkflowExecutionCompleted())
        close(turn)

    return swapped(decider, "_close", early)


def effect_key_per_attempt() -> AbstractContextManager[Callable[..., World]]:
    found = property(lambda self: f"{self.execution_id}:{self.key}:{self.attempt}")
    return swapped(Context, "effect_key", found)


def signals_count_twice() -> AbstractContextManager[Callable[..., World]]:
    on_signal = waiting.on_signal

    def again(turn: Turn, news: Any) -> None:
        turn.state.seen.pop(news.id, None)
        on_signal(turn, news)

    return swapped(decider, "on_signal", again)


def queue_forgets() -> AbstractContextManager[Callable[..., World]]:
    async def forget(self: MemoryTaskQueue, tasks: Any) -> None:
        await asyncio.sleep(0)

    return swapped(MemoryTaskQueue, "publish", forget)


def no_recovery() -> AbstractContextManager[Callable[..., World]]:
    async def skip(self: Recovery) -> int:
        await asyncio.sleep(0)
        return 0

    return swapped(Recovery, "sweep", skip)


def acknowledged_before_delivery() -> AbstractContextManager[Callable[..., World]]:
    hand_over = Outbox._hand_over

    async def hasty(self: Outbox, message: Message) -> None:
        await self._store.acknowledge([message])
        await VirtualClock().sleep(1.0)
        await hand_over(self, message)

    return swapped(Outbox, "_hand_over", hasty)


def dead_paths_end() -> AbstractContextManager[Callable[..., World]]:
    def lame(state: ExecutionState, event: e.NodesSkipped, at: float) -> None:
        for key in event.keys:
            place = locate(state, key)
            if place in state.dead:
                state.dead.remove(place)

    return swapped(folds._FOLDS, e.NodesSkipped, lame)  # type: ignore[arg-type]  # a table, not a module


def reports_are_believed() -> AbstractContextManager[Callable[..., World]]:
    told = History._told

    async def hasty(self: History, report: Any, news: Any) -> bool:
        self._spawn(told(self, report, news))  # type: ignore[arg-type]  # its answer is not waited for
        await asyncio.sleep(0)
        return True

    return swapped(History, "_told", hasty)


def promises_are_not_waited_for() -> AbstractContextManager[Callable[..., World]]:
    on_promised = queueing.on_promised

    def hasty(turn: Turn, news: Any) -> bool:
        at, turn.at = turn.at, max(turn.at, news.begins_at)
        try:
            return on_promised(turn, news)
        finally:
            turn.at = at

    return swapped(decider._HANDLERS, n.Promised, hasty)  # type: ignore[arg-type]  # a table, not a module


MUTANTS: dict[str, Mutant] = {
    "two writers are never told apart": lambda: stored_in(Unversioned),
    "a record is acknowledged before it is durable": lambda: stored_in(Hasty),
    "an idempotency key is not kept": lambda: stored_in(Oblivious),
    "messages are not written with their events": lambda: stored_in(Outboxless),
    "an effect begins before its cause is durable": before_commit,
    "the result of any attempt counts": any_attempt_counts,
    "an effect of class once is tried again when its worker died": once_is_tried_again,
    "an execution completes while something is waited for": completes_too_early,
    "each attempt has an effect key of its own": effect_key_per_attempt,
    "a repeated signal counts again": signals_count_twice,
    "credits of workers are never given back": lambda: swapped(
        Matching, "release", lambda self, sessions: None
    ),
    "the queue forgets, and nobody publishes again": queue_forgets,
    "a restart gives nothing its drivers back": no_recovery,
    "a message is acknowledged before it is delivered": acknowledged_before_delivery,
    "what follows a skipped node is not skipped": dead_paths_end,
    "a rate gives everybody the same instant": lambda: swapped(
        memory_slots, "next_slot", lambda taken, policy, at: at
    ),
    "an execution begins before its instant": promises_are_not_waited_for,
    "a debounce forgets who runs in whose place": lambda: swapped(
        memory_slots, "debounced", lambda latest, policy, execution, at: (LOST, None)
    ),
    "nobody wakes a parked execution": lambda: swapped(ExecutionState, "wakeup_at", lambda self: None),
    "a report is acknowledged before it is durable": reports_are_believed,
    "a look-up runs the node itself": lambda: swapped(tasks, "LOOK_UP", ""),
    "what a look-up did not find out counts as not done": lambda: swapped(
        waiting, "is_not_done", lambda error: True
    ),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", MUTANTS)
def test_an_engine_with_a_broken_safety_is_found_out(name: str) -> None:
    """Some seed sees the engine do what must never happen when one safety is taken out of it."""
    with MUTANTS[name]() as make_world:
        found = next((seed for seed in range(SEEDS) if Simulation(seed, make_world).run()), None)

    assert found is not None, f"no seed of {SEEDS} notices that {name}"
