"""Row-level security: a statement of one workspace sees no row of another, whatever it says."""

from linkflow.adapters.sql.migrations.alembic import script

revision = "0009"
down_revision = "0008"

UPGRADE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'linkflow_tenant') THEN
        CREATE ROLE linkflow_tenant NOLOGIN;
    END IF;
    EXECUTE format('GRANT linkflow_tenant TO %I', current_user);
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'no role linkflow_tenant: see docs/howto/use-your-own-postgresql.md';
    WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of this server made it at the same moment
END $$;

CREATE PROCEDURE control.keep_apart(place regclass, belongs text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', place);
    EXECUTE format(
        'CREATE POLICY of_workspace ON %s USING (%I = current_setting(''linkflow.workspace'', true))',
        place, belongs);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'linkflow_tenant') THEN
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO linkflow_tenant', place);
    END IF;
END $$;
COMMENT ON PROCEDURE control.keep_apart IS
    'Shows rows of a table to their own workspace only; call it for each new table with workspaces';

CALL control.keep_apart('control.workspaces', 'id');
CALL control.keep_apart('control.members', 'workspace_id');
CALL control.keep_apart('control.invitations', 'workspace_id');
CALL control.keep_apart('control.api_keys', 'workspace_id');
CALL control.keep_apart('control.workflows', 'workspace_id');
CALL control.keep_apart('control.workflow_versions', 'workspace_id');
CALL control.keep_apart('control.schedules', 'workspace_id');
CALL control.keep_apart('control.webhooks', 'workspace_id');
CALL control.keep_apart('control.trigger_events', 'workspace_id');
CALL control.keep_apart('control.credentials', 'workspace_id');
CALL control.keep_apart('control.variables', 'workspace_id');
CALL control.keep_apart('control.audit_logs', 'workspace_id');
CALL control.keep_apart('control.replies', 'workspace_id');

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'linkflow_tenant') THEN
        GRANT USAGE ON SCHEMA control TO linkflow_tenant;
        GRANT SELECT (id, email, name) ON control.users TO linkflow_tenant;
    END IF;
END $$;
"""


def upgrade() -> None:
    """Apply the revision."""
    script(UPGRADE)
