"""What executions ask people, who was told of it, and what leaves for e-mail, Slack and webhooks."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0017"
down_revision = "0016"

UPGRADE = """
CREATE TABLE engine.approvals (
    execution_id uuid NOT NULL,
    key text NOT NULL,
    id text NOT NULL UNIQUE,
    workspace_id uuid NOT NULL,
    workflow_id text NOT NULL,
    version integer NOT NULL,
    node_id text NOT NULL,
    label text NOT NULL,
    status text NOT NULL,
    deciders text[] NOT NULL,
    round integer NOT NULL,
    opened_at double precision NOT NULL,
    due_at double precision NOT NULL,
    asked bytea NOT NULL,
    decided_at double precision,
    decided_by text NOT NULL,
    comment text NOT NULL,
    answer bytea NOT NULL,
    told_round integer NOT NULL DEFAULT 0,
    PRIMARY KEY (execution_id, key)
);
COMMENT ON TABLE engine.approvals IS 'What executions ask people, as the projection shows it';
CREATE INDEX ON engine.approvals (workspace_id, opened_at DESC, id);
CREATE INDEX ON engine.approvals (opened_at) WHERE status = 'open' AND told_round < round;

CREATE TABLE control.approval_links (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    execution_id text NOT NULL,
    sealed bytea NOT NULL,
    round integer NOT NULL,
    remind_at double precision,
    remind_every_s double precision NOT NULL,
    until double precision NOT NULL
);
CREATE INDEX ON control.approval_links (workspace_id);
CREATE INDEX ON control.approval_links (remind_at) WHERE remind_at IS NOT NULL;
CALL control.keep_apart('control.approval_links', 'workspace_id');

CREATE TABLE control.notifications (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    source text NOT NULL,
    subject text NOT NULL,
    kind text NOT NULL,
    receiver text NOT NULL,
    title text NOT NULL,
    sealed bytea NOT NULL,
    is_test boolean NOT NULL,
    at double precision NOT NULL,
    state text NOT NULL,
    due_at double precision,
    attempts integer NOT NULL,
    error text NOT NULL
);
CREATE INDEX ON control.notifications (workspace_id, at DESC, id);
CREATE INDEX ON control.notifications (due_at) WHERE due_at IS NOT NULL;
CALL control.keep_apart('control.notifications', 'workspace_id');
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
