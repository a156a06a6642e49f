"""Users, workspaces and sign-ins in PostgreSQL."""

from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.errors import Conflict, NotFound
from linkflow.ports.records import SignIn, User

USERS = Table("control.users", User)
SIGN_INS = Table("control.sign_ins", SignIn)
_user = USERS.reader(User)
_sign_in = SIGN_INS.reader(SignIn)


class SqlAccounts:
    """Users on tables."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def add_workspace(self, workspace_id: str, name: str, at: float) -> None:
        """Keep a new workspace."""
        await self._sql.run(
            "INSERT INTO control.workspaces (id, name, created_at) VALUES ($1, $2, $3)",
            workspace_id,
            name,
            at,
        )

    async def add_user(self, user: User) -> None:
        """Keep a new user."""
        taken = Conflict("There is already a user with this e-mail address.", code="user.email_taken")
        await self._sql.insert(taken, USERS.insert, *USERS.values(user))

    async def user(self, user_id: str) -> User:
        """Read a user."""
        found = await self._sql.row(f"{USERS.select} WHERE id = $1", user_id)
        if found is None:
            raise NotFound("There is no such user.", user_id=user_id)
        return _user(found)

    async def by_email(self, email: str) -> User | None:
        """Find a user by e-mail address."""
        found = await self._sql.row(f"{USERS.select} WHERE email = $1", email)
        return None if found is None else _user(found)

    async def owner(self) -> User | None:
        """Find the first owner."""
        found = await self._sql.row(f"{USERS.select} WHERE role = 'owner' ORDER BY created_at LIMIT 1")
        return None if found is None else _user(found)

    async def set_password(self, user_id: str, password_hash: str) -> None:
        """Replace a password."""
        await self._sql.run(
            "UPDATE control.users SET password_hash = $2 WHERE id = $1", user_id, password_hash
        )

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

    async def revoke(self, user_id: str, sign_in_id: str = "") -> None:
        """End one sign-in of a user, or all."""
        await self._sql.run(
            "UPDATE control.sign_ins SET is_revoked = true WHERE user_id = $1 AND ($2 = '' OR id = $2)",
            user_id,
            sign_in_id,
        )
