"""The engine's smaller stores in memory: specs, tickets, worker sessions, dead letters, late results."""

import asyncio
from collections.abc import Callable, Sequence, Set

import msgspec

from linkflow.domain.errors import NotFound
from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.ports.clock import Clock
from linkflow.ports.services import DeadLetter
from linkflow.ports.stores import ANY_LETTER, Message
from linkflow.ports.views import LetterFilter


class MemorySpecStore:
    """Specs in a dictionary."""

    def __init__(self) -> None:
        self._specs: dict[tuple[str, str], bytes] = {}

    async def put(self, workspace_id: str, spec_hash: str, spec: bytes) -> None:
        """Keep a spec."""
        await asyncio.sleep(0)
        self._specs.setdefault((workspace_id, spec_hash), bytes(spec))

    async def get(self, workspace_id: str, spec_hash: str) -> bytes:
        """Read a spec."""
        await asyncio.sleep(0)
        try:
            return self._specs[workspace_id, spec_hash]
        except KeyError:
            raise NotFound("There is no such spec.", spec_hash=spec_hash) from None


class _Line:
    """Who asked for one ticket, in order, and who has it."""

    def __init__(self) -> None:
        self.limit = 0
        self.asked: list[str] = []
        self.held: list[str] = []

    def grant(self) -> list[str]:
        """Hand out what is free, in order of asking."""
        waiting = [execution_id for execution_id in self.asked if execution_id not in self.held]
        granted = waiting[: max(0, self.limit - len(self.held))]
        self.held += granted
        return granted


class MemoryTickets:
    """Concurrency tickets in a dictionary."""

    def __init__(self, is_over: Callable[[str], bool] = lambda execution_id: False) -> None:
        """Begin with none; `is_over` says whether an execution is."""
        self._lines: dict[str, _Line] = {}
        self._is_over = is_over

    async def acquire(self, ticket: str, limit: int, execution_id: str) -> Sequence[str]:
        """Ask for a ticket."""
        await asyncio.sleep(0)
        line = self._lines.setdefault(ticket, _Line())
        line.limit = limit
        line.held = [held for held in line.held if not self._is_over(held)]
        line.asked = [asked for asked in line.asked if not self._is_over(asked)]
        if execution_id not in line.asked and not self._is_over(execution_id):
            line.asked.append(execution_id)
        already = [execution_id] if execution_id in line.held else []
        granted = already + line.grant()
        await asyncio.sleep(0)
        return granted

    async def release(self, ticket: str, execution_id: str) -> Sequence[str]:
        """Give a ticket back."""
        await asyncio.sleep(0)
        line = self._lines.get(ticket)
        if line is None:
            return []
        line.asked = [asked for asked in line.asked if asked != execution_id]
        line.held = [held for held in line.held if held != execution_id]
        granted = line.grant()
        if not line.asked:
            del self._lines[ticket]
        await asyncio.sleep(0)
        return granted

    async def asked(self, ticket: str) -> Sequence[str]:
        """List who holds or waits for a ticket."""
        await asyncio.sleep(0)
        line = self._lines.get(ticket)
        return list(line.asked) if line is not None else []

    async def behind(self, execution_ids: Sequence[str]) -> Set[str]:
        """Say who stands in line behind others."""
        await asyncio.sleep(0)
        asked = set(execution_ids)
        lines = [[each for each in line.asked if each not in line.held] for line in self._lines.values()]
        return {each for line in lines for each in [one for one in line if one in asked][1:]}


