"""Usage on a real PostgreSQL: exact, whatever comes twice, late, or at the same moment."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.usage import SqlUsage
from linkflow.adapters.sql.visibility import SqlVisibilityStore
from linkflow.domain.execution.view import NodeRun
from linkflow.domain.values import encode_json
from linkflow.ports.services import Projected
from linkflow.ports.stores import Message
from linkflow.ports.upkeep import Fenced
from linkflow.ports.usage import Usage
from linkflow.testing.history_suites import WORKSPACE, new_id
from linkflow.testing.visibility_suites import row

EVENING = datetime(2026, 11, 21, 23, 59, 58, tzinfo=UTC).timestamp()
TODAY, TOMORROW = date(2026, 11, 21), date(2026, 11, 22)
ALWAYS = (date(2000, 1, 1), date(2100, 1, 1))


def projected(execution_id: str, version: int, **fields: Any) -> Projected:
    """Say what is projected of an execution that starts in the evening; closed when it has nodes."""
    nodes = fields.pop("nodes", ())
    if nodes:
        fields |= {"closed_at": EVENING + 5.0, "status": fields.get("status", "completed")}
    return Projected(row=row(execution_id, version=version, started_at=EVENING, **fields), nodes=nodes)


def ran(seconds: float) -> NodeRun:
    """Say a node that a worker ran."""
    at = EVENING + 1.0
    return NodeRun(key="a", node_id="a", scheduled_at=at, started_at=at, ended_at=at + seconds)


WAITED = NodeRun(key="b", node_id="b", started_at=EVENING, ended_at=EVENING + 4)


async def test_starts_and_ends_count_on_their_days(database: Database) -> None:
    """B11: a start counts on its day and an end on its own, with the nodes that workers ran, not waits."""
    store, one = SqlVisibilityStore(database), new_id()
    await store.write([projected(one, 2)], [])
    await store.write([projected(one, 5)], [])
    await store.write([projected(one, 9, nodes=[ran(1.5), WAITED, ran(0.25)])], [])

    assert [
        Usage(day=TODAY, started=1),
        Usage(day=TOMORROW, closed=1, nodes=2, node_ms=1750),
    ] == list(await SqlUsage(database).days(WORKSPACE, *ALWAYS))


async def test_what_comes_twice_counts_once(database: Database) -> None:
    """B11: news that comes again, late, or to several projectors at once never counts twice."""
    store, ids = SqlVisibilityStore(database), [new_id() for _ in range(20)]
    final = [projected(one, 9, nodes=[ran(1.0)], status="failed") for one in ids]
    early = [projected(one, 2) for one in ids]
    await asyncio.gather(*(store.write(batch, []) for batch in (early, final, final[::-1], early[::-1]) * 2))

    assert [
        Usage(day=TODAY, started=20),
        Usage(day=TOMORROW, closed=20, failed=20, nodes=20, node_ms=20_000),
    ] == list(await SqlUsage(database).days(WORKSPACE, *ALWAYS))


async def test_months_are_sums_of_days(database: Database) -> None:
    """Months are the sums of their days, before and after they are written down, however often."""
    usage, store = SqlUsage(database), SqlVisibilityStore(database)
    await store.write([projected(new_id(), 9, nodes=[ran(1.0)])], [])
    before = list(await usage.months(WORKSPACE, *ALWAYS))
    changed = [await usage.roll_up(1), await usage.roll_up(1)]
    after = list(await usage.months(WORKSPACE, *ALWAYS))

    assert [Usage(day=date(2026, 11, 1), started=1, closed=1, nodes=1, node_ms=1000)] == before == after
    assert [1, 0] == changed


async def test_days_long_past_stay_in_their_month(database: Database) -> None:
    """Days of months long past are forgotten; the month keeps their sum for ever."""
    usage = SqlUsage(database)
    await database.pool.execute(
        "INSERT INTO engine.usage_days (workspace_id, day, started) VALUES ($1, '2020-02-03', 7)", WORKSPACE
    )
    await usage.roll_up(1)
    await usage.roll_up(1)

    assert ([], [Usage(day=date(2020, 2, 1), started=7)]) == (
        list(await usage.days(WORKSPACE, *ALWAYS)),
        list(await usage.months(WORKSPACE, *ALWAYS)),
    )


async def left(database: Database, *used: dict[str, int], at: float = EVENING) -> list[Message]:
    """Let an execution leave messages about what it used, as a commit does."""
    sent = [
        Message(
            execution_id=new_id(),
            number=7,
            kind="usage",
            body={"workspace_id": WORKSPACE, "used": each},
            at=at,
        )
        for each in used
    ]
    await database.pool.executemany(
        "INSERT INTO engine.outbox (execution_id, number, kind, target, at, data)"
        " VALUES ($1, $2, 'usage', '', to_timestamp($3), $4)",
        [(each.execution_id, each.number, each.at, encode_json(each.body)) for each in sent],
    )
    return sent


async def test_what_was_used_is_added_once(database: Database) -> None:
    """B11: a message about what was used counts on its day, once, however often and wherever it arrives."""
    store, usage = SqlVisibilityStore(database), SqlUsage(database)
    sent = await left(database, *[{"ai_tokens": 3}, {"ai_tokens": 4, "sms_parts": 1}] * 10)
    sent += await left(database, {"ai_tokens": 5}, at=EVENING + 10)
    await asyncio.gather(*(store.meter(batch) for batch in (sent, sent[::-1], sent[3:9], sent) * 2))
    days = [(day.day, day.meters) for day in await usage.days(WORKSPACE, *ALWAYS)]
    (month,) = await usage.months(WORKSPACE, *ALWAYS)

    assert [(TODAY, {"ai_tokens": 70, "sms_parts": 10}), (TOMORROW, {"ai_tokens": 5})] == days
    assert {"ai_tokens": 75, "sms_parts": 10} == month.meters
    assert 0 == await database.pool.fetchval("SELECT count(*) FROM engine.outbox")


async def test_gauges_are_set_and_their_highest_counts(database: Database) -> None:
    """What is measured replaces what was measured before that day; a month says its highest day."""
    usage = SqlUsage(database)
    for day, amount in ((TODAY, 9), (TODAY, 500), (TOMORROW, 30)):
        await usage.measured(1, day, {(WORKSPACE, "storage_bytes"): amount})

    assert [500, 30] == [day.meters["storage_bytes"] for day in await usage.days(WORKSPACE, *ALWAYS)]
    assert [500] == [each.meters["storage_bytes"] for each in await usage.months(WORKSPACE, *ALWAYS)]
    with pytest.raises(Fenced):
        await usage.measured(0, TODAY, {})


async def test_amounts_long_past_stay_in_their_month(database: Database) -> None:
    """Amounts of days long past are kept by month, and rolling up again and again changes no sum."""
    usage = SqlUsage(database)
    await database.pool.execute(
        "INSERT INTO engine.usage_meters (workspace_id, day, meter, amount)"
        " SELECT $1, day::date, meter, 7 FROM unnest(ARRAY['2020-02-01', '2020-02-03', '2020-02-29']) AS day,"
        " unnest(ARRAY['ai_tokens', 'storage_bytes']) AS meter",
        WORKSPACE,
    )
    before = list(await usage.months(WORKSPACE, *ALWAYS))
    for _ in range(3):
        await usage.roll_up(1)
    kept = await database.pool.fetchval("SELECT count(*) FROM engine.usage_meters")

    assert [Usage(day=date(2020, 2, 1), meters={"ai_tokens": 21, "storage_bytes": 7})] == before
    assert (before, 2) == (list(await usage.months(WORKSPACE, *ALWAYS)), kept)


async def test_yesterdays_leader_rolls_nothing_up(database: Database) -> None:
    """A leader whose token is older than one seen before writes no month."""
    usage = SqlUsage(database)
    await usage.roll_up(5)

    with pytest.raises(Fenced):
        await usage.roll_up(4)


async def test_leaders_that_follow_each_other_never_wait_for_each_other(database: Database) -> None:
    """Leaders that roll up at the same moment, each newer than the last, end: by writing, or as refused."""
    usage = SqlUsage(database)

    async def roll_up(token: int) -> bool:
        try:
            await usage.roll_up(token)
        except Fenced:
            return False
        return True

    for first in range(0, 80, 8):
        written = await asyncio.gather(*(roll_up(first + more) for more in range(8)))
        assert written[-1]
