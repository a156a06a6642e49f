"""What a life holds of its world, and what its services hold of each other: calls that end with the life."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from linkflow.domain.errors import OutcomeUnknown, Unavailable
from linkflow.engine.history.service import History
from linkflow.ports.services import ActivityReply, ActivityReport


class Living(Protocol):
    """One process of the engine.

    Attributes:
        world: What it lives in.
    """

    world: Any

    def require_alive(self) -> None:
        """End the caller when the life is over."""
        ...


class Link:
    """What a life holds of the world: calls pass while it lives, take time, and fail now and then."""

    def __init__(self, target: Any, life: Living, *, fails: bool) -> None:
        self._target = target
        self._life = life
        self._fails = fails

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name == "open_executions":
            return lambda: self._each(found())
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._call(found, args, kwargs)

        return call

    async def _call(self, method: Any, args: Any, kwargs: Any) -> Any:
        life, rng, faults = self._life, self._life.world.rng, self._life.world.faults
        await asyncio.sleep(rng.choice((0.0, 0.0, 0.001, 0.02)))
        life.require_alive()
        if self._fails and rng.random() < faults.refused:
            raise Unavailable
        found = await method(*args, **kwargs)
        await asyncio.sleep(rng.choice((0.0, 0.0, 0.001, 0.02)))
        life.require_alive()
        if self._fails and rng.random() < faults.unanswered:
            raise OutcomeUnknown
        return found

    async def _each(self, found: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in found:
            self._life.require_alive()
            yield item


class Witness:
    """The History of one life, as its other services reach it: while it lives, and with an eye on it."""

    def __init__(self, history: History, life: Living) -> None:
        self._target = history
        self._life = life

    async def respond(self, reports: Sequence[ActivityReport]) -> Sequence[ActivityReply]:
        """Report; what is acknowledged must be durable."""
        self._life.require_alive()
        world = self._life.world
        replies = await self._target.respond(reports)
        for report, reply in zip(reports, replies, strict=True):
            effect = world.effect_attempt(report.execution_id, report.key, report.attempt)
            is_done = (report.key, effect) in world.completed(report.execution_id)
            if reply.accepted and report.completion.error is None and not is_done:
                world.violated(f"the report of {report.key} was acknowledged and is not durable")
        return replies

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._life.require_alive()
            return await found(*args, **kwargs)

        return call
