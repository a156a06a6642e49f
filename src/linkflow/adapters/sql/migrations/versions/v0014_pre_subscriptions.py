"""Subscriptions of others to what happens here, and the messages to them."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0014"
down_revision = "0013"

UPGRADE = """
CREATE TABLE control.webhook_subscriptions (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    url text NOT NULL,
    events text[] NOT NULL,
    description text NOT NULL,
    workflow_id text NOT NULL,
    sealed bytea NOT NULL,
    is_active boolean NOT NULL,
    disabled_reason text NOT NULL,
    audit_number bigint NOT NULL,
    created_by text NOT NULL,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL
);
CREATE INDEX ON control.webhook_subscriptions (workspace_id);
CALL control.keep_apart('control.webhook_subscriptions', 'workspace_id');

CREATE TABLE control.webhook_deliveries (
    workspace_id text NOT NULL,
    id text PRIMARY KEY,
    subscription_id text NOT NULL REFERENCES control.webhook_subscriptions ON DELETE CASCADE,
    event text NOT NULL,
    body bytea NOT NULL,
    at double precision NOT NULL,
    state text NOT NULL,
    due_at double precision,
    attempts integer NOT NULL,
    status integer NOT NULL,
    error text NOT NULL,
    duration_ms integer NOT NULL
);
CREATE INDEX ON control.webhook_deliveries (subscription_id, at DESC);
CREATE INDEX ON control.webhook_deliveries (due_at) WHERE due_at IS NOT NULL;
CALL control.keep_apart('control.webhook_deliveries', 'workspace_id');

CREATE TABLE engine.followers (workspace_id uuid PRIMARY KEY);
COMMENT ON TABLE engine.followers IS 'Workspaces whose executions somebody follows';
CREATE TABLE engine.followed (
    execution_id uuid NOT NULL,
    what text NOT NULL,
    workspace_id uuid NOT NULL,
    PRIMARY KEY (execution_id, what)
);
COMMENT ON TABLE engine.followed IS 'Starts and ends of executions that nobody told the followers of yet';
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
