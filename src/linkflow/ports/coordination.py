"""Working together: nudges between parts, leases between processes, values that may be forgotten."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

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


class Cache(Protocol):
    """Values that may be forgotten at any time."""

    def get(self, key: str) -> Json:
        """Read a value; None when there is none or it is too old."""
        ...

    def put(self, key: str, value: Json, ttl_s: float) -> None:
        """Keep a value for at most `ttl_s`."""
        ...

    def drop(self, key: str) -> None:
        """Forget a value. Safe to repeat."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """Count what is kept: `{"entries": n}`."""
        ...
