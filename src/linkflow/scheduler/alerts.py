"""Tells workspaces when they have used 50, 80 and 100 % of what their plan allows."""

from linkflow.control.plans import Plans
from linkflow.domain.values import Json
from linkflow.ports.upkeep import Turn


class UsageAlerts:
    """Alerts about usage; each goes out once a month."""

    name = "usage-alerts"

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    async def do(self, turn: Turn) -> Json:
        """Tell whoever must be told, `{"told": workspaces}`."""
        return {"told": 0 if turn.is_dry else await self._plans.alert()}
