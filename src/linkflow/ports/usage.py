"""How much a workspace used: exact counts by day and month (UTC)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

import msgspec

GAUGES = ("storage_bytes",)
"""Meters that are measured now and then instead of added up."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace used on one day, or in one month.

    Attributes:
        day: The day, or the first one of the month.
        started: Executions that started.
        closed: Executions that ended.
        failed: Those of them that failed or timed out.
        nodes: Nodes that workers ran in executions that ended.
        node_ms: How long those took together, milliseconds.
        meters: Amounts by meter: what nodes reported (`domain.budget.REPORTED`) in executions that ended or
            not, what the engine counts for the workspace's budgets, and GAUGES, of which the highest counts.
    """

    day: date
    started: int = 0
    closed: int = 0
    failed: int = 0
    nodes: int = 0
    node_ms: int = 0
    meters: Mapping[str, int] = {}


class UsageStore(Protocol):
    """Usage, counted once per execution however often its news came."""

    async def days(self, workspace_id: str, first: date, last: date) -> Sequence[Usage]:
        """List the days of a stretch on which anything was used, oldest first."""
        ...

    async def months(self, workspace_id: str, first: date, last: date) -> Sequence[Usage]:
        """List the months that begin in a stretch and in which anything was used, oldest first."""
        ...

    async def measured(self, token: int, day: date, amounts: Mapping[tuple[str, str], int]) -> None:
        """Set what gauges say today, by (workspace id, meter). Safe to repeat.

        Raises:
            Fenced: A newer token was seen; nothing was written.
        """
        ...

    async def roll_up(self, token: int) -> int:
        """Write the sums of all months that have days; how many rows changed. Safe to repeat.

        Args:
            token: Fencing token of the leader.

        Raises:
            Fenced: A newer token was seen; nothing was written.
        """
        ...
