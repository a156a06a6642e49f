"""Worker sessions that were buried, until their attempts have been ended."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0019"
down_revision = "0018"

UPGRADE = """
CREATE TABLE engine.buried_sessions (
    session text PRIMARY KEY,
    buried_at timestamptz NOT NULL,
    told_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
