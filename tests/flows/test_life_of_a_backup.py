"""The life of a backup: taken under load, checked, restored elsewhere, and everything open goes on."""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from linkflow.adapters.blobs import FileBlobStore
from linkflow.adapters.embedded import EmbeddedPostgres, EmbeddedPostgresFailed
from linkflow.adapters.embedded.majors import folder_of, majors
from linkflow.adapters.s3 import S3BlobStore
from linkflow.adapters.sql.copying import CopyBroken, Filling, StillRunning, TargetTaken
from linkflow.adapters.sql.migrations import alembic
from linkflow.adapters.sql.schema import migrate, revisions, schema_version
from linkflow.apps.archive import ArchiveExists, ArchiveRefused
from linkflow.apps.backup import ArchiveNotWritten, PassphraseMissing, back_up, restore
from linkflow.apps.moving import Databases, Place, migrate_data, source
from linkflow.apps.moving import replace as fill
from linkflow.apps.settings import Settings
from linkflow.apps.upgrading import upgrade
from linkflow.domain.errors import Invalid
from linkflow.testing.live import Live, settings_of, started
from linkflow.testing.receiver import Receiver
from linkflow.testing.servers import S3_BUCKET, S3_KEY, S3_SECRET

pytestmark = pytest.mark.timeout(120)
EMBEDDED = Place("embedded")
TABLES = ("control.users", "engine.executions")
PASSPHRASE = "a passphrase of some length"
LARGE = "x" * 100_000
OPEN = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [
        {"id": "large", "type": "data.set", "config": {"values": {"text": LARGE}}},
        {"id": "delay", "type": "logic.delay", "config": {"seconds": 2}},
        {"id": "ask", "type": "logic.approval", "config": {"title": "Go on?"}},
        {"id": "both", "type": "logic.merge", "config": {}},
        {"id": "after", "type": "data.set", "config": {"values": {"n": 1}}},
    ],
    "edges": [
        {"source": "start", "target": "large"},
        {"source": "large", "target": "delay"},
        {"source": "large", "target": "ask"},
        {"source": "delay", "target": "both"},
        {"source": "ask", "target": "both", "sourceHandle": "approved"},
        {"source": "both", "target": "after"},
    ],
}
QUICK = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "say", "type": "data.set", "config": {"values": {"n": "{{input.n}}"}}}],
    "edges": [{"source": "start", "target": "say"}],
}


def silent(text: str) -> None:
    """Say nothing."""


@pytest_asyncio.fixture
async def empty_dsn(postgres: EmbeddedPostgres, database_dsn: str) -> AsyncIterator[str]:
    """Make a database with nothing in it; drop it afterwards."""
    name = f"empty_{database_dsn.partition('?')[0].rpartition('_')[2]}"
    yield await postgres.create_database(name)
    await postgres.drop_database(name)


def calling(receiver: Receiver) -> Any:
    """Make a workflow that sends the secret to the world outside."""
    config = {
        "method": "POST",
        "url": f"{receiver.address}/call",
        "body": {"word": "{{credential.bank.word}}"},
    }
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [{"id": "call", "type": "http.request", "config": config}],
        "edges": [{"source": "start", "target": "call"}],
    }


async def open_one(live: Live) -> str:
    """Start an execution that waits for a delay and a person, with a large value."""
    execution_id = await live.start(await live.made(OPEN))
    await live.waits(execution_id)
    return execution_id


async def approved(live: Live, execution_id: str) -> Any:
    """Let the person say yes, and wait for the end."""
    explained = await live.waits(execution_id)
    token = next(each["resume_token"] for each in explained["drivers"] if each["kind"] == "approval")
    await live.call("POST", f"/resume/{token}", {"action": "approved"}, signed_in=False)
    return await live.ended(execution_id)


@asynccontextmanager
async def started_on(server: EmbeddedPostgres, home: Path) -> AsyncIterator[Live]:
    """Run an installation on a server of the test's own."""
    await migrate(server.dsn, silent)
    async with started(settings_of(server.dsn, home)) as live:
        yield live


