"""Leases in PostgreSQL: one row per lease, timed by the database's clock, fenced by a growing token."""

from linkflow.adapters.sql.statements import Statements
from linkflow.ports.coordination import Lease

ACQUIRE = """
INSERT INTO control.leases AS held (name, holder, token, expires_at)
VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE SET
    token = held.token + CASE WHEN held.holder = $2 AND held.expires_at > clock_timestamp() THEN 0 ELSE 1 END,
    holder = $2,
    expires_at = clock_timestamp() + make_interval(secs => $3)
WHERE held.holder = $2 OR held.expires_at <= clock_timestamp()
RETURNING token, extract(epoch FROM expires_at)::double precision AS expires_at
"""


class SqlLeases:
    """Leases on a table."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def acquire(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        """Take or renew a lease."""
        row = await self._sql.row(ACQUIRE, name, holder, ttl_s)
        return None if row is None else Lease(name, holder, row["token"], row["expires_at"])

    async def release(self, lease: Lease) -> None:
        """Give a lease back."""
        await self._sql.run(
            "UPDATE control.leases SET expires_at = clock_timestamp()"
            " WHERE name = $1 AND holder = $2 AND token = $3",
            lease.name,
            lease.holder,
            lease.token,
        )
