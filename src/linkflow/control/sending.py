"""Sending: messages that are due leave, many at once, and none waits for a slow one to another place.

    claim (fair, as many as there is room for) ──▶ one task each ──▶ its end makes room ──▶ claim …

A claim ends by itself: whatever a process had under way when it was stopped is due again for anybody.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

import msgspec

from linkflow.domain.errors import Unavailable
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Subscription
from linkflow.ports.sending import Room
from linkflow.telemetry import logger

LOG = logger("sending")
LOOK_S = 1.0
ALL = "*"


class Message(Protocol):
    """Something that leaves."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def workspace_id(self) -> str:
        """Whose it is."""
        ...

    @property
    def place(self) -> str:
        """Where it goes: what is slow there holds nothing that goes elsewhere."""
        ...


M = TypeVar("M", bound=Message)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What may be under way at once in this process: in all, of a workspace, to a place."""

    most: int
    of_workspace: int
    of_place: int


class Sending(Generic[M]):
    """Sends what is due.

    Args:
        claim: Takes messages that are due, given now, when the claim ends, and the room.
        send: Tries one and writes how it went, well within the claim.
        clock: What time it is.
        limits: What may be under way at once.
        claim_s: How long a claim lasts.
    """

    def __init__(
        self,
        claim: Callable[[float, float, Room], Awaitable[Sequence[M]]],
        send: Callable[[M], Awaitable[None]],
        clock: Clock,
        limits: Limits,
        *,
        claim_s: float,
    ) -> None:
        self._claim, self._send, self._clock = claim, send, clock
        self._limits, self._claim_s = limits, claim_s
        self._places: Counter[str] = Counter()
        self._workspaces: Counter[str] = Counter()
        self._full: frozenset[str] = frozenset()
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look now whether something is due."""
        self._awake.set()

    async def run(self, nudges: Subscription) -> None:
        """Send until cancelled; looks when nudged, when room is made, and every second."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(nudges))
            while True:
                self._awake.clear()
                await quietly(partial(self._begin, group))
                await self._awake.wait()

    async def once(self) -> int:
        """Send what is due and has room, and wait for it; how many were."""
        async with asyncio.TaskGroup() as group:
            return await self._begin(group)

    async def _listen(self, nudges: Subscription) -> None:
        """Turn nudges and time into looks."""
        while True:
            await nudges.nudged(LOOK_S)
            self._awake.set()

    async def _begin(self, group: asyncio.TaskGroup) -> int:
        """Begin to send what is due and has room; how many are."""
        limits, now = self._limits, self._clock.now()
        room = Room(
            most=limits.most - self._places.total(),
            of_place=limits.of_place,
            of_workspace=limits.of_workspace,
            places=dict(self._places),
            workspaces=dict(self._workspaces),
        )
        if room.most < 1:
            return 0
        claimed = await self._claim(now, now + self._claim_s, room)
        self._full = self._filled(room, claimed)
        for message in claimed:
            self._places[message.place] += 1
            self._workspaces[message.workspace_id] += 1
            task = group.create_task(self._one(message))
            task.add_done_callback(partial(self._ended, message))
        return len(claimed)

    def _filled(self, room: Room, claimed: Sequence[M]) -> frozenset[str]:
        """Say what a claim left no room for: places, workspaces, or `ALL`; more may wait for those."""
        places = Counter(room.places) + Counter(each.place for each in claimed)
        workspaces = Counter(room.workspaces) + Counter(each.workspace_id for each in claimed)
        return frozenset(
            [name for name, count in places.items() if count >= room.of_place]
            + [name for name, count in workspaces.items() if count >= room.of_workspace]
            + ([ALL] if len(claimed) >= room.most else [])
        )

    async def _one(self, message: M) -> None:
        """Try one; a bug with it must not cut the others off."""
        try:
            await self._send(message)
        except Unavailable as error:
            LOG.warning("not written down; it is sent again", id=message.id, error=str(error))
        except Exception:
            LOG.exception("not written down; it is sent again", id=message.id)

    def _ended(self, message: M, _: asyncio.Task[None]) -> None:
        """Make room; look again if there was none at the last look."""
        if not self._full.isdisjoint((message.place, message.workspace_id, ALL)):
            self._awake.set()
        for counted, name in ((self._places, message.place), (self._workspaces, message.workspace_id)):
            counted[name] -= 1
            if not counted[name]:
                del counted[name]


async def quietly(work: Callable[[], Awaitable[int]]) -> int:
    """Do one of several works; while the database is away, or after a bug, it is done again later."""
    try:
        return await work()
    except Unavailable as error:
        LOG.warning("looked at again", error=str(error))
    except Exception:
        LOG.exception("looked at again")
    return 0
