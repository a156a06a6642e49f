"""Fair claims of messages that are due: few to one place, few of one workspace, the oldest first."""

from collections.abc import Sequence
from typing import Any

from linkflow.adapters.sql.statements import Table
from linkflow.ports.sending import Room

LOOKED_AT = 5000
"""Due messages that are ranked where places have no table; those to places that are full do not count."""


def claiming(table: Table, due: str, also: str = "") -> str:
    """Say the statement that claims messages; see `claim_arguments`.

    Two who claim at once take different ones: the row is looked at again, under its lock.

    Args:
        table: Where they are; `due_at` says when.
        due: SQL of candidates: `id, workspace_id, place, due_at`.
        also: More that is set.
    """
    return f"""
WITH due AS ({due}),
at_places AS (SELECT * FROM unnest($6::text[], $7::int[]) AS b (name, n)),
of_workspaces AS (SELECT * FROM unnest($8::text[], $9::int[]) AS b (name, n)),
by_place AS (
  SELECT *, row_number() OVER (PARTITION BY place ORDER BY due_at, id)
    + coalesce((SELECT n FROM at_places WHERE name = place), 0) AS nth
  FROM due),
by_workspace AS (
  SELECT id, due_at, row_number() OVER (PARTITION BY workspace_id ORDER BY due_at, id)
    + coalesce((SELECT n FROM of_workspaces WHERE name = workspace_id), 0) AS nth
  FROM by_place WHERE nth <= $4),
fair AS (SELECT id FROM by_workspace WHERE nth <= $5 ORDER BY nth, due_at, id LIMIT $3)
UPDATE {table.name} SET due_at = $2{also}
WHERE id IN (SELECT id FROM {table.name} WHERE due_at <= $1 AND id IN (SELECT id FROM fair)
             FOR UPDATE SKIP LOCKED)
RETURNING {", ".join(table.columns)}"""


def claim_arguments(now: float, until: float, room: Room) -> Sequence[Any]:
    """Say the arguments of a claim."""
    return (
        now,
        until,
        room.most,
        room.of_place,
        room.of_workspace,
        list(room.places),
        list(room.places.values()),
        list(room.workspaces),
        list(room.workspaces.values()),
    )
