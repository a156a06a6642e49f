"""The audit log becomes a chain, and says by what and from where."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0013"
down_revision = "0012"

UPGRADE = """
ALTER TABLE control.audit_logs
    ADD COLUMN via text NOT NULL DEFAULT '',
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN number bigint NOT NULL DEFAULT 0,
    ADD COLUMN previous bytea NOT NULL DEFAULT '',
    ADD COLUMN hash bytea NOT NULL DEFAULT '';
CREATE UNIQUE INDEX audit_logs_chain ON control.audit_logs (workspace_id, number) WHERE number > 0;

CREATE TABLE control.audit_heads (
    workspace_id text PRIMARY KEY,
    number bigint NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL
);
COMMENT ON TABLE control.audit_heads IS 'Where the chain of each workspace''s audit log ends';
CALL control.keep_apart('control.audit_heads', 'workspace_id');
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
