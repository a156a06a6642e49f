"""The gate: how many requests somebody may send in a minute, by who they are and what kind of request it is.

A user, a key and an API client have a limit each, of their workspace's plan, for reading, for changing and
for starting; whoever is not signed in has one by address. All processes share the counts (GCRA).
"""

import msgspec

from linkflow.control.actor import Actor
from linkflow.control.plans import Plans
from linkflow.domain.errors import RateLimited
from linkflow.domain.plan import ANY
from linkflow.ports.coordination import RateLimits

MINUTE_S = 60.0
ADDRESS_PER_MINUTE = 600
"""Requests that need no sign-in, for each address."""


class Passed(msgspec.Struct, frozen=True):
    """What a caller is told about a limit: its size, what is left, when all of it is there again."""

    limit: int
    remaining: int
    reset_s: float


class TooFast(RateLimited):
    """Too many requests; slow down."""

    code = "rate_limit_exceeded"

    def __init__(self, passed: Passed, retry_after_s: float, whose: str) -> None:
        super().__init__(
            f"{whose} may send {passed.limit} requests of this kind a minute. Try again in "
            f"{max(1, round(retry_after_s))} s.",
            retry_after_s=retry_after_s,
            retry_after=max(1, round(retry_after_s)),
            limit=passed.limit,
        )
        self.passed = passed


class Gate:
    """Counts requests and refuses those that are too many."""

    def __init__(self, limits: RateLimits, plans: Plans) -> None:
        self._limits, self._plans = limits, plans

    async def by_actor(self, actor: Actor, kind: str) -> Passed | None:
        """Let a request of somebody pass; None where their plan has no limit.

        Args:
            actor: Who asks.
            kind: read, write or execute.

        Raises:
            TooFast: They sent too many.
        """
        limit = (await self._plans.standing(actor.workspace_id)).limits["requests_per_minute"]
        if limit == ANY:
            return None
        who = actor.key_id or actor.client_id or actor.user_id
        return await self._taken(f"rate:{who}:{kind}", limit, "You")

    async def by_address(self, address: str) -> Passed:
        """Let a request without a sign-in pass.

        Raises:
            TooFast: Too many came from this address.
        """
        return await self._taken(f"rate:{address}:open", ADDRESS_PER_MINUTE, "This address")

    async def _taken(self, key: str, limit: int, whose: str) -> Passed:
        """Take one from a limit; a sixth of it may come at once."""
        burst = max(1, limit // 6)
        taken = await self._limits.take(key, max(1, limit), MINUTE_S, burst)
        passed = Passed(limit, taken.remaining, taken.reset_s)
        if not taken.allowed:
            raise TooFast(passed, taken.retry_after_s, whose)
        return passed
