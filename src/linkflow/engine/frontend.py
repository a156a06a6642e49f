"""Frontend: the engine's front door. Sheds load before anything is promised, then routes to History."""

import time
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from linkflow.domain.errors import LinkFlowError, Overloaded
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
from linkflow.ports.views import WHOLE, Part
from linkflow.telemetry import metrics, tracing

MOST_PENDING = 5_000
"""Records waiting to be committed above which no further start is taken in."""


_shed = metrics.counters("linkflow_requests_shed_total")
_requests = metrics.counters("linkflow_requests_total")

P = ParamSpec("P")
T = TypeVar("T")


def _counted(call: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Count the calls of a method by how they ended."""
    name = call.__name__
    done = _requests[name, "ok"]

    @wraps(call)
    async def counted(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            found = await call(*args, **kwargs)
        except LinkFlowError as error:
            _requests[name, str(error.kind)].inc()
            raise
        done.inc()
        return found

    return counted


class Frontend:
    """The engine's front door; see `ports.services.Frontend`.

    Attributes:
        most_pending: Executions being decided or committed above which no further start is taken in.
    """

    most_pending = MOST_PENDING

    def __init__(
        self, history: History, backlog: Callable[[], int], busy: Callable[[], str] = lambda: ""
    ) -> None:
        """Put it together.

        Args:
            history: Where calls go.
            backlog: How many executions are being decided or committed.
            busy: Why no more should be promised; empty when there is room.
        """
        self._history = history
        self._backlog = backlog
        self._busy = busy

    @_counted
    async def start(self, command: StartExecution) -> StartedExecution:
        """Start an execution, unless there is more to do than can be done."""
        reason = "backlog" if self._backlog() > self.most_pending else self._busy()
        if reason:
            _shed[reason].inc()
            raise Overloaded
        began_at = time.perf_counter()
        started = await self._history.start(command)
        if tracing.is_on():
            took_s = time.perf_counter() - began_at
            tracing.record(started.execution_id, "frontend start", took_s=took_s, is_new=started.is_new)
        return started

    async def wait(self, execution_id: str, wait_ms: int) -> StartedExecution:
        """Wait for the end."""
        return await self._history.wait(execution_id, wait_ms)

    @_counted
    async def signal(self, command: SignalExecution) -> None:
        """Send a message."""
        await self._history.signal(command)

    @_counted
    async def resolve(self, command: ResolveWait) -> None:
        """Decide a wait."""
        await self._history.resolve(command)

    @_counted
    async def cancel(self, execution_id: str, reason: str, by: str) -> None:
        """Ask to end."""
        await self._history.cancel(execution_id, reason, by)

    @_counted
    async def terminate(self, execution_id: str, reason: str, by: str) -> None:
        """End at once."""
        await self._history.terminate(execution_id, reason, by)

    async def release(self, execution_id: str, by: str) -> None:
        """End a quarantine."""
        await self._history.release(execution_id, by)

    async def view(self, execution_id: str, part: Part = WHOLE) -> ExecutionView:
        """Read one execution."""
        return await self._history.view(execution_id, part)

    async def events(self, execution_id: str, after: int = 0, limit: int = 1000) -> Sequence[RecordedEvent]:
        """Read events."""
        return await self._history.events(execution_id, after, limit)

    async def awaiting(self, workspace_id: str, name: str, match: str, after: str = "") -> Sequence[str]:
        """List executions that wait for an event."""
        return await self._history.awaiting(workspace_id, name, match, after)

    async def explain(self, execution_id: str) -> Explanation:
        """Say what it waits for."""
        return await self._history.explain(execution_id)
