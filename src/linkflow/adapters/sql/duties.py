"""The journal of duties in PostgreSQL."""

from collections.abc import Mapping, Sequence

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.adapters.sql.fences import pass_fence, raise_fence
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.errors import NotFound
from linkflow.ports.coordination import Lease
from linkflow.ports.upkeep import LEASE, DutyRun

RUNS = Table("control.duty_runs", DutyRun, json=("result",))
_BEGIN = f"{RUNS.put} WHERE duty_runs.outcome = 'asked' RETURNING id"
_run = RUNS.reader(DutyRun)


class SqlDutyRuns:
    """Runs of duties on a table, and the fences of both schemas."""

    def __init__(self, control: Database, engine: Database) -> None:
        """Put it together.

        Args:
            control: Where the schema `control` is.
            engine: Where the schema `engine` is; often the same.
        """
        self._control, self._engine = control, engine
        self._sql = Statements(control.pool)

    async def raise_fence(self, token: int) -> None:
        """Refuse older tokens; see `DutyRuns`."""
        with driver_errors():
            for database, schema in ((self._control, "control"), (self._engine, "engine")):
                async with database.transaction() as connection:
                    await raise_fence(connection, schema, token)

    async def ask(self, run: DutyRun) -> None:
        """Keep a run that is asked for; see `DutyRuns`."""
        await self._sql.run(RUNS.insert, *RUNS.values(run))

    async def asked(self) -> Sequence[DutyRun]:
        """List runs that nobody has begun; see `DutyRuns`."""
        found = await self._sql.rows(f"{RUNS.select} WHERE outcome = 'asked' ORDER BY asked_at, id LIMIT 100")
        return [_run(row) for row in found]

    async def begin(self, run: DutyRun) -> bool:
        """Write that a run begins; see `DutyRuns`."""
        with driver_errors():
            async with self._control.transaction() as connection:
                await pass_fence(connection, "control", run.token)
                return await connection.fetchval(_BEGIN, *RUNS.values(run)) is not None

    async def end(self, run: DutyRun) -> None:
        """Write how a run ended; see `DutyRuns`."""
        with driver_errors():
            async with self._control.transaction() as connection:
                await pass_fence(connection, "control", run.token)
                await connection.execute(RUNS.put, *RUNS.values(run))

    async def get(self, run_id: str) -> DutyRun:
        """Read a run; see `DutyRuns`."""
        found = await self._sql.row(f"{RUNS.select} WHERE id = $1", run_id)
        if found is None:
            raise NotFound("There is no such run of a duty.", id=run_id)
        return _run(found)

    async def last(self) -> Mapping[str, DutyRun]:
        """Read the newest run of each duty; see `DutyRuns`."""
        found = await self._sql.rows(
            f"SELECT DISTINCT ON (duty) {', '.join(RUNS.columns)} FROM control.duty_runs "
            "WHERE outcome <> 'asked' AND NOT is_dry ORDER BY duty, began_at DESC"
        )
        return {row["duty"]: _run(row) for row in found}

    async def leader(self) -> Lease | None:
        """Say who leads; see `DutyRuns`."""
        row = await self._sql.row(
            "SELECT name, holder, token, extract(epoch FROM expires_at)::double precision AS expires_at "
            "FROM control.leases WHERE name = $1 AND expires_at > clock_timestamp()",
            LEASE,
        )
        return None if row is None else Lease(**row)
