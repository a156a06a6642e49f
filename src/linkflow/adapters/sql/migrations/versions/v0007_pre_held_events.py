"""A trigger event is held by the process that starts it, so that several inboxes share the work."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0007"
down_revision = "0006"

UPGRADE = """
ALTER TABLE control.trigger_events ADD COLUMN held_until_ms bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN control.trigger_events.held_until_ms IS
    'Until when nobody else is to start it, milliseconds since 1970 by the clock of the database';
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