async def rows_of(dsn: str, table: str = "control.workspaces") -> int:
    """Count the rows of a table; -1 where there is no such table."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
    except asyncpg.PostgresError:
        return -1
    finally:
        await connection.close()


async def taken(dsn: str, home: Path, file: Path) -> tuple[Settings, str]:
    """Back up an installation with one open execution."""
    settings = settings_of(dsn, home)
    async with started(settings) as live:
        execution_id = await open_one(live)
    await back_up(settings, file, None, silent)
    return settings, execution_id


async def test_a_backup_under_load_brings_everything_back(
    database_dsn: str, empty_dsn: str, tmp_path: Path, receiver: Receiver
) -> None:
    """A backup beside a working LinkFlow holds all that was acknowledged; restored, what is open goes on."""
    file, there, here = tmp_path / "a.backup", tmp_path / "there", tmp_path / "here"
    async with started(settings_of(database_dsn, there)) as live:
        waiting = await open_one(live)
        await live.post("/credentials", {"name": "bank", "data": {"word": "kept"}})
        quick = await live.made(QUICK)
        before = [await live.start(quick, {"n": n}) for n in range(10)]
        taken_up = asyncio.Event()

        async def load() -> None:
            while not taken_up.is_set():
                await asyncio.gather(*(live.start(quick, {"n": n}) for n in range(8)))

        loading = asyncio.create_task(load())
        report = await back_up(settings_of(database_dsn, there), file, PASSPHRASE, silent)
        taken_up.set()
        await loading
    settings = settings_of(empty_dsn, here)
    await restore(settings, file, PASSPHRASE, silent, force=False)
    async with started(settings) as live:
        ends = [(await live.ended(execution_id))["status"] for execution_id in before]
        found = await approved(live, waiting)
        large = await live.output(waiting, "large")
        await live.run(calling(receiver))

    assert report.manifest.keys_sealed
    assert (["completed"] * 10, "completed", {"n": 1}) == (ends, found["status"], found["result"])
    assert ({"text": LARGE}, {"word": "kept"}) == (large, receiver.to("/call")[0].json)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9, 0.999])
async def test_a_flipped_bit_is_noticed(
    place: float, database_dsn: str, empty_dsn: str, tmp_path: Path
) -> None:
    """A backup of which one bit changed is refused in words, and nothing is written."""
    file = tmp_path / "a.backup"
    await taken(database_dsn, tmp_path / "there", file)
    data = bytearray(file.read_bytes())
    data[int(len(data) * place)] ^= 1
    file.write_bytes(data)

    with pytest.raises(ArchiveRefused, match="damaged"):
        await restore(settings_of(empty_dsn, tmp_path / "here"), file, None, silent, force=True)

    assert (-1, False) == (await rows_of(empty_dsn), (tmp_path / "here").exists())


async def test_other_files_are_refused(tmp_path: Path) -> None:
    """A file that is no backup, or only begins like one, is refused."""
    text, archive = tmp_path / "text", tmp_path / "archive"
    text.write_text("PK? no")
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("manifest.json", "{}")

    for file in (text, archive, tmp_path / "missing"):
        with pytest.raises(ArchiveRefused):
            await restore(Settings(home=tmp_path / "home"), file, None, silent, force=True)


async def test_a_place_that_takes_no_file_is_named(database_dsn: str, tmp_path: Path) -> None:
    """A backup that cannot be written says so, and leaves nothing behind."""
    with pytest.raises(ArchiveNotWritten, match="No such file"):
        await back_up(settings_of(database_dsn, tmp_path), tmp_path / "no" / "a.backup", None, silent)

    assert [] == list(tmp_path.glob("*backup*"))


async def test_rows_that_may_not_be_seen_are_not_left_out(
    database_dsn: str, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """A user whom row-level security shows only some rows gets an error, never a backup of some rows."""
    async with started(settings_of(database_dsn, tmp_path / "home")):
        pass
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("ALTER TABLE control.workspaces FORCE ROW LEVEL SECURITY")
    await connection.execute("DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN END $$")
    await connection.execute("GRANT USAGE ON SCHEMA control, engine TO reader")
    await connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA control, engine TO reader")
    await connection.close()
    settings = settings_of(f"{database_dsn}&options=-c%20role%3Dreader", tmp_path / "home")

    with pytest.raises(CopyBroken, match="row-level security"):
        await back_up(settings, tmp_path / "a.backup", None, silent)

    assert not (tmp_path / "a.backup").exists()


async def test_sealed_keys_need_their_passphrase(database_dsn: str, empty_dsn: str, tmp_path: Path) -> None:
    """Without the passphrase that sealed the keys nothing is restored, and no key is readable in the file."""
    file, home = tmp_path / "a.backup", tmp_path / "there"
    settings = settings_of(database_dsn, home)
    async with started(settings):
        key = (home / "keys" / "sealing.key").read_bytes().strip()
    await back_up(settings, file, PASSPHRASE, silent)
    with zipfile.ZipFile(file) as archive:
        inside = b"".join(archive.read(name) for name in archive.namelist())
    elsewhere = settings_of(empty_dsn, tmp_path / "here")

    with pytest.raises(PassphraseMissing):
        await restore(elsewhere, file, None, silent, force=False)
    with pytest.raises(Invalid, match="passphrase"):
        await restore(elsewhere, file, "another passphrase", silent, force=False)

    assert (False, -1) == (key in inside, await rows_of(empty_dsn))


async def test_data_is_replaced_only_when_told(database_dsn: str, empty_dsn: str, tmp_path: Path) -> None:
    """A filled target is refused and untouched; with force it holds what the backup holds."""
    file = tmp_path / "a.backup"
    settings, _ = await taken(database_dsn, tmp_path / "there", file)
    elsewhere = settings_of(empty_dsn, tmp_path / "here")
    await restore(elsewhere, file, None, silent, force=False)

    with pytest.raises(TargetTaken, match="--force"):
        await restore(elsewhere, file, None, silent, force=False)
    with pytest.raises(ArchiveExists):
        await back_up(settings, file, None, silent)
    await restore(elsewhere, file, None, silent, force=True)

    assert 1 == await rows_of(empty_dsn)


async def test_a_copy_that_breaks_off_leaves_the_target(
    database_dsn: str, empty_dsn: str, tmp_path: Path
) -> None:
    """When a replacement fails in its middle, the target holds what it held."""
    await taken(database_dsn, tmp_path / "there", tmp_path / "a.backup")
    await restore(settings_of(empty_dsn, tmp_path / "here"), tmp_path / "a.backup", None, silent, force=False)

    async def broken(_: Filling) -> None:
        raise InterruptedError

    async with source(Databases.at(database_dsn)) as there:
        with pytest.raises(InterruptedError):
            await fill(Databases.at(empty_dsn), there.layout, silent, broken)

    assert 1 == await rows_of(empty_dsn)


async def test_a_working_installation_is_neither_moved_nor_replaced(
    database_dsn: str, empty_dsn: str, tmp_path: Path
) -> None:
    """Data is moved, and replaced, only where no LinkFlow is at work."""
    settings = settings_of(database_dsn, tmp_path / "home")
    async with started(settings):
        with pytest.raises(StillRunning):
            await migrate_data(settings, Place(database_dsn), Place(empty_dsn), silent, force=False)
        with pytest.raises(StillRunning):
            await migrate_data(settings, Place(empty_dsn), Place(database_dsn), silent, force=True)


async def test_one_database_becomes_two(
    database_dsn: str, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """C16: data moves to two databases, each with its own rows, and a backup of both restores into one."""
    file, home = tmp_path / "a.backup", tmp_path / "home"
    settings, waiting = await taken(database_dsn, home, tmp_path / "first.backup")
    first, second = [await postgres.create_database(f"two_{n}_{home.parent.name}") for n in (1, 2)]
    await migrate_data(settings, Place(database_dsn), Place(first, second), silent, force=False)
    both = replace(settings, database_url=first, engine_database_url=second)
    counts = [await rows_of(dsn, table) for dsn in (first, second) for table in TABLES]
    report = await back_up(both, file, None, silent)
    await restore(replace(settings, home=tmp_path / "here"), file, None, silent, force=True)
    async with started(replace(settings, home=tmp_path / "here")) as live:
        found = await approved(live, waiting)

    assert ([1, 0, 0, 1], "completed") == (counts, found["status"])
    assert 1 == report.manifest.rows["engine.executions"]


@pytest.mark.external
async def test_what_is_in_a_bucket_is_in_the_backup(
    database_dsn: str, empty_dsn: str, s3_url: str, tmp_path: Path
) -> None:
    """C18: large values and archived histories in a bucket come along, to where the target keeps them."""
    bucket = {"s3_bucket": S3_BUCKET, "s3_endpoint": s3_url, "s3_key": S3_KEY, "s3_secret": S3_SECRET}
    settings = replace(settings_of(database_dsn, tmp_path / "there"), **bucket)  # type: ignore[arg-type]
    async with started(settings) as live:
        waiting = await open_one(live)
    store = await S3BlobStore.open(S3_BUCKET, endpoint=s3_url, key=S3_KEY, secret=S3_SECRET)
    await store.store("executions/2026_08/one", b"closed")
    report = await back_up(settings, tmp_path / "a.backup", None, silent)
    elsewhere = settings_of(empty_dsn, tmp_path / "here")
    await restore(elsewhere, tmp_path / "a.backup", None, silent, force=False)
    async with started(elsewhere) as live:
        large = await live.output(waiting, "large")
    closed = await FileBlobStore(tmp_path / "here" / "blobs").fetch("executions/2026_08/one")

    assert b"closed" == closed
    assert ({"text": LARGE}, True) == (large, (tmp_path / "here" / "blobs").is_dir())
    assert "archive/executions/2026_08/one" in report.manifest.archived  # other tests use the bucket, too


async def test_data_of_an_older_release_is_brought_up(
    postgres: EmbeddedPostgres, empty_dsn: str, tmp_path: Path
) -> None:
    """A backup of an older release's schema is restored and then migrated, with its rows."""
    oldest = revisions()[4][0]
    older = await postgres.create_database(f"older_{tmp_path.name}")
    await alembic.upgrade(older, oldest, silent)
    connection = await asyncpg.connect(older)
    await connection.execute(
        "INSERT INTO engine.specs (workspace_id, spec_hash, data) VALUES (gen_random_uuid(), 'x', 'y')"
    )
    await connection.close()
    report = await back_up(settings_of(older, tmp_path / "there"), tmp_path / "a.backup", None, silent)
    said: list[str] = []
    await restore(
        settings_of(empty_dsn, tmp_path / "here"), tmp_path / "a.backup", None, said.append, force=False
    )

    assert (oldest, revisions()[-1][0]) == (report.manifest.layout.revision, await schema_version(empty_dsn))
    assert (1, True) == (await rows_of(empty_dsn, "engine.specs"), any("schema" in line for line in said))


