"""Sees that budgets of workspaces hold: the leader looks at them all the time."""

from linkflow.control.budgets import Budgets
from linkflow.domain.errors import Unavailable
from linkflow.ports.clock import Clock
from linkflow.telemetry import logger

LOOK_S = 0.25
"""How often budgets are looked at, where few workspaces have one."""

EACH_S = 0.02
"""How much longer the pause is for each workspace, so that many of them do not keep the database busy."""

IDLE_S = 1.0
"""How often it is looked whether any workspace has one."""

LOG = logger("scheduler")


class BudgetWatch:
    """Looks at budgets, one look after the other."""

    def __init__(self, budgets: Budgets, clock: Clock) -> None:
        self._budgets, self._clock = budgets, clock

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            pause_s = IDLE_S
            try:
                workspaces = await self._budgets.watched()
                if workspaces:
                    pause_s = max(LOOK_S, EACH_S * len(workspaces))
                    await self._budgets.enforce(workspaces)
            except Unavailable as error:
                LOG.warning("budgets not looked at; tried again", error=str(error))
            await self._clock.sleep(pause_s)
