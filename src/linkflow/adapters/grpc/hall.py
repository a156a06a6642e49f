"""Matching for other processes: Histories that start tasks, and workers that run them.

Each History is granted credits ahead and keeps a few idle; while tasks are queued it keeps none. What is lost
with a line mends itself: a worker says how many attempts it has in hand, each History how many credits are
idle, and what is neither of the two for a while has been lost.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from linkflow import telemetry
from linkflow.adapters.grpc._gen.matching_pb2 import DispatchCall, PollCall
from linkflow.adapters.grpc.wire import Hear, Wire
from linkflow.domain.values import encode_json
from linkflow.ports.commands import TaskId
from linkflow.ports.services import Matching, QueueView
from linkflow.telemetry import metrics

LOOK_S = 0.1
"""How often somebody who wants credits, or queued tasks, are looked at."""

POLL_S = 30.0
LEAKS = 10
"""So many heartbeats of a worker, one each second, must agree that credits were lost."""

LEFT = 1_000
"""Sessions that are known to have ended."""

log = telemetry.logger("matching")

_task_ids = msgspec.json.Decoder(list[TaskId]).decode
_counts = msgspec.json.Decoder(dict[str, int]).decode
_stop = msgspec.json.Decoder(tuple[str, str, str]).decode
_report = msgspec.json.Decoder(tuple[dict[str, int], dict[str, int]]).decode
_opening = msgspec.json.Decoder(tuple[str, list[str], int, int]).decode
_number = msgspec.json.Decoder(int).decode


class _Frame(msgspec.Struct):
    """What Matching must know of a `Task` that it passes on."""

    session: str
    execution_id: str
    key: str


_frame = msgspec.json.Decoder(_Frame).decode
_TASK: int = PollCall.POLL_CALL_TASK
_delivered = metrics.counters("linkflow_queue_tasks_total")["delivered"]


class _Desk:
    """A History that is connected.

    Attributes:
        idle: Credits that it has and does not use, by session, as it said last.
        wanted: Credits that it would like, by queue.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.idle: Mapping[str, int] = {}
        self.wanted: dict[str, int] = {}


class _Seat:
    """A worker session that is connected.

    Attributes:
        missing: Credits that were neither idle nor in hand, at its last heartbeats.
    """

    def __init__(self, wire: Wire, session: str, queues: Sequence[str], slots: int) -> None:
        self.wire = wire
        self.queues = queues
        self.session = session
        self.slots = slots
        self.missing: deque[int] = deque(maxlen=LEAKS)
        self.is_draining = False


