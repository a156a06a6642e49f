"""Questions about one name, such as a ticket, that come at the same time are answered by one transaction.

What is asked while another transaction about that name is under way goes with the next one, together: a name
that everybody asks about holds one connection of this process, not all of them, and whoever asks alone waits
for nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from linkflow.domain.errors import LinkFlowError

MOST = 200
"""Questions that one transaction answers."""


class Question(Protocol):
    """What one execution wants to know."""

    @property
    def execution_id(self) -> str:
        """Whose question it is."""
        ...


Q = TypeVar("Q", bound=Question)
A = TypeVar("A")


class _Asked(Generic[Q, A]):
    """A question and what became of it: `answers` holds the answer once there is one."""

    def __init__(self, question: Q) -> None:
        self.question = question
        self.answers: list[A] = []
        self.error: LinkFlowError | None = None

    @property
    def is_told(self) -> bool:
        return bool(self.answers) or self.error is not None


class _Line(Generic[Q, A]):
    """What is asked about one name just now."""

    def __init__(self) -> None:
        self.asked: list[_Asked[Q, A]] = []
        self.turn = asyncio.Lock()


class Lines(Generic[Q, A]):
    """See the module."""

    def __init__(self, answer: Callable[[str, Sequence[Q]], Awaitable[Sequence[A]]]) -> None:
        """Put it together; `answer` answers questions about one name, one an execution, in order."""
        self._answer = answer
        self._lines: dict[str, _Line[Q, A]] = {}

    async def ask(self, name: str, question: Q) -> A:
        """Ask with whoever else asks about this name; who has the turn asks for all that wait for it.

        Raises:
            LinkFlowError: What answering raised.
        """
        line = self._lines.setdefault(name, _Line())
        mine: _Asked[Q, A] = _Asked(question)
        line.asked.append(mine)
        try:
            async with line.turn:
                if not mine.is_told:
                    await self._tell(name, _first(line.asked))
                    line.asked = [each for each in line.asked if not each.is_told]
        finally:
            if not mine.is_told:  # its caller has gone away
                line.asked.remove(mine)
            if not line.asked and self._lines.get(name) is line:
                del self._lines[name]
        if mine.error is not None:
            raise mine.error
        return mine.answers[0]

    async def _tell(self, name: str, batch: Sequence[_Asked[Q, A]]) -> None:
        try:
            answers = await self._answer(name, [each.question for each in batch])
        except LinkFlowError as error:
            for each in batch:
                each.error = error
        else:
            for each, answer in zip(batch, answers, strict=True):
                each.answers.append(answer)


def _first(asked: Sequence[_Asked[Q, A]]) -> Sequence[_Asked[Q, A]]:
    """Choose what goes together: in order, and one question an execution."""
    found: dict[str, _Asked[Q, A]] = {}
    for each in asked:
        if each.question.execution_id in found or len(found) == MOST:
            break
        found[each.question.execution_id] = each
    return list(found.values())
