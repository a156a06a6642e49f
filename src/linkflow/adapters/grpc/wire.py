"""One end of a long-lived stream of frames: calls, answers and notes, both ways.

What is sent while a write is under way goes with the next frame, so that a busy stream carries many items per
frame and a quiet one waits for nothing.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import grpc

from linkflow import telemetry
from linkflow.adapters.grpc._gen.envelope_pb2 import Frame, Item
from linkflow.adapters.grpc.failures import LineCut, error_of, failure_of
from linkflow.domain.errors import LinkFlowError, Unavailable

FRAME_ITEMS = 500
FRAME_BYTES = 1024 * 1024
"""A frame holds no further item beyond these."""

LOOK_S = 0.5
"""How exactly deadlines are kept."""

CUT = (grpc.aio.AioRpcError, grpc.aio.BaseError, asyncio.InvalidStateError)
"""What gRPC raises when a stream is over, on either side."""

log = telemetry.logger("grpc")

Answer = Callable[[str, bytes], Awaitable[bytes]]
"""Answers a call: execution id and record; the result."""

Hear = Callable[[bytes], None]
"""Takes a note."""


class Stream(Protocol):
    """What gRPC gives either side."""

    async def read(self) -> Any:
        """Wait for the next frame; `grpc.aio.EOF` after the last."""
        ...

    async def write(self, frame: Any) -> None:
        """Send a frame; return when there is room for another."""
        ...


class Wire:
    """See the module; `run` must be running.

    Attributes:
        peer: Who is on the other side.
        is_cut: Nothing is carried any more.
        is_broken: The connection broke; nobody is there to be told anything.
    """

    def __init__(self, stream: Stream, peer: str) -> None:
        """Put it together.

        Args:
            stream: What gRPC gives.
            peer: Who is on the other side, for messages.
        """
        self.peer = peer
        self.is_cut = False
        self.is_broken = False
        self._stream = stream
        self._calls: Mapping[int, Answer] = {}
        self._notes: Mapping[int, Hear] = {}
        self._out: deque[Item] = deque()
        self._has_news = asyncio.Event()
        self._sent = asyncio.Event()
        self._ended = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()
        self._asked: dict[int, tuple[asyncio.Future[bytes], float]] = {}
        self._last = 0

    def note(self, call: int, record: bytes, execution_id: str = "") -> None:
        """Send something that nobody answers; lost when the line is cut."""
        self._put(Item(call=call, record=record, execution_id=execution_id))

    async def call(self, call: int, record: bytes, execution_id: str = "", deadline_s: float = 30.0) -> bytes:
        """Ask, and wait for the answer.

        Raises:
            LinkFlowError: What the other side raised.
            LineCut: The connection broke; whether the call was heard is not known.
            Unavailable: No answer within the deadline.
        """
        if self.is_cut:
            raise LineCut(f"The connection to {self.peer} is lost.")
        self._last += 1
        number = self._last
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        self._asked[number] = (answer, loop.time() + deadline_s)
        self._put(Item(id=number, call=call, record=record, execution_id=execution_id))
        try:
            return await answer
        finally:
            self._asked.pop(number, None)

    async def run(
        self, calls: Mapping[int, Answer] | None = None, notes: Mapping[int, Hear] | None = None
    ) -> None:
        """Carry items until the line is cut.

        Args:
            calls: Who answers the other side's calls, by number.
            notes: Who takes its notes, by number.
        """
        self._calls, self._notes = calls or {}, notes or {}
        try:
            async with asyncio.TaskGroup() as group:
                rest = [
                    group.create_task(self._read(group), name="frames in"),
                    group.create_task(self._write(), name="frames out"),
                    group.create_task(self._keep_deadlines(), name="deadlines of calls"),
                ]
                try:
                    await self._ended.wait()
                finally:
                    for task in (*rest, *self._answering):
                        task.cancel()
        finally:
            self.close()

    def close(self) -> None:
        """Cut the line: nothing further is sent, and whoever waits for an answer is told."""
        self.is_cut = True
        self._ended.set()
        for answer, _ in list(self._asked.values()):
            if not answer.done():
                answer.set_exception(LineCut(f"The connection to {self.peer} was lost."))
        self._asked.clear()

    async def flush(self) -> None:
        """Wait until everything is sent, or the line is cut."""
        while self._out and not self.is_cut:
            self._sent.clear()
            await self._sent.wait()

    # ------------------------------------------------------------ in

    async def _read(self, group: asyncio.TaskGroup) -> None:
        while True:
            try:
                frame = await self._stream.read()
            except CUT as error:
                self.is_broken = True
                log.debug("line cut", peer=self.peer, error=str(error))
                break
            if frame is grpc.aio.EOF:
                break
            for item in frame.items:
                if item.call:
                    self._take(item, group)
                else:
                    self._answered(item)
        self.close()

    def _take(self, item: Item, group: asyncio.TaskGroup) -> None:
        """Take a call or a note of the other side."""
        if item.id:
            task = group.create_task(self._answer(item))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
            return
        hear = self._notes.get(item.call)
        try:
            if hear is not None:
                hear(item.record)
        except Exception:  # a bug must not cut the line for all the others
            log.exception("note not taken", peer=self.peer, call=item.call)

    async def _answer(self, item: Item) -> None:
        """Answer one call of the other side."""
        answer = self._calls.get(item.call)
        try:
            if answer is None:
                raise Unavailable(f"This service does not know call {item.call}; it is of another release.")
            self._put(Item(id=item.id, record=await answer(item.execution_id, item.record)))
        except LinkFlowError as error:
            self._put(Item(id=item.id, failure=failure_of(error)))
        except Exception:  # a bug of ours: loud here, and no trace across
            log.exception("call failed", call=item.call, execution_id=item.execution_id)
            failure = failure_of(Unavailable("The service met a fault of its own; its log says which."))
            self._put(Item(id=item.id, failure=failure))

    def _answered(self, item: Item) -> None:
        """Take an answer; nobody may wait for it any more."""
        asked = self._asked.get(item.id)
        if asked is None or asked[0].done():
            return
        if item.HasField("failure"):
            asked[0].set_exception(error_of(item.failure))
        else:
            asked[0].set_result(item.record)

    # ------------------------------------------------------------ out

    def _put(self, item: Item) -> None:
        self._out.append(item)
        self._has_news.set()

    async def _write(self) -> None:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            while self._out:
                try:
                    await self._stream.write(self._frame())
                except CUT as error:
                    self.is_broken = True
                    log.debug("line cut", peer=self.peer, error=str(error))
                    self.close()
                    return
            self._sent.set()

    def _frame(self) -> Frame:
        items: list[Item] = []
        size = 0
        while self._out and len(items) < FRAME_ITEMS and size < FRAME_BYTES:
            items.append(self._out.popleft())
            size += len(items[-1].record)
        return Frame(items=items)

    async def _keep_deadlines(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_S)
            now = loop.time()
            for answer, until in list(self._asked.values()):
                if now >= until and not answer.done():
                    answer.set_exception(Unavailable(f"{self.peer} did not answer in time; try again."))
