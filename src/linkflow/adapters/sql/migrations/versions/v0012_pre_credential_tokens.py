"""Tokens of credentials that were connected, how each credential is, and variables that are secret."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0012"
down_revision = "0011"

UPGRADE = """
ALTER TABLE control.credentials
    ADD COLUMN access bytea NOT NULL DEFAULT '',
    ADD COLUMN refresh bytea NOT NULL DEFAULT '',
    ADD COLUMN expires_at double precision,
    ADD COLUMN state text NOT NULL DEFAULT 'ready',
    ADD COLUMN last_used_at double precision,
    ADD COLUMN created_by text NOT NULL DEFAULT '';
ALTER TABLE control.variables ADD COLUMN sealed bytea NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
