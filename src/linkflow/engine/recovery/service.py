"""After a start and for ever after: every open execution gets its drivers back.

Alone, at the start every worker session but ours is dead (embedded: the lock on the data folder proves it),
so what those had started is ended. Later, sessions whose lease has run out are ended, and executions in
memory are audited: overdue attempts are given up, wake-ups that come near are planned. When the task queue
tells that it lost tasks, and every now and then in case it did not notice, open tasks are published again.

With other members (`among`) each audits what is in its memory, and whoever is first buries sessions and ends
what they had. A burial is told again until that is done, so that nothing is owed when a member dies over it,
and for a while after, because who has not heard of it may start something more. The one that holds a lease
looks at every open execution: when it takes the lease over, when a member of a service that keeps something
in memory came or went, and every now and then. A session is dead when it was buried, never before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

from linkflow import telemetry
from linkflow.domain.errors import LinkFlowError
from linkflow.engine.recovery.publishing import Publish, publishing
from linkflow.ports.clock import Clock
from linkflow.ports.cluster import Peers
from linkflow.ports.coordination import Leases, Sessions, Slots, Tickets
from linkflow.ports.services import History, TaskId
from linkflow.ports.stores import HistoryStore
from linkflow.telemetry import metrics

AUDIT_S = 5.0
SWEEP_S = 60.0
"""How often every open execution is looked at, not only those in memory."""

BROKER_SWEEP_S = 30.0
"""The same with a broker, which may lose tasks without noticing."""

AGAIN_S = 1.0

PAGE = 500
"""Executions that are looked at together."""

WAITING, QUEUED = "waiting", "queued"
"""Statuses whose driver is a row: a wake-up, a child, a wait; or a place in a line."""

NEAR_S = 20.0
"""Wake-ups that are nearer may be in no timer's memory; it finds the others by itself before they are due."""

LEASE = "recovery"
TTL_S = 3.0
LEAD_S = 1.0
"""How often a member looks whether it leads, and for sessions to bury."""

SETTLE_S = 5.0
"""How long a member may take to end what a session had, before another one does it as well."""

LATE_S = 10.0
"""How long after its burial something may still be started on a session by who has not heard of it."""

LOOK_S = 0.5
KNOWN_S = 1.0

log = telemetry.logger("recovery")
_found = metrics.counter("linkflow_never_stuck_findings_total")

Alive = Callable[[Set[str]], Awaitable[Set[str]]]
"""Says which of some worker sessions are not buried."""

Ended = Callable[[Sequence[str]], Awaitable[None]]
"""Ends the attempts of worker sessions that were buried."""


@dataclass(frozen=True, kw_only=True)
class Among:
    """The other members of the cluster.

    Attributes:
        holder: This member's id.
        leases: Between the members.
        peers: Who is there.
    """

    holder: str
    leases: Leases
    peers: Peers


class RecoverableHistory(History, Protocol):
    """A History that can give executions their drivers back."""

    async def recover(self, execution_ids: Sequence[str], alive: Alive) -> Sequence[TaskId]:
        """Give open executions their drivers back; what waits for a worker, to be queued."""
        ...

    async def bury(self, alive: Alive) -> int:
        """End attempts in memory whose worker session was buried; how many executions had some."""
        ...

    async def audit(self) -> int:
        """Look at executions in memory; how many had to be moved on."""
        ...

    def plan_again(self) -> None:
        """Tell the timer again what it may have lost."""
        ...

    def remind(self, execution_id: str, at: float) -> None:
        """Tell the timer of a wake-up that a member may have died with."""
        ...


