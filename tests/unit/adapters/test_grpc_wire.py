"""One end of a stream of frames."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc._cython.cygrpc import ExecuteBatchError  # type: ignore[import-not-found, unused-ignore]

from linkflow.adapters.grpc.failures import LineCut
from linkflow.adapters.grpc.wire import Wire


class Broken:
    """A stream whose connection breaks when something is written."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def read(self) -> Any:
        """Wait for ever: nobody says anything."""
        await asyncio.get_running_loop().create_future()

    async def write(self, frame: Any) -> None:
        """Fail."""
        raise self._error


@pytest.mark.parametrize(
    "error",
    [ExecuteBatchError("execute_batch", ()), grpc.aio.UsageError("RPC already finished.")],
    ids=["callee", "caller"],
)
async def test_a_line_that_breaks_ends_quietly(error: Exception) -> None:
    """Whoever lives with a line that breaks goes on, and whoever waits for an answer is told."""
    wire = Wire(Broken(error), "somebody")
    running = asyncio.ensure_future(wire.run())
    with pytest.raises(LineCut):
        await wire.call(1, b"")
    await running

    assert (True, True) == (wire.is_cut, wire.is_broken)
