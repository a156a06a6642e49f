"""What was removed stays removed: a change that comes late finds nothing, and says so."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.records import SqlRecords
from linkflow.domain.errors import Conflict, NotFound
from linkflow.ports.searches import SavedSearch
from linkflow.ports.subscriptions import Subscription
from linkflow.ports.triggers import Schedule, Webhook

WEBHOOK = Webhook(id="r", workspace_id="w", workflow_id="f")
SCHEDULE = Schedule(id="r", workspace_id="w", workflow_id="f", name="old", rule={}, runs=3)
SEARCH = SavedSearch(
    id="r", workspace_id="w", owner_id="ann", name="old", query={}, is_shared=False, created_at=0
)
SUBSCRIPTION = Subscription(id="r", workspace_id="w", url="https://x.example", events=["*"])
KINDS = [
    pytest.param("webhooks", WEBHOOK, {"is_active": False}, id="webhook"),
    pytest.param("schedules", SCHEDULE, {"name": "new"}, id="schedule"),
    pytest.param("searches", SEARCH, {"name": "new"}, id="search"),
    pytest.param("subscriptions", SUBSCRIPTION, {"description": "new"}, id="subscription"),
]


@pytest_asyncio.fixture
async def records(database_dsn: str) -> AsyncIterator[SqlRecords]:
    """Records with a workspace and one with which it must not be mixed up."""
    database = await Database.open(database_dsn, pool_size=2)
    for workspace_id in ("w", "other"):
        await database.pool.execute(
            "INSERT INTO control.workspaces (id, name, created_at) VALUES ($1, $1, 0)", workspace_id
        )
    yield SqlRecords(database)
    await database.close()


@pytest.mark.parametrize(("kind", "record", "change"), KINDS)
async def test_a_change_is_kept(
    records: SqlRecords, kind: str, record: msgspec.Struct, change: dict[str, Any]
) -> None:
    """A record that is there takes the change."""
    store = getattr(records, kind)
    await store.create(record)
    after = msgspec.structs.replace(record, **change)
    await store.change(after)

    assert after == await store.get("w", "r")


@pytest.mark.parametrize(("kind", "record", "change"), KINDS)
async def test_a_late_change_brings_nothing_back(
    records: SqlRecords, kind: str, record: msgspec.Struct, change: dict[str, Any]
) -> None:
    """A change that comes after the removal is not found, and nothing is there afterwards."""
    store = getattr(records, kind)
    await store.create(record)
    await store.delete("w", "r")
    with pytest.raises(NotFound):
        await store.change(msgspec.structs.replace(record, **change))

    with pytest.raises(NotFound):
        await store.get("w", "r")


@pytest.mark.parametrize(("kind", "record", "change"), KINDS)
async def test_no_workspace_changes_what_another_has(
    records: SqlRecords, kind: str, record: msgspec.Struct, change: dict[str, Any]
) -> None:
    """A change under another workspace's name finds nothing, and the record stays as it was."""
    store = getattr(records, kind)
    await store.create(record)
    with pytest.raises(NotFound):
        await store.change(msgspec.structs.replace(record, workspace_id="other", **change))

    assert record == await store.get("w", "r")


async def test_a_schedule_never_forgets_that_it_ran(records: SqlRecords) -> None:
    """A change made from an older look keeps the runs that were counted meanwhile."""
    await records.schedules.create(SCHEDULE)
    await records.schedules.advance(msgspec.structs.replace(SCHEDULE, runs=4), SCHEDULE.next_at)
    await records.schedules.change(msgspec.structs.replace(SCHEDULE, name="new"))
    found = await records.schedules.get("w", "r")

    assert ("new", 4) == (found.name, found.runs)


async def test_a_search_takes_no_name_that_is_taken(records: SqlRecords) -> None:
    """A search renamed to what its owner has already stays as it was."""
    await records.searches.create(SEARCH)
    await records.searches.create(msgspec.structs.replace(SEARCH, id="r2", name="taken"))
    with pytest.raises(Conflict):
        await records.searches.change(msgspec.structs.replace(SEARCH, name="taken"))

    assert SEARCH == await records.searches.get("w", "r")
