"""A long line for a ticket costs a question no more than a short one."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0022"
down_revision = "0021"

UPGRADE = """
CREATE INDEX tickets_waiting ON engine.tickets (ticket, asked_at, execution_id) WHERE granted_at IS NULL;
CREATE INDEX tickets_held ON engine.tickets (ticket) WHERE granted_at IS NOT NULL;
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
