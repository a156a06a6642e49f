"""Rate limits and debounces: executions whose start policy names an instant ask here, and are told it.

The instant is kept by the store before it is told, and told before the question counts as answered: one that
comes twice, or after a crash, is answered alike.
"""

import msgspec

from linkflow.domain.pacing import DebouncePolicy, RatePolicy
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Slots as SlotStore
from linkflow.ports.services import History
from linkflow.ports.stores import Message


class Slots:
    """Says when executions begin, by the policy of the asking one."""

    def __init__(self, store: SlotStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._history: History | None = None

    def connect(self, history: History) -> None:
        """Say which History answers go to."""
        self._history = history

    async def take_in(self, message: Message) -> None:
        """Ask for an execution: it hears when it begins, or that it does not; or give its instant back."""
        if message.kind == "slot_back":
            await self._store.give_back(message.to, message.execution_id)
        elif message.body["policy"] == "rate":
            await self._pace(message.execution_id, msgspec.convert(message.body["terms"], RatePolicy))
        else:
            policy = msgspec.convert(message.body["terms"], DebouncePolicy)
            await self._debounce(message.execution_id, policy, message.body["came_at"])

    async def _pace(self, execution_id: str, policy: RatePolicy) -> None:
        assert self._history is not None, "connect comes first"
        begins_at = await self._store.reserve(policy, execution_id, round(self._clock.now(), 6))
        if begins_at is not None:
            await self._history.promised(execution_id, policy.key, begins_at)
            return
        reason = (
            f"the rate of {policy.limit} in {policy.period_s:g} s is used up, "
            "and the workflow's policy is to skip further executions"
        )
        await self._history.refused(execution_id, policy.key, reason)

    async def _debounce(self, execution_id: str, policy: DebouncePolicy, came_at: float) -> None:
        assert self._history is not None, "connect comes first"
        found = await self._store.debounce(policy, execution_id, came_at)
        if found.newer:
            await self._history.refused(execution_id, policy.key, _replaced(policy, found.newer))
        else:
            await self._history.promised(execution_id, policy.key, found.begins_at)
        if found.older:
            await self._history.refused(found.older, policy.key, _replaced(policy, execution_id))


def _replaced(policy: DebouncePolicy, newer: str) -> str:
    return f"another start followed within {policy.quiet_s:g} s, and execution {newer} runs in its place"
