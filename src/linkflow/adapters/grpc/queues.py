"""Matching as operators see it from another process."""

from collections.abc import Sequence

from linkflow.adapters.grpc.lines import Lines
from linkflow.adapters.grpc.surface import MATCHING
from linkflow.ports.services import QueueView

SHORT_S = 10.0


class QueuesClient:
    """How the task queues stand, from the Matching that is active."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._call = MATCHING.calls()["queues"]

    async def queues(self) -> Sequence[QueueView]:
        """List the queues that have tasks or workers, by name.

        Raises:
            Unavailable: No Matching can be reached.
        """
        found: Sequence[QueueView] = await self._lines.unary(MATCHING.role, self._call, deadline_s=SHORT_S)
        return found
