"""Starting and stopping the embedded server."""

import asyncio
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, NamedTuple, Self
from urllib.parse import quote

import asyncpg

from linkflow.adapters.embedded import account as accounts
from linkflow.adapters.embedded import binaries, conf, place
from linkflow.adapters.embedded.account import Account
from linkflow.adapters.embedded.choice import choose
from linkflow.adapters.embedded.failure import EmbeddedPostgresFailed
from linkflow.adapters.embedded.place import Place

USER = "linkflow"
DATABASE = "linkflow"
LOG_BYTES = 1_000_000
LOOK_S = 0.005
PATIENCE_S = 2.0
STOP_S = 30.0
AGAIN_S = (0.1, 0.5, 2.0, 5.0)
"""Pauses before a server that ended by itself, and does not start, is tried again."""


class _Way(NamedTuple):
    """How the server is started: as whom, from which binaries, of which version."""

    account: Account
    folder: Path
    version: tuple[int, str]


def _silent(text: str) -> None:
    """Say nothing."""


class EmbeddedPostgres:
    """A PostgreSQL server that lives and dies with this process.

    Start it from a thread that lives as long as the server should, such as the main thread.

    Attributes:
        dsn: Where to connect: the database `linkflow`, over the socket, as asyncpg wants it.
        home: LINKFLOW_HOME of this server, absolute.
        pid: Process number of the server.
    """

    def __init__(
        self, home: Path, where: Place, process: subprocess.Popen[bytes], locks: list[IO[str]], way: "_Way"
    ) -> None:
        self.home = home
        self.pid = process.pid
        self._place, self._process, self._locks, self._way = where, process, locks, way
        self._is_stopping = False
        self.dsn = self._dsn(DATABASE)

    @classmethod
    async def start(
        cls,
        home: Path,
        *,
        say: Callable[[str], None] = _silent,
        namespaces: bool = True,
        binary_folder: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Self:
        """Start the server, making its data folder where there is none; return when it answers.

        Args:
            home: LINKFLOW_HOME; the server's files go to `home/postgres`.
            say: Told, in one line each, about steps that take long.
            namespaces: Whether root may use a user namespace.
            binary_folder: Where `postgres` and `initdb` are, instead of looking for them.
            settings: PostgreSQL settings that differ from `conf.SETTINGS`.

        Raises:
            EmbeddedPostgresFailed: It cannot be had; nothing is left running; the message says what to do.
        """
        home, lock = place.take_home(home)
        locks = [lock]
        try:
            where = place.settle(home)
            folder = binary_folder or binaries.first()
            account, folder, where, version = await asyncio.to_thread(choose, home, where, folder, namespaces)
            locks.append(await _take_server(where, say))
            await asyncio.to_thread(_prepare_data, where, account, folder, version, say)
            _configure(where, account, version, settings or {})
            process = _spawn(where, account, folder, locks[-1])
        except BaseException:
            for lock in locks:
                lock.close()
            raise
        server = cls(home, where, process, locks, _Way(account, folder, version))
        try:
            await server._until_ready(say)
            await server._make_database()
        except BaseException:
            await server.stop()
            raise
        return server

    async def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, as a copy of a template where one is named, and return its DSN."""
        connection = await asyncpg.connect(self._dsn("postgres"))
        try:
            # Copying files beats logging each page: the template is small and the copy is short-lived.
            source = f' TEMPLATE "{template}" STRATEGY file_copy' if template else ""
            await connection.execute(f'CREATE DATABASE "{name}"{source}')
        finally:
            await connection.close()
        return self._dsn(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it; safe to repeat."""
        connection = await asyncpg.connect(self._dsn("postgres"))
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    async def wait(self) -> int:
        """Wait until the server has ended, for whatever reason; return its exit code."""
        code = self._process.poll()
        if code is not None:
            return code
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        process = os.pidfd_open(self.pid)  # still our child, if only as a zombie: the number is not reused
        try:
            loop.add_reader(process, ended.set)
            await ended.wait()
        finally:
            loop.remove_reader(process)
            os.close(process)
        return self._process.wait()

    async def keep(self, say: Callable[[str], None]) -> None:
        """Start the server again whenever it ends by itself; return once it was stopped.

        Whoever uses the database meanwhile sees that it does not answer, and goes on afterwards.

        Args:
            say: Told, in one line each, what happened.
        """
        while True:
            code = await self.wait()
            if self._is_stopping:
                return
            say(f"PostgreSQL ended by itself (code {code}); it is started again. Its log: {self._place.log}")
            tries = 0
            while not await self._started_again(say):
                await asyncio.sleep(AGAIN_S[min(tries, len(AGAIN_S) - 1)])
                tries += 1
                if self._is_stopping:
                    return
            say("PostgreSQL is back.")

    async def _started_again(self, say: Callable[[str], None]) -> bool:
        """Start the server on its folder again; False when that failed."""
        self._locks[-1].close()  # what is left of the old server may hold it, and must be gone first
        try:
            self._locks[-1] = await _take_server(self._place, say)
            if self._is_stopping:
                return False
            _remove_stale(self._place)
            self._process = _spawn(self._place, self._way.account, self._way.folder, self._locks[-1])
            self.pid = self._process.pid
            await self._until_ready(say)
        except (EmbeddedPostgresFailed, OSError) as error:
            say(f"PostgreSQL cannot be started yet: {error}")
            return False
        return True

    async def stop(self) -> None:
        """Shut the server down cleanly and give up the folder; safe to repeat."""
        self._is_stopping = True
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(self.wait(), STOP_S)
            except TimeoutError:
                self._process.send_signal(signal.SIGQUIT)  # leaves recovery to the next start
                await self.wait()
        for lock in self._locks:
            lock.close()

    def _dsn(self, database: str) -> str:
        """Name a database of this server."""
        return dsn_of(self._place, database)

    async def _until_ready(self, say: Callable[[str], None]) -> None:
        """Wait until the server takes connections; recovery after a crash may take its time."""
        started, told = time.monotonic(), False
        status = self._place.data / "postmaster.pid"
        while True:
            if self._process.poll() is not None:
                raise EmbeddedPostgresFailed(
                    _ended("PostgreSQL ended while starting", _tail(self._place.log))
                )
            lines = status.read_text().splitlines() if status.exists() else []
            if len(lines) > 7 and lines[7].strip() == "ready":
                return
            if not told and time.monotonic() - started > PATIENCE_S:
                say("PostgreSQL is going through its log after an unclean end ...")
                told = True
            await asyncio.sleep(LOOK_S)

    async def _make_database(self) -> None:
        """Create LinkFlow's database at the first start."""
        try:
            connection = await asyncpg.connect(self.dsn)
        except asyncpg.InvalidCatalogNameError:
            await self.create_database(DATABASE)
        else:
            await connection.close()


def dsn_of(where: Place, database: str) -> str:
    """Name a database of the server at a place."""
    host = quote(str(where.socket), safe="")
    return f"postgresql://{USER}@/{quote(database)}?host={host}&port=5432"


def _ended(what: str, output: str) -> str:
    """Say that a program failed, and what it said."""
    return f"{what}. It said:\n{output or '(nothing)'}"


def _tail(log: Path, lines: int = 12) -> str:
    """Read the end of the log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


async def _take_server(where: Place, say: Callable[[str], None]) -> IO[str]:
    """Wait until nothing of an earlier server on this folder lives."""
    lock = (where.folder / "server.lock").open("a+")
    started, told = time.monotonic(), False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                say("waiting for the previous PostgreSQL to finish writing ...")
                told = True
            if time.monotonic() - started > STOP_S:
                lock.close()
                raise EmbeddedPostgresFailed(
                    f"A PostgreSQL of an earlier LinkFlow still runs on {where.folder} and does not end. "
                    f"Its process number is the first line of {where.data / 'postmaster.pid'}; stop it."
                ) from None
            await asyncio.sleep(LOOK_S)
        else:
            return lock


def _prepare_data(
    where: Place, account: Account, folder: Path, version: tuple[int, str], say: Callable[[str], None]
) -> None:
    """Make the data folder, or check that it can be used."""
    mark = where.data / "PG_VERSION"
    if not mark.exists():
        kept = sorted(where.folder.glob("data.old-*"))
        if kept:  # an upgrade was cut off between its two changes of names
            raise EmbeddedPostgresFailed(
                f"There is no data in {where.data}, but an upgrade has left {kept[-1]}. "
                f"Bring it back and repeat the upgrade: mv {kept[-1]} {where.data} && linkflow upgrade-data"
            )
        say(f"creating a PostgreSQL {version[1]} database in {where.folder} ...")
        _initialise(where, account, folder, version[0])
    made_by = mark.read_text().strip()
    if made_by != str(version[0]):
        raise EmbeddedPostgresFailed(_other_major(where, folder, made_by, version))
    _remove_stale(where)


def _remove_stale(where: Place) -> None:
    """Remove what a killed server left.

    Both locks are ours, so whatever process wears the number in these files today, it is not a server here.
    """
    for stale in (where.data / "postmaster.pid", where.socket / f"{place.SOCKET_NAME}.lock"):
        stale.unlink(missing_ok=True)


def _other_major(where: Place, folder: Path, made_by: str, version: tuple[int, str]) -> str:
    """Say what to do about data that another major version made."""
    fact = f"The data in {where.data} was made by PostgreSQL {made_by}; the one found here, in {folder}, is "
    if int(made_by) < version[0]:
        return f"{fact}{version[1]}, which cannot read it. Carry the data over: linkflow upgrade-data"
    return (
        f"{fact}{version[1]}, which is older and cannot read it. Install PostgreSQL {made_by} or newer, "
        "or begin with an empty database by setting LINKFLOW_HOME to another folder."
    )


def _initialise(where: Place, account: Account, folder: Path, major: int) -> None:
    """Run initdb beside the data folder and move the result there in one step."""
    half = where.folder / "data.half"
    if half.exists():
        done = account.run(where.folder, Path("/bin/rm"), "-rf", str(half))
    # C collation is the one that never changes with the system; from 17 on it knows Unicode's letters, too.
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
    done = account.run(
        where.folder,
        folder / "initdb",
        f"--pgdata={half}",
        f"--username={USER}",
        "--encoding=UTF8",
        "--locale=C",
        *locale,
        "--auth-local=peer",
        "--auth-host=reject",
        "--no-instructions",
    )
    if done.returncode:
        raise EmbeddedPostgresFailed(_ended("PostgreSQL could not make its data folder", done.stdout[-2000:]))
    half.rename(where.data)


def _configure(where: Place, account: Account, version: tuple[int, str], extra: Mapping[str, str]) -> None:
    """Write the configuration and make the folder of the socket."""
    account.own(place.private(where.socket))
    texts = conf.files(
        major=version[0], folder=where.folder, socket=where.socket, user=account.client, extra=extra
    )
    for name, text in texts.items():
        path = where.folder / name
        path.write_text(text)
        path.chmod(0o600)
        account.own(path)
    if where.log.exists() and where.log.stat().st_size > LOG_BYTES:
        where.log.rename(where.log.with_name("log.1"))


def _spawn(where: Place, account: Account, folder: Path, lock: IO[str]) -> subprocess.Popen[bytes]:
    """Start the server process; it inherits the lock, and no signal that a terminal sends."""
    command = account.command(
        where.folder,
        folder / "postgres",
        "-D",
        str(where.data),
        "-c",
        f"config_file={where.folder / 'postgresql.conf'}",
    )
    with where.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603  our own binaries, no shell
            command,
            env=accounts.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )
