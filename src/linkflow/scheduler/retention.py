"""What was kept long enough goes: executions by the month, after they were archived; other rows by rules.

        closed long ago ──hidden (daily)──▶ not listed ──month over──▶ archived ──▶ partition dropped
        open, undelivered, or with a dead letter ──────────────────▶ moved out of the month, lives on

Every step can be cut off and done again: a segment of the archive is named by its first execution and
written again alike; what is archived is noted; a month is dropped in one transaction, and only what was noted
is gone.
"""

import gzip
import re
from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.plans import Plans
from linkflow.domain.errors import NotFound
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.outbound import BlobStore
from linkflow.ports.retention import ClosedExecution, ExecutionRetention, Kept, Upkeep
from linkflow.ports.upkeep import DAY_S, Archive, Turn

SEGMENT = 100
"""Executions in one object of the archive."""

_BLOB = re.compile(rb'"\$blob":"([0-9a-f]{64})"')
_encode = msgspec.json.Encoder().encode


class ExecutionsRetention:
    """Archives and deletes executions that ended long ago."""

    name = "retention"

    def __init__(
        self, store: ExecutionRetention, archive: Archive, blobs: BlobStore, kept: Kept, clock: Clock
    ) -> None:
        self._store, self._archive, self._blobs = store, archive, blobs
        self._kept, self._clock = kept, clock

    async def do(self, turn: Turn) -> Json:
        """Let go of what can go: `{"deleted", "moved", "archived", "months": [name], "busy": [name]}`."""
        if not self._kept.executions:
            return {"kept": "for ever"}
        before = self._clock.now() - self._kept.executions * DAY_S
        months = [*await self._store.months(before), ""]
        if turn.is_dry:
            counts = {month or "no month": await self._store.count(month, before) for month in months}
            return {month: {"can_go": count.going, "stays": count.staying} for month, count in counts.items()}
        result = {"deleted": 0, "moved": 0, "archived": 0}
        dropped, busy = [], []
        for month in months:
            result["archived"] += await self._archived(month, before, turn.token)
            count = await self._store.drop(month, before, turn.token)
            if count is None:
                busy.append(month)
                continue
            result["deleted"] += count.going
            if month:
                result["moved"] += count.staying
                dropped.append(month)
        return {**result, "months": dropped, "busy": busy}

    async def _archived(self, month: str, before: float, token: int) -> int:
        """Write what can go to the archive, segment by segment; how many executions."""
        if not self._kept.is_archived:
            await self._store.skip_archive(month, before, token)
            return 0
        count = 0
        while True:
            page = await self._store.closed(month, before, SEGMENT)
            if not page:
                return count
            lines = [_encode(execution) for execution in page]
            for execution, line in zip(page, lines, strict=True):
                await self._archive_blobs(execution, line)
            key = f"executions/{month or 'older'}/{page[0].execution_id}.jsonl.gz"
            await self._archive.store(key, gzip.compress(b"\n".join(lines) + b"\n", mtime=0))
            await self._store.archived([execution.execution_id for execution in page], token)
            count += len(page)

    async def _archive_blobs(self, execution: ClosedExecution, line: bytes) -> None:
        """Copy the large values that a history names."""
        for sha256 in sorted({found.decode() for found in _BLOB.findall(line)}):
            try:
                data = await self._blobs.get(execution.workspace_id, sha256)
            except NotFound:
                continue  # it was missing before; the history says so as well
            await self._archive.store(f"blobs/{execution.workspace_id}/{sha256}", data)


class SoftDelete:
    """Takes executions that ended long ago out of the lists, until their month is dropped.

    Workspaces whose plan shows fewer days are shown fewer; their histories are kept as long as all others.

    Args:
        plans: Knows which workspaces those are; None where no control plane runs.
    """

    name = "soft-delete"

    def __init__(
        self, store: ExecutionRetention, kept: Kept, clock: Clock, plans: Plans | None = None
    ) -> None:
        self._store, self._kept, self._clock, self._plans = store, kept, clock, plans

    async def do(self, turn: Turn) -> Json:
        """Hide executions, `{"executions": count, "by_plan": count}`."""
        found = {"executions": 0, "by_plan": 0}
        if self._kept.executions:
            before = self._clock.now() - self._kept.executions * DAY_S
            found["executions"] = await self._store.hide(before, turn.token, is_dry=turn.is_dry)
        shorter = {} if self._plans is None else await self._plans.shown_since(self._kept.executions)
        for workspace_id, before in shorter.items():
            found["by_plan"] += await self._store.hide(
                before, turn.token, is_dry=turn.is_dry, workspace_id=workspace_id
            )
        return {**found}


class HardDelete:
    """Deletes for good what people deleted a while ago."""

    name = "hard-delete"

    def __init__(self, upkeep: Upkeep, kept: Kept, clock: Clock) -> None:
        self._upkeep, self._kept, self._clock = upkeep, kept, clock

    async def do(self, turn: Turn) -> Json:
        """Delete rows, `{"<what>": count}`."""
        if not self._kept.deleted:
            return {"kept": "for ever"}
        before = self._clock.now() - self._kept.deleted * DAY_S
        return dict(await self._upkeep.purge(before, turn.token, is_dry=turn.is_dry))


class Expire:
    """Deletes rows whose time is over: audit lines, AI history, old keys and answers."""

    name = "expire"

    def __init__(self, upkeep: Upkeep, kept: Kept, clock: Clock) -> None:
        self._upkeep, self._kept, self._clock = upkeep, kept, clock

    async def do(self, turn: Turn) -> Json:
        """Delete rows, `{"<what>": count}`."""
        before = limits(self._kept, self._clock.now())
        return dict(await self._upkeep.expire(before, turn.token, is_dry=turn.is_dry))


def limits(kept: Kept, now: float) -> Mapping[str, float]:
    """Say before which instant things may go, by the names of `Kept`; `now` is for rules of their own."""
    days = {"executions": kept.executions, "audit": kept.audit, "ai_history": kept.ai_history}
    return {"now": now} | {name: now - count * DAY_S for name, count in days.items() if count}


class Vacuum:
    """Vacuums and analyses every table."""

    name = "vacuum"

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep

    async def do(self, turn: Turn) -> Json:
        """Vacuum, `{"tables": count}`."""
        done: Sequence[str] = [name async for name in self._upkeep.vacuum(turn.token, is_dry=turn.is_dry)]
        return {"tables": len(done)}
