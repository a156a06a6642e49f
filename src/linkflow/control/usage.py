"""How much a workspace used, for those who look and for those who limit."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import msgspec

from linkflow.control.actor import Actor
from linkflow.domain.errors import Invalid
from linkflow.ports.clock import Clock
from linkflow.ports.usage import GAUGES, Usage, UsageStore

LONGEST_DAYS = 400
"""Days that one answer may span; months go back for ever."""


class UsageReport(msgspec.Struct, frozen=True):
    """Usage of a stretch, oldest first, and its sum."""

    first: date
    last: date
    lines: Sequence[Usage]
    total: Usage


class UsageReports:
    """Says what a workspace used."""

    def __init__(self, usage: UsageStore, clock: Clock) -> None:
        self._usage, self._clock = usage, clock

    async def read(
        self, actor: Actor, *, first: date | None = None, last: date | None = None, by: str = "day"
    ) -> UsageReport:
        """Say what the actor's workspace used from a day to a day, both included; this month by default.

        Executions count on the day (UTC) of their start and, once more, of their end; an execution that ended
        less than a second ago may still be missing.

        Raises:
            Invalid: `usage.stretch`: the stretch ends before it begins, or is too long.
        """
        actor.require("workspace.view")
        last = last or datetime.fromtimestamp(self._clock.now(), UTC).date()
        first = first or last.replace(day=1)
        if last < first:
            raise Invalid("The stretch ends before it begins.", code="usage.stretch")
        if by == "month":
            lines = await self._usage.months(actor.workspace_id, first.replace(day=1), last)
        elif (last - first).days > LONGEST_DAYS:
            raise Invalid(f"At most {LONGEST_DAYS} days at once; ask by month.", code="usage.stretch")
        else:
            lines = await self._usage.days(actor.workspace_id, first, last)
        return UsageReport(first, last, lines, _sum(first, lines))


def _sum(first: date, lines: Sequence[Usage]) -> Usage:
    """Sum usage up; of a gauge the highest counts."""
    meters: dict[str, int] = {}
    for line in lines:
        for meter, amount in line.meters.items():
            before = meters.get(meter, 0)
            meters[meter] = max(before, amount) if meter in GAUGES else before + amount
    return Usage(
        day=first,
        started=sum(line.started for line in lines),
        closed=sum(line.closed for line in lines),
        failed=sum(line.failed for line in lines),
        nodes=sum(line.nodes for line in lines),
        node_ms=sum(line.node_ms for line in lines),
        meters=meters,
    )
