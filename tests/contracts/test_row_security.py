"""The second lock: PostgreSQL itself keeps the rows of workspaces apart."""

from pathlib import Path

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.records import SqlRecords
from linkflow.adapters.sql.statements import Runner, Statements
from linkflow.domain.errors import NotFound
from linkflow.testing.control import Stage

EVERY_ROW = "SELECT count(*) AS n FROM control.workflows"
FORGETFUL = ("SELECT id FROM control.workflows", "DELETE FROM control.workflows", EVERY_ROW)


async def two_workspaces(stage: Stage) -> tuple[str, str]:
    """Make a workflow in each of two workspaces."""
    own = (await stage.client.get("/api/v1/auth/me")).json["workspace_id"]
    other = (await stage.client.post("/api/v1/workspaces", {"name": "Other"})).json["id"]
    for workspace_id in (own, other):
        spec = {"trigger": {"id": "start", "type": "trigger.manual"}, "nodes": [], "edges": []}
        made = await stage.client.post(
            f"/api/v1/workspaces/{workspace_id}/workflows", {"name": "x", "spec": spec}
        )
        assert made.status == 201
    return own, other


async def counted(runner: Runner) -> int:
    """Count the workflows a forgetful statement sees."""
    row = await runner.row(EVERY_ROW)
    assert row is not None
    return int(row["n"])


async def test_a_forgotten_where_shows_nothing_of_others(database_dsn: str, tmp_path: Path) -> None:
    """B9: a statement of a workspace that forgets to name it sees and deletes rows of that workspace only."""
    stage = await Stage.open(database_dsn, tmp_path)
    own, _ = await two_workspaces(stage)
    sql = Statements(stage.database.pool)
    everywhere, scoped = await counted(sql), await counted(sql.of(own))
    deleted = await sql.of(own).run("DELETE FROM control.workflows")
    left = await counted(sql)
    await stage.close()

    assert (2, 1, 1, 1) == (everywhere, scoped, deleted, left)


async def test_nobody_writes_into_another_workspace(database_dsn: str, tmp_path: Path) -> None:
    """A statement of one workspace cannot make or move a row of another."""
    stage = await Stage.open(database_dsn, tmp_path)
    own, other = await two_workspaces(stage)
    sql = Statements(stage.database.pool)
    with pytest.raises(Exception, match="row-level security"):
        await sql.of(own).run("UPDATE control.workflows SET workspace_id = $1", other)
    left = await counted(sql.of(own))
    await stage.close()

    assert 1 == left


async def test_a_transaction_changes_what_it_sees(database_dsn: str, tmp_path: Path) -> None:
    """In one transaction each statement sees its own workspace, and a plain one everything, in any order."""
    stage = await Stage.open(database_dsn, tmp_path)
    own, other = await two_workspaces(stage)
    async with stage.database.transaction() as connection:
        sql = Statements(connection)
        seen = [await counted(each) for each in (sql.of(own), sql, sql.of(other), sql.of(own), sql)]
    after = await counted(Statements(stage.database.pool))
    await stage.close()

    assert ([1, 2, 1, 1, 2], 2) == (seen, after)


async def test_a_failed_statement_leaves_no_trace_on_its_connection(
    database_dsn: str, tmp_path: Path
) -> None:
    """After an error within a workspace the connection sees everything again."""
    stage = await Stage.open(database_dsn, tmp_path)
    own, _ = await two_workspaces(stage)
    database = await Database.open(database_dsn, pool_size=1)
    sql = Statements(database.pool)
    with pytest.raises(Exception, match="division by zero"):
        await sql.of(own).row("SELECT 1 / 0")
    found = await counted(sql)
    with pytest.raises(NotFound):
        await SqlRecords(database).workflows.get(own, "nothing")
    await database.close()
    await stage.close()

    assert 2 == found


async def test_every_table_with_workspaces_is_locked(database_dsn: str) -> None:
    """Each table of the control plane that names a workspace has the lock, but for those of persons."""
    database = await Database.open(database_dsn)
    rows = await database.pool.fetch(
        """SELECT c.relname FROM pg_class AS c
           JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'workspace_id'
           WHERE c.relnamespace = 'control'::regnamespace AND c.relkind = 'r' AND NOT c.relrowsecurity"""
    )
    await database.close()

    assert {"users", "sign_ins"} == {row["relname"] for row in rows}
