"""Contract suite of the store that holds histories."""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest

from linkflow.domain.errors import AlreadyStarted, LinkFlowError, VersionConflict
from linkflow.domain.execution.events import (
    ActivityTaskScheduled,
    ActivityTaskStarted,
    Event,
    WorkflowExecutionCompleted,
    WorkflowExecutionStarted,
)
from linkflow.domain.values import execution_id, shard_of
from linkflow.ports.stores import Head, HistoryStore, Message, Record, Recorded
from linkflow.testing.fakes import NOW

WORKSPACE = "11111111-1111-4111-8111-111111111111"
STARTED = WorkflowExecutionStarted(WORKSPACE, "w1", "h1")
SCHEDULED = ActivityTaskScheduled("a")
COMPLETED = WorkflowExecutionCompleted({"ok": True})

_numbers = count(1)


def new_id() -> str:
    """Make an execution id nobody else has; later ones are later in order."""
    number = next(_numbers)
    return execution_id(int(NOW * 1000) + number, number, number)


def record(execution: str, expected: int, *events: Event, status: str = "running", **fields: Any) -> Record:
    """Say a record; `wakeup_at`, `closed_at` and `awaits` go to its head."""
    head = {name: fields.pop(name) for name in ("wakeup_at", "closed_at", "awaits") if name in fields}
    return Record(
        **{
            "execution_id": execution,
            "expected": expected,
            "events": events,
            "at": NOW + expected,
            "head": Head(
                workspace_id=WORKSPACE,
                workflow_id="w1",
                workflow_version=1,
                status=status,
                started_at=NOW,
                **head,
            ),
            **fields,
        }
    )


def message(
    execution: str, number: int = 1, kind: str = "project", to: str = "", body: Any = None, at: float = NOW
) -> Message:
    """Say a message."""
    return Message(execution_id=execution, number=number, kind=kind, to=to, body=body, at=at)


async def outcome(store: HistoryStore, wanted: Record) -> str:
    """Append a record and say how it went: `won`, or the name of the refusal."""
    try:
        await store.append(wanted)
    except LinkFlowError as error:
        return type(error).__name__
    return "won"


async def opened(store: HistoryStore) -> Sequence[tuple[str, str, float | None]]:
    """List what is open."""
    return [found async for found in store.open_executions()]


