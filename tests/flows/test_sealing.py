"""The life of a sealing key: made, used, replaced while everybody works, and never missed."""

import asyncio
from pathlib import Path

import pytest

from linkflow.adapters import vault
from linkflow.adapters.sql.sealed import SqlSealedRows
from linkflow.adapters.sql.statements import Statements
from linkflow.domain.errors import Unavailable
from linkflow.ports.upkeep import Turn
from linkflow.scheduler.sealing import Resealing
from linkflow.testing.control import Stage

KEYS = "k2:" + "22" * 32 + ",k1:" + "11" * 32


async def keep(stage: Stage, number: int) -> None:
    """Keep a credential whose secret follows from its number."""
    made = await stage.client.post(
        "/api/v1/credentials", {"name": f"c{number}", "data": {"value": f"secret number {number}"}}
    )
    assert made.status == 201, made.body


async def test_rotation_under_load_loses_nothing(stage: Stage) -> None:
    """While keys change, secrets are kept, changed and opened; then every one opens by the new key alone."""
    other = await stage.successor()
    workspace_id = (await stage.client.get("/api/v1/auth/me")).json["workspace_id"]
    for number in range(12):
        await keep(stage, number)
    await stage.client.post("/api/v1/variables", {"key": "K", "value": "hidden value", "is_secret": True})
    subscribed = await stage.client.post(
        "/api/v1/webhook-subscriptions",
        {"url": "https://example.com/hook", "events": ["execution.completed"]},
    )
    assert subscribed.status == 201, subscribed.body
    resealing = Resealing(SqlSealedRows(Statements(stage.database.pool)), stage.side.box)

    async def read(number: int) -> None:
        found = await other.side.broker.open(workspace_id, f"c{number}")
        assert f"secret number {number}" == found["value"]

    async def change(number: int) -> None:
        data = {"value": f"secret number {number}", "more": "x"}
        await stage.client.put(f"/api/v1/credentials/c{number}", {"data": data})
        await stage.client.put(f"/api/v1/credentials/c{number}", {"data": {"more": None}})

    folder = stage.side.settings.home / "keys"
    newest = vault.add_key(folder)
    async with asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(read(number))
        group.create_task(resealing.do(Turn(token=1)))
        for number in range(3):
            group.create_task(change(number))
        for number in range(12, 15):
            group.create_task(keep(other, number))
    again = await resealing.do(Turn(token=1))
    rest = await resealing.do(Turn(token=1))
    (folder / vault.FIRST_FILE).rename(folder / "gone")
    (folder / vault.FIRST_FILE).write_text("00" * 32 + "\n")
    stage.side.box.renew()
    other.side.box.renew()
    for number in range(12):
        await read(number)

    assert ("k2", 0, 0) == (newest, again["unreadable"], rest["sealed"])
    assert 12 + 3 + 1 + 1 == rest["current"], "credentials, new ones, the variable, the subscription"
    assert {"K": "hidden value"} == await other.side.broker.open(workspace_id, "vars")


@pytest.mark.parametrize("place", [0, 1, 5, 20, -17, -1])
async def test_a_flipped_bit_is_refused(stage: Stage, place: int) -> None:
    """Done when 2: one bit of a sealed credential changed, anywhere, and it is refused, never half-opened."""
    await keep(stage, 1)
    workspace_id = (await stage.client.get("/api/v1/auth/me")).json["workspace_id"]
    sealed = bytearray(await stage.database.pool.fetchval("SELECT sealed FROM control.credentials"))
    sealed[place] ^= 1
    await stage.database.pool.execute("UPDATE control.credentials SET sealed = $1", bytes(sealed))

    with pytest.raises(Unavailable, match="cannot be opened"):
        await stage.side.broker.open(workspace_id, "c1")


@pytest.mark.parametrize("where", ["another credential", "another workspace", "a variable"])
async def test_a_moved_ciphertext_is_refused(stage: Stage, where: str) -> None:
    """Done when 2: what was sealed in one place opens in no other, whoever can write the database."""
    await keep(stage, 1)
    await keep(stage, 2)
    await stage.client.post("/api/v1/variables", {"key": "K", "value": "hidden value", "is_secret": True})
    pool, name = stage.database.pool, "c1"
    workspace_id = (await stage.client.get("/api/v1/auth/me")).json["workspace_id"]
    stolen = "(SELECT sealed FROM control.credentials WHERE name = 'c2')"
    match where:
        case "another credential":
            await pool.execute(f"UPDATE control.credentials SET sealed = {stolen} WHERE name = 'c1'")
        case "another workspace":
            made = await stage.client.post("/api/v1/workspaces", {"name": "Thief"})
            workspace_id = made.json["id"]
            moving = "UPDATE control.credentials SET workspace_id = $1 WHERE name = 'c1'"
            await pool.execute(moving, workspace_id)
        case _:
            await pool.execute(f"UPDATE control.variables SET sealed = {stolen}")
            name = "vars"

    with pytest.raises(Unavailable, match="cannot be opened"):
        await stage.side.broker.open(workspace_id, name)


async def test_a_dry_run_changes_nothing(stage: Stage) -> None:
    """`--dry-run` counts what would be sealed again."""
    await keep(stage, 1)
    before = await stage.database.pool.fetchval("SELECT sealed FROM control.credentials")
    vault.add_key(stage.side.settings.home / "keys")
    resealing = Resealing(SqlSealedRows(Statements(stage.database.pool)), stage.side.box)
    found = await resealing.do(Turn(token=1, is_dry=True))

    assert 1 == found["sealed"]
    assert before == await stage.database.pool.fetchval("SELECT sealed FROM control.credentials")


def test_keys_come_from_a_setting_a_command_and_files(tmp_path: Path) -> None:
    """The first key of a setting or a command seals; files stay in the ring."""
    command = tmp_path / "vault"
    command.write_text(f"#!/bin/sh\necho '{KEYS}'\n")
    command.chmod(0o700)
    vault.keys_in(tmp_path / "keys", make=True)
    told = vault.key_source(tmp_path / "none", KEYS)()
    printed = vault.key_source(tmp_path / "keys", command=str(command))()
    files = vault.key_source(tmp_path / "keys")()

    assert ("k2", {"k1", "k2"}) == (told[1], set(told[0]))
    assert (told[0]["k2"], "k2") == (printed[0]["k2"], printed[1])
    assert ("k1", {"k1"}) == (files[1], set(files[0]))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("text", ["first:12", "first", "first:" + "g" * 64])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    """A key that is too short or not hexadecimal stops the start, and the message does not repeat it."""
    with pytest.raises(Unavailable) as refused:
        vault.key_source(tmp_path, text)()

    assert text not in str(refused.value)