class Hall:
    """See the module; `run` must be running."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching
        self._desks: list[_Desk] = []
        self._seats: dict[str, _Seat] = {}
        self._left: deque[str] = deque(maxlen=LEFT)
        self._is_short = False
        self._news = asyncio.Event()

    def queues(self) -> Sequence[QueueView]:
        """Say how every queue stands; a credit that a History keeps idle is room, and not under way."""
        found = []
        for view in self._matching.queues():
            sessions = [seat.session for seat in self._seats.values() if view.name in seat.queues]
            idle = sum(desk.idle.get(session, 0) for desk in self._desks for session in sessions)
            idle = min(idle, view.in_flight)
            found.append(replace(view, in_flight=view.in_flight - idle, credits=view.credits + idle))
        return found

    async def run(self) -> None:
        """Grant credits for ever."""
        while True:
            try:
                async with asyncio.timeout(LOOK_S if self._desks else None):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()
            try:
                self._grant()
            except Exception:  # a bug must not end the granting
                log.exception("credits not granted")

    def _grant(self) -> None:
        """Give free credits to those who want some; take them back while tasks are queued."""
        is_short = any(self._matching.depth().values())
        if is_short != self._is_short:
            self._is_short = is_short
            self._limit()
        if is_short:
            return
        for desk in self._desks:
            for queue, wanted in list(desk.wanted.items()):
                found = Counter(self._matching.reserve(queue, wanted))
                if found:
                    desk.wanted[queue] = wanted - found.total()
                    desk.idle = Counter(desk.idle) + found
                    desk.wire.note(
                        DispatchCall.DISPATCH_CALL_GRANT_CREDITS, encode_json((queue, dict(found)))
                    )
                if desk.wanted[queue] <= 0:
                    del desk.wanted[queue]

    def _limit(self) -> None:
        """Tell every History how many credits it may keep idle."""
        slots = sum(seat.slots for seat in self._seats.values())
        # One of several leaves half to the others; who is alone would only queue what it has room for.
        parts = 1 if len(self._desks) < 2 else 2 * len(self._desks)
        share = 0 if self._is_short else max(1, slots // parts)
        queues = (
            []
            if self._is_short
            else sorted({queue for seat in self._seats.values() for queue in seat.queues})
        )
        for desk in self._desks:
            desk.wire.note(DispatchCall.DISPATCH_CALL_LIMIT_CREDITS, encode_json(share))
            if (more := share - sum(desk.idle.values())) > 0:  # a worker may be new to it
                desk.wanted = dict.fromkeys(queues, more)
        self._news.set()

    # ------------------------------------------------------------ Histories

    async def dispatch(self, wire: Wire) -> None:
        """Live with a History until the line is cut."""
        desk = _Desk(wire)
        self._desks.append(desk)
        self._limit()
        try:
            await wire.run(
                calls={DispatchCall.DISPATCH_CALL_ADD_TASK: self._add},
                notes={
                    DispatchCall.DISPATCH_CALL_DELIVER_TASK: lambda record: self._deliver(desk, record),
                    DispatchCall.DISPATCH_CALL_CANCEL_TASK: self._cancel,
                    DispatchCall.DISPATCH_CALL_RETURN_CREDITS: self._return,
                    DispatchCall.DISPATCH_CALL_REPORT_CREDITS: lambda record: self._heard(desk, record),
                },
            )
        finally:
            self._desks.remove(desk)
            self._matching.release(list(Counter(desk.idle).elements()))
            self._limit()

    async def _add(self, execution_id: str, record: bytes) -> bytes:
        await self._matching.add(_task_ids(record))
        self._news.set()
        return b""

    def _deliver(self, desk: _Desk, record: bytes) -> None:
        """Pass a frame on as it came."""
        frame = _frame(record)
        seat = self._seats.get(frame.session)
        if seat is None:
            log.info("worker away", execution_id=frame.execution_id, key=frame.key, session=frame.session)
            self._close_session(desk, frame.session)
            return
        _delivered.inc()
        seat.wire.note(_TASK, record, frame.execution_id)

    def _cancel(self, record: bytes) -> None:
        self._matching.cancel(*_stop(record))

    def _return(self, record: bytes) -> None:
        self._matching.release(list(Counter(_counts(record)).elements()))
        self._news.set()

    def _heard(self, desk: _Desk, record: bytes) -> None:
        desk.idle, desk.wanted = _report(record)
        if desk.wanted:
            self._news.set()

    def _close_session(self, desk: _Desk, session: str) -> None:
        """Tell a History to start nothing on a session; and whether it is over or only away."""
        record = encode_json((session, session in self._left))
        desk.wire.note(DispatchCall.DISPATCH_CALL_CLOSE_SESSION, record)

    # ------------------------------------------------------------ workers

    async def poll(self, wire: Wire) -> None:
        """Live with a worker until the line is cut."""
        seats: list[_Seat] = []

        async def opened(execution_id: str, record: bytes) -> bytes:
            session, queues, slots, in_hand = _opening(record)
            seats.append(self._seat(wire, session, queues, slots))  # it stands up, wherever the line is cut
            await self._sit_down(seats[0], in_hand)
            pumps.append(group.create_task(self._pump(seats[0])))
            return b""

        def completed(record: bytes) -> None:
            self._matching.release([seats[0].session] * _number(record))
            self._news.set()

        def drained(record: bytes) -> None:
            seats[0].is_draining = True
            self._matching.drain(seats[0].session)
            for desk in self._desks:
                self._close_session(desk, seats[0].session)

        def left(record: bytes) -> None:
            self._left.append(seats[0].session)
            self._stand_up(seats[0])

        def resized(record: bytes) -> None:
            seats[0].slots = _number(record)
            self._matching.resize(seats[0].session, seats[0].slots)
            self._limit()

        notes: Mapping[int, Hear] = {
            PollCall.POLL_CALL_RESIZE: resized,
            PollCall.POLL_CALL_COMPLETE_TASKS: completed,
            PollCall.POLL_CALL_HEARTBEAT: lambda record: self._count(seats[0], _number(record)),
            PollCall.POLL_CALL_DRAIN: drained,
            PollCall.POLL_CALL_LEAVE: left,
        }
        pumps: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as group:
            try:
                await wire.run(calls={PollCall.POLL_CALL_OPEN: opened}, notes=notes)
            finally:
                for seat in seats:
                    self._stand_up(seat)
                for pump in pumps:
                    pump.cancel()

    def _seat(self, wire: Wire, session: str, queues: Sequence[str], slots: int) -> _Seat:
        """Give a session its place; another line that it had is cut first."""
        known = self._seats.get(session)
        if known is not None:
            known.wire.close()
            self._stand_up(known)
        seat = self._seats[session] = _Seat(wire, session, queues, slots)
        return seat

    async def _sit_down(self, seat: _Seat, in_hand: int) -> None:
        """Take a session in, with what it has in hand."""
        session = seat.session
        await self._matching.poll(session, seat.queues, seat.slots, 0.0)
        # A History that waits for credits may have got some while this waited.
        self._matching.recount(session, in_hand + self._matching.in_use(session))
        log.info("worker connected", session=session, slots=seat.slots, in_hand=in_hand)
        self._limit()

    def _stand_up(self, seat: _Seat) -> None:
        """Let a session go: nothing further is started on it; it may come back."""
        if self._seats.get(seat.session) is not seat:
            return
        del self._seats[seat.session]
        self._matching.leave(seat.session)
        for desk in self._desks:
            self._close_session(desk, seat.session)
        self._limit()

    async def _pump(self, seat: _Seat) -> None:
        """Carry frames and stops to a worker."""
        session, wire = seat.session, seat.wire
        while True:
            for task in await self._matching.poll(session, (), seat.slots, POLL_S):
                wire.note(PollCall.POLL_CALL_TASK, encode_json(task), task.execution_id)
            for place in self._matching.cancelled(session):
                wire.note(PollCall.POLL_CALL_STOP, encode_json(place))
            if seat.is_draining and self._matching.is_idle(session):
                wire.note(PollCall.POLL_CALL_IDLE, b"")

    def _count(self, seat: _Seat, in_hand: int) -> None:
        """Compare what is known of a session's credits; those that were lost come back, and the reverse."""
        if self._seats.get(seat.session) is not seat:
            return
        in_use = self._matching.in_use(seat.session)
        idle = sum(desk.idle.get(seat.session, 0) for desk in self._desks)
        seat.missing.append(in_use - idle - in_hand)
        if len(seat.missing) < LEAKS:
            return
        lost = max(0, min(seat.missing)) + min(0, max(seat.missing))
        if lost:
            log.info("credits counted again", session=seat.session, lost=lost)
            self._matching.recount(seat.session, in_use - lost)
            seat.missing.clear()
            self._news.set()
