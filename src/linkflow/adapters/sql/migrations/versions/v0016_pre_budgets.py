"""Exact amounts of what nodes report, and budgets of workspaces."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0016"
down_revision = "0015"

UPGRADE = """
CREATE TABLE engine.usage_meters (
    workspace_id uuid NOT NULL,
    day date NOT NULL,
    meter text NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (workspace_id, day, meter)
) WITH (fillfactor = 50);

CREATE TABLE control.budgets (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    period text NOT NULL,
    limits bytea NOT NULL,
    on_exceeded text NOT NULL,
    changed_by text NOT NULL,
    changed_at double precision NOT NULL,
    PRIMARY KEY (workspace_id, period)
);
CALL control.keep_apart('control.budgets', 'workspace_id');
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
