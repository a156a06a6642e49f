"""The engine's tables: histories, their heads, the outbox, and the read model.

Histories and heads are partitioned by execution id, which is ordered in time: a partition is a month of
starts, and retention drops it whole. The id carries the shard, so keys need no column for it.
"""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0001"
down_revision = "0000"

UPGRADE = """
CREATE TABLE engine.executions (
    execution_id uuid NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    wakeup_at timestamptz,
    closed_at timestamptz,
    started_at timestamptz NOT NULL,
    workflow_version integer NOT NULL,
    run_event integer NOT NULL DEFAULT 1,
    workspace_id uuid NOT NULL,
    workflow_id text NOT NULL,
    PRIMARY KEY (execution_id)
) PARTITION BY RANGE (execution_id);
CREATE TABLE engine.executions_default PARTITION OF engine.executions DEFAULT
    WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX executions_open ON engine.executions (execution_id) WHERE closed_at IS NULL;
CREATE INDEX executions_due ON engine.executions (wakeup_at) WHERE wakeup_at IS NOT NULL;

CREATE TABLE engine.history_events (
    execution_id uuid NOT NULL,
    first_event integer NOT NULL,
    count integer NOT NULL,
    codec smallint NOT NULL DEFAULT 0,
    at timestamptz NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (execution_id, first_event)
) PARTITION BY RANGE (execution_id);
CREATE TABLE engine.history_events_default PARTITION OF engine.history_events DEFAULT;
DO $$ BEGIN
    ALTER TABLE engine.history_events_default ALTER COLUMN data SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL; END $$;

CREATE TABLE engine.outbox (
    execution_id uuid NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL,
    target text NOT NULL,
    at timestamptz NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (execution_id, number, kind, target)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

CREATE TABLE engine.idempotency (
    request_key text PRIMARY KEY,
    execution_id uuid NOT NULL,
    until timestamptz NOT NULL
);
CREATE INDEX idempotency_until ON engine.idempotency (until);

CREATE TABLE engine.specs (
    workspace_id uuid NOT NULL,
    spec_hash text NOT NULL,
    data bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, spec_hash)
);

CREATE TABLE engine.worker_sessions (
    session text PRIMARY KEY,
    lease_until timestamptz NOT NULL
);

CREATE TABLE engine.tickets (
    ticket text NOT NULL,
    execution_id uuid NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    granted_at timestamptz,
    places integer NOT NULL DEFAULT 1,
    PRIMARY KEY (ticket, execution_id)
);
CREATE INDEX tickets_order ON engine.tickets (ticket, asked_at, execution_id);

CREATE TABLE engine.dead_letters (
    id text PRIMARY KEY,
    workspace_id uuid NOT NULL,
    kind text NOT NULL,
    execution_id text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    body jsonb
);
CREATE INDEX dead_letters_newest ON engine.dead_letters (workspace_id, at DESC, id DESC);

CREATE TABLE engine.late_results (
    execution_id uuid NOT NULL,
    key text NOT NULL,
    attempt integer NOT NULL,
    at timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (execution_id, key, attempt)
);

CREATE TABLE engine.visibility (
    execution_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    workflow_id text NOT NULL,
    workflow_version integer NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    trigger_kind text NOT NULL,
    mode text NOT NULL,
    started_at timestamptz NOT NULL,
    closed_at timestamptz,
    parent_id text NOT NULL,
    origin text NOT NULL,
    error bytea,
    error_key text NOT NULL,
    nodes bytea,
    PRIMARY KEY (execution_id)
) PARTITION BY RANGE (execution_id);
CREATE TABLE engine.visibility_default PARTITION OF engine.visibility DEFAULT WITH (fillfactor = 80);
DO $$ BEGIN
    ALTER TABLE engine.visibility_default ALTER COLUMN nodes SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL; END $$;
CREATE INDEX visibility_newest ON engine.visibility (workspace_id, execution_id DESC);
CREATE INDEX visibility_workflow ON engine.visibility (workflow_id, execution_id DESC);

CREATE TABLE engine.execution_logs (
    execution_id uuid NOT NULL,
    event integer NOT NULL,
    line integer NOT NULL,
    at timestamptz NOT NULL,
    key text NOT NULL,
    level text NOT NULL,
    message text NOT NULL,
    data bytea,
    PRIMARY KEY (execution_id, event, line)
) PARTITION BY RANGE (execution_id);
CREATE TABLE engine.execution_logs_default PARTITION OF engine.execution_logs DEFAULT;

CREATE VIEW engine.execution_nodes AS
    SELECT v.execution_id, v.workspace_id, v.workflow_id, n.*
    FROM engine.visibility v
    CROSS JOIN LATERAL jsonb_to_recordset(convert_from(v.nodes, 'UTF8')::jsonb) AS n(
        key text, node_id text, node_type text, status text, attempt integer,
        output jsonb, error jsonb, scheduled_at double precision,
        started_at double precision, ended_at double precision
    );
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
