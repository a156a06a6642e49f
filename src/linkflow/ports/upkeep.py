"""What the scheduler's duties need: a journal of their runs, and stores that refuse a leader of yesterday."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import msgspec

from linkflow.domain.errors import Conflict
from linkflow.domain.values import Json
from linkflow.ports.coordination import Lease

LEASE = "scheduler"
"""Name of the lease that the leader of the housekeeping holds, and of the fence that stores keep."""


class Fenced(Conflict):
    """Another process leads by now; nothing was written."""

    code = "scheduler.fenced"


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """By what right a duty works, and how.

    Attributes:
        token: Fencing token of the leader; stores refuse one that is older than the newest they have seen.
        is_dry: Only say what would be done.
    """

    token: int
    is_dry: bool = False


class DutyKind(msgspec.Struct, frozen=True):
    """A duty of the leader: its name, what it does, and the pause between two runs.

    Attributes:
        every_s: Seconds; 0 for one that works all the time the leader leads.
    """

    name: str
    summary: str
    every_s: float


MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0

DUTIES = (
    DutyKind("cron", "Starts executions whose schedule is due.", 0.0),
    DutyKind("rescue", "Finds executions that nothing moves on, and wakes them.", 5 * MINUTE_S),
    DutyKind("partitions", "Makes the monthly partitions ahead of their month.", 12 * HOUR_S),
    DutyKind("soft-delete", "Takes executions that ended long ago out of the lists.", DAY_S),
    DutyKind("retention", "Archives such executions and drops their month.", DAY_S),
    DutyKind("expire", "Deletes audit lines, AI history, letters and keys whose time is over.", HOUR_S),
    DutyKind("blobs", "Deletes large values that nothing kept names any more.", 7 * DAY_S),
    DutyKind("usage", "Sums usage up by months.", HOUR_S),
    DutyKind("storage", "Measures how much room large values of each workspace take.", DAY_S),
    DutyKind("sealing", "Seals secrets again with the newest key.", HOUR_S),
    DutyKind("alerts", "Looks for what alerts are about, and reminds of approvals.", MINUTE_S),
    DutyKind("usage-alerts", "Tells workspaces that used 50, 80 and 100 % of their plan.", 5 * MINUTE_S),
    DutyKind("hard-delete", "Deletes for good what people deleted a while ago.", 30 * DAY_S),
    DutyKind("vacuum", "Vacuums and analyses every table.", 7 * DAY_S),
)
"""Every duty, in the order people see them."""


class DutyRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a duty, from being asked for to its result.

    Attributes:
        outcome: asked, running, done or failed. One that says running under an older token was cut off.
        asked_by: Empty when its time had come; else the person.
        asked_at: Seconds since 1970, as the other instants.
        holder: Process that ran it.
        token: Fencing token it ran under.
        result: Counts and examples, `{"<what>": JSON}`.
        error: Why it failed; empty when it did not.
    """

    id: str
    duty: str
    outcome: str = "asked"
    asked_by: str = ""
    is_dry: bool = False
    asked_at: float = 0.0
    began_at: float | None = None
    ended_at: float | None = None
    holder: str = ""
    token: int = 0
    result: Json = None
    error: str = ""


class DutyRuns(Protocol):
    """The journal of duties, and the fences of both schemas."""

    async def raise_fence(self, token: int) -> None:
        """From now on refuse every write of a duty under an older token. Safe to repeat.

        Raises:
            Fenced: A newer token was seen already.
        """
        ...

    async def ask(self, run: DutyRun) -> None:
        """Keep a run that somebody asks for; the leader takes it up."""
        ...

    async def asked(self) -> Sequence[DutyRun]:
        """List runs that nobody has begun, oldest first."""
        ...

    async def begin(self, run: DutyRun) -> bool:
        """Write that a run begins; False when somebody else began it.

        Raises:
            Fenced: The run's token is older than the newest; nothing was written.
        """
        ...

    async def end(self, run: DutyRun) -> None:
        """Write how a run ended.

        Raises:
            Fenced: The run's token is older than the newest; nothing was written.
        """
        ...

    async def get(self, run_id: str) -> DutyRun:
        """Read a run.

        Raises:
            NotFound: No such run.
        """
        ...

    async def last(self) -> Mapping[str, DutyRun]:
        """Read the newest run of each duty that was begun and was not dry, by the duty's name."""
        ...

    async def leader(self) -> Lease | None:
        """Say who holds the scheduler's lease now."""
        ...


class Partitions(Protocol):
    """Monthly partitions of the engine's large tables."""

    async def ensure(self, now: float) -> int:
        """Make the partitions of this month and the next ones where they are missing; how many were made."""
        ...


class Archive(Protocol):
    """Where closed histories go before they are deleted: objects by key, beside the blobs."""

    async def store(self, key: str, data: bytes) -> None:
        """Keep an object durably, in place of one with the same key. Safe to repeat.

        Args:
            key: Parts joined by `/`, such as `executions/2026_08/<first id>.jsonl.gz`.
            data: Any bytes.

        Raises:
            Unavailable: It was not kept.
        """
        ...

    async def fetch(self, key: str) -> bytes:
        """Read an object.

        Raises:
            NotFound: There is none under this key.
        """
        ...

    async def keys(self, prefix: str) -> Sequence[str]:
        """List the keys that begin with a prefix, sorted."""
        ...


class BlobShelf(Protocol):
    """The blobs as the sweeper sees them; the place of a `BlobStore`, whose `put` renews a blob's age."""

    def aged(self, before: float) -> AsyncIterator[tuple[str, str]]:
        """Iterate over blobs last put before an instant, as (workspace id, sha256).

        Args:
            before: Seconds since 1970.
        """
        ...

    async def weigh(self) -> Mapping[str, int]:
        """Sum up how large the blobs of each workspace are, bytes, by workspace id."""
        ...

    async def discard(self, workspace_id: str, sha256: str, before: float) -> bool:
        """Delete a blob, unless it was put again at or after an instant; whether it was deleted."""
        ...


class BlobMarks(Protocol):
    """Which blobs are named by anything that is kept."""

    def named(self) -> AsyncIterator[str]:
        """Iterate over the sha256 of every blob that was named when this began, some more than once."""
        ...


class Pending(msgspec.Struct, frozen=True):
    """Trigger events that nobody started yet: how many, and when the oldest came, seconds since 1970."""

    count: int
    oldest_at: float | None


class Stuck(Protocol):
    """What seems to be stuck, for the auditor of "nothing is ever stuck"."""

    async def suspects(self, before: float, limit: int) -> Sequence[str]:
        """List open executions whose wake-up was due before an instant, or that run and did not move since.

        Args:
            before: Seconds since 1970.
            limit: At most so many, in order of their ids.
        """
        ...

    async def wake(self, execution_ids: Sequence[str], token: int) -> None:
        """Let the timer wake executions, wherever it runs. Safe to repeat.

        Raises:
            Fenced: A newer token was seen; nothing was written.
        """
        ...

    async def pending(self, before: float) -> Pending:
        """Count trigger events that came before an instant and were not started."""
        ...
