"""Dead letters: work given up on, kept for people."""

from collections.abc import Sequence

from linkflow.control.actor import Actor
from linkflow.domain.errors import Conflict
from linkflow.ports.services import DeadLetter, Frontend
from linkflow.ports.stores import DeadLetters


class Letters:
    """List, drop and replay dead letters."""

    def __init__(self, letters: DeadLetters, frontend: Frontend) -> None:
        self._letters, self._frontend = letters, frontend

    async def list(self, actor: Actor, after: str = "", limit: int = 50) -> Sequence[DeadLetter]:
        """List letters, newest first."""
        actor.require("execution.view")
        return await self._letters.list(actor.workspace_id, after, limit)

    async def drop(self, actor: Actor, letter_id: str) -> DeadLetter:
        """Remove a letter.

        Raises:
            NotFound: No such letter.
        """
        actor.require("execution.delete")
        return await self._letters.take(actor.workspace_id, letter_id)

    async def replay(self, actor: Actor, letter_id: str) -> DeadLetter:
        """Let a quarantined execution try again.

        Raises:
            NotFound: No such letter.
            Conflict: `letter.not_replayable`: this kind starts again by a retry of its execution; it is kept.
        """
        actor.require("execution.retry")
        letter = await self._letters.take(actor.workspace_id, letter_id)
        if letter.kind != "decision":
            await self._letters.add(letter)
            raise Conflict(
                "Retry the execution instead: this letter says what became of one of its tasks.",
                code="letter.not_replayable",
                execution_id=letter.execution_id,
            )
        await self._frontend.release(letter.execution_id, actor.email)
        return letter
