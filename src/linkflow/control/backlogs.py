"""Backlogs: what runs in the background, as the operator sees it, and trying it again."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.notifications import TOPIC as NOTIFICATIONS
from linkflow.control.subscriptions import TOPIC as DELIVERIES
from linkflow.domain.errors import NotFound
from linkflow.ports.backlogs import Backlog
from linkflow.ports.backlogs import Backlogs as Outboxes
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import EventBus
from linkflow.ports.records import Records


class BackgroundView(msgspec.Struct, frozen=True):
    """Open executions by status, and every outbox."""

    executions: Mapping[str, int]
    backlogs: Sequence[Backlog]


class Backlogs:
    """What the operator sees of work in the background."""

    def __init__(
        self, outboxes: Outboxes, records: Records, bus: EventBus, audit: Audit, clock: Clock
    ) -> None:
        self._outboxes, self._records, self._bus = outboxes, records, bus
        self._audit, self._clock = audit, clock

    async def read(self, actor: Actor) -> BackgroundView:
        """Say what is under way, what waits and what failed.

        Raises:
            Denied: The actor does not operate the installation.
        """
        actor.require_operator()
        return BackgroundView(
            await self._outboxes.executions(), await self._outboxes.backlogs(self._clock.now())
        )

    async def retry(self, actor: Actor, name: str) -> int:
        """Try again what failed of one kind; how much.

        Raises:
            Denied: The actor does not operate the installation.
            NotFound: There is no such kind, or it cannot be tried again from here.
        """
        actor.require_operator()
        retried = await self._outboxes.retry(name, self._clock.now())
        if retried is None:
            raise NotFound(f"There is nothing named {name!r} that can be tried again here.", name=name)
        await self._audit.note(
            self._records.ledger, actor, "backlogs.retry", f"backlog:{name}", retried=retried
        )
        for topic in (NOTIFICATIONS, DELIVERIES):
            self._bus.publish(topic)
        return retried
