"""The members of the cluster and the configuration they share: two small tables, timed by the database."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.domain.values import decode_json, encode_json
from linkflow.ports.cluster import Config, Member

BEAT = """
INSERT INTO engine.members AS m (id, about, seen_at) VALUES ($1, $2::text::jsonb, clock_timestamp())
ON CONFLICT (id) DO UPDATE SET about = excluded.about, seen_at = excluded.seen_at"""

LIVING = """
SELECT id, about::text, extract(epoch FROM started_at)::float8, extract(epoch FROM seen_at)::float8,
    extract(epoch FROM clock_timestamp() - seen_at)::float8
FROM engine.members WHERE seen_at > clock_timestamp() - make_interval(secs => $1) ORDER BY id"""

LEAVE = "DELETE FROM engine.members WHERE id = $1 OR seen_at < clock_timestamp() - interval '1 day'"

CHANGE = """
INSERT INTO engine.config AS c (id, version, data) VALUES (1, 1, jsonb_strip_nulls($1::text::jsonb))
ON CONFLICT (id) DO UPDATE SET version = c.version + 1, data = jsonb_strip_nulls(c.data || $1::text::jsonb)
RETURNING version, data::text"""

TIMES = ("id", "started_at", "seen_at", "silent_s")
"""Fields with columns of their own."""


class SqlMembers:
    """Members on a table; see `ports.cluster.Members`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(self, member: Member) -> None:
        """Say that a member lives; see the port."""
        about = {name: getattr(member, name) for name in member.__struct_fields__ if name not in TIMES}
        with driver_errors():
            await self._database.pool.execute(BEAT, member.id, encode_json(about).decode())

    async def living(self, within_s: float) -> Sequence[Member]:
        """List members that were seen lately; see the port."""
        with driver_errors():
            rows = await self._database.pool.fetch(LIVING, within_s)
        return [_member(row[0], decode_json(row[1]), *row[2:]) for row in rows]

    async def leave(self, member_id: str) -> None:
        """Forget a member; see the port."""
        with driver_errors():
            await self._database.pool.execute(LEAVE, member_id)


def _member(
    member_id: str, about: Mapping[str, object], started_at: float, seen_at: float, silent_s: float
) -> Member:
    """Read a row; what a newer release says of itself and this one does not know is left out."""
    known = {name: about[name] for name in Member.__struct_fields__ if name in about}
    row = {**known, "id": member_id, "started_at": started_at, "seen_at": seen_at, "silent_s": silent_s}
    return msgspec.convert(row, Member)


class SqlConfigs:
    """Configuration in one row; see `ports.cluster.Configs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> Config:
        """Read the newest; see the port."""
        with driver_errors():
            row = await self._database.pool.fetchrow("SELECT version, data::text FROM engine.config")
        return Config() if row is None else Config(version=row[0], values=decode_json(row[1]))

    async def change(self, values: Mapping[str, str | None]) -> Config:
        """Set or take back values; see the port."""
        with driver_errors():
            row = await self._database.pool.fetchrow(CHANGE, encode_json(values).decode())
        assert row is not None, "RETURNING gives the row"
        return Config(version=row[0], values=decode_json(row[1]))
