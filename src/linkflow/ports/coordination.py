"""Working together: nudges between parts, leases, tickets, values that may be forgotten, limits."""

from collections.abc import Mapping, Sequence, Set
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

from linkflow.domain.pacing import Debounced, DebouncePolicy, RatePolicy
from linkflow.domain.values import Json


class Subscription(Protocol):
    """Somebody's ear on one topic."""

    async def nudged(self, timeout_s: float) -> bool:
        """Wait until the topic was published since the last call; False when `timeout_s` has passed.

        Nudges that came together count as one.
        """
        ...


class EventBus(Protocol):
    """Nudges: "look again". A nudge carries nothing, may be lost, and never makes anybody wait.

    Topics: `execution:<id>` (its history grew), `executions:<workspace>` (a row of the list changed),
    `workflow:<id>` (draft, version or activation changed), `schedules`, `inbox`.
    """

    def publish(self, topic: str) -> None:
        """Nudge everybody who listens to a topic."""
        ...

    def subscribe(self, topic: str) -> AbstractContextManager[Subscription]:
        """Listen to a topic until the block is left."""
        ...


class Lease(msgspec.Struct, frozen=True):
    """A right that ends by itself.

    Attributes:
        name: What it is the right to.
        holder: Who has it.
        token: Grows with every new holder; writes that carry an older one are refused.
        expires_at: Seconds since 1970.
    """

    name: str
    holder: str
    token: int
    expires_at: float


