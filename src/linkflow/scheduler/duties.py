"""Runs duties and writes down how each run went: those whose time has come, and those somebody asks for.

A run is written before it begins and after it ends, under the leader's token. One that a crash cut off stays
as running; the next leader sees the older token and runs the duty again, which every duty bears.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from linkflow.domain.errors import LinkFlowError, Unavailable
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus
from linkflow.ports.upkeep import DUTIES, DutyRun, DutyRuns, Fenced, Turn
from linkflow.telemetry import logger, metrics

LOG = logger("scheduler")
_took = metrics.histograms("linkflow_scheduler_duty_seconds")
LOOK_S = 5.0
"""How often the journal is read; a nudge comes first where bus and journal are of one process."""

FIRST_S = 60.0
"""A duty that never ran waits so long, so that a start is about what people came for."""

AGAIN_S = 300.0
"""When a duty that failed is tried again, if its own time does not come first."""

TOPIC = "duties"


class Duty(Protocol):
    """Something the leader does from time to time; safe to repeat after being cut off anywhere."""

    @property
    def name(self) -> str:
        """One of `ports.upkeep.DUTIES`."""
        ...

    async def do(self, turn: Turn) -> Json:
        """Do it once; counts and examples of what was done, `{"<what>": JSON}`.

        Raises:
            Fenced: Another process leads by now.
            LinkFlowError: It could not be done, or not all of it.
        """
        ...


class Duties:
    """The duties of one process, done only while it leads."""

    def __init__(
        self,
        duties: Sequence[Duty],
        runs: DutyRuns,
        bus: EventBus,
        clock: Clock,
        ids: IdSource,
        holder: str,
    ) -> None:
        self._duties = {duty.name: duty for duty in duties}
        self._every_s = {kind.name: kind.every_s for kind in DUTIES if kind.name in self._duties}
        self._runs, self._bus = runs, bus
        self._clock, self._ids, self._holder = clock, ids, holder
        self._under_way: set[str] = set()
        self._looking_since: float | None = None

    async def work(self, token: int) -> None:
        """Do what is due and what is asked for, until cancelled.

        Raises:
            Fenced: Another process leads by now.
        """
        with self._bus.subscribe(TOPIC) as asked:
            async with asyncio.TaskGroup() as group:
                while True:
                    try:
                        for run in await self.due(token):
                            group.create_task(self._done(run), name=f"duty {run.duty}")
                    except Unavailable as error:
                        LOG.warning("duties not looked up; tried again", error=str(error))
                    await asked.nudged(LOOK_S)

    async def due(self, token: int) -> Sequence[DutyRun]:
        """List the runs that are to begin now, those asked for first; none of a duty that is under way."""
        now = self._clock.now()
        if self._looking_since is None:
            self._looking_since = now
        wanted = {run.duty: run for run in reversed(await self._runs.asked()) if run.duty in self._duties}
        last = await self._runs.last()
        for name, every_s in self._every_s.items():
            if name not in wanted and every_s and self._due_at(name, every_s, last, token) <= now:
                wanted[name] = DutyRun(id=self._ids.uuid(), duty=name, asked_at=now)
        return [
            msgspec.structs.replace(run, token=token, holder=self._holder)
            for run in wanted.values()
            if run.duty not in self._under_way
        ]

    def _due_at(self, name: str, every_s: float, last: Mapping[str, DutyRun], token: int) -> float:
        """Say when a duty is to begin by itself."""
        run = last.get(name)
        if run is None or run.began_at is None:
            assert self._looking_since is not None
            return self._looking_since + min(FIRST_S, every_s)
        if run.outcome == "done" or (run.outcome == "running" and run.token == token):
            return run.began_at + every_s
        return run.began_at + min(AGAIN_S, every_s)

    async def _done(self, run: DutyRun) -> None:
        """Do a run; what goes wrong with it ends nothing else."""
        try:
            await self.do(run)
        except Fenced:
            LOG.warning("duty cut off: another process leads", duty=run.duty)
        except Unavailable as error:
            LOG.warning("duty not written down", duty=run.duty, error=str(error))

    async def do(self, run: DutyRun) -> DutyRun:
        """Do a run and write down how it went; as it was when somebody else began it.

        Raises:
            Fenced: Another process leads by now.
            Unavailable: The journal does not answer.
        """
        self._under_way.add(run.duty)
        try:
            began = msgspec.structs.replace(run, outcome="running", began_at=self._clock.now())
            if not await self._runs.begin(began):
                return run
            ended = await self._outcome(began)
            await self._runs.end(ended)
        finally:
            self._under_way.discard(run.duty)
        _took[ended.duty, ended.outcome].observe(max(0.0, self._clock.now() - (began.began_at or 0.0)))
        LOG.info(
            "duty", duty=ended.duty, outcome=ended.outcome, result=ended.result, error=ended.error or None
        )
        return ended

    async def _outcome(self, run: DutyRun) -> DutyRun:
        """Do a duty and say what became of it."""
        result: Json = None
        error = ""
        try:
            result = await self._duties[run.duty].do(Turn(token=run.token, is_dry=run.is_dry))
        except Fenced:
            raise
        except LinkFlowError as failure:
            error = f"{failure.code}: {failure}"
        except Exception as failure:
            LOG.exception("duty failed", duty=run.duty)
            error = f"internal: {type(failure).__name__}; the log says more"
        return msgspec.structs.replace(
            run,
            outcome="failed" if error else "done",
            ended_at=self._clock.now(),
            result=result,
            error=error,
        )
