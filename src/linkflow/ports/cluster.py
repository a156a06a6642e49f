"""Who is there: the processes of one LinkFlow, what each of them does and where it answers."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

ROLES = (
    "frontend",
    "history",
    "matching",
    "worker",
    "timer",
    "visibility",
    "control-plane",
    "edge",
    "rest",
    "scheduler",
)
"""What a process can be."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One process.

    Attributes:
        id: Its own for every start.
        roles: What it does; some of `ROLES`.
        addresses: Where its roles answer, by role: `host:port` or `unix:/path`. A role that nobody calls
            (worker) has none.
        state: starting, ready or draining.
        release: Version of LinkFlow it runs.
        started_at: Seconds since 1970, by the store's clock.
        seen_at: Last heartbeat, seconds since 1970, by the store's clock.
        config_version: Version of the configuration that it has applied.
        losses: How often it may have lost what it kept in memory, so that others bring it again.
        waits_for: What it cannot go on without, in words; empty when nothing.
    """

    id: str
    roles: Sequence[str]
    addresses: Mapping[str, str] = {}
    state: str = "ready"
    release: str = ""
    started_at: float = 0.0
    seen_at: float = 0.0
    config_version: int = 0
    losses: int = 0
    waits_for: str = ""


class Peers(Protocol):
    """The living members, as this process knows them."""

    def of(self, role: str) -> Sequence[Member]:
        """List the members that have a role and do not drain, in order of their ids."""
        ...

    async def changed(self) -> None:
        """Wait until the answer of `of` may be another one than before."""
        ...


class Members(Protocol):
    """The members' common place; timed by its own clock."""

    async def beat(self, member: Member) -> None:
        """Say that a member lives and how it is; its times are those of the place. Safe to repeat."""
        ...

    async def living(self, within_s: float) -> Sequence[Member]:
        """List the members that were seen lately, in order of their ids."""
        ...

    async def leave(self, member_id: str) -> None:
        """Forget a member that stops, and those gone for a day. Safe to repeat."""
        ...


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What was said to all members at run time.

    Attributes:
        version: Grows by one with every change; 0 when nothing was ever said.
        values: By the setting's name; a setting that is not here is what each process was started with.
    """

    version: int = 0
    values: Mapping[str, str] = {}


class Configs(Protocol):
    """The configuration's common place."""

    async def read(self) -> Config:
        """Read the newest."""
        ...

    async def change(self, values: Mapping[str, str | None]) -> Config:
        """Set some values, or take them back with None; everything else stays. Returns the newest."""
        ...
