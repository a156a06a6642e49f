"""The inbox: starts the executions of trigger events that are durable already.

        caller ──202── event durable ──▶ memory ──▶ Frontend.start(execution_id) ──▶ marked done
                              └──────────▶ read again after a crash, or when memory was full

An event that starts MANY executions or more is spread over all processes in one batch (`FanOut`), if there is
something to carry it; what comes back as not started is started here, so nothing depends on the carrier.

An event that was started twice meets the same execution, because the execution's id follows from the event.
Several inboxes share the work: an event that one of them took, or keeps, is held for HELD_S, and claimed by
another only when nobody holds it: one that the edge kept, or whose holder died.
What breaks: the process (pending events are claimed at its next start, else by others after HELD_S), the
engine's door (wait and try again), the event itself (refused by the engine: kept with the reason).
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence

import msgspec

from linkflow.control.plans import Plans
from linkflow.control.variables import Variables
from linkflow.domain.errors import LinkFlowError, Unavailable
from linkflow.domain.values import Json, decode_json
from linkflow.domain.webhook import Call, read
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Cache, EventBus
from linkflow.ports.records import Records
from linkflow.ports.services import Frontend, StartedExecution, StartExecution
from linkflow.ports.triggers import FanOut, PartOfEvent, Start, TriggerEvent
from linkflow.telemetry import logger

LOG = logger("inbox")
STARTERS = 32
MANY = 8
SPREAD_KEPT = 16
RUSH_STARTERS = 2
RUSH_CALLS = 20
RUSH_S = 0.02
RUSH_DEPTH = 5_000
"""While more than RUSH_CALLS calls come in RUSH_S, most starters step aside, so that callers are answered
first; not beyond RUSH_DEPTH events in memory, where answering more would only promise more."""
IN_MEMORY = 10_000
IN_MEMORY_BYTES = 64 * 1024 * 1024
PAGE = 500
HELD_S = 30.0
LOOK_S = 0.5
"""How often it looks for events that others kept, where no nudge tells of them."""
KEPT_UNWANTED = 1_000
KEPT_DONE_MS = 30 * 24 * 3600 * 1000
TRIM_S = 600.0
COUNTED_S = 24 * 3600.0


class Inbox:
    """Works off trigger events."""

    def __init__(
        self,
        records: Records,
        frontend: Frontend,
        variables: Variables,
        cache: Cache,
        bus: EventBus,
        clock: Clock,
        plans: Plans,
        fan_out: FanOut | None = None,
    ) -> None:
        self._plans = plans
        self._records, self._frontend, self._fan_out = records, frontend, fan_out
        self._variables, self._cache, self._bus, self._clock = variables, cache, bus, clock
        self._waiting: deque[tuple[TriggerEvent, Json]] = deque()
        self._bytes = 0
        self._too_many: list[str] = []
        self._wake = asyncio.Event()
        self._settled: list[TriggerEvent] = []
        self._settle = asyncio.Event()
        self._refused: deque[TriggerEvent] = deque(maxlen=200)
        self._known: set[str] = set()
        self._spread: dict[str, tuple[TriggerEvent, Json]] = {}
        self._calls = 0
        self._counted_at = 0.0
        self._is_rush = False

    @property
    def held_s(self) -> float:
        """How long events that go to `push` are held."""
        return HELD_S

    @property
    def depth(self) -> int:
        """Events in memory that were not started yet."""
        return len(self._waiting)

    def push(self, event: TriggerEvent, data: Json) -> None:
        """Start an event's executions soon; one too many for memory is read again later."""
        self._count_call()
        if len(self._waiting) >= IN_MEMORY or self._bytes >= IN_MEMORY_BYTES:
            self._too_many.append(event.id)
            return
        self._waiting.append((event, data))
        self._known.add(event.id)
        self._bytes += len(event.body)
        self._wake.set()

    def _count_call(self) -> None:
        """Notice a rush, and its end."""
        now = self._clock.monotonic()
        self._calls += 1
        if now - self._counted_at >= RUSH_S:
            self._is_rush = self._calls > RUSH_CALLS
            self._calls, self._counted_at = 0, now

    def _rushes(self) -> bool:
        """Say whether calls come in a rush right now."""
        is_recent = self._clock.monotonic() - self._counted_at < 2 * RUSH_S
        return self._is_rush and is_recent and len(self._waiting) < RUSH_DEPTH

    def keep_later(self, event: TriggerEvent) -> None:
        """Keep an event that starts nothing, when there is time."""
        self._refused.append(event)
        self._settle.set()

    async def start_now(self, event: TriggerEvent, data: Json, wait_ms: int) -> StartedExecution:
        """Start an event's execution while its caller waits for the end.

        Raises:
            LinkFlowError: It could not be started; the event is marked, so that it does not start later.
        """
        self._known.add(event.id)
        try:
            started = await self._start(event, event.starts[0], data, wait_ms)
        except LinkFlowError as error:
            await self._refuse(event, f"{error.code}: {error}")
            raise
        except BaseException:
            self._known.discard(event.id)  # nobody knows what became of it: it is claimed once it is not held
            raise
        self._done(event)
        return started

    async def _start(
        self, event: TriggerEvent, start: Start, data: Json, wait_ms: int = 0
    ) -> StartedExecution:
        """Start one execution under the id it was promised."""
        return await self._frontend.start(
            await self._plans.budgeted(
                StartExecution(
                    workspace_id=event.workspace_id,
                    workflow_id=start.workflow_id,
                    workflow_version=start.workflow_version,
                    spec_hash=start.spec_hash,
                    trigger=start.trigger,
                    trigger_kind=event.kind,
                    input=data,
                    execution_id=start.execution_id,
                    variables=await self._variables.of(event.workspace_id),
                    wait_ms=wait_ms,
                )
            )
        )

    def _done(self, event: TriggerEvent) -> None:
        """Mark an event, soon and together with others."""
        self._settled.append(event)
        self._settle.set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(STARTERS):
                group.create_task(self._starter(steps_aside=number >= RUSH_STARTERS))
            group.create_task(self._settler())
            group.create_task(self._reader())
            group.create_task(self._trimmer())
            if self._fan_out is not None:
                group.create_task(self._fan_out.serve(self._start_part))

    async def _starter(self, *, steps_aside: bool) -> None:
        """Start one event after the other."""
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            if steps_aside and self._rushes():
                await self._clock.sleep(RUSH_S)
                continue
            event, data = self._waiting.popleft()
            self._bytes -= len(event.body)
            await self._start_all(event, data)

    async def _start_all(self, event: TriggerEvent, data: Json) -> None:
        """Start every execution of an event; one that is refused does not hold up the others."""
        reasons = [await self._start_or_say(event, start, data) for start in await self._left(event)]
        if any(reasons):
            await self._refuse(event, "; ".join(reason for reason in reasons if reason))
        else:
            self._done(event)

    async def _start_or_say(self, event: TriggerEvent, start: Start, data: Json) -> str:
        """Start an execution, however often the engine's door is shut; why it is refused, or nothing."""
        while True:
            try:
                await self._start(event, start, data)
                return ""
            except Unavailable as error:
                await self._clock.sleep(getattr(error, "retry_after_s", 0.2))
            except LinkFlowError as error:
                return f"{error.code}: {error}"
            except Exception:
                LOG.exception("event failed", event_id=event.id)
                return "internal: something went wrong on our side; the log says more"

    async def _left(self, event: TriggerEvent) -> Sequence[Start]:
        """Have all processes start what is many (E4), and list what is left to start here."""
        if self._fan_out is None or len(event.starts) < MANY:
            return event.starts
        parts = [PartOfEvent(event.workspace_id, event.id, place) for place in range(len(event.starts))]
        started = await self._fan_out.spread(parts)
        return [start for place, start in enumerate(event.starts) if place not in started]

    async def _start_part(self, part: PartOfEvent) -> bool:
        """Start one execution of an event that some process spreads; whether it was started."""
        try:
            if part.event_id not in self._spread:
                event = await self._records.trigger_events.get(part.workspace_id, part.event_id)
                while len(self._spread) >= SPREAD_KEPT:
                    del self._spread[next(iter(self._spread))]
                self._spread[part.event_id] = (event, data_of(event))
            event, data = self._spread[part.event_id]
            await self._start(event, event.starts[part.place], data)
        except LinkFlowError as error:
            LOG.info("left to whoever spread it", event_id=part.event_id, reason=str(error))
            return False
        return True

    async def _refuse(self, event: TriggerEvent, reason: str) -> None:
        """Say in the inbox why an event starts nothing after all."""
        LOG.warning("event refused", event_id=event.id, reason=reason)
        while True:
            try:
                await self._records.trigger_events.refuse(event.id, reason[:500])
            except Unavailable:
                await self._clock.sleep(0.5)
                continue
            self._known.discard(event.id)
            return

    async def _settler(self) -> None:
        """Mark what was started, and keep what was refused; many with one statement."""
        while True:
            await self._settle.wait()
            self._settle.clear()
            settled, self._settled = self._settled, []
            try:
                if settled:
                    ids = [event.id for event in settled]
                    await self._records.trigger_events.started(ids)
                    self._known.difference_update(ids)
                    await self._count(settled)
                    settled = []
                while self._refused:
                    await self._keep(self._refused.popleft())
            except Unavailable:
                self._settled = [*settled, *self._settled]
                self._settle.set()
                await self._clock.sleep(0.5)

    async def _keep(self, refused: TriggerEvent) -> None:
        """Keep an event that starts nothing.

        Raises:
            Unavailable: The database does not answer; it is tried again.
        """
        try:
            await self._records.trigger_events.keep(refused)
        except Unavailable:
            self._refused.appendleft(refused)
            raise
        except Exception:  # what strangers send must not end the inbox
            LOG.exception("refused event not kept", event_id=refused.id)

    async def _count(self, events: Sequence[TriggerEvent]) -> None:
        """Count the calls of webhooks, for a day from the first one (K7)."""
        for source_id, calls in Counter(each.source_id for each in events if each.kind == "webhook").items():
            await self._cache.add(f"webhook:{source_id}:count", calls, COUNTED_S)

    async def _reader(self) -> None:
        """Claim what nobody holds: after a start, what was too much for memory, what others kept or left."""
        is_new, has_more = True, True
        with self._bus.subscribe("inbox") as nudges:
            while True:
                if len(self._waiting) < IN_MEMORY // 2:
                    try:
                        if is_new:
                            await self._records.trigger_events.release()
                        is_new = False
                        has_more = await self._claim_some()
                    except Unavailable:
                        has_more = False
                await nudges.nudged(0.05 if has_more else LOOK_S)

    async def _claim_some(self) -> bool:
        """Claim the oldest events that nobody holds; whether there may be more."""
        if self._too_many:
            released, self._too_many = self._too_many, []
            try:
                await self._records.trigger_events.release(released)
            except Unavailable:
                self._too_many += released
                raise
        found = await self._records.trigger_events.claim(PAGE, HELD_S)
        for event in found:
            if event.id in self._known:
                continue
            try:
                self.push(event, data_of(event))
            except (KeyError, TypeError, ValueError):  # nobody could ever start it; the others go on
                LOG.exception("event unreadable", event_id=event.id)
                await self._refuse(event, "internal: what was stored of it cannot be read")
        return len(found) >= PAGE

    async def _trimmer(self) -> None:
        """Forget what nobody will look at again."""
        while True:
            await self._clock.sleep(TRIM_S)
            try:
                before_ms = int(self._clock.now() * 1000) - KEPT_DONE_MS
                await self._records.trigger_events.trim(KEPT_UNWANTED, before_ms)
            except Unavailable:
                continue


def data_of(event: TriggerEvent) -> Json:
    """Say what the workflow gets from an event that was read again."""
    if event.data:
        return decode_json(event.data)
    request = msgspec.json.decode(event.request)
    call = Call(
        method=request["method"],
        path=request["path"],
        headers=request["headers"],
        query=request["query"],
        body=event.body,
        ip=request["ip"],
    )
    return read(call)


def executions_of(event: TriggerEvent) -> Sequence[str]:
    """List the executions an event starts."""
    return [start.execution_id for start in event.starts]
