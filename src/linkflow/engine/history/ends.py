"""Waiting for an execution's end, or its response."""

import asyncio

from linkflow.domain.execution.effects import closing_error
from linkflow.domain.execution.state import ExecutionState
from linkflow.engine.history.entries import Entries
from linkflow.engine.history.reading import Reader
from linkflow.ports.clock import Clock
from linkflow.ports.services import StartedExecution

LOOK_S = 0.5
"""How often an execution is looked at that another member may move on: nobody tells us then."""


class Ends:
    """Answers when executions are over."""

    def __init__(self, entries: Entries, reader: Reader, clock: Clock, *, is_shared: bool) -> None:
        self._entries = entries
        self._reader = reader
        self._clock = clock
        self._is_shared = is_shared

    async def wait(self, execution_id: str, wait_ms: int, *, is_new: bool) -> StartedExecution:
        """Wait until an execution is over or has responded, at most `wait_ms`.

        Raises:
            NotFound: No such execution.
        """
        deadline = self._clock.monotonic() + wait_ms / 1000
        is_told = is_new  # what we remember of it is what we have just heard
        while True:
            closer = asyncio.get_running_loop().create_future() if wait_ms > 0 else None
            entry = self._entries.get(execution_id) if closer is not None else None
            if entry is not None and closer is not None:  # before looking, so that nothing happens unheard
                entry.closers.append(closer)
            try:
                remembered = self._reader.remembered(execution_id) if is_told else None
                state = remembered or await self._reader.state(execution_id)
                left_s = deadline - self._clock.monotonic()
                if closer is None or state.is_closed or state.has_responded or left_s <= 0:
                    return _outcome(state, is_new=is_new)
                async with asyncio.timeout(min(left_s, LOOK_S) if self._is_shared else left_s):
                    await closer
                is_told = True
            except TimeoutError:
                is_told = False
            finally:
                if entry is not None and closer in entry.closers:
                    entry.closers.remove(closer)


def _outcome(state: ExecutionState, *, is_new: bool) -> StartedExecution:
    closed = state.closed
    return StartedExecution(
        execution_id=state.execution_id,
        status=state.status().value,
        is_new=is_new,
        result=getattr(closed, "result", None),
        error=closing_error(closed) if closed is not None else None,
        responded=state.responded,
    )