async def test_an_embedded_database_moves_out(empty_dsn: str, tmp_path: Path) -> None:
    """`migrate-data` carries open executions with their timers to a PostgreSQL of one's own."""
    home = tmp_path / "home"
    embedded = Settings(home=home)
    server = await EmbeddedPostgres.start(home, settings={"fsync": "off"})
    try:
        async with started_on(server, home) as live:
            waiting = await open_one(live)
    finally:
        await server.stop()
    moved = await migrate_data(embedded, EMBEDDED, Place(empty_dsn), silent, force=False)
    with pytest.raises(TargetTaken):
        await migrate_data(embedded, EMBEDDED, Place(empty_dsn), silent, force=False)
    async with started(settings_of(empty_dsn, home)) as live:
        found = await approved(live, waiting)

    assert (1, "completed", {"n": 1}) == (
        moved.rows["engine.executions"],
        found["status"],
        found["result"],
    )


@pytest.mark.parametrize("major", majors()[1:])
async def test_data_of_an_older_postgresql_is_upgraded(major: int, tmp_path: Path) -> None:
    """A start on older data names the command; that carries everything over and keeps the old folder."""
    old = await EmbeddedPostgres.start(tmp_path, binary_folder=folder_of(major), settings={"fsync": "off"})
    try:
        async with started_on(old, tmp_path) as live:
            waiting = await open_one(live)
    finally:
        await old.stop()
    with pytest.raises(EmbeddedPostgresFailed, match="linkflow upgrade-data"):
        await EmbeddedPostgres.start(tmp_path)
    done = await upgrade(tmp_path, silent)
    new = await EmbeddedPostgres.start(tmp_path, settings={"fsync": "off"})
    try:
        async with started_on(new, tmp_path) as live:
            found = await approved(live, waiting)
    finally:
        await new.stop()

    assert (major, majors()[0], "completed") == (done["from"], done["to"], found["status"])
    assert f"{major}" == (Path(done["kept"]) / "PG_VERSION").read_text().strip()
