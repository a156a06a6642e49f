"""The embedded PostgreSQL when processes are killed."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from linkflow.adapters.embedded import EmbeddedPostgres

HOLD = """
import asyncio, json, sys
from pathlib import Path
import asyncpg
from linkflow.adapters.embedded import EmbeddedPostgres
async def main():
    server = await EmbeddedPostgres.start(Path(sys.argv[1]))
    connection = await asyncpg.connect(server.dsn)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)")
    print(json.dumps({"pid": server.pid}), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
GENEROUS_MS = 15_000

pytestmark = pytest.mark.timeout(60)


@contextmanager
def holder(home: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a process that started a server and committed a row; yield it and the server's process number."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())["pid"]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ends(process: int) -> bool:
    """Wait until a process is gone; tell whether it went within a generous time."""
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(GENEROUS_MS))


async def rows(home: Path) -> tuple[int, str]:
    """Start a server on the folder; count the rows and return what its log says of this start."""
    log = home / "postgres" / "log"
    before = log.stat().st_size
    server = await EmbeddedPostgres.start(home)
    connection = await asyncpg.connect(server.dsn)
    found: int = await connection.fetchval("SELECT count(*) FROM kept")
    await connection.close()
    await server.stop()
    return found, log.read_text()[before:]


async def test_the_server_dies_with_its_parent(tmp_path: Path) -> None:
    """After kill -9 of LinkFlow the server shuts down cleanly: the next start has nothing to repair."""
    with holder(tmp_path) as (parent, server):
        watched = os.pidfd_open(server)
        parent.kill()
        gone = ends(watched)
        os.close(watched)
    found, said = await rows(tmp_path)

    assert (True, 1, False) == (gone, found, "automatic recovery" in said)


async def test_a_kill_of_everything_loses_nothing(tmp_path: Path) -> None:
    """When LinkFlow and the server are killed together, the next start recovers what was committed."""
    with holder(tmp_path) as (parent, server):
        watched = os.pidfd_open(server)
        os.kill(server, signal.SIGKILL)
        parent.kill()
        gone = ends(watched)
        os.close(watched)
    found, said = await rows(tmp_path)

    assert (True, 1, True) == (gone, found, "automatic recovery" in said)


async def test_a_stale_process_number_is_no_obstacle(tmp_path: Path) -> None:
    """A `postmaster.pid` whose number another process wears by now does not prevent a start."""
    with holder(tmp_path) as (parent, server):
        os.kill(server, signal.SIGKILL)
        parent.kill()
    status = tmp_path / "postgres" / "data" / "postmaster.pid"
    lines = status.read_text().splitlines()
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    status.write_text("\n".join([str(other.pid), *lines[1:]]))
    found, _ = await rows(tmp_path)
    other.communicate(b"\n")

    assert 1 == found


async def test_restarting_at_once_after_a_kill_works(tmp_path: Path) -> None:
    """A start right after kill -9 waits for the old server to finish; ten times in a row."""
    for _ in range(10):
        with holder(tmp_path) as (parent, _server):
            parent.kill()
    found, _ = await rows(tmp_path)

    assert 10 == found


async def test_a_lost_server_is_noticed(tmp_path: Path) -> None:
    """When the server is killed, LinkFlow learns of it at once."""
    server = await EmbeddedPostgres.start(tmp_path)
    os.kill(server.pid, signal.SIGKILL)

    code = await server.wait()
    await server.stop()

    assert -signal.SIGKILL == code


async def test_a_lost_server_is_started_again(tmp_path: Path) -> None:
    """A server that is killed comes back by itself with what it had, and its end is said."""
    said: list[str] = []
    is_back = asyncio.Event()

    def say(text: str) -> None:
        said.append(text)
        if text == "PostgreSQL is back.":
            is_back.set()

    server = await EmbeddedPostgres.start(tmp_path)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.keep(say))
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        connection.terminate()
        for _ in range(3):
            is_back.clear()
            os.kill(server.pid, signal.SIGKILL)
            await is_back.wait()
        connection = await asyncpg.connect(server.dsn)
        found = await connection.fetchval("SELECT n FROM kept")
        await connection.close()
        await server.stop()

    assert 1 == found
    assert "ended by itself (code -9)" in said[0]
