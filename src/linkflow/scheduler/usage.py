"""Usage is counted where executions are projected; its days are summed up by months, which stay for ever."""

from linkflow.domain.values import Json
from linkflow.ports.upkeep import Turn
from linkflow.ports.usage import UsageStore


class UsageRollUp:
    """Sums usage up by months."""

    name = "usage"

    def __init__(self, usage: UsageStore) -> None:
        self._usage = usage

    async def do(self, turn: Turn) -> Json:
        """Sum up, `{"changed": months}`."""
        return {"changed": 0 if turn.is_dry else await self._usage.roll_up(turn.token)}
