"""What metrics ask the database for, a few times a minute at most."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.adapters.sql.statements import Statements
from linkflow.telemetry import metrics
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
QUIET: Mapping[tuple[str, ...], float] = {("callback",): 0.0, ("project",): 0.0}
NO_LETTER: Mapping[tuple[str, ...], float] = {("task",): 0.0}
"""What is 0 is exported as 0, so that an alarm can tell it from what is not measured."""

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
    ages = {**QUIET} | {(row[0],): row[2] for row in messages}
    return {
        "linkflow_workflow_executions_in_progress": {**NONE} | {(row[0],): row[1] for row in executions},
        "linkflow_outbox_messages": {**QUIET} | {(row[0],): row[1] for row in messages},
        "linkflow_outbox_oldest_seconds": ages,
        "linkflow_projection_lag_seconds": ages.get(("project",), 0.0),
        "linkflow_dead_letters": {**NO_LETTER} | {(row[0],): row[1] for row in letters},
    }


@contextmanager
def measured(database: Database, backlog: Callable[[], int]) -> Iterator[None]:
    """Export what the engine's database knows, and how many records wait for it, while the context lasts."""
    readers: Mapping[str, Callable[[], metrics.Reading]] = {
        "linkflow_db_connections": lambda: connections(database),
        "linkflow_history_backlog": backlog,
    }
    with metrics.sampling(ENGINE, lambda: engine_samples(database)), metrics.reading(readers):
        yield


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
