"""Large values that nothing names any more are deleted: mark what is named, sweep what is old and not marked.

Why nothing that is needed goes: a value is put before the event that names it is written, which renews its
age, and the sweep leaves alone what was put within the grace period. A name is only ever copied from a record
that is still there, and every record there when the marking began was read. Two sweeps at once do no harm, so
no token is needed.
"""

from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.upkeep import DAY_S, BlobMarks, BlobShelf, Turn

GRACE_S = 7 * DAY_S
"""Longer than any attempt may take from putting its output to having its end written down."""


class BlobSweep:
    """Deletes blobs that no kept history, message, letter or trigger event names."""

    name = "blobs"

    def __init__(self, shelf: BlobShelf, marks: BlobMarks, clock: Clock) -> None:
        self._shelf, self._marks, self._clock = shelf, marks, clock

    async def do(self, turn: Turn) -> Json:
        """Sweep, `{"named": count, "deleted": count}`; when dry `can_go` instead of `deleted`."""
        before = self._clock.now() - GRACE_S
        named = {bytes.fromhex(sha256) async for sha256 in self._marks.named()}
        deleted = 0
        async for workspace_id, sha256 in self._shelf.aged(before):
            if bytes.fromhex(sha256) in named:
                continue
            if turn.is_dry or await self._shelf.discard(workspace_id, sha256, before):
                deleted += 1
        return {"named": len(named), "can_go" if turn.is_dry else "deleted": deleted}
