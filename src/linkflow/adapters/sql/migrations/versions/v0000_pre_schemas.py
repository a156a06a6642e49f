"""The two schemas: what people do, and what executions do."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0000"
down_revision = None

UPGRADE = """
CREATE SCHEMA IF NOT EXISTS control;
CREATE SCHEMA IF NOT EXISTS engine;
COMMENT ON SCHEMA control IS 'Control plane: what people and teams do';
COMMENT ON SCHEMA engine IS 'Execution plane: event history and what is made from it';
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
