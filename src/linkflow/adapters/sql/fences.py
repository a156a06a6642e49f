"""Fences: each schema remembers the newest token that a duty wrote under, and refuses older ones.

The row is held until the transaction ends, so a new leader that raises the fence waits for writes under way,
and finds them done. Who holds it shared never asks for more: two that did would wait for each other.
"""

from linkflow.adapters.sql.database import AnyConnection
from linkflow.ports.upkeep import LEASE, Fenced

_READ = "SELECT token FROM {schema}.fences WHERE name = $1"
_HELD = "SELECT token FROM {schema}.fences WHERE name = $1 FOR SHARE"
_RAISED = """
INSERT INTO {schema}.fences AS f (name, token) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET token = excluded.token WHERE f.token <= excluded.token
RETURNING token"""


async def raise_fence(connection: AnyConnection, schema: str, token: int) -> None:
    """Refuse older tokens from now on.

    Args:
        connection: Within a transaction.
        schema: control or engine.
        token: Of the leader.

    Raises:
        Fenced: A newer token was seen already.
    """
    if await connection.fetchval(_RAISED.format(schema=schema), LEASE, token) is None:
        raise Fenced


async def pass_fence(connection: AnyConnection, schema: str, token: int) -> None:
    """Go on only under the newest token, and keep it the newest until the transaction ends.

    Raises:
        Fenced: A newer token was seen already; nothing may be written.
    """
    newest = await connection.fetchval(_READ.format(schema=schema), LEASE)
    if newest is None or newest < token:
        await raise_fence(connection, schema, token)
    elif newest > token or await connection.fetchval(_HELD.format(schema=schema), LEASE) != token:
        raise Fenced
