"""What Alembic runs to apply revisions; `alembic.upgrade` hands it the connection and someone to tell."""

from collections.abc import Callable
from typing import Any

from alembic import context

from linkflow.adapters.sql.migrations import VERSION_TABLE

connection = context.config.attributes["connection"]
say: Callable[[str], None] = context.config.attributes["say"]
schema, _, table = VERSION_TABLE.partition(".")


def tell(step: Any) -> None:
    """Name a revision that was just applied."""
    say(f"schema {step.up_revision_id}: {step.up_revision.doc}")


context.configure(
    connection=connection,
    version_table=table,
    version_table_schema=schema,
    transaction_per_migration=True,
    on_version_apply=lambda ctx, step, heads, run_args: tell(step),
)
with context.begin_transaction():
    context.run_migrations()
