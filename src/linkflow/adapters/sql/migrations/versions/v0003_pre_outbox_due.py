"""Messages that could not be delivered are put off: when they are due again."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0003"
down_revision = "0002"

UPGRADE = """
ALTER TABLE engine.outbox ADD COLUMN due timestamptz;
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
