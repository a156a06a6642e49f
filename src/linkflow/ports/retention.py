"""How long things are kept, and the store that lets go of them.

Nothing that is open, undelivered, or waits for a person is ever let go of; what is deleted of an execution
was archived before, unless nobody wants an archive.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import msgspec

from linkflow.domain.values import Json


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are kept, days; 0 keeps them for ever.

    Attributes:
        executions: After an execution ended, and its dead letters.
        audit: Lines of the audit log.
        ai_history: What was said to and by AI models.
        deleted: What people deleted, before it is gone for good.
        is_archived: Closed executions go to the archive before they are deleted.
    """

    executions: int = 90
    audit: int = 365
    ai_history: int = 30
    deleted: int = 30
    is_archived: bool = True


class ClosedExecution(msgspec.Struct, frozen=True, kw_only=True):
    """An execution that is to be archived, whole.

    Attributes:
        started_at: Seconds since 1970.
        closed_at: Seconds since 1970.
        records: `{"first": n, "at": seconds, "events": [...]}`, oldest first.
    """

    execution_id: str
    workspace_id: str
    workflow_id: str
    workflow_version: int
    status: str
    started_at: float
    closed_at: float
    records: Sequence[Json]


class Counted(msgspec.Struct, frozen=True):
    """Executions of a month: those that can go, and those that stay."""

    going: int
    staying: int


class ExecutionRetention(Protocol):
    """Executions that were kept long enough, by months of their start; `""` is what belongs to no month.

    An execution can go when it closed before an instant, and no message of it is undelivered and no dead
    letter is about it.
    """

    async def months(self, before: float) -> Sequence[str]:
        """List the months that ended before an instant and are still there, oldest first."""
        ...

    async def count(self, month: str, before: float) -> Counted:
        """Count what can go and what stays."""
        ...

    async def closed(self, month: str, before: float, limit: int) -> Sequence[ClosedExecution]:
        """Read executions that can go and are not noted as archived, in order of their ids."""
        ...

    async def archived(self, execution_ids: Sequence[str], token: int) -> None:
        """Note that executions are in the archive. Safe to repeat.

        Raises:
            Fenced: A newer token was seen; nothing was written.
        """
        ...

    async def skip_archive(self, month: str, before: float, token: int) -> None:
        """Note everything that can go as archived, although it is not: nobody wants an archive.

        Raises:
            Fenced: A newer token was seen; nothing was written.
        """
        ...

    async def drop(self, month: str, before: float, token: int) -> Counted | None:
        """Delete what can go and was noted as archived, in one step; a month goes as a whole.

        Everything else of the month moves to what belongs to no month, and lives on there.

        Returns:
            What was deleted and what moved; None when the tables were too busy: try again later.

        Raises:
            Fenced: A newer token was seen; nothing was written.
        """
        ...

    async def hide(self, before: float, token: int, *, is_dry: bool, workspace_id: str = "") -> int:
        """Take executions that ended before an instant out of every list, of one workspace or all; how many.

        Raises:
            Fenced: A newer token was seen; nothing was written.
        """
        ...


class Upkeep(Protocol):
    """What else is let go of, by the names of `Kept` and those the store knows; and vacuum."""

    async def expire(self, before: Mapping[str, float], token: int, *, is_dry: bool) -> Mapping[str, int]:
        """Delete rows whose time is over: how many, by what they are.

        Args:
            before: For each name of `Kept` the instant before which things may go; for ever when left out.
            token: Fencing token of the leader.
            is_dry: Only count.

        Raises:
            Fenced: A newer token was seen; nothing more is deleted.
        """
        ...

    async def purge(self, before: float, token: int, *, is_dry: bool) -> Mapping[str, int]:
        """Delete for good what people deleted before an instant: how many, by what they are.

        Raises:
            Fenced: A newer token was seen; nothing was deleted.
        """
        ...

    def vacuum(self, token: int, *, is_dry: bool) -> AsyncIterator[str]:
        """Vacuum and analyse one table after the other; the name of each once it was done.

        Raises:
            Fenced: A newer token was seen; the rest is left alone.
        """
        ...
