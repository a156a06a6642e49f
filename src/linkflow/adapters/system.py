"""The real clock and real chance."""

import asyncio
import os
import random
import time
import uuid

from linkflow.domain.values import ExecutionId, execution_id


class SystemClock:
    """This machine's clock."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        await asyncio.sleep(delay_s)


class SystemIds:
    """New identities from this machine's clock and randomness."""

    def __init__(self) -> None:
        self._random = random.Random(int.from_bytes(os.urandom(32)))  # noqa: S311  # ids are no secrets

    def execution_id(self) -> ExecutionId:
        """A new execution id."""
        bits = self._random.getrandbits(74)
        return execution_id(time.time_ns() // 1_000_000, bits >> 62, bits)

    def uuid(self) -> str:
        """A new UUID v4."""
        return str(uuid.uuid4())

    def seed(self) -> int:
        """63 bits from the operating system: resume tokens are derived from them."""
        return int.from_bytes(os.urandom(8)) >> 1
