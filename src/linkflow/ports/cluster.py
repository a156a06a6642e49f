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
        leads: Roles of which one member is active and this one is it: the token of its lease.
        started_at: Seconds since 1970, by the store's clock.
        seen_at: Last heartbeat, seconds since 1970, by the store's clock.
        silent_s: Seconds since then.
        config_version: Version of the configuration that it has applied.
        losses: How often it may have lost what it kept in memory, so that others bring it again.
        waits_for: What it cannot go on without, in words; empty when nothing.
    """

    id: str
    roles: Sequence[str]
    addresses: Mapping[str, str] = {}
    state: str = "ready"
    leads: Mapping[str, int] = {}
    release: str = ""
    started_at: float = 0.0
    seen_at: float = 0.0
    silent_s: float = 0.0
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


class ClusterStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the cluster is.

    Attributes:
        members: Those seen lately.
        missing: Roles that no ready member has.
        problems: What keeps executions from going on, one sentence each; empty when all is well.
        releases: Versions of LinkFlow that run.
        config: What was said to all at run time.
        behind: Ids of members that have not applied it yet.
    """

    members: Sequence[Member]
    missing: Sequence[str]
    problems: Sequence[str]
    releases: Sequence[str]
    config: Config
    behind: Sequence[str]


class ControlPlane(Protocol):
    """The control-plane service."""

    async def status(self) -> ClusterStatus:
        """Say who is there, what is missing, and who is behind."""
        ...

    async def config(self) -> Config:
        """Read the newest configuration."""
        ...

    async def configure(self, values: Mapping[str, str | None]) -> Config:
        """Change settings of all processes while they run; None takes a value back.

        Raises:
            Invalid: A setting cannot be changed at run time, or not to this value; nothing was changed.
        """
        ...

    def settings(self) -> Mapping[str, str]:
        """List what can be changed at run time, and what it is for."""
        ...


class Configs(Protocol):
    """The configuration's common place."""

    async def read(self) -> Config:
        """Read the newest."""
        ...

    async def change(self, values: Mapping[str, str | None]) -> Config:
        """Set some values, or take them back with None; everything else stays. Returns the newest."""
        ...
