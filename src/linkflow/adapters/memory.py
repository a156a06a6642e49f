"""Coordination within one process: nudges and values that may be forgotten."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from linkflow.domain.values import Json


class MemorySubscription:
    """One listener; nudges that come together count as one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def nudge(self) -> None:
        """Wake the listener."""
        self._event.set()

    async def nudged(self, timeout_s: float) -> bool:
        """Wait until the topic was published since the last call."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class MemoryEventBus:
    """Nudges between the parts of one process."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[MemorySubscription]] = defaultdict(set)

    def publish(self, topic: str) -> None:
        """Nudge everybody who listens to a topic."""
        for listener in self._listeners.get(topic, ()):
            listener.nudge()

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[MemorySubscription]:
        """Listen to a topic until the block is left."""
        listener = MemorySubscription()
        self._listeners[topic].add(listener)
        try:
            yield listener
        finally:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]


class MemoryCache:
    """Values with an end, bounded: the oldest written go first."""

    def __init__(self, most: int = 10_000) -> None:
        self._kept: dict[str, tuple[float, Json]] = {}
        self._most = most

    def get(self, key: str) -> Json:
        """Read a value."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found[0] < time.monotonic():
            del self._kept[key]
            return None
        return found[1]

    def put(self, key: str, value: Json, ttl_s: float) -> None:
        """Keep a value."""
        self._kept.pop(key, None)
        while len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (time.monotonic() + ttl_s, value)

    def drop(self, key: str) -> None:
        """Forget a value."""
        self._kept.pop(key, None)

    def sizes(self) -> Mapping[str, int]:
        """Count what is kept."""
        return {"entries": len(self._kept)}
