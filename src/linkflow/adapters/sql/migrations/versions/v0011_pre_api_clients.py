"""API clients of others, and the codes that become their tokens."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0011"
down_revision = "0010"

UPGRADE = """
CREATE TABLE control.oauth_clients (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    name text NOT NULL,
    secret_hash text NOT NULL,
    redirect_uris text[] NOT NULL,
    scopes text[] NOT NULL,
    created_by text NOT NULL,
    created_at double precision NOT NULL
);
CREATE INDEX ON control.oauth_clients (workspace_id);
CALL control.keep_apart('control.oauth_clients', 'workspace_id');

CREATE TABLE control.oauth_grants (
    code_hash text PRIMARY KEY,
    client_id text NOT NULL REFERENCES control.oauth_clients ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES control.users ON DELETE CASCADE,
    workspace_id text NOT NULL,
    redirect_uri text NOT NULL,
    scopes text[] NOT NULL,
    challenge text NOT NULL,
    expires_at double precision NOT NULL,
    sign_in_id text NOT NULL
);
CREATE INDEX ON control.oauth_grants (expires_at);
CALL control.keep_apart('control.oauth_grants', 'workspace_id');

CREATE INDEX ON control.sign_ins (client_id) WHERE client_id <> '';
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