class HistoryStoreSuite:
    """What every HistoryStore must do; provide the fixture `store`."""

    async def test_records_come_back(self, store: HistoryStore) -> None:
        """Records come back as they were written, oldest first, each with its number and time."""
        one = new_id()
        await store.append(record(one, 0, STARTED, SCHEDULED))
        await store.append(record(one, 2, COMPLETED))

        assert [
            Recorded(first=1, at=NOW, events=[STARTED, SCHEDULED]),
            Recorded(first=3, at=NOW + 2, events=[COMPLETED]),
        ] == await store.load(one)

    async def test_only_what_is_newer(self, store: HistoryStore) -> None:
        """Loading after an event number gives the records that hold later events."""
        one = new_id()
        await store.append(record(one, 0, STARTED, SCHEDULED))
        await store.append(record(one, 2, COMPLETED))

        assert [found.first for found in await store.load(one, after=1)] == [1, 3]
        assert [found.first for found in await store.load(one, after=2)] == [3]
        assert await store.load(one, after=3) == []
        assert [found.first for found in await store.load(one, limit=1)] == [1]
        assert [found.first for found in await store.load(one, after=2, limit=5)] == [3]

    async def test_the_newest_run_is_loaded_alone(self, store: HistoryStore) -> None:
        """Once it is noted where a later run begins, the earlier ones need not be loaded."""
        one = new_id()
        for expected, event in enumerate((STARTED, SCHEDULED, COMPLETED)):
            await store.append(record(one, expected, event))
        whole = [found.first for found in await store.load_run(one)]
        await store.begin_run(one, 3)
        await store.begin_run(one, 2)

        assert whole == [1, 2, 3]
        assert [found.first for found in await store.load_run(one)] == [3]
        assert [found.first for found in await store.load(one)] == [1, 2, 3]

    async def test_the_newest_runs_of_many_are_loaded_at_once(self, store: HistoryStore) -> None:
        """Of each its newest run, oldest record first; one that does not exist is left out."""
        one, two, nobody = (new_id() for _ in range(3))
        for execution in (one, two):
            for expected, event in enumerate((STARTED, SCHEDULED, COMPLETED)):
                await store.append(record(execution, expected, event))
        await store.begin_run(two, 3)
        found = await store.load_runs([two, nobody, one])

        assert {one: [1, 2, 3], two: [3]} == {each: [run.first for run in found[each]] for each in found}

    async def test_who_names_a_session(self, store: HistoryStore) -> None:
        """Open executions that a worker session had something of are found, and no parked or closed ones."""
        one, two, parked, closed = (new_id() for _ in range(4))
        started = ActivityTaskStarted("a", "w-1")
        await store.append(record(one, 0, STARTED, SCHEDULED, started))
        await store.append(record(two, 0, STARTED, SCHEDULED, ActivityTaskStarted("a", "w-2")))
        await store.append(record(parked, 0, STARTED, SCHEDULED, started, status="waiting"))
        await store.append(record(closed, 0, STARTED, SCHEDULED, started, closed_at=NOW))

        assert [[one], sorted([one, two]), []] == [
            sorted(await store.naming(sessions)) for sessions in (["w-1", "w-9"], ["w-1", "w-2"], ["w-9"])
        ]

    async def test_who_awaits_an_event(self, store: HistoryStore) -> None:
        """An event finds every open execution that awaits it, page by page, and none that does not."""
        one, two, three, closed = (new_id() for _ in range(4))
        for execution, awaits in ((one, ["paid", "sent"]), (two, ["paid"]), (three, ["sent"])):
            await store.append(record(execution, 0, STARTED, awaits=awaits))
        await store.append(record(closed, 0, STARTED, COMPLETED, awaits=["paid"], closed_at=NOW))
        first = await store.awaiting(WORKSPACE, ["paid", "none"], "", 1)
        rest = await store.awaiting(WORKSPACE, ["paid", "none"], one, 10)
        await store.append(record(two, 1, SCHEDULED))

        assert [[one], [two]] == [first, rest]
        assert await store.awaiting(WORKSPACE, ["paid"], "", 10) == [one]

    async def test_nothing_is_there(self, store: HistoryStore) -> None:
        """An execution that nobody started has no records."""
        assert await store.load(new_id()) == []

    async def test_second_writer_loses(self, store: HistoryStore) -> None:
        """D9: of two writers who saw the same history, the second is refused and leaves no trace."""
        one = new_id()
        await store.append(record(one, 0, STARTED))
        await store.append(record(one, 1, SCHEDULED))

        with pytest.raises(VersionConflict):
            await store.append(
                record(one, 1, COMPLETED, status="completed", closed_at=NOW, outbox=[message(one, 2)])
            )

        assert [list(found.events) for found in await store.load(one)] == [[STARTED], [SCHEDULED]]
        assert [(one, "running", None)] == await opened(store)
        assert await store.messages(10, NOW + 100) == []

    async def test_one_starts_it(self, store: HistoryStore) -> None:
        """An execution that exists cannot be started again."""
        one = new_id()
        await store.append(record(one, 0, STARTED))

        with pytest.raises(VersionConflict):
            await store.append(record(one, 0, STARTED, SCHEDULED))

        assert len(await store.load(one)) == 1

    async def test_histories_have_no_gaps(self, store: HistoryStore) -> None:
        """Invariant 2: a record that would leave a gap, or belongs to nothing, is refused."""
        one, two = new_id(), new_id()
        await store.append(record(one, 0, STARTED))

        assert await outcome(store, record(one, 2, COMPLETED)) == "VersionConflict"
        assert await outcome(store, record(two, 1, COMPLETED)) == "VersionConflict"
        assert await store.load(two) == []

    async def test_rivals_at_the_same_moment(self, store: HistoryStore) -> None:
        """Of writers who append to one execution at the same moment, exactly one wins and one is kept."""
        one = new_id()
        await store.append(record(one, 0, STARTED))
        rivals = [
            record(one, expected, *events)
            for expected, events in ((1, [SCHEDULED]), (1, [COMPLETED]), (2, [COMPLETED]), (5, [SCHEDULED]))
        ]
        outcomes = await asyncio.gather(*(outcome(store, rival) for rival in rivals))
        numbers = [found.first for found in await store.load(one)]

        assert outcomes[0] == "won"
        assert "VersionConflict" == outcomes[1] == outcomes[3]
        assert ([1, 2, 3] if outcomes[2] == "won" else [1, 2]) == numbers

    async def test_one_losing_costs_nothing(self, store: HistoryStore) -> None:
        """Executions that are written together win or lose alone."""
        winners, losers = [new_id() for _ in range(5)], [new_id() for _ in range(5)]
        for loser in losers:
            await store.append(record(loser, 0, STARTED))
        wanted = [record(one, 0, STARTED, SCHEDULED) for one in (*winners, *losers)]
        outcomes = await asyncio.gather(*(outcome(store, each) for each in wanted))

        assert outcomes == ["won"] * 5 + ["VersionConflict"] * 5
        assert [len((await store.load(one))[0].events) for one in winners] == [2] * 5
        assert [len((await store.load(one))[0].events) for one in losers] == [1] * 5

    async def test_many_at_once(self, store: HistoryStore) -> None:
        """Several hundred executions that are written at the same moment all get their own record."""
        many = [new_id() for _ in range(600)]
        await asyncio.gather(*(store.append(record(one, 0, STARTED)) for one in many))
        await asyncio.gather(*(store.append(record(one, 1, SCHEDULED, COMPLETED)) for one in many))

        assert [[found.first for found in await store.load(one)] for one in many] == [[1, 2]] * 600

    async def test_a_refused_record_hurts_nobody(self, store: HistoryStore) -> None:
        """A record that cannot be stored fails alone; its neighbours are written."""
        good = [new_id() for _ in range(9)]
        wanted = [record(one, 0, STARTED) for one in good]
        wanted.insert(4, record("not-an-id", 0, STARTED))
        outcomes = await asyncio.gather(*(outcome(store, each) for each in wanted))

        assert outcomes == ["won"] * 4 + ["LinkFlowError"] + ["won"] * 5
        assert [len(await store.load(one)) for one in good] == [1] * 9

    async def test_a_request_key_starts_one(self, store: HistoryStore) -> None:
        """A request key that started an execution refuses another, and says which one it started."""
        one, two = new_id(), new_id()
        key: dict[str, Any] = {"request_key": "w1:order-7", "request_until": NOW + 86_400}
        await store.append(record(one, 0, STARTED, **key))

        with pytest.raises(AlreadyStarted) as refusal:
            await store.append(record(two, 0, STARTED, **key, outbox=[message(two)]))

        assert one == refusal.value.execution_id
        assert (await store.load(two), await store.messages(10, NOW + 100)) == ([], [])
        assert one == await store.find_request("w1:order-7", NOW)

    async def test_a_request_key_at_the_same_moment(self, store: HistoryStore) -> None:
        """Of many starts with one request key at the same moment, exactly one wins."""
        key: dict[str, Any] = {"request_key": "w1:rush", "request_until": NOW + 86_400}
        many = [new_id() for _ in range(20)]
        outcomes = await asyncio.gather(*(outcome(store, record(one, 0, STARTED, **key)) for one in many))

        assert sorted(outcomes) == ["AlreadyStarted"] * 19 + ["won"]
        assert many[outcomes.index("won")] == await store.find_request("w1:rush", NOW)

    async def test_a_request_key_may_be_repeated(self, store: HistoryStore) -> None:
        """A request key repeated for its own execution meets the execution, not a refusal of the key."""
        one = new_id()
        key: dict[str, Any] = {"request_key": "w1:again", "request_until": NOW + 86_400}
        await store.append(record(one, 0, STARTED, **key))

        with pytest.raises(VersionConflict):
            await store.append(record(one, 0, STARTED, **key))

    async def test_a_request_key_runs_out(self, store: HistoryStore) -> None:
        """A request key that has run out is not found, and may start another execution."""
        one, two = new_id(), new_id()
        await store.append(record(one, 0, STARTED, request_key="w1:old", request_until=1.0))

        assert None is await store.find_request("w1:old", NOW)
        assert (
            await outcome(store, record(two, 0, STARTED, request_key="w1:old", request_until=NOW + 60))
            == "won"
        )
        assert two == await store.find_request("w1:old", NOW)

    async def test_messages_wait(self, store: HistoryStore) -> None:
        """Messages wait, oldest first, with what they carry, until they are acknowledged."""
        one, two = new_id(), new_id()
        first = message(one, 1, "start", two, {"input": [1, "ü", None]})
        second = [
            message(two, 2, "project", at=NOW + 1),
            message(two, 2, "child_closed", one, {"status": "completed"}, at=NOW + 1),
        ]
        await store.append(record(one, 0, STARTED, at=NOW, outbox=[first]))
        await store.append(record(two, 0, STARTED, at=NOW + 1, outbox=second))

        assert [first] == await store.messages(1, NOW + 100)
        assert [first] == await store.messages(10, NOW + 0.5)
        assert len(await store.messages(10, NOW + 100)) == 3

        await store.acknowledge([first, second[0]])
        await store.acknowledge([first])
        await store.acknowledge([])

        assert [second[1]] == await store.messages(10, NOW + 100)

    async def test_callbacks_apart(self, store: HistoryStore) -> None:
        """Messages to the outside are listed apart, so that they never stand before the others."""
        one = new_id()
        inside, outside = message(one, 1, "release", "t"), message(one, 1, "callback", "http://x/")
        await store.append(record(one, 0, STARTED, outbox=[inside, outside]))

        assert [inside] == await store.messages(10, NOW + 100)
        assert [outside] == await store.messages(10, NOW + 100, callbacks=True)

    async def test_messages_are_put_off(self, store: HistoryStore) -> None:
        """A message that is put off comes again at its time, behind those that were due before."""
        one = new_id()
        late, other = message(one, 1, "start", one), message(one, 2, "start", one)
        await store.append(record(one, 0, STARTED, SCHEDULED, outbox=[late, other]))
        await store.postpone([late], NOW + 50)

        assert [other] == await store.messages(10, NOW + 50)
        assert [other, late] == await store.messages(10, NOW + 51)

    async def test_a_claimed_message_is_nobody_elses(self, store: HistoryStore) -> None:
        """Messages that one member took come to no other until their time, and never before earlier ones."""
        one, two = new_id(), new_id()
        sent = [message(one, 1, "start", two), message(one, 2, "cancel", two), message(one, 2, "project")]
        outside = message(one, 2, "callback", "http://x/")
        await store.append(record(one, 0, STARTED, SCHEDULED, outbox=[*sent, outside]))
        first = await store.claim(1, NOW + 10, NOW + 40, "executions")
        second = await store.claim(9, NOW + 10, NOW + 40, "executions")

        assert ([sent[0]], []) == (list(first), list(second))
        assert [sent[2]] == await store.claim(9, NOW + 10, NOW + 40, "projections")
        assert [outside] == await store.claim(9, NOW + 10, NOW + 40, "callbacks")
        assert await store.claim(9, NOW + 10, NOW + 40, "callbacks") == []
        await store.acknowledge(first)
        assert [sent[1]] == await store.claim(9, NOW + 41, NOW + 80, "executions")

    async def test_versions(self, store: HistoryStore) -> None:
        """The version of an execution is the number of its events; what does not exist has none."""
        one, two = new_id(), new_id()
        await store.append(record(one, 0, STARTED, SCHEDULED))
        await store.append(record(one, 2, COMPLETED))

        assert {one: 3} == dict(await store.versions([one, two]))

    async def test_what_is_due_in_some_shards(self, store: HistoryStore) -> None:
        """A part of the shards is asked for what is due in it; the parts together are everything."""
        ids = [execution_id(int(NOW * 1000), number * 200, number) for number in range(20)]
        for one in ids:
            await store.append(record(one, 0, STARTED, status="waiting", wakeup_at=NOW + 1))
        parts = [await store.due(NOW + 1, 50, shards=part) for part in ((0, 1000), (1000, 4096))]

        assert all(shard_of(one) < 1000 for one, _ in parts[0])
        assert sorted(ids) == sorted(one for part in parts for one, _ in part)

    async def test_what_is_open(self, store: HistoryStore) -> None:
        """Open executions are listed in order, with status and wake-up; those that are over are not."""
        waits, runs, over = new_id(), new_id(), new_id()
        await store.append(record(runs, 0, STARTED))
        await store.append(record(waits, 0, STARTED, status="waiting", wakeup_at=NOW + 60))
        await store.append(record(over, 0, STARTED))
        await store.append(record(over, 1, COMPLETED, status="completed", closed_at=NOW + 1))

        assert [(waits, "waiting", NOW + 60), (runs, "running", None)] == await opened(store)

    async def test_what_is_due(self, store: HistoryStore) -> None:
        """Parked executions are due at their wake-up, earliest first; none once they moved on."""
        ids = [new_id() for _ in range(4)]
        for delay, one in zip((30, 10, 20, 99), ids, strict=True):
            await store.append(record(one, 0, STARTED, status="waiting", wakeup_at=NOW + delay))
        await store.append(record(ids[2], 1, SCHEDULED))

        assert [(ids[1], NOW + 10), (ids[0], NOW + 30)] == await store.due(NOW + 30, 10)
        assert [(ids[1], NOW + 10)] == await store.due(NOW + 1000, 1)
        assert await store.due(NOW + 9, 10) == []
