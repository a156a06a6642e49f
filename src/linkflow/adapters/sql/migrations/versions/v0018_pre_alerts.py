"""Alert rules, what they were told of, and their cool-downs."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0018"
down_revision = "0017"

UPGRADE = """
CREATE TABLE control.alerts (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    workflow_ids text[] NOT NULL,
    over_s double precision,
    times_p95 double precision,
    percent integer,
    cooldown_s double precision NOT NULL,
    sealed bytea NOT NULL,
    is_active boolean NOT NULL,
    audit_number bigint NOT NULL,
    created_by text NOT NULL,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL
);
CREATE INDEX ON control.alerts (workspace_id);
CALL control.keep_apart('control.alerts', 'workspace_id');

CREATE TABLE control.alert_happenings (
    workspace_id text NOT NULL,
    alert_id text NOT NULL REFERENCES control.alerts ON DELETE CASCADE,
    happening text NOT NULL,
    at double precision NOT NULL,
    PRIMARY KEY (alert_id, happening)
);
CREATE INDEX ON control.alert_happenings (at);
CALL control.keep_apart('control.alert_happenings', 'workspace_id');

CREATE TABLE control.alert_windows (
    workspace_id text NOT NULL,
    alert_id text NOT NULL REFERENCES control.alerts ON DELETE CASCADE,
    subject text NOT NULL,
    since double precision NOT NULL,
    until double precision NOT NULL,
    missed integer NOT NULL,
    title text NOT NULL,
    PRIMARY KEY (alert_id, subject)
);
CREATE INDEX ON control.alert_windows (until) WHERE missed > 0;
CALL control.keep_apart('control.alert_windows', 'workspace_id');
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
