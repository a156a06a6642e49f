"""Letters on their way out, in PostgreSQL."""

from collections.abc import Sequence

from linkflow.adapters.sql.claiming import LOOKED_AT, claim_arguments, claiming
from linkflow.adapters.sql.database import text_without_nul
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.ports.identity import OutgoingMail
from linkflow.ports.sending import Room

MAILS = Table("control.mails", OutgoingMail)
DUE = f"""
SELECT id, '' AS workspace_id, place, due_at FROM control.mails
WHERE due_at <= $1
AND place <> ALL (SELECT name FROM unnest($6::text[], $7::int[]) AS b (name, n) WHERE n >= $4)
ORDER BY due_at LIMIT {LOOKED_AT}"""
CLAIM = claiming(MAILS, DUE, ", attempts = attempts + 1")
_mail = MAILS.reader(OutgoingMail)


class SqlMailOutbox:
    """The outbox on a table."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def add(self, mail: OutgoingMail) -> None:
        """Keep a letter until it was sent."""
        await self._sql.run(MAILS.insert, *MAILS.values(mail))

    async def claim(self, now: float, until: float, room: Room) -> Sequence[OutgoingMail]:
        """Take letters that are due."""
        found = await self._sql.rows(CLAIM, *claim_arguments(now, until, room))
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
