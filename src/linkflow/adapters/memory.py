"""Coordination within one process: nudges, values that may be forgotten, limits."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.ports.coordination import Taken


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


class MemoryPrepared:
    """Values with an end, bounded: the oldest written go first.

    Args:
        most: Values that are kept.
        monotonic: Seconds that only grow.
    """

    def __init__(self, most: int = 10_000, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._kept: dict[str, tuple[float, Any]] = {}
        self._most, self._monotonic = most, monotonic

    def get(self, key: str) -> Any:
        """Read a value."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found[0] <= self._monotonic():
            del self._kept[key]
            return None
        return found[1]

    def put(self, key: str, value: Any, ttl_s: float) -> None:
        """Keep a value."""
        self._kept.pop(key, None)
        while len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (self._monotonic() + ttl_s, value)

    def change(self, key: str, value: Any) -> None:
        """Replace a value that is kept, without moving its end."""
        self._kept[key] = (self._kept[key][0], value)

    def drop(self, key: str) -> None:
        """Forget a value."""
        self._kept.pop(key, None)

    def sizes(self) -> Mapping[str, int]:
        """Count what is kept."""
        return {"entries": len(self._kept)}


class MemoryCache:
    """The Cache of a LinkFlow that is one process."""

    def __init__(self, most: int = 10_000, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._kept = MemoryPrepared(most, monotonic)

    async def get(self, key: str) -> Json:
        """Read a value."""
        found = self._kept.get(key)
        return None if found is None else decode_json(found)

    async def put(self, key: str, value: Json, ttl_s: float) -> None:
        """Keep a value."""
        self._kept.put(key, encode_json(value), ttl_s)

    async def put_all(self, values: Mapping[str, Json], ttl_s: float) -> None:
        """Keep many values."""
        for key, value in values.items():
            await self.put(key, value, ttl_s)

    async def put_if_absent(self, key: str, value: Json, ttl_s: float) -> bool:
        """Keep a value where there is none."""
        if self._kept.get(key) is not None:
            return False
        self._kept.put(key, encode_json(value), ttl_s)
        return True

    async def add(self, key: str, amount: int, ttl_s: float) -> int:
        """Add to a counter."""
        found = self._kept.get(key)
        if found is None:
            self._kept.put(key, encode_json(amount), ttl_s)
            return amount
        total = int(decode_json(found)) + amount
        self._kept.change(key, encode_json(total))
        return total

    async def drop(self, key: str) -> bool:
        """Forget a value."""
        is_there = self._kept.get(key) is not None
        self._kept.drop(key)
        return is_there


class MemoryRateLimits:
    """The RateLimits of a LinkFlow that is one process: a time per key, until which all is taken."""

    def __init__(self, most: int = 100_000, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._taken_until = MemoryPrepared(most, monotonic)
        self._monotonic = monotonic

    async def take(self, key: str, limit: int, period_s: float, burst: int, cost: int = 1) -> Taken:
        """Take from a limit."""
        now, interval_s = self._monotonic(), period_s / limit
        until = max(now, self._taken_until.get(key) or now)
        after = until + cost * interval_s
        early_s = after - burst * interval_s - now
        if early_s > 1e-9:
            return Taken(False, _left(until - now, interval_s, burst), early_s, until - now)
        if cost:
            self._taken_until.put(key, after, after - now)
        return Taken(True, _left(after - now, interval_s, burst), 0.0, after - now)


def _left(taken_s: float, interval_s: float, burst: int) -> int:
    """Count what could still be taken at once."""
    return max(0, int(burst - taken_s / interval_s + 1e-6))
