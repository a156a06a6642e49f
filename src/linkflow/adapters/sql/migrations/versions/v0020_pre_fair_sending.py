"""Messages are claimed by where they go, so that one slow receiver holds no other."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0020"
down_revision = "0019"

UPGRADE = """
ALTER TABLE control.mails ADD COLUMN place text NOT NULL DEFAULT '';
CREATE INDEX ON control.webhook_deliveries (subscription_id, due_at) WHERE due_at IS NOT NULL;
DROP INDEX control.webhook_deliveries_due_at_idx;
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
