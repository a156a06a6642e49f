"""Matching as History sees it from another process: credits at hand, frames on their way."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from linkflow import telemetry
from linkflow.adapters.grpc._gen.matching_pb2 import DispatchCall
from linkflow.adapters.grpc.lines import Lines
from linkflow.adapters.grpc.wire import Wire
from linkflow.domain.errors import Unavailable
from linkflow.domain.values import encode_json
from linkflow.ports.commands import Task, TaskId

SETTLE_S = 0.02
"""How long a credit that came back may wait for the turn that uses it, before it is spoken of."""

ADD_S = 10.0
ADD_TRIES = 6
LEFT = 1_000
"""Sessions that are known to have ended."""

log = telemetry.logger("history")

_grant = msgspec.json.Decoder(tuple[str, dict[str, int]]).decode
_closed = msgspec.json.Decoder(tuple[str, bool]).decode
_number = msgspec.json.Decoder(int).decode

_DELIVER: int = DispatchCall.DISPATCH_CALL_DELIVER_TASK

Gone = Callable[[Sequence[str]], Awaitable[None]]


class DispatchDesk:
    """Takes tasks from this History to workers; see `ports.services.Dispatch`.

    Credits are granted ahead, so that `reserve` never waits. With a line everything at hand is void: Matching
    counts anew. A frame that is lost with it is asked for by the worker (`History.lost_tasks`).
    """

    def __init__(self, lines: Lines) -> None:
        self._stock: Counter[str] = Counter()
        self._queues: dict[str, set[str]] = {}
        self._left: dict[str, None] = {}
        self._wanted: set[str] = set()
        self._limit = 0
        self._said: bytes = b""
        self._settling: asyncio.TimerHandle | None = None
        self._wire: Wire | None = None
        self._gone: Gone | None = None
        self._lines = lines
        self._line = lines.to("matching", "Dispatch", self._carry, is_single=True)

    def connect(self, gone: Gone) -> None:
        """Say who ends the attempts of sessions that are over: `History.sessions_lost`."""
        self._gone = gone

    # ------------------------------------------------------------ the port

    def reserve(self, queue: str, count: int, first: str = "") -> Sequence[str]:
        """Take credits at hand."""
        found: list[str] = []
        stock = self._stock
        if len(stock) == 1:  # the loop below, for one worker
            ((only, there),) = stock.items()
            taken = min(count, there) if there > 0 and queue in self._queues.get(only, ()) else 0
            stock[only] -= taken
            found = [only] * taken
        elif first and stock[first] > 0 and queue in self._queues.get(first, ()):
            found.append(first)
            stock[first] -= 1
        while len(found) < count and len(stock) > 1:
            before = len(found)
            for session, there in stock.most_common():
                if there > 0 and len(found) < count and queue in self._queues.get(session, ()):
                    taken = min(count - len(found), max(1, there // 2))
                    stock[session] -= taken
                    found += [session] * taken
            if len(found) == before:
                break
        if len(found) < count:
            self._wanted.add(queue)
        self._settle_soon()
        return found

    def release(self, sessions: Sequence[str]) -> None:
        """Take credits back; they are used for the next turn, or go to Matching."""
        if not sessions:
            return
        if sessions.count(sessions[0]) == len(sessions):
            if sessions[0] not in self._left:
                self._stock[sessions[0]] += len(sessions)
        else:
            self._stock.update([each for each in sessions if each not in self._left])
        self._settle_soon()

    def deliver(self, task: Task) -> bool:
        """Send a frame; False when its worker said that it is over."""
        if task.session in self._left:
            return False
        if self._wire is not None:
            self._wire.note(_DELIVER, encode_json(task), task.execution_id)
        return True

    async def add(self, tasks: Sequence[TaskId]) -> None:
        """Queue tasks; return when Matching has them."""
        record = encode_json(list(tasks))
        for again in range(ADD_TRIES):
            try:
                await self._line.call(DispatchCall.DISPATCH_CALL_ADD_TASK, record, deadline_s=ADD_S)
            except Unavailable as error:
                log.warning("not queued yet", count=len(tasks), error=str(error))
                if again + 1 == ADD_TRIES:
                    raise
            else:
                return

    def cancel(self, session: str, execution_id: str, key: str) -> None:
        """Ask a worker to stop an attempt."""
        if self._wire is not None:
            record = encode_json((session, execution_id, key))
            self._wire.note(DispatchCall.DISPATCH_CALL_CANCEL_TASK, record, execution_id)

    # ------------------------------------------------------------ the line

    async def _carry(self, wire: Wire) -> None:
        self._forget()
        self._wire = wire
        try:
            await wire.run(
                notes={
                    DispatchCall.DISPATCH_CALL_GRANT_CREDITS: self._granted,
                    DispatchCall.DISPATCH_CALL_LIMIT_CREDITS: self._limited,
                    DispatchCall.DISPATCH_CALL_CLOSE_SESSION: self._session_closed,
                }
            )
        finally:
            self._wire = None
            self._forget()

    def _forget(self) -> None:
        self._stock.clear()
        self._queues.clear()
        self._limit, self._said = 0, b""

    def _granted(self, record: bytes) -> None:
        queue, counts = _grant(record)
        for session in counts:
            self._queues.setdefault(session, set()).add(queue)
        self._stock.update(counts)
        self._said = b""  # Matching takes them for idle and not wanted any more until it is told
        self._settle_soon()

    def _limited(self, record: bytes) -> None:
        self._limit = _number(record)
        self._settle_soon()

    def _session_closed(self, record: bytes) -> None:
        session, has_left = _closed(record)
        self._queues.pop(session, None)
        if has_left and session not in self._left:
            self._left[session] = None
            if len(self._left) > LEFT:
                del self._left[next(iter(self._left))]
            if self._gone is not None:
                self._lines.spawn(self._tell_gone(self._gone, session))
        self._settle_soon()

    async def _tell_gone(self, gone: Gone, session: str) -> None:
        try:
            await gone([session])
        except Unavailable as error:
            log.warning("not told that a worker left; its lease tells", session=session, error=str(error))

    # ------------------------------------------------------------ credits

    def _settle_soon(self) -> None:
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(SETTLE_S, self._settle)

    def _settle(self) -> None:
        """Give back what is too much, and say what is at hand and wanted."""
        self._settling = None
        wire = self._wire
        self._stock = +self._stock
        if wire is None:
            self._stock.clear()
            return
        surplus: Counter[str] = Counter()
        for session in [session for session in self._stock if session not in self._queues]:
            surplus[session] = self._stock.pop(session)
        excess = self._stock.total() - self._limit
        for session, there in self._stock.most_common():
            if excess <= 0:
                break
            surplus[session] = min(there, excess)
            excess -= surplus[session]
        if surplus:
            self._stock = self._stock - surplus
            wire.note(DispatchCall.DISPATCH_CALL_RETURN_CREDITS, encode_json(dict(surplus)))
        total = self._stock.total()
        is_low = self._limit > 0 and total <= self._limit // 2
        wanted = dict.fromkeys(sorted(self._wanted), self._limit - total) if is_low else {}
        said = encode_json((dict(self._stock), wanted))
        if said != self._said:
            self._said = said
            wire.note(DispatchCall.DISPATCH_CALL_REPORT_CREDITS, said)
