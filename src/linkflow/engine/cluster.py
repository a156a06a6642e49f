"""Control-plane service: who is there, whether they are well, and what is said to all of them.

Each process runs one. It writes its own heartbeat, reads those of the others, and applies the newest
configuration; there is no leader to lose and nobody to ask. What is known here is a hint for routing:
nothing is safe because of it.

    beat (2 s, and at once when something changed) ──► engine.members ──► look (1 s) ──► `of`, `changed`
    configure ──► engine.config, version + 1 ──► look (1 s) ──► apply ──► config_version in the next beat

A process that is killed is gone for the others after 10 s; one that stops takes itself off at once.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from linkflow import telemetry
from linkflow.domain.errors import Invalid, LinkFlowError
from linkflow.ports.clock import Clock
from linkflow.ports.cluster import ROLES, ClusterStatus, Config, Configs, Member, Members

BEAT_S = 2.0
LOOK_S = 1.0
GONE_S = 10.0
"""A member that was not seen for so long is gone."""

NEEDED = ("history", "matching", "worker", "timer", "visibility")
"""Roles without which executions do not go on, or cannot be seen."""

ONE_AT_A_TIME = ("matching",)
"""Roles of which one member is active; the others stand by and give no address."""

log = telemetry.logger("cluster")


class RunTimeSetting(msgspec.Struct, frozen=True):
    """A setting that can be changed while processes run.

    Attributes:
        doc: What it is for, one sentence.
        read: Turns its text into a value; raises ValueError with what is wrong.
        apply: Takes the value; None takes back what was said, so that the process' own setting counts.
    """

    doc: str
    read: Callable[[str], Any]
    apply: Callable[[Any], None]


class Cluster:
    """What this process knows of the cluster, and what the cluster knows of it; it is a `Peers`."""

    def __init__(
        self,
        member: Member,
        members: Members,
        configs: Configs,
        clock: Clock,
        settings: Mapping[str, RunTimeSetting] | None = None,
    ) -> None:
        """Put it together.

        Args:
            member: This process, as it starts.
            members: The common place of heartbeats.
            configs: The common place of the configuration.
            clock: Times everything.
            settings: What can be changed at run time, by name.
        """
        self._member = member
        self._members = members
        self._configs = configs
        self._clock = clock
        self._settings = settings or {}
        self._config = Config()
        self._living: Sequence[Member] = ()
        self._waiting: set[asyncio.Event] = set()
        self._news = asyncio.Event()

    @property
    def member(self) -> Member:
        """This process."""
        return self._member

    # ------------------------------------------------------------ who is there

    def of(self, role: str) -> Sequence[Member]:
        """List the members that have a role; see `ports.cluster.Peers`."""
        found = [each for each in self._living if role in each.roles and each.state != "draining"]
        if role not in ONE_AT_A_TIME:
            return found
        active = [each for each in found if role in each.leads]
        return [max(active, key=lambda each: each.leads[role])] if active else []

    async def changed(self) -> None:
        """Wait until the members changed; see `ports.cluster.Peers`."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            await event.wait()
        finally:
            self._waiting.discard(event)

    def say(self, **facts: Any) -> None:
        """Change what the others know of this process; they are told at once."""
        changed = msgspec.structs.replace(self._member, **facts)
        if changed != self._member:
            self._member = changed
            self._news.set()

    async def run(self) -> None:
        """Beat and look for ever; at the end, take this process off the list."""
        beating = asyncio.ensure_future(self._beat())
        try:
            while True:
                try:
                    await self.look()
                except LinkFlowError as error:
                    log.warning("the others cannot be seen; what was known still counts", error=str(error))
                await self._clock.sleep(LOOK_S)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            await self._leave()

    async def _beat(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._members.beat(self._member)
            except LinkFlowError as error:
                log.warning("no heartbeat; tried again", error=str(error))
            resting = asyncio.ensure_future(self._clock.sleep(BEAT_S))
            telling = asyncio.ensure_future(self._news.wait())
            try:
                await asyncio.wait((resting, telling), return_when=asyncio.FIRST_COMPLETED)
            finally:
                resting.cancel()
                telling.cancel()

    async def _leave(self) -> None:
        try:
            await self._members.leave(self._member.id)
        except LinkFlowError as error:
            log.warning("not taken off the list; it is off by itself soon", error=str(error))

    async def look(self) -> None:
        """Read who is there and what was said to all.

        Raises:
            Unavailable: The common place does not answer.
        """
        before = [_known(each) for each in self._living]
        self._living = await self._members.living(GONE_S)
        if before != [_known(each) for each in self._living]:
            for event in self._waiting:
                event.set()
        config = await self._configs.read()
        if config.version != self._config.version:
            self._apply(config)

    # ------------------------------------------------------------ what is said to all

    async def config(self) -> Config:
        """Read the newest configuration."""
        return await self._configs.read()

    async def configure(self, values: Mapping[str, str | None]) -> Config:
        """Change settings of all processes while they run; None takes a value back.

        Raises:
            Invalid: A setting cannot be changed at run time, or not to this value; nothing was changed.
        """
        for name, text in values.items():
            setting = self._settings.get(name)
            if setting is None:
                known = ", ".join(sorted(self._settings))
                raise Invalid(
                    f"{name} cannot be changed at run time; these can: {known}.",
                    code="cluster.config_unknown",
                )
            if text is not None:
                try:
                    setting.read(text)
                except ValueError as error:
                    raise Invalid(f"{name}: {text!r} {error}.", code="cluster.config_invalid") from None
        return await self._configs.change(values)

    def settings(self) -> Mapping[str, str]:
        """List what can be changed at run time, and what it is for."""
        return {name: setting.doc for name, setting in sorted(self._settings.items())}

    def _apply(self, config: Config) -> None:
        """Apply what changed; a value that this release does not understand is left out and said."""
        for name in {*self._config.values, *config.values}:
            setting, text = self._settings.get(name), config.values.get(name)
            if setting is None or text == self._config.values.get(name):
                continue
            try:
                setting.apply(None if text is None else setting.read(text))
            except ValueError as error:
                log.warning("a setting of the cluster is not understood", setting=name, error=str(error))
        self._config = config
        log.info("configuration applied", version=config.version)
        self.say(config_version=config.version)

    # ------------------------------------------------------------ how it is

    async def status(self) -> ClusterStatus:
        """Say who is there, what is missing, and who is behind.

        Raises:
            Unavailable: The common place does not answer.
        """
        members, config = await self._members.living(GONE_S), await self._configs.read()
        working = {role for each in members if each.state == "ready" for role in each.roles}
        problems = [f"No process has the role {role}." for role in NEEDED if role not in working]
        problems += [f"{each.id} waits: {each.waits_for}." for each in members if each.waits_for]
        releases = sorted({each.release for each in members})
        return ClusterStatus(
            members=members,
            missing=[role for role in ROLES if role not in working],
            problems=problems,
            releases=releases,
            config=config,
            behind=[each.id for each in members if each.config_version != config.version],
        )


def _known(member: Member) -> Member:
    """Leave out what changes with every heartbeat."""
    return msgspec.structs.replace(member, seen_at=0.0, silent_s=0.0, config_version=0, waits_for="")