class MemorySessions:
    """Leases of worker sessions, by a clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._buried_at: dict[str, float] = {}
        self._told_at: dict[str, float] = {}

    async def renew(self, session: str, lease_s: float) -> bool:
        """Keep a session alive."""
        await asyncio.sleep(0)
        was_there = session in self._until
        self._until[session] = self._clock.now() + lease_s
        return was_there

    async def expired(self) -> Sequence[str]:
        """List sessions whose lease has ended."""
        await asyncio.sleep(0)
        return [session for session, until in self._until.items() if until < self._clock.now()]

    async def bury_expired(self, again_s: float) -> Sequence[str]:
        """Forget sessions that ended."""
        await asyncio.sleep(0)
        now = self._clock.now()
        ended = {session for session, until in self._until.items() if until < now}
        for session in ended:
            del self._until[session]
        self._buried_at.update(dict.fromkeys(ended, now))
        told = ended | {session for session, told_at in self._told_at.items() if told_at < now - again_s}
        self._told_at.update(dict.fromkeys(told, now))
        return sorted(told)

    async def settle(self, sessions: Sequence[str], after_s: float) -> None:
        """Note that attempts were ended."""
        await asyncio.sleep(0)
        for session in sessions:
            if self._buried_at.get(session, 0.0) <= self._clock.now() - after_s:
                self._told_at.pop(session, None)

    async def bury(self, sessions: Sequence[str]) -> None:
        """Forget sessions."""
        await asyncio.sleep(0)
        for session in sessions:
            self._until.pop(session, None)

    async def others(self, session: str) -> Sequence[str]:
        """List every other session."""
        await asyncio.sleep(0)
        return [other for other in self._until if other != session]


class MemoryDeadLetters:
    """Dead letters in a dictionary.

    Attributes:
        sent: Messages that were put back, oldest first.
    """

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self._letters: dict[str, tuple[DeadLetter, bytes]] = {}

    async def add(self, letter: DeadLetter) -> None:
        """Keep a letter."""
        await asyncio.sleep(0)
        self._letters.setdefault(letter.id, (letter, encode_json(letter.body)))

    async def list(
        self, workspace_id: str, after: str, limit: int, where: LetterFilter = ANY_LETTER
    ) -> Sequence[DeadLetter]:
        """List letters, newest first."""
        await asyncio.sleep(0)
        newest = sorted(
            (
                letter
                for letter, _ in self._letters.values()
                if letter.workspace_id == workspace_id and _is_meant(letter, where)
            ),
            key=lambda letter: (letter.at, letter.id),
            reverse=True,
        )
        if after:
            if after not in self._letters:
                return []
            last = self._letters[after][0]
            newest = [letter for letter in newest if (letter.at, letter.id) < (last.at, last.id)]
        return newest[:limit]

    async def get(self, workspace_id: str, letter_id: str) -> DeadLetter:
        """Read a letter."""
        await asyncio.sleep(0)
        if letter_id not in self._letters or self._letters[letter_id][0].workspace_id != workspace_id:
            raise NotFound("There is no such dead letter.", id=letter_id)
        letter, body = self._letters[letter_id]
        return msgspec.structs.replace(letter, body=decode_json(body))

    async def take(self, workspace_id: str, letter_id: str) -> DeadLetter:
        """Remove a letter."""
        letter = await self.get(workspace_id, letter_id)
        del self._letters[letter_id]
        return letter

    async def resend(self, letter: DeadLetter, message: Message) -> bool:
        """Put a letter's message back and remove the letter."""
        await asyncio.sleep(0)
        if self._letters.pop(letter.id, None) is None:
            return False
        self.sent.append(message)
        return True


def _is_meant(letter: DeadLetter, where: LetterFilter) -> bool:
    workflow_id = letter.body.get("workflow_id", "") if isinstance(letter.body, dict) else ""
    return (
        where.kind in ("", letter.kind)
        and where.execution_id in ("", letter.execution_id)
        and where.workflow_id in ("", workflow_id)
        and where.reason.lower() in letter.reason.lower()
        and (where.before is None or letter.at < where.before)
    )


class MemoryLateResults:
    """Late results in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted: dict[str, dict[tuple[str, int], Json]] = {}

    async def note(self, execution_id: str, key: str, attempt: int, reason: str) -> None:
        """Remember a late result."""
        await asyncio.sleep(0)
        line = {"key": key, "attempt": attempt, "at": self._clock.now(), "reason": reason}
        self._noted.setdefault(execution_id, {}).setdefault((key, attempt), line)

    async def list(self, execution_id: str) -> Sequence[Json]:
        """List late results, oldest first."""
        await asyncio.sleep(0)
        return list(self._noted.get(execution_id, {}).values())
