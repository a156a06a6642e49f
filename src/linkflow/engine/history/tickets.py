"""Concurrency limits: executions that need a ticket ask here, and are told when they have one.

A limit is a policy, never a safety: what keeps two writers apart is the version check.
"""

from collections import deque
from collections.abc import Sequence

from linkflow import telemetry
from linkflow.domain.errors import NotFound
from linkflow.domain.execution.state import TERMINAL
from linkflow.ports.coordination import Tickets as TicketStore
from linkflow.ports.services import History
from linkflow.ports.stores import Message

log = telemetry.logger("tickets")


class Tickets:
    """Hands out concurrency tickets by the policy of the asking execution."""

    def __init__(self, store: TicketStore) -> None:
        self._store = store
        self._history: History | None = None

    def connect(self, history: History) -> None:
        """Say which History answers go to."""
        self._history = history

    async def ask(self, message: Message) -> None:
        """Ask for an execution: it gets a ticket, waits in line, is refused, or replaces others."""
        assert self._history is not None, "connect comes first"
        ticket, limit, policy = message.to, int(message.body["limit"]), message.body["on_conflict"]
        granted = await self._store.acquire(ticket, limit, message.execution_id)
        await self._hand_out(ticket, granted)
        if message.execution_id in granted:
            return
        if policy in ("skip", "cancel"):
            reason = f"{limit} executions run already, and the workflow's policy is to {policy} further ones"
            await self._history.refused(message.execution_id, ticket, reason)
        elif policy == "replace":
            asked = list(await self._store.asked(ticket))
            earlier = asked[: asked.index(message.execution_id)] if message.execution_id in asked else []
            for execution_id in earlier[: len(earlier) - limit + 1]:
                await self._replace(execution_id)

    async def give_back(self, ticket: str, execution_id: str) -> None:
        """Give a ticket back; whoever is next in line is told."""
        await self._hand_out(ticket, await self._store.release(ticket, execution_id))

    async def _hand_out(self, ticket: str, granted: Sequence[str]) -> None:
        """Tell those who have a ticket now; one that is over passes it on, whatever came twice or late."""
        told = deque(granted)
        while told:
            execution_id = told.popleft()
            if not await self._is_taken(ticket, execution_id):
                told += await self._store.release(ticket, execution_id)

    async def _is_taken(self, ticket: str, execution_id: str) -> bool:
        assert self._history is not None, "connect comes first"
        await self._history.granted(execution_id, ticket)
        try:
            return (await self._history.wait(execution_id, 0)).status not in TERMINAL
        except NotFound:
            return False

    async def _replace(self, execution_id: str) -> None:
        assert self._history is not None, "connect comes first"
        try:
            await self._history.cancel(execution_id, "replaced by a newer execution", "concurrency policy")
        except NotFound:
            log.info("nothing to replace", execution_id=execution_id)
