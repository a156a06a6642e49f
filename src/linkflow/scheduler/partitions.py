"""Partitions are made ahead of their month, so that what starts in it need not go to the default one."""

from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.upkeep import Partitions, Turn


class PartitionsAhead:
    """Makes the partitions of this month and the next ones."""

    name = "partitions"

    def __init__(self, partitions: Partitions, clock: Clock) -> None:
        self._partitions, self._clock = partitions, clock

    async def do(self, turn: Turn) -> Json:
        """Make what is missing, `{"made": count}`; making one twice is harmless, so no token is needed."""
        return {"made": 0 if turn.is_dry else await self._partitions.ensure(self._clock.now())}
