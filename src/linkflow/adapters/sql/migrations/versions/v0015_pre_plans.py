"""Plans of workspaces, and alerts that went out."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0015"
down_revision = "0014"

UPGRADE = """
CREATE TABLE control.workspace_plans (
    workspace_id text PRIMARY KEY REFERENCES control.workspaces,
    plan text NOT NULL,
    is_locked boolean NOT NULL,
    limits bytea NOT NULL,
    changed_at double precision NOT NULL
);
CALL control.keep_apart('control.workspace_plans', 'workspace_id');

CREATE TABLE control.usage_alerts (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    meter text NOT NULL,
    period text NOT NULL,
    percent integer NOT NULL,
    PRIMARY KEY (workspace_id, meter, period, percent)
);
CALL control.keep_apart('control.usage_alerts', 'workspace_id');
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
