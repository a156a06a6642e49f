"""The scheduler's journal and fences, exact usage by day, executions hidden before they are deleted."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0008"
down_revision = "0007"

UPGRADE = """
CREATE TABLE control.duty_runs (
    id text PRIMARY KEY,
    duty text NOT NULL,
    outcome text NOT NULL,
    asked_by text NOT NULL,
    is_dry boolean NOT NULL,
    asked_at double precision NOT NULL,
    began_at double precision,
    ended_at double precision,
    holder text NOT NULL,
    token bigint NOT NULL,
    result bytea NOT NULL,
    error text NOT NULL
);
CREATE INDEX ON control.duty_runs (duty, began_at DESC);
CREATE INDEX ON control.duty_runs (asked_at) WHERE outcome = 'asked';

CREATE TABLE control.fences (name text PRIMARY KEY, token bigint NOT NULL);
CREATE TABLE engine.fences (name text PRIMARY KEY, token bigint NOT NULL);
CREATE TABLE engine.archived (execution_id uuid PRIMARY KEY);

ALTER TABLE engine.visibility
    ADD COLUMN deleted_at timestamptz,
    ADD COLUMN writes integer NOT NULL DEFAULT 1;

CREATE TABLE engine.usage_days (
    workspace_id uuid NOT NULL,
    day date NOT NULL,
    started bigint NOT NULL DEFAULT 0,
    closed bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    nodes bigint NOT NULL DEFAULT 0,
    node_ms bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, day)
) WITH (fillfactor = 50);

CREATE TABLE engine.usage_months (
    workspace_id uuid NOT NULL,
    month date NOT NULL,
    started bigint NOT NULL,
    closed bigint NOT NULL,
    failed bigint NOT NULL,
    nodes bigint NOT NULL,
    node_ms bigint NOT NULL,
    PRIMARY KEY (workspace_id, month)
);

INSERT INTO engine.usage_days (workspace_id, day, started)
    SELECT workspace_id, (started_at AT TIME ZONE 'UTC')::date, count(*)
    FROM engine.visibility GROUP BY 1, 2;
INSERT INTO engine.usage_days AS u (workspace_id, day, closed, failed, nodes, node_ms)
    SELECT v.workspace_id, (v.closed_at AT TIME ZONE 'UTC')::date, count(*),
        count(*) FILTER (WHERE v.status IN ('failed', 'timed_out')),
        coalesce(sum(ran.nodes), 0), coalesce(sum(ran.ms), 0)
    FROM engine.visibility v
    LEFT JOIN LATERAL (
        SELECT count(*) AS nodes, sum(greatest(0, round(1000 * (n.ended_at - n.started_at))))::bigint AS ms
        FROM engine.execution_nodes n WHERE n.execution_id = v.execution_id
            AND n.scheduled_at IS NOT NULL AND n.started_at IS NOT NULL AND n.ended_at IS NOT NULL
    ) AS ran ON true
    WHERE v.closed_at IS NOT NULL GROUP BY 1, 2
    ON CONFLICT (workspace_id, day) DO UPDATE SET closed = excluded.closed, failed = excluded.failed,
        nodes = excluded.nodes, node_ms = excluded.node_ms;
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
