"""Dead letters: work given up on, kept for people, who let it be tried again or drop it.

A replay acts first and takes the letter after that, and each act is safe to repeat: a new execution has an id
that follows from the letter, a message is sent again in the step that removes its letter, an execution that
is not on hold any more needs no release. So a crash in between, or a second click, does nothing twice.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.executions import Executions
from linkflow.domain.errors import Conflict, Invalid, LinkFlowError, NotFound, Unavailable
from linkflow.domain.values import derived_execution_id
from linkflow.ports.clock import Clock
from linkflow.ports.records import Records
from linkflow.ports.services import DeadLetter, Frontend
from linkflow.ports.stores import ANY_LETTER, DeadLetters, Message
from linkflow.ports.views import LetterFilter

PAGE = 100
MOST_AT_ONCE = 1_000
"""Letters that one request may replay or drop."""

ACTIONS = ("replay", "drop")


class Replayed(msgspec.Struct, frozen=True):
    """What a replay did.

    Attributes:
        outcome: started (a new execution takes over what had ended well), sent (the message is on its way
            again), released (the execution goes on), gone (nothing was left to do).
        execution_id: The execution that goes on or was started; empty when none.
    """

    letter: DeadLetter
    outcome: str
    execution_id: str = ""


class Failure(msgspec.Struct, frozen=True):
    """A letter that could not be dealt with, and why."""

    letter_id: str
    code: str
    message: str


class Swept(msgspec.Struct, frozen=True):
    """What became of many letters.

    Attributes:
        has_more: More letters match than one request deals with.
    """

    matched: int
    done: int
    failures: Sequence[Failure]
    has_more: bool


class Letters:
    """List, show, replay and drop dead letters."""

    def __init__(
        self,
        letters: DeadLetters,
        frontend: Frontend,
        executions: Executions,
        records: Records,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._letters, self._frontend, self._executions = letters, frontend, executions
        self._records, self._audit, self._clock = records, audit, clock

    async def list(
        self, actor: Actor, after: str = "", limit: int = 50, where: LetterFilter = ANY_LETTER
    ) -> Sequence[DeadLetter]:
        """List letters, newest first."""
        actor.require("execution.view")
        return await self._letters.list(actor.workspace_id, after, limit, where)

    async def read(self, actor: Actor, letter_id: str) -> DeadLetter:
        """Read a letter.

        Raises:
            NotFound: No such letter.
        """
        actor.require("execution.view")
        return await self._letters.get(actor.workspace_id, letter_id)

    async def drop(self, actor: Actor, letter_id: str) -> DeadLetter:
        """Remove a letter.

        Raises:
            NotFound: No such letter.
        """
        actor.require("execution.delete")
        letter = await self._letters.take(actor.workspace_id, letter_id)
        await self._note(actor, "letter.drop", letter)
        return letter

    async def replay(self, actor: Actor, letter_id: str) -> Replayed:
        """Let what was given up on be tried again.

        A task starts a new execution that takes over what had ended well; a callback or a start is sent
        again; an execution on hold is released. Safe to repeat.

        Raises:
            NotFound: No such letter.
            Conflict: `letter.not_replayable`: the letter does not say enough; it is kept.
            LinkFlowError: It could not be tried; the letter is kept.
        """
        actor.require("execution.retry")
        letter = await self._letters.get(actor.workspace_id, letter_id)
        match letter.kind:
            case "task":
                found = await self._retry(actor, letter)
            case "decision":
                found = await self._release(actor, letter)
            case "callback" | "start":
                found = await self._send(letter)
            case other:
                raise _unreadable(letter, f"A letter of kind {other!r} cannot be replayed.")
        await self._note(actor, "letter.replay", letter, outcome=found.outcome)
        return found

    async def _retry(self, actor: Actor, letter: DeadLetter) -> Replayed:
        """Start the execution again from the task that failed."""
        new_id = derived_execution_id(int(letter.at * 1000), letter.id, "replay")
        started = await self._executions.retry(actor, letter.execution_id, new_id=new_id)
        await self._taken(letter)
        return Replayed(letter, "started", started.execution_id)

    async def _release(self, actor: Actor, letter: DeadLetter) -> Replayed:
        """Release an execution that is on hold."""
        outcome = "released"
        try:
            await self._frontend.release(letter.execution_id, actor.email)
        except NotFound:  # somebody released it, or it is over
            outcome = "gone"
        await self._taken(letter)
        return Replayed(letter, outcome, letter.execution_id)

    async def _send(self, letter: DeadLetter) -> Replayed:
        """Put a message back among those to be delivered."""
        execution_id, _, rest = letter.id.partition(":")
        number, _, kind = rest.partition(":")
        if not isinstance(letter.body, dict) or "to" not in letter.body or not number.isdigit():
            raise _unreadable(letter, "The letter does not say what was to be sent, and to whom.")
        body = dict(letter.body)
        message = Message(
            execution_id=execution_id,
            number=int(number),
            kind=kind,
            to=body.pop("to"),
            body=body,
            at=self._clock.now(),
        )
        is_sent = await self._letters.resend(letter, message)
        return Replayed(letter, "sent" if is_sent else "gone")

    async def _taken(self, letter: DeadLetter) -> None:
        """Remove a letter whose work was done; somebody else may have done the same."""
        try:
            await self._letters.take(letter.workspace_id, letter.id)
        except NotFound:
            return

    async def _note(self, actor: Actor, action: str, letter: DeadLetter, **details: str) -> None:
        """Leave an audit line."""
        await self._audit.note(
            self._records.ledger,
            actor,
            action,
            f"letter:{letter.id}",
            kind=letter.kind,
            execution_id=letter.execution_id,
            **details,
        )

    async def deal(
        self,
        actor: Actor,
        action: str,
        *,
        letter_ids: Sequence[str] = (),
        where: LetterFilter | None = None,
    ) -> Swept:
        """Replay or drop many letters: those named, or those a filter matches; at most MOST_AT_ONCE.

        Raises:
            Invalid: Neither or both were said, or there is no such action.
            Unavailable: A store or service does not answer; what was done stays done, ask again.
        """
        if action not in ACTIONS:
            raise Invalid(f"Letters can be dealt with by {' or '.join(ACTIONS)}.", code="letter.action")
        if bool(letter_ids) == (where is not None):
            raise Invalid("Name the letters, or say which with a filter; {} means all.", code="letter.which")
        act: Callable[[Actor, str], Awaitable[object]] = self.replay if action == "replay" else self.drop
        actor.require("execution.retry" if action == "replay" else "execution.delete")
        wanted = tuple(dict.fromkeys(letter_ids)) if where is None else await self._matching(actor, where)
        failures = []
        for letter_id in wanted[:MOST_AT_ONCE]:
            try:
                await act(actor, letter_id)
            except Unavailable:
                raise
            except LinkFlowError as error:
                failures.append(Failure(letter_id, error.code, str(error)))
        matched = min(len(wanted), MOST_AT_ONCE)
        return Swept(matched, matched - len(failures), failures, len(wanted) > MOST_AT_ONCE)

    async def _matching(self, actor: Actor, where: LetterFilter) -> Sequence[str]:
        """List the ids of the letters that a filter matches, one more than are dealt with when there are."""
        found: Sequence[str] = ()
        while len(found) <= MOST_AT_ONCE:
            page = await self._letters.list(actor.workspace_id, found[-1] if found else "", PAGE, where)
            found = [*found, *(letter.id for letter in page)]
            if len(page) < PAGE:
                break
        return found


def _unreadable(letter: DeadLetter, why: str) -> Conflict:
    return Conflict(
        f"{why} Look at the execution and retry it, then drop the letter.",
        code="letter.not_replayable",
        execution_id=letter.execution_id,
    )
