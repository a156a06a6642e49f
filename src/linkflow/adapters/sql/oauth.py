"""API clients and grants in PostgreSQL."""

from collections.abc import Sequence

from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.errors import NotFound
from linkflow.ports.oauth import ApiClient, Grant

CLIENTS = Table("control.oauth_clients", ApiClient)
GRANTS = Table("control.oauth_grants", Grant)
KEPT_S = 3600.0
_client = CLIENTS.reader(ApiClient)
_grant = GRANTS.reader(Grant)


class SqlApiClients:
    """API clients on tables."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def add(self, client: ApiClient) -> None:
        """Keep a new client."""
        await self._sql.of(client.workspace_id).run(CLIENTS.insert, *CLIENTS.values(client))

    async def find(self, client_id: str) -> ApiClient | None:
        """Find a client by its id."""
        found = await self._sql.row(f"{CLIENTS.select} WHERE id = $1", client_id)
        return None if found is None else _client(found)

    async def list(self, workspace_id: str) -> Sequence[ApiClient]:
        """List the clients of a workspace."""
        found = await self._sql.of(workspace_id).rows(
            f"{CLIENTS.select} WHERE workspace_id = $1 ORDER BY created_at DESC, id LIMIT 1000", workspace_id
        )
        return [_client(row) for row in found]

    async def delete(self, workspace_id: str, client_id: str) -> None:
        """Remove a client and end every sign-in it was given."""
        done = await self._sql.of(workspace_id).run(
            "DELETE FROM control.oauth_clients WHERE workspace_id = $1 AND id = $2", workspace_id, client_id
        )
        if not done:
            raise NotFound("There is no such API client.", client_id=client_id)
        await self._sql.run(
            "UPDATE control.sign_ins SET is_revoked = true WHERE client_id = $1 AND NOT is_revoked", client_id
        )

    async def forget_grants(self, user_id: str) -> None:
        """Forget what a user let clients do."""
        await self._sql.run(
            "DELETE FROM control.oauth_grants WHERE user_id = $1 AND sign_in_id = ''", user_id
        )

    async def add_grant(self, grant: Grant) -> None:
        """Keep a grant, and forget old ones."""
        await self._sql.run(
            "DELETE FROM control.oauth_grants WHERE expires_at < $1", grant.expires_at - KEPT_S
        )
        await self._sql.run(GRANTS.insert, *GRANTS.values(grant))

    async def use_grant(self, code_hash: str, sign_in_id: str) -> Grant | None:
        """Turn a code into a sign-in."""
        columns = ", ".join(f"before.{column}" for column in GRANTS.columns)
        found = await self._sql.row(
            f"""UPDATE control.oauth_grants AS kept
                SET sign_in_id = CASE WHEN kept.sign_in_id = '' THEN $2 ELSE kept.sign_in_id END
                FROM (SELECT * FROM control.oauth_grants WHERE code_hash = $1 FOR UPDATE) AS before
                WHERE kept.code_hash = before.code_hash RETURNING {columns}""",
            code_hash,
            sign_in_id,
        )
        return None if found is None else _grant(found)
