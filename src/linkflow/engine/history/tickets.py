"""Concurrency limits: executions that need a ticket ask here, and are told when they have one.

A limit is a policy, never a safety: what keeps two writers apart is the version check.
"""

from linkflow.ports.services import History
from linkflow.ports.stores import Message
from linkflow.ports.stores import Tickets as TicketStore


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
        if await self._store.acquire(ticket, limit, message.execution_id):
            await self._history.granted(message.execution_id, ticket)
        elif policy in ("skip", "cancel"):
            await self.give_back(ticket, message.execution_id)
            reason = f"{limit} executions run already, and the workflow's policy is to {policy} further ones"
            await self._history.refused(message.execution_id, ticket, reason)
        elif policy == "replace":
            for holder in await self._store.holders(ticket):
                if holder != message.execution_id:
                    await self._history.cancel(holder, "replaced by a newer execution", "concurrency policy")

    async def give_back(self, ticket: str, execution_id: str) -> None:
        """Give a ticket back; whoever is next in line is told."""
        assert self._history is not None, "connect comes first"
        for next_id in await self._store.release(ticket, execution_id):
            await self._history.granted(next_id, ticket)
