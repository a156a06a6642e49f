"""HistoryStore and VisibilityStore in memory: what they hold survives every engine that is built on them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from linkflow.domain.errors import AlreadyStarted, Invalid, LinkFlowError, VersionConflict
from linkflow.domain.execution.events import decode, encode
from linkflow.domain.values import SHARDS, decode_json, encode_json, is_execution_id, shard_of
from linkflow.ports.services import ExecutionPage, ExecutionQuery, ExecutionRow, LogLine, Projected
from linkflow.ports.stores import PROJECTED, Head, Lane, Message, Record, Recorded
from linkflow.testing.visibility_rows import SOME_ROW, fits, key_of


class _Kept:
    """One execution as it is kept: its head, its version, its records as `(first, count, at, data)`."""

    __slots__ = ("head", "records", "run_event", "version")

    def __init__(self) -> None:
        self.head: Head | None = None
        self.version = 0
        self.run_event = 1
        self.records: list[tuple[int, int, float, bytes]] = []


class MemoryHistoryStore:
    """Histories in dictionaries, encoded as a database would keep them.

    Each call gives way to others once before it takes effect and once after, so that whoever is cancelled
    in between has lost the answer, not the record.

    Attributes:
        appends: Records that won, so far.
    """

    def __init__(self) -> None:
        self.appends = 0
        self._executions: dict[str, _Kept] = {}
        self._requests: dict[str, tuple[str, float]] = {}
        self._outbox: dict[tuple[str, int, str, str], tuple[float, bytes]] = {}
        self._put_off: dict[tuple[str, int, str, str], float] = {}

    @property
    def backlog(self) -> int:
        """Nothing ever waits to be committed."""
        return 0

    def is_over(self, execution_id: str) -> bool:
        """Say whether an execution has ended."""
        kept = self._executions.get(execution_id)
        return kept is not None and kept.head is not None and kept.head.closed_at is not None

    async def append(self, record: Record) -> None:
        """Append one record."""
        await asyncio.sleep(0)
        self._apply(record)
        await asyncio.sleep(0)

    def _apply(self, record: Record) -> None:
        if not is_execution_id(record.execution_id):
            raise LinkFlowError("This is no execution id.", code="store.refused")
        data = record.data or encode(record.events)
        sent = {
            (message.execution_id, message.number, message.kind, message.to): (
                record.at,
                encode_json(message.body),
            )
            for message in record.outbox
        }
        if record.request_key:
            holder, until = self._requests.get(record.request_key, (record.execution_id, 0.0))
            if holder != record.execution_id and until > record.at:
                raise AlreadyStarted(holder)
        kept = self._executions.get(record.execution_id) or _Kept()
        if kept.version != record.expected:
            raise VersionConflict
        if record.request_key:
            self._requests[record.request_key] = (record.execution_id, record.request_until)
        kept.records.append((record.expected + 1, len(record.events), record.at, data))
        kept.version += len(record.events)
        kept.head = record.head
        self._executions[record.execution_id] = kept
        self._outbox |= sent
        self.appends += 1

    async def load(self, execution_id: str, after: int = 0, limit: int = 0) -> Sequence[Recorded]:
        """Load the records after an event number."""
        await asyncio.sleep(0)
        kept = self._executions.get(execution_id)
        found = [
            Recorded(first=first, at=at, events=decode(data))
            for first, count, at, data in (kept.records if kept is not None else ())
            if first + count - 1 > after
        ]
        return found[:limit] if limit else found

    async def load_run(self, execution_id: str) -> Sequence[Recorded]:
        """Load the records of the newest run."""
        kept = self._executions.get(execution_id)
        return await self.load(execution_id, kept.run_event - 1 if kept is not None else 0)

    async def load_runs(self, execution_ids: Sequence[str]) -> Mapping[str, Sequence[Recorded]]:
        """Load the newest runs of many."""
        found = {each: await self.load_run(each) for each in execution_ids}
        return {each: records for each, records in found.items() if records}

    async def naming(self, sessions: Sequence[str]) -> Sequence[str]:
        """List executions that name sessions."""
        names = [session.encode() for session in sessions]
        opened = [found[0] async for found in self.open_executions() if found[1] not in ("waiting", "queued")]
        found = []
        for each in opened:
            data = encode([event for record in await self.load(each) for event in record.events])
            if any(name in data for name in names):
                found.append(each)
        return found

    async def versions(self, execution_ids: Sequence[str]) -> Mapping[str, int]:
        """Count the events of executions."""
        await asyncio.sleep(0)
        return {each: self._executions[each].version for each in execution_ids if each in self._executions}

    async def begin_run(self, execution_id: str, first_event: int) -> None:
        """Note where a run begins."""
        await asyncio.sleep(0)
        kept = self._executions.get(execution_id)
        if kept is not None:
            kept.run_event = max(kept.run_event, first_event)

    async def find_request(self, request_key: str, now: float) -> str | None:
        """Find the execution that a request key started."""
        await asyncio.sleep(0)
        holder, until = self._requests.get(request_key, ("", 0.0))
        return holder if until > now else None

    async def open_executions(self) -> AsyncIterator[tuple[str, str, float | None]]:
        """Iterate over open executions."""
        for execution_id in sorted(self._executions):
            await asyncio.sleep(0)
            head = self._executions[execution_id].head
            if head is not None and head.closed_at is None:
                yield execution_id, head.status, head.wakeup_at

    async def awaiting(
        self, workspace_id: str, names: Sequence[str], after: str, limit: int
    ) -> Sequence[str]:
        """List open executions that await one of these events."""
        await asyncio.sleep(0)
        found = [
            execution_id
            for execution_id, kept in sorted(self._executions.items())
            if kept.head is not None
            and kept.head.workspace_id == workspace_id
            and kept.head.closed_at is None
            and execution_id > after
            and not set(names).isdisjoint(kept.head.awaits)
        ]
        return found[:limit]

    async def due(
        self, now: float, limit: int, *, shards: tuple[int, int] = (0, SHARDS)
    ) -> Sequence[tuple[str, float]]:
        """List parked executions whose wake-up is near."""
        await asyncio.sleep(0)
        found = [
            (execution_id, kept.head.wakeup_at)
            for execution_id, kept in self._executions.items()
            if kept.head is not None and kept.head.wakeup_at is not None and kept.head.wakeup_at <= now
            if shards[0] <= shard_of(execution_id) < shards[1]
        ]
        return sorted(found, key=lambda item: item[1])[:limit]

    async def messages(self, limit: int, older_than: float, *, callbacks: bool = False) -> Sequence[Message]:
        """List unacknowledged messages, oldest first."""
        await asyncio.sleep(0)
        found = sorted(
            (self._put_off.get(key, at), key, at, body)
            for key, (at, body) in self._outbox.items()
            if self._put_off.get(key, at) < older_than and (key[2] == "callback") == callbacks
        )
        return [
            Message(execution_id=key[0], number=key[1], kind=key[2], to=key[3], body=decode_json(body), at=at)
            for _, key, at, body in found[:limit]
        ]

    async def claim(self, limit: int, older_than: float, until: float, lane: Lane) -> Sequence[Message]:
        """Take messages and put them off."""
        found = [
            message
            for message in await self.messages(len(self._outbox), older_than, callbacks=lane == "callbacks")
            if lane == "callbacks" or (message.kind in PROJECTED) == (lane == "projections")
        ][:limit]
        if lane == "executions":
            found = [message for message in found if not self._comes_later(message, found)]
        await self.postpone(found, until)
        return sorted(found, key=lambda message: (message.execution_id, message.number))

    def _comes_later(self, message: Message, found: Sequence[Message]) -> bool:
        """Say whether somebody else has an earlier message of the same execution."""
        ours = {(each.execution_id, each.number, each.kind, each.to) for each in found}
        return any(
            key[0] == message.execution_id and key[1] < message.number and key not in ours
            for key in self._outbox
            if key[2] != "callback" and key[2] not in PROJECTED
        )

    async def postpone(self, messages: Sequence[Message], to: float) -> None:
        """Put messages off."""
        await asyncio.sleep(0)
        for message in messages:
            self._put_off[message.execution_id, message.number, message.kind, message.to] = to

    async def acknowledge(self, messages: Sequence[Message]) -> None:
        """Forget delivered messages."""
        await asyncio.sleep(0)
        for message in messages:
            self._outbox.pop((message.execution_id, message.number, message.kind, message.to), None)

    def execution_ids(self) -> Sequence[str]:
        """List the executions that there are."""
        return list(self._executions)

    def has(self, message: Message) -> bool:
        """Say whether a message is still to be delivered."""
        return (message.execution_id, message.number, message.kind, message.to) in self._outbox

    def forget_projections(self, messages: Sequence[Message]) -> None:
        """Forget what was projected, in one go with the rows."""
        for message in messages:
            self._outbox.pop((message.execution_id, message.number, message.kind, message.to), None)


class MemoryVisibilityStore:
    """The read model in a dictionary.

    Attributes:
        rows: By execution id.
        logs: Lines by execution id.
        used: Amounts by workspace id and meter.
    """

    def __init__(self, history: MemoryHistoryStore) -> None:
        self.rows: dict[str, Projected] = {}
        self.logs: dict[str, Sequence[LogLine]] = {}
        self.used: Counter[tuple[str, str]] = Counter()
        self._history = history

    async def write(self, projected: Sequence[Projected], messages: Sequence[Message]) -> None:
        """Write rows and forget the messages they came from."""
        await asyncio.sleep(0)
        for item in projected:
            before = self.rows.get(item.row.execution_id)
            if before is None or before.row.version < item.row.version:
                self.rows[item.row.execution_id] = msgspec.structs.replace(item, logs=())
            if item.logs:
                self.logs[item.row.execution_id] = item.logs
        self._history.forget_projections(messages)
        await asyncio.sleep(0)

    async def meter(self, messages: Sequence[Message]) -> None:
        """Count what was used, and forget the messages it came from."""
        await asyncio.sleep(0)
        for message in messages:
            if self._history.has(message):
                for meter, amount in message.body["used"].items():
                    self.used[message.body["workspace_id"], meter] += amount
        self._history.forget_projections(messages)
        await asyncio.sleep(0)

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        """List rows, newest first."""
        await asyncio.sleep(0)
        if query.after and not is_execution_id(query.after):
            raise Invalid("The cursor is not one of ours; leave `after` out for the first page.")
        limit = max(1, min(query.limit, 100))
        found = sorted(
            (row for row in self._matching(query) if not query.after or row.execution_id < query.after),
            key=lambda row: row.execution_id,
            reverse=True,
        )
        rows = found[:limit]
        return ExecutionPage(rows=rows, next=rows[-1].execution_id if len(found) > limit else "")

    async def count(self, query: ExecutionQuery) -> Mapping[str, int]:
        """Count rows by what the query groups by."""
        await asyncio.sleep(0)
        key_of(SOME_ROW, query.group_by)
        keys = [key_of(row, query.group_by) for row in self._matching(query)]
        return dict(Counter(key for key in keys if key is not None).most_common())

    async def latest(
        self, workspace_id: str, workflow_ids: Sequence[str], limit: int
    ) -> Sequence[ExecutionRow]:
        """List the newest rows of each of some workflows."""
        found: list[ExecutionRow] = []
        for each in workflow_ids:
            query = ExecutionQuery(workspace_id=workspace_id, workflow_id=each, limit=limit)
            found += (await self.list(query)).rows
        return found

    async def executions(self, after: str, limit: int) -> Sequence[str]:
        """List ids of executions that have a history."""
        await asyncio.sleep(0)
        return sorted(each for each in self._history.execution_ids() if each > after)[:limit]

    async def rewrite(self, projected: Sequence[Projected]) -> None:
        """Write rows again."""
        await asyncio.sleep(0)
        for item in projected:
            before = self.rows.get(item.row.execution_id)
            if before is None or before.row.version <= item.row.version:
                self.rows[item.row.execution_id] = msgspec.structs.replace(item, logs=())
            if item.logs:
                self.logs[item.row.execution_id] = item.logs

    def _matching(self, query: ExecutionQuery) -> Sequence[ExecutionRow]:
        return [item.row for item in self.rows.values() if fits(item.row, query)]
