"""What is let go of in PostgreSQL and on disk: rows whose time is over, blobs that nothing names."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from linkflow.adapters.blobs import FileBlobStore
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import SqlDeadLetters
from linkflow.adapters.sql.expiry import SqlUpkeep
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.adapters.sql.marks import SqlBlobMarks
from linkflow.domain.values import blob_reference
from linkflow.ports.retention import Kept
from linkflow.ports.upkeep import DAY_S, Fenced, Turn
from linkflow.scheduler.blobs import GRACE_S, BlobSweep
from linkflow.scheduler.retention import Expire, HardDelete, Vacuum, limits
from linkflow.testing.fakes import NOW, FixedClock
from linkflow.testing.history_suites import STARTED, new_id, record
from linkflow.testing.store_suites import letter

TURN, DRY = Turn(token=1), Turn(token=1, is_dry=True)


async def audited(database: Database, *days_ago: float) -> None:
    """Keep audit lines of so many days ago."""
    for number, days in enumerate(days_ago):
        await database.pool.execute(
            "INSERT INTO control.audit_logs (workspace_id, id, actor_id, action, resource, at, details) "
            "VALUES ('w', $1, 'a', 'x', 'y', $2, '{}')",
            f"line-{number}",
            NOW - days * DAY_S,
        )


async def test_the_audit_log_is_kept_a_year(database: Database) -> None:
    """L6: audit lines older than a year are deleted, younger ones stay; dry only counts."""
    await audited(database, 1, 364, 366, 800)
    duty = Expire(SqlUpkeep(database, database), Kept(), FixedClock())
    found = [await duty.do(turn) for turn in (DRY, TURN, TURN)]

    assert [2, 2, 0] == [each["audit_logs"] for each in found]
    assert 2 == await database.pool.fetchval("SELECT count(*) FROM control.audit_logs")


async def test_ai_history_is_kept_a_month(database: Database) -> None:
    """L8: what AI models said goes after 30 days, as soon as there is a table of it."""
    upkeep = SqlUpkeep(database, database)
    before = await upkeep.expire(limits(Kept(), NOW), 1, is_dry=False)
    await database.pool.execute("CREATE TABLE control.ai_history (created_at double precision)")
    await database.pool.execute(
        "INSERT INTO control.ai_history VALUES ($1), ($2)", NOW - 29 * DAY_S, NOW - 31 * DAY_S
    )
    after = await upkeep.expire(limits(Kept(), NOW), 1, is_dry=False)

    assert (False, 1) == ("ai_history" in before, after["ai_history"])


async def test_zero_days_keep_for_ever(database: Database) -> None:
    """What is kept for 0 days is kept for ever; what has a time of its own goes all the same."""
    await audited(database, 5_000)
    await database.pool.execute(
        "INSERT INTO engine.idempotency VALUES ('k', $1, to_timestamp($2::float8))", new_id(), NOW - 1
    )
    kept = Kept(executions=0, audit=0, ai_history=0)
    found = await Expire(SqlUpkeep(database, database), kept, FixedClock()).do(TURN)

    assert (False, 1) == ("audit_logs" in found, found["idempotency"])


async def test_deleted_workflows_go_for_good(database: Database) -> None:
    """L10: a workflow deleted 30 days ago goes with all that is its own; others stay."""
    await database.pool.execute("INSERT INTO control.workspaces (id, name, created_at) VALUES ('w', 'W', 1)")
    for name, deleted_at in (("old", NOW - 31 * DAY_S), ("new", NOW - 29 * DAY_S), ("live", None)):
        await database.pool.execute(
            "INSERT INTO control.workflows VALUES ('w', $1, $1, '', '{}', false, '', 1, 1, 1, 1, '', $2)",
            name,
            deleted_at,
        )
        await database.pool.execute(
            "INSERT INTO control.workflow_versions VALUES ('w', $1, 1, '', '', '', 1, '')", name
        )
    duty = HardDelete(SqlUpkeep(database, database), Kept(), FixedClock())
    found = [await duty.do(turn) for turn in (DRY, TURN)]
    left = [row[0] for row in await database.pool.fetch("SELECT id FROM control.workflows ORDER BY 1")]

    assert [(1, 1)] * 2 == [(each["workflows"], each["workflow_versions"]) for each in found]
    assert ["live", "new"] == left


async def test_deleted_workspaces_go_for_good(database: Database) -> None:
    """A workspace deleted 30 days ago goes with all that is its own; its audit log stays."""
    pool = database.pool
    for name, deleted_at in (("old", NOW - 31 * DAY_S), ("new", NOW - 29 * DAY_S), ("live", None)):
        await pool.execute(
            "INSERT INTO control.workspaces (id, name, created_at, deleted_at) VALUES ($1, $1, 1, $2)",
            name,
            deleted_at,
        )
        await pool.execute(
            "INSERT INTO control.workflows VALUES ($1, $1, $1, '', '{}', false, '', 1, 1, 1, 1, '', NULL)",
            name,
        )
        await pool.execute(
            "INSERT INTO control.workflow_versions VALUES ($1, $1, 1, '', '', '', 1, '')", name
        )
        await pool.execute(
            "INSERT INTO control.variables (workspace_id, key, value) VALUES ($1, 'k', '1'::bytea)", name
        )
    await audited(database, 1)
    duty = HardDelete(SqlUpkeep(database, database), Kept(), FixedClock())
    found = [(await duty.do(turn))["workspaces"] for turn in (DRY, TURN, TURN)]
    left = {
        table: [row[0] for row in await pool.fetch(f"SELECT {column} FROM control.{table} ORDER BY 1")]
        for table, column in (
            ("workspaces", "id"),
            ("workflows", "id"),
            ("workflow_versions", "workflow_id"),
            ("variables", "workspace_id"),
        )
    }

    assert [1, 1, 0] == found
    assert [["live", "new"]] * 4 == list(left.values())
    assert 1 == await pool.fetchval("SELECT count(*) FROM control.audit_logs")


async def test_every_table_is_vacuumed(database: Database) -> None:
    """L11: vacuum goes over the tables of both schemas and leaves their statistics."""
    await audited(database, 1, 2, 3)
    done = await Vacuum(SqlUpkeep(database, database)).do(TURN)
    rows = await database.pool.fetchval(
        "SELECT reltuples FROM pg_class WHERE oid = 'control.audit_logs'::regclass"
    )

    assert (True, 3.0) == (done["tables"] > 30, rows)


async def test_yesterdays_leader_deletes_nothing(database: Database) -> None:
    """C13r: no duty of a leader whose token is older than one seen before deletes anything."""
    upkeep = SqlUpkeep(database, database)
    await audited(database, 800)
    await upkeep.purge(NOW, 5, is_dry=False)
    for work in (upkeep.expire({"audit": NOW}, 4, is_dry=False), upkeep.purge(NOW, 4, is_dry=False)):
        with pytest.raises(Fenced):
            await work
    with pytest.raises(Fenced):
        _ = [name async for name in upkeep.vacuum(4, is_dry=False)]

    assert 1 == await database.pool.fetchval("SELECT count(*) FROM control.audit_logs")


class Shelf:
    """Blobs on disk, some of them old, and the sweep over them.

    Attributes:
        clock: Now.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self.blobs, self.folder = FileBlobStore(folder / "blobs"), folder
        self.clock = FixedClock()
        self.sweep = BlobSweep(self.blobs, SqlBlobMarks(database, database), self.clock)

    async def old(self, data: bytes) -> str:
        """Keep a blob that was put long ago."""
        sha256 = await self.blobs.put("w1", data)
        (file,) = self.folder.rglob(sha256)
        os.utime(file, (NOW - GRACE_S - 60, NOW - GRACE_S - 60))
        return sha256

    def left(self) -> set[str]:
        """List the files that are there."""
        return {path.name for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def shelf(database: Database, tmp_path: Path) -> Shelf:
    """Open an empty shelf."""
    return Shelf(database, tmp_path)


async def named(database: Database, sha256: str, where: str) -> None:
    """Name a blob somewhere."""
    reference: Any = blob_reference(sha256, 9)
    if where == "history":
        start = msgspec.structs.replace(STARTED, input={"deep": [reference]})
        async with SqlHistoryStore(database).running() as store:
            await store.append(record(new_id(), 0, start))
    elif where == "letter":
        await SqlDeadLetters(database).add(letter(1, body={"output": reference}))
    else:
        await database.pool.execute(
            "INSERT INTO engine.outbox VALUES ($1, 1, 'callback', 'u', now(), $2)",
            new_id(),
            f'{{"output":{{"$blob":"{sha256}","bytes":9}}}}'.encode(),
        )


@pytest.mark.parametrize("where", ["history", "letter", "message"])
async def test_what_is_named_stays(database: Database, shelf: Shelf, where: str) -> None:
    """A blob that a history, a letter or a message names stays, however old; one that nothing names goes."""
    kept, gone = await shelf.old(b"named"), await shelf.old(b"nobody")
    await named(database, kept, where)
    dry, done = await shelf.sweep.do(DRY), await shelf.sweep.do(TURN)

    assert ({"named": 1, "can_go": 1}, {"named": 1, "deleted": 1}) == (dry, done)
    assert {kept} == shelf.left()
    assert gone not in shelf.left()


async def test_what_is_put_again_stays(shelf: Shelf) -> None:
    """A blob that is put again before its event is written is not swept, even in the middle of a sweep."""
    before = NOW - GRACE_S
    first, second = await shelf.old(b"first"), await shelf.old(b"second")
    aged = {sha256 async for _, sha256 in shelf.blobs.aged(before)}
    os.utime(next(shelf.folder.rglob(first)), (NOW, NOW))  # as `put` does, with the clock of this test
    gone = [await shelf.blobs.discard("w1", each, before) for each in (first, second, "0" * 64)]

    assert ({first, second}, [False, True, False], {first}) == (aged, gone, shelf.left())
    assert b"first" == await shelf.blobs.get("w1", first)


async def test_a_sweep_that_was_cut_off_loses_nothing(shelf: Shelf) -> None:
    """A blob that a sweep had put aside when it was cut off is still read."""
    sha256 = await shelf.old(b"aside")
    file = next(shelf.folder.rglob(sha256))
    file.rename(file.with_name(f".gone-{sha256}"))

    assert b"aside" == await shelf.blobs.get("w1", sha256)


async def test_putting_renews_the_age(shelf: Shelf) -> None:
    """Putting bytes that are there already renews their age."""
    sha256 = await shelf.old(b"again")
    (file,) = shelf.folder.rglob(sha256)
    before = file.stat().st_mtime
    os.utime(file, (1.0, 1.0))
    await shelf.blobs.put("w1", b"again")

    assert (True, True) == (before > 1.0, file.stat().st_mtime > 1.0)
