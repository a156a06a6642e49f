"""Tells workspaces what alert rules find as time passes, and when 50, 80 and 100 % of a plan are used."""

from linkflow.control.alert_look import AlertLook
from linkflow.control.approval_letters import ApprovalLetters
from linkflow.control.plans import Plans
from linkflow.domain.values import Json
from linkflow.ports.upkeep import Turn


class Alerts:
    """What alert rules find as time passes, and reminders of approvals."""

    name = "alerts"

    def __init__(self, look: AlertLook, letters: ApprovalLetters) -> None:
        self._look, self._letters = look, letters

    async def do(self, turn: Turn) -> Json:
        """Look and remind, `{"told": messages, "reminded": approvals}`."""
        if turn.is_dry:
            return {"told": 0, "reminded": 0}
        return {"told": await self._look.look(), "reminded": await self._letters.remind()}


class UsageAlerts:
    """Alerts about usage; each goes out once a month."""

    name = "usage-alerts"

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    async def do(self, turn: Turn) -> Json:
        """Tell whoever must be told, `{"told": workspaces}`."""
        return {"told": 0 if turn.is_dry else await self._plans.alert()}
