"""Everything nondeterministic: time, identity, chance."""

from typing import Protocol

from linkflow.domain.values import ExecutionId


class Clock(Protocol):
    """What time it is, and waiting."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        ...


class IdSource(Protocol):
    """New identities."""

    def execution_id(self) -> ExecutionId:
        """A new execution id: UUIDv8, ordered in time, on a random shard."""
        ...

    def uuid(self) -> str:
        """A new UUID v4."""
        ...

    def seed(self) -> int:
        """63 random bits."""
        ...