class Leases(Protocol):
    """Leases between processes, kept where every process sees them, timed by that place's clock."""

    async def acquire(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        """Take or renew a lease; None while somebody else has it. Safe to repeat."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is somebody else's by now."""
        ...


class Tickets(Protocol):
    """Counting semaphores for concurrency limits; never trusted for safety."""

    async def acquire(self, ticket: str, limit: int, execution_id: str) -> Sequence[str]:
        """Ask for a ticket: get it now, or stand in line. Safe to repeat.

        An execution that is over gets none, however late its question comes, and one that it has is free.

        Returns:
            Who must be told of a ticket: those who got one just now (a raised limit lets others in, too),
            and whoever asks when it has one.
        """
        ...

    async def release(self, ticket: str, execution_id: str) -> Sequence[str]:
        """Give a ticket (or a place in the queue) back; the executions that get one now. Safe to repeat."""
        ...

    async def asked(self, ticket: str) -> Sequence[str]:
        """List the executions that hold a ticket or wait for it, in order of asking."""
        ...

    async def behind(self, execution_ids: Sequence[str]) -> Set[str]:
        """Say which of some executions stand in line behind another of them, who moves them on.

        Not among them: who has a ticket, who has not asked, and the first of each line. Given all that are
        open, asking again for the others asks for one of each line, and sets in motion what stands still,
        also where one that is over was left at the head.
        """
        ...


class Slots(Protocol):
    """Instants at which executions may begin, by key of a start policy.

    What is asked under one key is decided one after the other, by the arithmetic of `domain.pacing`. Who asks
    again hears what it heard before, for an hour after its instant at the least.
    """

    async def reserve(self, policy: RatePolicy, execution_id: str, at: float) -> float | None:
        """Reserve the next instant under a rate limit.

        Args:
            policy: The limit.
            execution_id: Who asks.
            at: Now, seconds since 1970.

        Returns:
            `at` or later. None for one that is over, and for one that would have to wait and may not.
        """
        ...

    async def give_back(self, key: str, execution_id: str) -> None:
        """Give an instant back at which nothing will begin. Safe to repeat."""
        ...

    async def debounce(self, policy: DebouncePolicy, execution_id: str, came_at: float) -> Debounced:
        """Decide which start runs: this one, or another that came later.

        Args:
            policy: The debounce.
            execution_id: What was started; one that is over takes nobody's place.
            came_at: When, seconds since 1970.
        """
        ...

    async def ahead(self, execution_ids: Sequence[str], at: float) -> Set[str]:
        """Say which of some executions have an instant after `at`: a wake-up moves them on."""
        ...


class Sessions(Protocol):
    """Leases of worker sessions."""

    async def renew(self, session: str, lease_s: float) -> bool:
        """Keep a session alive for `lease_s` from now, by the store's clock.

        Returns:
            Whether it was there: False for a new one, and for one that was buried meanwhile.
        """
        ...

    async def expired(self) -> Sequence[str]:
        """List sessions whose lease has ended and that were not buried yet."""
        ...

    async def bury_expired(self, again_s: float) -> Sequence[str]:
        """Forget the sessions whose lease has ended. Their attempts are to be ended then.

        One that is renewed at the same moment is either not among them or told that it was buried.

        Args:
            again_s: How long whoever buried a session may take to `settle` it; then it is told again, once
                in such a time.

        Returns:
            Which they were, and those that nobody has settled.
        """
        ...

    async def settle(self, sessions: Sequence[str], after_s: float) -> None:
        """Note that the attempts of sessions that `bury_expired` told of have been ended.

        Whoever had not heard of a burial may have started something afterwards. So one that is younger than
        `after_s` is told again all the same.
        """
        ...

    async def bury(self, sessions: Sequence[str]) -> None:
        """Forget sessions whose attempts have been ended."""
        ...

    async def others(self, session: str) -> Sequence[str]:
        """List every other session that was not buried."""
        ...


class Prepared(Protocol):
    """What this process has at hand for its hot paths: opened, compiled, looked up.

    Any object; it never leaves the process, because some hold opened secrets. What one process drops, all do.
    """

    def get(self, key: str) -> Any:
        """Read a value; None when there is none or it is too old."""
        ...

    def put(self, key: str, value: Any, ttl_s: float) -> None:
        """Keep a value for at most `ttl_s`."""
        ...

    def drop(self, key: str) -> None:
        """Forget a value, here at once and in other processes soon. Safe to repeat."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """Count what is kept: `{"entries": n}`."""
        ...


class Cache(Protocol):
    """JSON values that all processes share and that may be forgotten at any time.

    Nothing raises: while the place of the values is away each process keeps its own. Never a secret in clear.
    """

    async def get(self, key: str) -> Json:
        """Read a value; None when there is none or it is too old."""
        ...

    async def put(self, key: str, value: Json, ttl_s: float) -> None:
        """Keep a value for at most `ttl_s`."""
        ...

    async def put_all(self, values: Mapping[str, Json], ttl_s: float) -> None:
        """Keep many values in one round trip."""
        ...

    async def put_if_absent(self, key: str, value: Json, ttl_s: float) -> bool:
        """Keep a value where there is none; of callers at the same moment one hears True."""
        ...

    async def add(self, key: str, amount: int, ttl_s: float) -> int:
        """Add to a counter and return its new value; the first adding decides when it ends."""
        ...

    async def drop(self, key: str) -> bool:
        """Forget a value and say whether there was one; of callers at the same moment one hears True."""
        ...


class Taken(msgspec.Struct, frozen=True):
    """What became of asking a limit.

    Attributes:
        allowed: Whether it was within the limit; if not, nothing was taken.
        remaining: What could be taken at once now.
        retry_after_s: When the same could be taken; 0 when it was.
        reset_s: When everything could be taken at once again.
    """

    allowed: bool
    remaining: int
    retry_after_s: float
    reset_s: float


class RateLimits(Protocol):
    """Limits that all processes share, by the generic cell rate algorithm (GCRA).

    Nothing raises: while the place of the limits is away each process counts for itself.
    """

    async def take(self, key: str, limit: int, period_s: float, burst: int, cost: int = 1) -> Taken:
        """Take from a limit.

        Args:
            key: Whose and what, such as `user:<id>:sign-in`.
            limit: As many per period in the long run, 1 or more.
            period_s: Length of the period.
            burst: As many at once, 1 or more.
            cost: How many to take, 0 (only look) to `burst`.
        """
        ...
