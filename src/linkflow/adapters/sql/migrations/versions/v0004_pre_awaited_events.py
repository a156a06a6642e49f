"""Open executions say which events they await, so that an event finds all of them at once."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0004"
down_revision = "0003"

UPGRADE = """
ALTER TABLE engine.executions ADD COLUMN awaits text[];
CREATE INDEX executions_awaiting ON engine.executions USING gin (awaits) WHERE awaits IS NOT NULL;
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