def batched(execution_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut a list into pages."""
    return (execution_ids[start : start + PAGE] for start in range(0, len(execution_ids), PAGE))


class Recovery:
    """Keeps the promise that no execution is ever stuck."""

    def __init__(
        self,
        *,
        store: HistoryStore,
        sessions: Sessions,
        tickets: Tickets,
        slots: Slots,
        history: RecoverableHistory,
        publish: Publish,
        clock: Clock,
        session: str,
        lost: Callable[[], Awaitable[None]] | None = None,
        sweep_s: float = SWEEP_S,
        among: Among | None = None,
        everywhere: Ended | None = None,
    ) -> None:
        """Put it together.

        Args:
            store: Where open executions are found.
            sessions: Leases of workers.
            tickets: Lines for concurrency limits.
            slots: Instants of start policies.
            history: Gives executions their drivers back.
            publish: Queues what waits for a worker.
            clock: Times everything.
            session: Our own worker's, which lives; empty where there is none.
            lost: Returns when the task queue may have lost tasks; see `ports.queue.TaskQueue`.
            sweep_s: How often every open execution is looked at.
            among: The other members; None when there can be none.
            everywhere: Tells every History that sessions ended; None where there is ours only.
        """
        self._among = among
        self._everywhere = everywhere
        self._owed = asyncio.Event()
        self._ending: set[str] = set()
        self._known: Set[str] = frozenset()
        self._known_at = 0.0
        self._lost = lost
        self._sweep_s = sweep_s
        self._sweeping = asyncio.Lock()
        self._store = store
        self._sessions = sessions
        self._tickets = tickets
        self._slots = slots
        self._history = history
        self._publish = publish
        self._clock = clock
        self._session = session
        self._leads = False
        self._sweeps = 0
        self._busy_s = 0.0
        self.recovered = asyncio.Event()

    async def run(self) -> None:
        """Recover, then audit for ever."""
        if self._among is None:
            await self._start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._audit(), name="audit")
            if self._among is not None:
                group.create_task(self._lead(self._among, group), name="recovery duty")
                group.create_task(self._sweep_when_owed(), name="recovery sweeps")
                group.create_task(self._watch(self._among), name="recovery watch")
            if self._lost is not None:
                group.create_task(self._publish_again(self._lost), name="queue losses")

    async def _audit(self) -> None:
        looked_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(AUDIT_S)
            try:
                if self._among is None:
                    await self._bury_dead()
                else:
                    await self._history.bury(self._not_buried)
                moved = await self._history.audit()
                _found.inc(moved)
                if moved:
                    log.info("overdue executions moved on", count=moved)
                if self._among is None and self._clock.monotonic() - looked_at >= self._sweep_s:
                    looked_at = self._clock.monotonic()
                    await self.sweep()
            except LinkFlowError as error:
                log.warning("audit failed; it is tried again", error=str(error))
            except Exception:  # a bug must not end the watch
                log.exception("audit failed; it is tried again")

    async def _publish_again(self, lost: Callable[[], Awaitable[None]]) -> None:
        """Publish open tasks whenever the queue may have lost some."""
        while True:
            await lost()
            while True:
                try:
                    count = await self.sweep()
                except LinkFlowError as error:
                    log.warning("not published again; it is tried again", error=str(error))
                except Exception:  # a bug must not end the watch
                    log.exception("not published again; it is tried again")
                else:
                    log.info("the queue lost tasks; open executions were looked at", count=count)
                    break
                await self._clock.sleep(AGAIN_S)

    async def _start(self) -> None:
        while not self.recovered.is_set():
            try:
                dead = list(await self._sessions.others(self._session))
                count = await self.sweep()
                await self._sessions.bury(dead)
            except LinkFlowError as error:
                log.warning("recovery failed; it is tried again", error=str(error))
                await self._clock.sleep(1.0)
            else:
                if count:
                    log.info("open executions go on", count=count)
                self.recovered.set()

    async def sweep(self) -> int:
        """Give every open execution that is not parked its drivers back; how many there were.

        Raises:
            Unavailable: The store did not answer for some of them; sweep again.
        """
        async with self._sweeping:
            return await self._sweep()

    async def _sweep(self) -> int:
        found: list[str] = []
        queued: list[str] = []
        async for execution_id, status, wakeup_at in self._store.open_executions():
            if status not in (WAITING, QUEUED):
                found.append(execution_id)
                continue
            if status == QUEUED:
                queued.append(execution_id)
            if wakeup_at is not None and wakeup_at < self._clock.now() + NEAR_S:
                self._history.remind(execution_id, wakeup_at)
        if queued:  # a long line is moved on by who is before it, or by time: it must not be a long sweep
            others = await self._tickets.behind(queued) | await self._slots.ahead(queued, self._clock.now())
            found += [each for each in queued if each not in others]
        if self._among is not None and found:
            # Each begins elsewhere: what one that is killed did not get to, the next one may begin with.
            self._sweeps += 1
            start = crc32(f"{self._among.holder}:{self._sweeps}".encode()) % len(found)
            found = found[start:] + found[:start]
        began_at = self._clock.monotonic()
        async with publishing(self._publish) as later:
            for page in batched(found):
                await later(await self._history.recover(page, self._alive))
            self._busy_s = self._clock.monotonic() - began_at
        return len(found)

    async def _alive(self, sessions: Set[str]) -> Set[str]:
        """Say which sessions live: alone, ours does and no other."""
        return sessions & {self._session} if self._among is None else await self._not_buried(sessions)

    async def _bury_dead(self) -> None:
        dead = [session for session in await self._sessions.expired() if session != self._session]
        if dead:
            await self._history.sessions_lost(dead)
            await self.sweep()  # also those that are not in memory
            await self._sessions.bury(dead)

    # ------------------------------------------------------------ with other members

    async def _lead(self, among: Among, group: asyncio.TaskGroup) -> None:
        """Hold the lease when nobody else does, and bury; what is owed when it comes to us is a sweep."""
        while True:
            try:
                led = self._leads
                self._leads = await among.leases.acquire(LEASE, among.holder, TTL_S) is not None
                if self._leads and not led:
                    self._owed.set()
                if not self._leads:
                    self.recovered.set()  # whoever leads sees to what is open
                self._bury(await self._sessions.bury_expired(SETTLE_S), group)
            except LinkFlowError as error:
                log.warning("recovery failed; it is tried again", error=str(error))
            except Exception:  # a bug must not end the watch
                log.exception("recovery failed; it is tried again")
            await self._clock.sleep(LEAD_S)

    def _bury(self, sessions: Sequence[str], group: asyncio.TaskGroup) -> None:
        """End what sessions had. The other members hear of it, and end what they have in memory."""
        buried = [session for session in sessions if session not in self._ending]
        if not buried:
            return
        self._known = frozenset()
        self._ending.update(buried)
        group.create_task(self._end_attempts(buried))
        for tell in (self._history.sessions_lost, self._everywhere):
            if tell is not None:
                group.create_task(self._tell(tell, buried))

    async def _sweep_when_owed(self) -> None:
        """Look at every open execution whenever that is owed, and every now and then, while we lead."""
        swept_at = self._clock.monotonic()
        while True:
            await self._rest(self._sweep_s - (self._clock.monotonic() - swept_at))
            if not self._leads:  # it is owed until somebody leads
                await self._clock.sleep(LOOK_S)
                continue
            self._owed.clear()
            swept_at = self._clock.monotonic()
            try:
                count = await self.sweep()
                self.recovered.set()
            except LinkFlowError as error:
                self._owed.set()
                log.warning("recovery failed; it is tried again", error=str(error))
            except Exception:  # a bug must not end the watch
                self._owed.set()
                log.exception("recovery failed; it is tried again")
            else:
                took_s = self._clock.monotonic() - swept_at
                log.info("open executions were looked at", count=count, took_s=round(took_s, 2))
            await self._clock.sleep(max(LOOK_S, self._busy_s))  # others want to work, too

    async def _rest(self, seconds: float) -> None:
        """Rest until a sweep is owed, at most so long."""
        resting = asyncio.ensure_future(self._clock.sleep(max(0.0, seconds)))
        owing = asyncio.ensure_future(self._owed.wait())
        try:
            await asyncio.wait((resting, owing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            resting.cancel()
            owing.cancel()

    async def _end_attempts(self, sessions: Sequence[str]) -> None:
        """End what sessions had, wherever it was in memory; when that fails, the burial is told again."""
        try:
            found = await self._store.naming(sessions)
            async with publishing(self._publish) as later:
                for page in batched(found):
                    await later(await self._history.recover(page, self._not_buried))
            await self._sessions.settle(sessions, LATE_S)
            log.info("worker sessions ended", sessions=sessions, executions=len(found))
        except LinkFlowError as error:
            log.warning("attempts not ended yet; it is tried again", sessions=sessions, error=str(error))
        except Exception:  # a bug must not end the watch
            log.exception("attempts not ended; it is tried again", sessions=sessions)
        finally:
            self._ending.difference_update(sessions)

    async def _tell(self, tell: Ended, sessions: Sequence[str]) -> None:
        try:
            await tell(sessions)
        except LinkFlowError as error:
            log.info("not every History was told; its audit sees it", sessions=sessions, error=str(error))

    async def _watch(self, among: Among) -> None:
        """Owe a sweep whenever a member that kept something in memory came, went or lost it."""
        known: object = None
        while True:
            now = [
                (role, member.id, member.losses)
                for role in ("history", "matching", "timer")
                for member in among.peers.of(role)
            ]
            if known is not None and now != known:
                self._history.plan_again()
                self._owed.set()
            known = now
            await among.peers.changed()

    async def _not_buried(self, sessions: Set[str]) -> Set[str]:
        """Say which sessions are not buried; that they were there is known for a moment."""
        if not sessions <= self._known or self._clock.monotonic() - self._known_at > KNOWN_S:
            self._known_at = self._clock.monotonic()
            self._known = frozenset(await self._sessions.others(""))
        return sessions & self._known
