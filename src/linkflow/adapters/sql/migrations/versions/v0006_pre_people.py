"""Users with names and sessions, members with roles, invitations, API keys, letters on their way out."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0006"
down_revision = "0005"

UPGRADE = """
ALTER TABLE control.workspaces
    ADD COLUMN slug text NOT NULL DEFAULT gen_random_uuid()::text,
    ADD COLUMN logo text NOT NULL DEFAULT '',
    ADD COLUMN settings bytea NOT NULL DEFAULT '{}',
    ADD COLUMN deleted_at double precision;
CREATE UNIQUE INDEX workspaces_slug ON control.workspaces (slug) WHERE deleted_at IS NULL;

ALTER TABLE control.users
    ALTER COLUMN role SET DEFAULT 'owner',
    ADD COLUMN name text NOT NULL DEFAULT '',
    ADD COLUMN verified_at double precision,
    ADD COLUMN disabled_at double precision,
    ADD COLUMN is_operator boolean NOT NULL DEFAULT false;
UPDATE control.users SET is_operator = true, verified_at = created_at;

ALTER TABLE control.sign_ins
    ADD COLUMN generation integer NOT NULL DEFAULT 0,
    ADD COLUMN workspace_id text NOT NULL DEFAULT '',
    ADD COLUMN client_id text NOT NULL DEFAULT '',
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{*}',
    ADD COLUMN device text NOT NULL DEFAULT '',
    ADD COLUMN address text NOT NULL DEFAULT '';

CREATE TABLE control.members (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    user_id text NOT NULL REFERENCES control.users ON DELETE CASCADE,
    role text NOT NULL,
    joined_at double precision NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX ON control.members (user_id);
INSERT INTO control.members (workspace_id, user_id, role, joined_at)
    SELECT workspace_id, id, role, created_at FROM control.users;

CREATE TABLE control.invitations (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    email text NOT NULL,
    role text NOT NULL,
    token_hash text NOT NULL UNIQUE,
    invited_by text NOT NULL,
    created_at double precision NOT NULL,
    expires_at double precision NOT NULL,
    state text NOT NULL
);
CREATE INDEX ON control.invitations (workspace_id, created_at DESC) WHERE state = 'pending';

CREATE TABLE control.api_keys (
    workspace_id text NOT NULL REFERENCES control.workspaces,
    id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES control.users ON DELETE CASCADE,
    name text NOT NULL,
    prefix text NOT NULL,
    key_hash text NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    created_at double precision NOT NULL,
    expires_at double precision,
    last_used_at double precision
);
CREATE INDEX ON control.api_keys (workspace_id, user_id);

CREATE TABLE control.identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id text NOT NULL REFERENCES control.users ON DELETE CASCADE,
    created_at double precision NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE TABLE control.mails (
    id text PRIMARY KEY,
    sealed bytea NOT NULL,
    due_at double precision NOT NULL,
    created_at double precision NOT NULL,
    attempts integer NOT NULL,
    last_error text NOT NULL
);
CREATE INDEX ON control.mails (due_at);
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
