"""Executions are searched by words of their errors and by attributes; searches and attributes are kept."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0010"
down_revision = "0009"

UPGRADE = """
ALTER TABLE engine.visibility
    ADD COLUMN error_code text NOT NULL DEFAULT '',
    ADD COLUMN error_text text NOT NULL DEFAULT '',
    ADD COLUMN attributes jsonb;
UPDATE engine.visibility SET
    error_code = convert_from(error, 'UTF8')::jsonb ->> 'code',
    error_text = left(replace(error_key || ' ' || (convert_from(error, 'UTF8')::jsonb ->> 'code') || ' '
        || (convert_from(error, 'UTF8')::jsonb ->> 'message'), '.', ' '), 2000)
    WHERE error IS NOT NULL AND position(convert_to('\\u0000', 'UTF8') IN error) = 0;
CREATE INDEX visibility_failed ON engine.visibility (workspace_id, execution_id DESC) WHERE error_text <> '';
CREATE INDEX visibility_open ON engine.visibility (workspace_id, execution_id DESC) WHERE closed_at IS NULL;
CREATE INDEX visibility_words ON engine.visibility USING gin (to_tsvector('simple', error_text))
    WHERE error_text <> '';
CREATE INDEX visibility_attributes ON engine.visibility USING gin (attributes jsonb_path_ops)
    WHERE attributes IS NOT NULL;

CREATE TABLE control.search_attributes (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    name text NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (workspace_id, name)
);
COMMENT ON TABLE control.search_attributes IS
    'What executions of a workspace can be searched by, and its kind';

CREATE TABLE control.saved_searches (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    owner_id text NOT NULL,
    name text NOT NULL,
    query bytea NOT NULL,
    is_shared boolean NOT NULL,
    created_at double precision NOT NULL,
    UNIQUE (workspace_id, owner_id, name)
);
COMMENT ON TABLE control.saved_searches IS 'Searches that people keep, for themselves or for their workspace';

CALL control.keep_apart('control.search_attributes', 'workspace_id');
CALL control.keep_apart('control.saved_searches', 'workspace_id');
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
