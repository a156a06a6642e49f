"""Usage is counted where executions are projected; its days are summed up by months, which stay for ever.

What large values take is measured, once a day.
"""

from datetime import UTC, datetime

from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.upkeep import BlobShelf, Turn
from linkflow.ports.usage import UsageStore


class UsageRollUp:
    """Sums usage up by months."""

    name = "usage"

    def __init__(self, usage: UsageStore) -> None:
        self._usage = usage

    async def do(self, turn: Turn) -> Json:
        """Sum up, `{"changed": months}`."""
        return {"changed": 0 if turn.is_dry else await self._usage.roll_up(turn.token)}


class StorageMeasure:
    """Measures how much room large values take."""

    name = "storage"

    def __init__(self, shelf: BlobShelf, usage: UsageStore, clock: Clock) -> None:
        self._shelf, self._usage, self._clock = shelf, usage, clock

    async def do(self, turn: Turn) -> Json:
        """Measure, `{"workspaces": count, "bytes": sum}`."""
        sizes = await self._shelf.weigh()
        if not turn.is_dry:
            today = datetime.fromtimestamp(self._clock.now(), UTC).date()
            amounts = {(workspace_id, "storage_bytes"): size for workspace_id, size in sizes.items()}
            await self._usage.measured(turn.token, today, amounts)
        return {"workspaces": len(sizes), "bytes": sum(sizes.values())}
