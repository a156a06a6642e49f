"""The control plane: workflows, triggers, accounts, secrets, audit."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0002"
down_revision = "0001"

UPGRADE = """
CREATE TABLE control.workspaces (
    id text PRIMARY KEY,
    name text NOT NULL,
    created_at double precision NOT NULL
);

CREATE TABLE control.users (
    id text PRIMARY KEY,
    workspace_id text NOT NULL REFERENCES control.workspaces,
    email text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    role text NOT NULL,
    created_at double precision NOT NULL
);

CREATE TABLE control.sign_ins (
    id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES control.users ON DELETE CASCADE,
    created_at double precision NOT NULL,
    expires_at double precision NOT NULL,
    is_revoked boolean NOT NULL DEFAULT false
);
CREATE INDEX ON control.sign_ins (user_id);

CREATE TABLE control.workflows (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    tags text[] NOT NULL,
    is_active boolean NOT NULL,
    draft bytea NOT NULL,
    revision integer NOT NULL,
    version integer NOT NULL,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL,
    created_by text NOT NULL,
    deleted_at double precision
);
CREATE INDEX ON control.workflows (workspace_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;

CREATE TABLE control.workflow_versions (
    workspace_id text NOT NULL,
    workflow_id text NOT NULL REFERENCES control.workflows,
    number integer NOT NULL,
    spec bytea NOT NULL,
    spec_hash text NOT NULL,
    note text NOT NULL,
    created_at double precision NOT NULL,
    created_by text NOT NULL,
    PRIMARY KEY (workflow_id, number)
);

CREATE TABLE control.schedules (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    workflow_id text NOT NULL,
    node_id text NOT NULL,
    name text NOT NULL,
    rule bytea NOT NULL,
    timezone text NOT NULL,
    misfire text NOT NULL,
    input bytea NOT NULL,
    is_paused boolean NOT NULL,
    disabled_reason text NOT NULL,
    next_at double precision,
    last_at double precision,
    runs integer NOT NULL,
    source text NOT NULL,
    created_at double precision NOT NULL
);
CREATE INDEX ON control.schedules (next_at)
    WHERE next_at IS NOT NULL AND NOT is_paused AND disabled_reason = '';
CREATE INDEX ON control.schedules (workspace_id, workflow_id);

CREATE TABLE control.webhooks (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    workflow_id text NOT NULL,
    node_id text NOT NULL,
    settings bytea NOT NULL,
    sealed bytea NOT NULL,
    is_active boolean NOT NULL,
    source text NOT NULL,
    created_at double precision NOT NULL
);
CREATE INDEX ON control.webhooks (workspace_id, workflow_id);

CREATE TABLE control.trigger_events (
    workspace_id text NOT NULL,
    id text PRIMARY KEY,
    kind text NOT NULL,
    source_id text NOT NULL,
    at_ms bigint NOT NULL,
    request bytea NOT NULL,
    body bytea NOT NULL,
    data bytea NOT NULL,
    dedup_key text,
    state text NOT NULL,
    reason text NOT NULL,
    starts bytea NOT NULL
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX trigger_events_once ON control.trigger_events (source_id, dedup_key)
    WHERE dedup_key IS NOT NULL;
CREATE INDEX ON control.trigger_events (at_ms) WHERE state = 'pending';
CREATE INDEX ON control.trigger_events (workspace_id, at_ms DESC, id DESC);
COMMENT ON TABLE control.trigger_events IS
    'The inbox: raw requests, the executions they start, what became of them';

CREATE TABLE control.credentials (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    name text NOT NULL,
    type text NOT NULL,
    sealed bytea NOT NULL,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL,
    UNIQUE (workspace_id, name)
);

CREATE TABLE control.variables (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    key text NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (workspace_id, key)
);

CREATE TABLE control.audit_logs (
    workspace_id text NOT NULL,
    id text PRIMARY KEY,
    actor_id text NOT NULL,
    action text NOT NULL,
    resource text NOT NULL,
    at double precision NOT NULL,
    details bytea NOT NULL
);
CREATE INDEX ON control.audit_logs (workspace_id, at DESC);

CREATE TABLE control.replies (
    workspace_id text NOT NULL,
    key text PRIMARY KEY,
    fingerprint text NOT NULL,
    status integer NOT NULL,
    body bytea NOT NULL,
    created_at double precision NOT NULL
);

CREATE TABLE control.leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    token bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
