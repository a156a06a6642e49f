"""Frontend: the engine's front door. Sheds load before anything is promised, then routes to History."""

from collections.abc import Callable, Sequence

from linkflow.domain.errors import Overloaded
from linkflow.ports.services import (
    ExecutionView,
    Explanation,
    History,
    RecordedEvent,
    ResolveWait,
    SignalExecution,
    StartedExecution,
    StartExecution,
)

MOST_PENDING = 5_000
"""Records waiting to be committed above which no further start is taken in."""


class Frontend:
    """The engine's front door; see `ports.services.Frontend`."""

    def __init__(self, history: History, backlog: Callable[[], int]) -> None:
        self._history = history
        self._backlog = backlog

    async def start(self, command: StartExecution) -> StartedExecution:
        """Start an execution, unless there is more to do than can be done."""
        if self._backlog() > MOST_PENDING:
            raise Overloaded
        return await self._history.start(command)

    async def wait(self, execution_id: str, wait_ms: int) -> StartedExecution:
        """Wait for the end."""
        return await self._history.wait(execution_id, wait_ms)

    async def signal(self, command: SignalExecution) -> None:
        """Send a message."""
        await self._history.signal(command)

    async def resolve(self, command: ResolveWait) -> None:
        """Decide a wait."""
        await self._history.resolve(command)

    async def cancel(self, execution_id: str, reason: str, by: str) -> None:
        """Ask to end."""
        await self._history.cancel(execution_id, reason, by)

    async def terminate(self, execution_id: str, reason: str, by: str) -> None:
        """End at once."""
        await self._history.terminate(execution_id, reason, by)

    async def release(self, execution_id: str, by: str) -> None:
        """End a quarantine."""
        await self._history.release(execution_id, by)

    async def view(self, execution_id: str) -> ExecutionView:
        """Read one execution."""
        return await self._history.view(execution_id)

    async def events(self, execution_id: str, after: int = 0, limit: int = 1000) -> Sequence[RecordedEvent]:
        """Read events."""
        return await self._history.events(execution_id, after, limit)

    async def awaiting(self, workspace_id: str, name: str, match: str, after: str = "") -> Sequence[str]:
        """List executions that wait for an event."""
        return await self._history.awaiting(workspace_id, name, match, after)

    async def explain(self, execution_id: str) -> Explanation:
        """Say what it waits for."""
        return await self._history.explain(execution_id)
