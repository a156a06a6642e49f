"""Users, sign-ins, API keys and identities in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.errors import Conflict, NotFound
from linkflow.ports.identity import NO_REFRESH, ApiKey, SignIn, Standing, User

USERS = Table("control.users", User)
SIGN_INS = Table("control.sign_ins", SignIn)
KEYS = Table("control.api_keys", ApiKey)
_user = USERS.reader(User)
_sign_in = SIGN_INS.reader(SignIn)
_key = KEYS.reader(ApiKey)

STANDING = """
SELECT u.id AS user_id, u.email, u.name, u.workspace_id AS home_id, u.is_operator,
       wanted.id AS workspace_id, coalesce(m.role, '') AS role, {columns}
FROM {table} AS s
JOIN control.users AS u ON u.id = s.user_id AND u.disabled_at IS NULL
CROSS JOIN LATERAL (SELECT {workspace} AS id) AS wanted
LEFT JOIN control.workspaces AS w ON w.id = wanted.id AND w.deleted_at IS NULL
LEFT JOIN control.members AS m ON m.workspace_id = w.id AND m.user_id = u.id{bound}
WHERE {where}
"""
OF_SIGN_IN = STANDING.format(
    table="control.sign_ins",
    columns="s.id AS sign_in_id, s.scopes, s.expires_at, s.client_id",
    workspace="coalesce(nullif($2, ''), nullif(s.workspace_id, ''), u.workspace_id)",
    bound=" AND s.workspace_id IN ('', w.id)",
    where="s.id = $1 AND NOT s.is_revoked AND s.expires_at > $3",
)
OF_KEY = STANDING.format(
    table="control.api_keys",
    columns="s.id AS key_id, s.scopes, s.expires_at, s.last_used_at",
    workspace="s.workspace_id",
    bound="",
    where="(s.key_hash = $1 OR s.id = $2) AND (s.expires_at IS NULL OR s.expires_at > $3)",
)


def _standing(row: asyncpg.Record | None) -> Standing | None:
    """Read a row as a standing."""
    if row is None:
        return None
    found: dict[str, Any] = dict(row)
    return Standing(**(found | {"scopes": tuple(found["scopes"])}))


class SqlAccounts:
    """Users on tables."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def add_user(self, user: User) -> None:
        """Keep a new user."""
        await self._sql.insert(_taken(), USERS.insert, *USERS.values(user))

    async def user(self, user_id: str) -> User:
        """Read a user."""
        return await self._one(f"{USERS.select} WHERE id = $1", user_id)

    async def locked(self, user_id: str) -> User:
        """Read a user to replace them."""
        return await self._one(f"{USERS.select} WHERE id = $1 FOR UPDATE", user_id)

    async def _one(self, statement: str, user_id: str) -> User:
        """Read a user."""
        found = await self._sql.row(statement, user_id)
        if found is None:
            raise NotFound("There is no such user.", user_id=user_id)
        return _user(found)

    async def by_email(self, email: str) -> User | None:
        """Find a user by e-mail address."""
        found = await self._sql.row(f"{USERS.select} WHERE email = $1", email)
        return None if found is None else _user(found)

    async def owner(self) -> User | None:
        """Find the user made at the first start."""
        found = await self._sql.row(f"{USERS.select} WHERE is_operator ORDER BY created_at LIMIT 1")
        return None if found is None else _user(found)

    async def put_user(self, user: User) -> None:
        """Replace what is kept of a user."""
        await self._sql.insert(_taken(), USERS.put, *USERS.values(user))

    async def add_sign_in(self, sign_in: SignIn) -> None:
        """Keep a sign-in, and forget those that expired."""
        await self._sql.run(
            "DELETE FROM control.sign_ins WHERE user_id = $1 AND expires_at < $2",
            sign_in.user_id,
            sign_in.created_at,
        )
        await self._sql.run(SIGN_INS.insert, *SIGN_INS.values(sign_in))

    async def sign_in(self, sign_in_id: str) -> SignIn | None:
        """Read a sign-in."""
        found = await self._sql.row(f"{SIGN_INS.select} WHERE id = $1", sign_in_id)
        return None if found is None else _sign_in(found)

    async def sign_ins(self, user_id: str, now: float) -> Sequence[SignIn]:
        """List the sign-ins of a user that still hold."""
        found = await self._sql.rows(
            f"{SIGN_INS.select} WHERE user_id = $1 AND NOT is_revoked AND expires_at > $2"
            " ORDER BY created_at DESC, id LIMIT 1000",
            user_id,
            now,
        )
        return [_sign_in(row) for row in found]

    async def renew(self, sign_in_id: str, generation: int, expires_at: float) -> bool:
        """Move a sign-in to its next refresh token."""
        done = await self._sql.run(
            "UPDATE control.sign_ins SET generation = generation + 1, expires_at = $3"
            " WHERE id = $1 AND generation = $2 AND NOT is_revoked",
            sign_in_id,
            generation,
            expires_at,
        )
        return done == 1

    async def move_on(self, sign_in: SignIn) -> SignIn | None:
        """Let the sign-in of an API client last."""
        found = await self._sql.row(
            "UPDATE control.sign_ins SET expires_at = greatest(expires_at, $5)"
            " WHERE user_id = $1 AND client_id = $2 AND workspace_id = $3 AND scopes = $4"
            f" AND generation = {NO_REFRESH} AND NOT is_revoked RETURNING {', '.join(SIGN_INS.columns)}",
            sign_in.user_id,
            sign_in.client_id,
            sign_in.workspace_id,
            list(sign_in.scopes),
            sign_in.expires_at,
        )
        return None if found is None else _sign_in(found)

    async def revoke(self, user_id: str, sign_in_id: str = "") -> int:
        """End one sign-in of a user, or all."""
        return await self._sql.run(
            "UPDATE control.sign_ins SET is_revoked = true"
            " WHERE user_id = $1 AND ($2 = '' OR id = $2) AND NOT is_revoked",
            user_id,
            sign_in_id,
        )

    async def revoke_keys(self, user_id: str) -> None:
        """Remove every key of a user."""
        await self._sql.run("DELETE FROM control.api_keys WHERE user_id = $1", user_id)

    async def revoke_others(self, user_id: str, kept: str) -> None:
        """End every sign-in of a user but one."""
        await self._sql.run(
            "UPDATE control.sign_ins SET is_revoked = true WHERE user_id = $1 AND id <> $2", user_id, kept
        )

    async def standing(self, sign_in_id: str, workspace_id: str, now: float) -> Standing | None:
        """Say what a sign-in is worth in a workspace."""
        return _standing(await self._sql.row(OF_SIGN_IN, sign_in_id, workspace_id, now))

    async def add_key(self, key: ApiKey) -> None:
        """Keep a key."""
        await self._sql.of(key.workspace_id).run(KEYS.insert, *KEYS.values(key))

    async def keys(self, workspace_id: str, user_id: str) -> Sequence[ApiKey]:
        """List a user's keys in a workspace."""
        found = await self._sql.of(workspace_id).rows(
            f"{KEYS.select} WHERE workspace_id = $1 AND user_id = $2 ORDER BY created_at DESC, id LIMIT 1000",
            workspace_id,
            user_id,
        )
        return [_key(row) for row in found]

    async def delete_key(self, workspace_id: str, user_id: str, key_id: str) -> None:
        """Remove a key."""
        done = await self._sql.of(workspace_id).run(
            "DELETE FROM control.api_keys WHERE workspace_id = $1 AND user_id = $2 AND id = $3",
            workspace_id,
            user_id,
            key_id,
        )
        if not done:
            raise NotFound("There is no such key.", key_id=key_id)

    async def key_standing(self, key_hash: str, key_id: str, now: float) -> Standing | None:
        """Say what a key is worth."""
        return _standing(await self._sql.row(OF_KEY, key_hash, key_id, now))

    async def key_used(self, key_id: str, at: float) -> None:
        """Note when a key was used."""
        await self._sql.run("UPDATE control.api_keys SET last_used_at = $2 WHERE id = $1", key_id, at)

    async def identity(self, issuer: str, subject: str) -> User | None:
        """Find who signs in elsewhere under a name."""
        found = await self._sql.row(
            f"{USERS.select} WHERE id = (SELECT user_id FROM control.identities"
            " WHERE issuer = $1 AND subject = $2)",
            issuer,
            subject,
        )
        return None if found is None else _user(found)

    async def add_identity(self, issuer: str, subject: str, user_id: str, at: float) -> None:
        """Note under which name a user signs in elsewhere."""
        await self._sql.run(
            "INSERT INTO control.identities (issuer, subject, user_id, created_at)"
            " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            issuer,
            subject,
            user_id,
            at,
        )


def _taken() -> Conflict:
    """Say that an address is somebody's already."""
    return Conflict("There is already a user with this e-mail address.", code="user.email_taken")
