"""Duties of the scheduler as the operator of the installation sees them: who leads, what ran, run one now."""

from collections.abc import Sequence

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.domain.errors import NotFound
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus, Lease
from linkflow.ports.records import Records
from linkflow.ports.upkeep import DUTIES, DutyKind, DutyRun, DutyRuns

LOOK_S = 0.1
"""How often a caller who waits looks at the journal."""

TOPIC = "duties"


class DutyLine(msgspec.Struct, frozen=True):
    """A duty and its newest run, if it ever ran."""

    kind: DutyKind
    last: DutyRun | None


class Duties:
    """What the operator does with duties; the leader takes up what is asked for here."""

    def __init__(
        self,
        runs: DutyRuns,
        records: Records,
        bus: EventBus,
        audit: Audit,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._runs, self._records, self._bus = runs, records, bus
        self._audit, self._clock, self._ids = audit, clock, ids

    async def list(self, actor: Actor) -> Sequence[DutyLine]:
        """List every duty with its newest run.

        Raises:
            Denied: The actor does not operate the installation.
        """
        actor.require_operator()
        last = await self._runs.last()
        return [DutyLine(kind, last.get(kind.name)) for kind in DUTIES]

    async def leader(self, actor: Actor) -> Lease | None:
        """Say who leads; None while nobody does.

        Raises:
            Denied: The actor does not operate the installation.
        """
        actor.require_operator()
        return await self._runs.leader()

    async def run(self, actor: Actor, name: str, *, is_dry: bool = False, wait_ms: int = 0) -> DutyRun:
        """Ask the leader to run a duty now; the run as it stands when it is over or the time is up.

        Raises:
            Denied: The actor does not operate the installation.
            NotFound: `duty.not_found`: there is no such duty.
        """
        actor.require_operator()
        if name not in {kind.name for kind in DUTIES}:
            known = ", ".join(kind.name for kind in DUTIES)
            raise NotFound(f"There is no duty {name!r}; there are {known}.", code="duty.not_found")
        run = DutyRun(
            id=self._ids.uuid(),
            duty=name,
            asked_by=actor.email,
            is_dry=is_dry,
            asked_at=self._clock.now(),
        )
        await self._runs.ask(run)
        await self._audit.note(self._records.ledger, actor, "duty.run", f"duty:{name}", dry_run=is_dry)
        self._bus.publish(TOPIC)
        return await self._over(run.id, wait_ms)

    async def _over(self, run_id: str, wait_ms: int) -> DutyRun:
        """Read a run once it is over, or when the time is up."""
        until = self._clock.monotonic() + wait_ms / 1000
        while True:
            found = await self._runs.get(run_id)
            if found.outcome in ("done", "failed") or self._clock.monotonic() >= until:
                return found
            await self._clock.sleep(LOOK_S)

    async def read(self, actor: Actor, run_id: str) -> DutyRun:
        """Read a run.

        Raises:
            Denied: The actor does not operate the installation.
            NotFound: No such run.
        """
        actor.require_operator()
        return await self._runs.get(run_id)
