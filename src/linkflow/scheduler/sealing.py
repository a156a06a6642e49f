"""Seals secrets again once there is a newer key: only their small keys, so no value is ever opened."""

from collections import Counter

from linkflow.domain.errors import Unavailable
from linkflow.domain.values import Json
from linkflow.ports.sealed import SealedRows
from linkflow.ports.upkeep import Turn
from linkflow.ports.vault import Rewrapping
from linkflow.telemetry import logger

LOG = logger("sealing")


class Resealing:
    """Changes keys in the background; both open meanwhile. What somebody changes on the way is left alone."""

    name = "sealing"

    def __init__(self, rows: SealedRows, box: Rewrapping) -> None:
        self._rows, self._box = rows, box

    async def do(self, turn: Turn) -> Json:
        """Seal again what an older key sealed, `{"sealed": count, "current": count, "unreadable": count}`."""
        self._box.renew()
        counts = Counter({"sealed": 0, "current": 0, "unreadable": 0})
        async for value in self._rows.every():
            try:
                again = self._box.rewrapped(value.sealed, value.place)
            except Unavailable:
                LOG.error("unreadable", kind=value.kind, id=value.id, workspace_id=value.workspace_id)
                counts["unreadable"] += 1
                continue
            if again is None:
                counts["current"] += 1
            elif turn.is_dry or await self._rows.replace(value, again):
                counts["sealed"] += 1
        return dict(counts)
