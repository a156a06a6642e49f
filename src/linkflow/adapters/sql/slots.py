"""Instants of start policies on PostgreSQL: rows by key, serialised per key by an advisory lock.

The arithmetic is `domain.pacing`'s; here is only what it is about. A question reads as many rows as the limit
says, however long the line is, and those about one key go together (`lines.py`).
"""

from collections.abc import Sequence, Set
from typing import NamedTuple

import asyncpg
import msgspec

from linkflow.adapters.sql.database import Database, PooledConnection, driver_errors
from linkflow.adapters.sql.lines import Lines
from linkflow.domain.pacing import KEPT_S, Debounced, DebouncePolicy, RatePolicy, debounced, next_slot

_OWN_SLOTS = """
SELECT a.id::text, s.begins_at, x.closed_at IS NOT NULL
FROM unnest($2::uuid[]) AS a (id)
LEFT JOIN engine.start_slots s ON s.execution_id = a.id AND s.key = $1
LEFT JOIN engine.executions x ON x.execution_id = a.id"""

_TAKEN = """
SELECT begins_at FROM engine.start_slots WHERE key = $1 AND begins_at > $2 ORDER BY begins_at DESC LIMIT $3"""

_TAKE = """
INSERT INTO engine.start_slots (key, execution_id, begins_at, kept_until)
SELECT $1, * FROM unnest($2::uuid[], $3::float8[], $4::float8[])"""

_GIVE_BACK = "DELETE FROM engine.start_slots WHERE key = $1 AND execution_id = $2"

_STARTS = """
SELECT a.id::text, d.came_at, d.first_at, d.begins_at, d.older::text, d.newer::text, x.closed_at IS NOT NULL
FROM unnest($2::uuid[]) AS a (id)
LEFT JOIN engine.debounces d ON d.execution_id = a.id AND d.key = $1
LEFT JOIN engine.executions x ON x.execution_id = a.id"""

_LATEST = """
SELECT execution_id::text, came_at, first_at, begins_at, older::text, newer::text FROM engine.debounces
WHERE key = $1 ORDER BY came_at DESC, execution_id DESC LIMIT 1"""

_DECIDE = """
INSERT INTO engine.debounces (key, execution_id, came_at, first_at, begins_at, older, newer, kept_until)
SELECT $1, * FROM unnest(
    $2::uuid[], $3::float8[], $4::float8[], $5::float8[], $6::uuid[], $7::uuid[], $8::float8[])
ON CONFLICT (execution_id, key) DO UPDATE SET newer = excluded.newer"""

_AHEAD = """
SELECT execution_id::text FROM engine.start_slots
WHERE execution_id = ANY($1::uuid[]) AND begins_at > $2
UNION
SELECT execution_id::text FROM engine.debounces
WHERE execution_id = ANY($1::uuid[]) AND begins_at > $2"""


class _Wish(NamedTuple):
    """An execution wants an instant of a rate."""

    execution_id: str
    policy: RatePolicy
    at: float


class _Start(NamedTuple):
    """An execution came under a debounce."""

    execution_id: str
    policy: DebouncePolicy
    came_at: float


class SqlSlots:
    """See the module and `ports.coordination.Slots`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rates: Lines[_Wish, float | None] = Lines(self._reserve)
        self._debounces: Lines[_Start, Debounced] = Lines(self._debounce)

    async def reserve(self, policy: RatePolicy, execution_id: str, at: float) -> float | None:
        """Reserve the next instant; see `Slots`."""
        return await self._rates.ask(policy.key, _Wish(execution_id, policy, at))

    async def give_back(self, key: str, execution_id: str) -> None:
        """Give an instant back; see `Slots`."""
        with driver_errors():
            await self._database.pool.execute(_GIVE_BACK, key, execution_id)

    async def debounce(self, policy: DebouncePolicy, execution_id: str, came_at: float) -> Debounced:
        """Decide which start runs; see `Slots`."""
        return await self._debounces.ask(policy.key, _Start(execution_id, policy, came_at))

    async def ahead(self, execution_ids: Sequence[str], at: float) -> Set[str]:
        """Say which have an instant after `at`; see `Slots`."""
        with driver_errors():
            rows = await self._database.pool.fetch(_AHEAD, list(execution_ids), at)
        return {row[0] for row in rows}

    async def _reserve(self, key: str, batch: Sequence[_Wish]) -> Sequence[float | None]:
        with driver_errors():
            async with self._database.transaction() as connection:
                await _lock(connection, key)
                rows = await connection.fetch(_OWN_SLOTS, key, [each.execution_id for each in batch])
                own = {row[0]: row[1] for row in rows if row[1] is not None}
                over = {row[0] for row in rows if row[2]}
                since = min(each.at - each.policy.period_s for each in batch)
                most = max(each.policy.limit for each in batch)
                taken = [row[0] for row in reversed(await connection.fetch(_TAKEN, key, since, most))]
                new: list[tuple[str, float, float]] = []
                for wish in batch:
                    if wish.execution_id in over or wish.execution_id in own:
                        continue
                    found = next_slot(taken, wish.policy, wish.at)
                    if found > wish.at and wish.policy.on_exceed == "skip":
                        continue
                    own[wish.execution_id] = found
                    taken = sorted((*taken, found))
                    new.append((wish.execution_id, found, found + max(wish.policy.period_s, KEPT_S)))
                if new:
                    await connection.execute(_TAKE, key, *map(list, zip(*new, strict=True)))
        return [None if each.execution_id in over else own.get(each.execution_id) for each in batch]

    async def _debounce(self, key: str, batch: Sequence[_Start]) -> Sequence[Debounced]:
        with driver_errors():
            async with self._database.transaction() as connection:
                await _lock(connection, key)
                rows = await connection.fetch(_STARTS, key, [each.execution_id for each in batch])
                known = {row[0]: _start(row) for row in rows if row[1] is not None}
                over = {row[0] for row in rows if row[6]}
                last = await connection.fetchrow(_LATEST, key)
                latest = _start(last) if last is not None else None
                changed: dict[str, tuple[Debounced, float]] = {}
                for start in batch:
                    if start.execution_id in known:
                        continue
                    is_over = start.execution_id in over
                    mine, before = debounced(
                        None if is_over else latest, start.policy, start.execution_id, start.came_at
                    )
                    known[start.execution_id] = mine
                    if is_over:
                        continue
                    for each in (mine, before):
                        if each is not None:
                            known[each.execution_id] = each
                            changed[each.execution_id] = each, each.begins_at + KEPT_S
                    if latest is None or _order(mine) > _order(latest):
                        latest = mine
                if changed:
                    await connection.execute(_DECIDE, key, *_columns(list(changed.values())))
        return [known[each.execution_id] for each in batch]


async def _lock(connection: PooledConnection, key: str) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)


def _order(start: Debounced) -> tuple[float, str]:
    return start.came_at, start.execution_id


def _start(row: asyncpg.Record) -> Debounced:
    """Read a row."""
    values = (row[0], row[1], row[2], row[3], row[4] or "", row[5] or "")
    return msgspec.convert(dict(zip(Debounced.__struct_fields__, values, strict=True)), Debounced)


def _columns(rows: Sequence[tuple[Debounced, float]]) -> Sequence[list[object]]:
    """Lay rows out as columns."""
    return [
        [start.execution_id for start, _ in rows],
        [start.came_at for start, _ in rows],
        [start.first_at for start, _ in rows],
        [start.begins_at for start, _ in rows],
        [start.older or None for start, _ in rows],
        [start.newer or None for start, _ in rows],
        [until for _, until in rows],
    ]
