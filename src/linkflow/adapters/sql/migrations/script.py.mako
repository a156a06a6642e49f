"""${message.partition(" ")[2].capitalize()}."""

from linkflow.adapters.sql.migrations.alembic import script

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

UPGRADE = """
-- SQL, any number of statements, one transaction
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
