"""Letters on their way out, in PostgreSQL."""

from collections.abc import Sequence

from linkflow.adapters.sql.database import text_without_nul
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.ports.identity import OutgoingMail

MAILS = Table("control.mails", OutgoingMail)
_mail = MAILS.reader(OutgoingMail)


class SqlMailOutbox:
    """The outbox on a table."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def add(self, mail: OutgoingMail) -> None:
        """Keep a letter until it was sent."""
        await self._sql.run(MAILS.insert, *MAILS.values(mail))

    async def claim(self, now: float, until: float, limit: int) -> Sequence[OutgoingMail]:
        """Take letters that are due."""
        found = await self._sql.rows(
            f"""UPDATE control.mails SET due_at = $2, attempts = attempts + 1
                WHERE id IN (SELECT id FROM control.mails WHERE due_at <= $1
                             ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
                RETURNING {", ".join(MAILS.columns)}""",
            now,
            until,
            limit,
        )
        return [_mail(row) for row in found]

    async def sent(self, mail_id: str) -> None:
        """Forget a letter."""
        await self._sql.run("DELETE FROM control.mails WHERE id = $1", mail_id)

    async def put_off(self, mail_id: str, due_at: float, reason: str) -> None:
        """Try a letter again later."""
        await self._sql.run(
            "UPDATE control.mails SET due_at = $2, last_error = $3 WHERE id = $1",
            mail_id,
            due_at,
            text_without_nul(reason),
        )

    async def next_due_at(self) -> float | None:
        """Say when the next letter is due."""
        found = await self._sql.row("SELECT min(due_at) AS at FROM control.mails")
        return None if found is None else found["at"]
