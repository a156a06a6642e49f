"""Credentials, variables, audit lines and stored replies in PostgreSQL."""

from collections.abc import Sequence

import asyncpg

from linkflow.adapters.sql.audit import SqlAuditLog
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.audit import AuditLine
from linkflow.domain.errors import Conflict, NotFound
from linkflow.ports.records import Credential, StoredReply, Variable

CREDENTIALS = Table("control.credentials", Credential)
VARIABLES = Table("control.variables", Variable, json=("value",))
REPLIES = Table("control.replies", StoredReply)
_credential = CREDENTIALS.reader(Credential)
_variable = VARIABLES.reader(Variable)
_reply = REPLIES.reader(StoredReply)


class SqlLedger:
    """What must be kept and shown to few, on tables."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements
        self._audit_log = SqlAuditLog(statements)

    async def add_credential(self, credential: Credential) -> None:
        """Keep a credential."""
        await self._sql.of(credential.workspace_id).insert(
            _taken(), CREDENTIALS.insert, *CREDENTIALS.values(credential)
        )

    async def credentials(self, workspace_id: str) -> Sequence[Credential]:
        """List credentials by name."""
        found = await self._sql.of(workspace_id).rows(
            f"{CREDENTIALS.select} WHERE workspace_id = $1 ORDER BY name LIMIT 1000", workspace_id
        )
        return [_credential(row) for row in found]

    async def credential(self, workspace_id: str, name_or_id: str) -> Credential:
        """Read a credential by name or id."""
        found = await self._sql.of(workspace_id).row(
            f"{CREDENTIALS.select} WHERE workspace_id = $1 AND (name = $2 OR id = $2) ORDER BY id = $2 DESC",
            workspace_id,
            name_or_id,
        )
        if found is None:
            raise NotFound(f"There is no credential named {name_or_id!r}.", credential=name_or_id)
        return _credential(found)

    async def locked_credential(self, workspace_id: str, credential_id: str) -> Credential:
        """Read a credential and lock its row."""
        found = await self._sql.of(workspace_id).row(
            f"{CREDENTIALS.select} WHERE workspace_id = $1 AND id = $2 FOR UPDATE",
            workspace_id,
            credential_id,
        )
        if found is None:
            raise NotFound("There is no such credential.", credential=credential_id)
        return _credential(found)

    async def save_credential(self, credential: Credential) -> None:
        """Replace a credential."""
        try:
            done = await self._sql.of(credential.workspace_id).run(
                "UPDATE control.credentials SET name = $3, type = $4, sealed = $5, access = $6, refresh = $7,"
                " expires_at = $8, state = $9, updated_at = $10 WHERE workspace_id = $1 AND id = $2",
                credential.workspace_id,
                credential.id,
                credential.name,
                credential.type,
                credential.sealed,
                credential.access,
                credential.refresh,
                credential.expires_at,
                credential.state,
                credential.updated_at,
            )
        except asyncpg.UniqueViolationError as error:
            raise _taken() from error
        if not done:
            raise NotFound("There is no such credential.", credential=credential.id)

    async def credential_used(self, workspace_id: str, credential_id: str, at: float) -> None:
        """Note when a credential was last used."""
        await self._sql.of(workspace_id).run(
            "UPDATE control.credentials SET last_used_at = $3 WHERE workspace_id = $1 AND id = $2",
            workspace_id,
            credential_id,
            at,
        )

    async def delete_credential(self, workspace_id: str, credential_id: str) -> None:
        """Remove a credential."""
        done = await self._sql.of(workspace_id).run(
            "DELETE FROM control.credentials WHERE workspace_id = $1 AND id = $2", workspace_id, credential_id
        )
        if not done:
            raise NotFound("There is no such credential.", credential=credential_id)

    async def put_variable(self, variable: Variable) -> None:
        """Keep or replace a variable."""
        await self._sql.of(variable.workspace_id).run(
            f"{VARIABLES.insert} ON CONFLICT (workspace_id, key)"
            " DO UPDATE SET value = excluded.value, sealed = excluded.sealed",
            *VARIABLES.values(variable),
        )

    async def variables(self, workspace_id: str) -> Sequence[Variable]:
        """List variables by key."""
        found = await self._sql.of(workspace_id).rows(
            f"{VARIABLES.select} WHERE workspace_id = $1 ORDER BY key LIMIT 1000", workspace_id
        )
        return [_variable(row) for row in found]

    async def delete_variable(self, workspace_id: str, key: str) -> None:
        """Remove a variable."""
        await self._sql.of(workspace_id).run(
            "DELETE FROM control.variables WHERE workspace_id = $1 AND key = $2", workspace_id, key
        )

    async def audit(self, line: AuditLine) -> None:
        """Add a line to the audit log."""
        await self._audit_log.append(line)

    async def claim_reply(self, reply: StoredReply, since: float) -> StoredReply | None:
        """Reserve an idempotency key."""
        await self._sql.of(reply.workspace_id).run(
            "DELETE FROM control.replies WHERE workspace_id = $1 AND key = $2 AND created_at < $3",
            reply.workspace_id,
            reply.key,
            since,
        )
        done = await self._sql.of(reply.workspace_id).run(
            f"{REPLIES.insert} ON CONFLICT (key) DO NOTHING", *REPLIES.values(reply)
        )
        if done:
            return None
        found = await self._sql.of(reply.workspace_id).row(
            f"{REPLIES.select} WHERE workspace_id = $1 AND key = $2", reply.workspace_id, reply.key
        )
        return reply if found is None else _reply(found)

    async def store_reply(self, reply: StoredReply) -> None:
        """Keep what was answered."""
        if not reply.status:
            await self._sql.of(reply.workspace_id).run(
                "DELETE FROM control.replies WHERE workspace_id = $1 AND key = $2",
                reply.workspace_id,
                reply.key,
            )
            return
        await self._sql.of(reply.workspace_id).run(
            "UPDATE control.replies SET status = $2, sealed = $3 WHERE key = $1 AND workspace_id = $4",
            reply.key,
            reply.status,
            reply.sealed,
            reply.workspace_id,
        )


def _taken() -> Conflict:
    """Say that a name is another credential's already."""
    return Conflict("There is already a credential with this name.", code="credential.name_taken")
