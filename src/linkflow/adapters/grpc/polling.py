"""Matching as a worker sees it from another process."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from linkflow import telemetry
from linkflow.adapters.grpc._gen.matching_pb2 import PollCall
from linkflow.adapters.grpc.lines import Lines
from linkflow.adapters.grpc.wire import Hear, Wire
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.values import encode_json
from linkflow.ports.commands import Task

HEARTBEAT_S = 1.0
OPEN_S = 5.0

log = telemetry.logger("worker")

_task = msgspec.json.Decoder(Task).decode
_place = msgspec.json.Decoder(tuple[str, str]).decode


class PollClient:
    """Brings this worker the tasks that were started for it; see `ports.services.Poll`.

    A line that is cut is opened again, and says how many attempts the worker has in hand; what was lost with
    it the worker asks History for.
    """

    def __init__(self, lines: Lines) -> None:
        self._busy: Callable[[], int] | None = None
        self._opening: tuple[str, Sequence[str], int] | None = None
        self._registers = asyncio.Event()
        self._is_open = asyncio.Event()
        self._arrived = asyncio.Event()
        self._inbox: list[Task] = []
        self._stops: list[tuple[str, str]] = []
        self._wire: Wire | None = None
        self._is_draining = False
        self._is_idle = False
        lines.to("matching", "PollTask", self._carry, is_single=True)

    def connect(self, busy: Callable[[], int]) -> None:
        """Say who counts the attempts in hand: `Worker.busy`."""
        self._busy = busy

    # ------------------------------------------------------------ the port

    async def poll(self, session: str, queues: Sequence[str], slots: int, wait_s: float) -> Sequence[Task]:
        """Wait for tasks; the first call returns when Matching knows the session."""
        if self._opening is None:
            self._opening = (session, tuple(queues), slots)
            self._registers.set()
            await self._is_open.wait()
        if not self._inbox and not self._stops and not (self._is_draining and self._is_idle):
            try:
                async with asyncio.timeout(wait_s):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        self._arrived.clear()
        tasks, self._inbox = self._inbox, []
        return tasks

    def release(self, sessions: Sequence[str]) -> None:
        """Give credits back."""
        self._note(PollCall.POLL_CALL_COMPLETE_TASKS, encode_json(len(sessions)))

    def drain(self, session: str) -> None:
        """Start nothing further on the session."""
        self._is_draining = True
        self._note(PollCall.POLL_CALL_DRAIN, b"")

    def resize(self, session: str, slots: int) -> None:
        """Change how many tasks the session may have at once."""
        if self._opening is not None:
            self._opening = (*self._opening[:2], slots)
        self._note(PollCall.POLL_CALL_RESIZE, encode_json(slots))

    def is_idle(self, session: str) -> bool:
        """Say whether Matching said that every credit is back."""
        return self._is_idle

    def leave(self, session: str) -> None:
        """Deregister the session."""
        self._note(PollCall.POLL_CALL_LEAVE, b"")

    def cancelled(self, session: str) -> Sequence[tuple[str, str]]:
        """Take the attempts to stop."""
        stops, self._stops = self._stops, []
        return stops

    # ------------------------------------------------------------ the line

    def _note(self, call: int, record: bytes) -> None:
        if self._wire is not None:
            self._wire.note(call, record)

    async def _carry(self, wire: Wire) -> None:
        await self._registers.wait()
        notes: Mapping[int, Hear] = {
            PollCall.POLL_CALL_TASK: self._came,
            PollCall.POLL_CALL_STOP: self._stop,
            PollCall.POLL_CALL_IDLE: self._idle,
        }
        async with asyncio.TaskGroup() as group:
            opening = group.create_task(self._open(wire))
            try:
                await wire.run(notes=notes)
            finally:
                self._wire = None
                opening.cancel()

    async def _open(self, wire: Wire) -> None:
        """Register, then say again and again how many attempts are in hand."""
        assert self._opening is not None, "it registers first"
        try:
            record = encode_json((*self._opening, self._busy() if self._busy else 0))
            await wire.call(PollCall.POLL_CALL_OPEN, record, deadline_s=OPEN_S)
        except LinkFlowError as error:
            log.warning("not registered with Matching; tried again", error=str(error))
            wire.close()
            return
        self._wire = wire
        self._is_open.set()
        if self._is_draining:
            self._note(PollCall.POLL_CALL_DRAIN, b"")
        while self._busy is not None:
            wire.note(PollCall.POLL_CALL_HEARTBEAT, encode_json(self._busy()))
            await asyncio.sleep(HEARTBEAT_S)

    def _came(self, record: bytes) -> None:
        self._inbox.append(_task(record))
        self._is_idle = False
        self._arrived.set()

    def _stop(self, record: bytes) -> None:
        self._stops.append(_place(record))
        self._arrived.set()

    def _idle(self, record: bytes) -> None:
        self._is_idle = True
        self._arrived.set()
