"""Who is there, and what was said to all of them at run time."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0005"
down_revision = "0004"

UPGRADE = """
CREATE UNLOGGED TABLE engine.members (
    id text PRIMARY KEY,
    about jsonb NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE engine.config (
    id smallint PRIMARY KEY CHECK (id = 1),
    version integer NOT NULL,
    data jsonb NOT NULL
);
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
