"""LinkFlow in places that were given to it: a database for each plane, a bucket for large values."""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from linkflow.adapters.embedded import EmbeddedPostgres
from linkflow.adapters.sql.database import SchemaRefused
from linkflow.apps.settings import SettingInvalid, Settings
from linkflow.testing.live import settings_of, started
from linkflow.testing.servers import S3_BUCKET, S3_KEY, S3_SECRET

NUMBERS = count(1)
LARGE = 90_000
WEBHOOK: Mapping[str, Any] = {
    "trigger": {"id": "hook", "type": "trigger.webhook"},
    "nodes": [
        {"id": "many", "type": "data.set", "config": {"values": {"text": f"{{{{repeat('x', {LARGE})}}}}"}}},
        {"id": "later", "type": "logic.delay", "config": {"milliseconds": 5}},
    ],
    "edges": [{"source": "hook", "target": "many"}, {"source": "many", "target": "later"}],
}


@pytest_asyncio.fixture
async def engine_dsn(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    """Make a second database of the test's own."""
    name = f"engine_{next(NUMBERS)}"
    yield await postgres.create_database(name, template)
    await postgres.drop_database(name)


async def test_each_plane_in_a_database_of_its_own(
    database_dsn: str, engine_dsn: str, tmp_path: Path
) -> None:
    """C16r: over two databases a webhook runs to its end and is listed; each holds its own rows only."""
    settings = dataclasses.replace(settings_of(database_dsn, tmp_path), engine_database_url=engine_dsn)
    async with started(settings) as live:
        called = await live.knock(await live.hook(await live.active(WEBHOOK)), {"n": 1})
        await live.listed(lambda found: [each["status"] for each in found] == ["completed"])
    async with started(settings) as live:
        (again,) = (await live.get("/executions")).json["data"]
        output = await live.output(again["id"], "many")
        counts = [
            await place.pool.fetchval(f"SELECT count(*) > 0 FROM {table}")
            for place in (live.running.database, live.running.engine_database)
            for table in ("control.workflows", "engine.executions", "engine.specs")
        ]

    assert (202, LARGE) == (called.status, len(output["text"]))
    assert [True, False, False, False, True, True] == counts


async def test_both_databases_need_their_schema(
    database_dsn: str, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Of two databases the one without a schema is named, and one for the engine alone is refused."""
    bare = await postgres.create_database(f"bare_{next(NUMBERS)}")
    settings = dataclasses.replace(settings_of(database_dsn, tmp_path), engine_database_url=bare)

    with pytest.raises(
        SchemaRefused, match=r"LINKFLOW_ENGINE_DATABASE_URL has schema none.*linkflow migrate"
    ):
        async with started(settings):
            pass
    with pytest.raises(SettingInvalid, match="set LINKFLOW_DATABASE_URL too"):
        async with started(Settings(home=tmp_path, port=0, engine_database_url=bare)):
            pass


@pytest.mark.external
async def test_large_values_in_a_bucket(database_dsn: str, s3_url: str, tmp_path: Path) -> None:
    """C18r: large outputs go into the bucket, so that a process without the first one's folder reads them."""
    bucket: dict[str, Any] = {
        "s3_bucket": S3_BUCKET, "s3_endpoint": s3_url, "s3_key": S3_KEY, "s3_secret": S3_SECRET
    }  # fmt: skip
    spec = {**WEBHOOK, "trigger": {"id": "hook", "type": "trigger.manual"}}
    lengths = []
    first = dataclasses.replace(settings_of(database_dsn, tmp_path / "one"), **bucket)
    async with started(first) as live:
        found = await live.run(spec, {})
        lengths.append(len((await live.output(found["id"], "many"))["text"]))
    async with started(dataclasses.replace(first, home=tmp_path / "two")) as live:
        lengths.append(len((await live.output(found["id"], "many"))["text"]))

    assert ([LARGE, LARGE], False) == (lengths, (tmp_path / "one" / "blobs").exists())
