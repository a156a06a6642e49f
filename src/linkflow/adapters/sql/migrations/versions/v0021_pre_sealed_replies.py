"""Answers to repeated requests, sealed: some of them show a secret."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0021"
down_revision = "0020"

UPGRADE = """
ALTER TABLE control.replies ADD COLUMN sealed bytea NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
