"""Sees that budgets of workspaces hold: the leader looks at them all the time."""

from linkflow.control.budgets import Budgets
from linkflow.domain.errors import Unavailable
from linkflow.ports.clock import Clock
from linkflow.telemetry import logger

LOOK_S = 1.0
"""How often budgets are looked at; nothing is read of workspaces that have none."""

LOG = logger("scheduler")


class BudgetWatch:
    """Looks at budgets, one look after the other."""

    def __init__(self, budgets: Budgets, clock: Clock) -> None:
        self._budgets, self._clock = budgets, clock

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self._budgets.enforce()
            except Unavailable as error:
                LOG.warning("budgets not looked at; tried again", error=str(error))
            await self._clock.sleep(LOOK_S)
