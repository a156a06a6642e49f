"""What metrics ask the database for, a few times a minute at most."""

from collections.abc import Mapping

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.adapters.sql.statements import Statements
from linkflow.telemetry.metrics import Reading

ENGINE = (
    "linkflow_workflow_executions_in_progress",
    "linkflow_outbox_messages",
    "linkflow_outbox_oldest_seconds",
    "linkflow_projection_lag_seconds",
    "linkflow_dead_letters",
)
CONTROL = ("linkflow_webhook_queue_depth",)

NONE: Mapping[tuple[str, ...], float] = {("running",): 0.0, ("waiting",): 0.0}
MOST = 100_000
"""Rows that are counted; more are more than enough to raise an alarm."""


async def engine_samples(database: Database) -> Mapping[str, Reading]:
    """Read how the engine's tables stand.

    Raises:
        Unavailable: The database does not answer.
    """
    with driver_errors():
        executions = await database.pool.fetch(
            "SELECT status, count(*) FROM (SELECT status FROM engine.executions WHERE closed_at IS NULL "
            "LIMIT $1) AS few GROUP BY status",
            MOST,
        )
        messages = await database.pool.fetch(
            "SELECT kind, count(*), greatest(0, extract(epoch FROM now() - min(at)))::float8 "
            "FROM (SELECT kind, at FROM engine.outbox LIMIT $1) AS few GROUP BY kind",
            MOST,
        )
        letters = await database.pool.fetch(
            "SELECT kind, count(*) FROM (SELECT kind FROM engine.dead_letters LIMIT $1) AS few GROUP BY kind",
            MOST,
        )
    ages = {(row[0],): row[2] for row in messages}
    return {
        "linkflow_workflow_executions_in_progress": {**NONE} | {(row[0],): row[1] for row in executions},
        "linkflow_outbox_messages": {(row[0],): row[1] for row in messages},
        "linkflow_outbox_oldest_seconds": ages,
        "linkflow_projection_lag_seconds": ages.get(("project",), 0.0),
        "linkflow_dead_letters": {(row[0],): row[1] for row in letters},
    }


async def control_samples(sql: Statements) -> Mapping[str, Reading]:
    """Read how the control plane's tables stand.

    Raises:
        Unavailable: The database does not answer.
    """
    (found,) = await sql.rows(
        "SELECT count(*) FROM (SELECT FROM control.trigger_events WHERE state = 'pending' LIMIT $1) AS few",
        MOST,
    )
    return {"linkflow_webhook_queue_depth": found[0]}


def connections(database: Database) -> Mapping[tuple[str, ...], float]:
    """Count the pool's connections."""
    idle = database.pool.get_idle_size()
    return {("idle",): idle, ("used",): database.pool.get_size() - idle}
