"""What runs in the background of an installation: outboxes and what stands in them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """Work of one kind that leaves by itself.

    Attributes:
        name: Such as `deliveries`.
        summary: What it is, in a few words.
        waiting: How much is to be done, now or later.
        failed: How much was given up on and is kept.
        oldest_s: How long what waited longest waits, seconds; 0 when nothing does.
        can_retry: Whether what failed can be tried again from here.
    """

    name: str
    summary: str
    waiting: int = 0
    failed: int = 0
    oldest_s: float = 0.0
    can_retry: bool = False


class Backlogs(Protocol):
    """The background work of every workspace."""

    async def backlogs(self, now: float) -> Sequence[Backlog]:
        """Say how each outbox stands."""
        ...

    async def executions(self) -> Mapping[str, int]:
        """Count open executions by status."""
        ...

    async def retry(self, name: str, now: float) -> int | None:
        """Try again what failed; how much. None when there is no such backlog, or nothing can be retried."""
        ...
