"""When executions may begin whose workflow has a rate limit or a debounce."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0023"
down_revision = "0022"

UPGRADE = """
CREATE TABLE engine.start_slots (
    key text NOT NULL,
    execution_id uuid NOT NULL,
    begins_at float8 NOT NULL,
    kept_until float8 NOT NULL,
    PRIMARY KEY (execution_id, key)
);
CREATE INDEX start_slots_latest ON engine.start_slots (key, begins_at DESC);

CREATE TABLE engine.debounces (
    key text NOT NULL,
    execution_id uuid NOT NULL,
    came_at float8 NOT NULL,
    first_at float8 NOT NULL,
    begins_at float8 NOT NULL,
    older uuid,
    newer uuid,
    kept_until float8 NOT NULL,
    PRIMARY KEY (execution_id, key)
);
CREATE INDEX debounces_latest ON engine.debounces (key, came_at DESC, execution_id DESC);
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
