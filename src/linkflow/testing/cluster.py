"""A LinkFlow of many processes that a test kills, stops and starts again, many times a minute.

async with cluster(dsn, folder, {"history-1": "history", "worker-1": "worker"}) as running:
    await running.kill("history-1", "worker-1")

Each process is what `linkflow serve --roles` runs. They are forked from one that has imported LinkFlow, which
saves the 1.5 s that imports take; `testing.processes` starts them by the command line itself. They end with
the test's process, kill -9 included.
"""

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp

from linkflow.adapters import system
from linkflow.adapters.grpc.clients import FrontendClient
from linkflow.adapters.grpc.lines import lines
from linkflow.adapters.grpc.trust import Trust
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.members import SqlConfigs, SqlMembers
from linkflow.adapters.system import SystemClock, SystemIds
from linkflow.apps.serve_roles import roles_of, run_roles
from linkflow.apps.settings import load
from linkflow.engine.cluster import Cluster
from linkflow.ports.cluster import Member
from linkflow.testing.servers import free_port
from linkflow.testing.split import Proxy

ROLES = {
    **{f"{role}-{n}": role for role in ("frontend", "history", "matching", "worker") for n in (1, 2)},
    **{role: role for role in ("timer", "visibility", "control-plane", "edge", "scheduler")},
}
"""Every service, those on the way of each execution twice: roles by the process' name."""

SECRET = "a secret of many processes"  # noqa: S105  of tests
PATIENCE_S = 120.0
PROXIES = "127.0.0.2"
"""Where proxies listen, on the ports that the processes have on 127.0.0.1."""

_PR_SET_PDEATHSIG = 1

_births = multiprocessing.get_context("forkserver")
_births.set_forkserver_preload([__name__, "linkflow.apps.edge", "uvloop"])


class SkewedTime:
    """The functions of `time` that `SystemClock` and `SystemIds` use, on a machine whose clock is off."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self, skew_s: float) -> None:
        """Be off by some seconds."""
        self._skew_s = skew_s

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._skew_s

    def time_ns(self) -> int:
        """Nanoseconds since 1970."""
        return time.time_ns() + round(self._skew_s * 1e9)


def _live(environment: Mapping[str, str], roles: str, log: str, told: Connection, skew_s: float) -> None:
    """Be one process of some roles, on a machine whose clock may be off."""
    if skew_s:
        # Not `time` itself: gRPC sets its deadlines by that and compares them with the real clock.
        vars(system)["time"] = SkewedTime(skew_s)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(output, number)
    for name in [name for name in os.environ if name.startswith("LINKFLOW_")]:
        del os.environ[name]
    os.environ.update(environment)
    run_roles(load(environment, lambda text: None), roles, told.send)


class Life:
    """One process, from its start to its end.

    Attributes:
        pid: Of the process.
        ports: Where it listens, by role, once it is ready.
        ready: Set once it has said that it serves.
        over: Set once it has ended.
    """

    def __init__(self, environment: Mapping[str, str], roles: str, log: Path, skew_s: float) -> None:
        self.log = log
        self.ports: Mapping[str, int] = {}
        self.ready, self.over = asyncio.Event(), asyncio.Event()
        self._hears, told = _births.Pipe(duplex=False)
        self._process = _births.Process(
            target=_live, args=(environment, roles, str(log), told, skew_s), daemon=True
        )
        self._process.start()
        told.close()
        assert self._process.pid is not None
        self.pid = self._process.pid
        loop = asyncio.get_running_loop()
        loop.add_reader(self._hears.fileno(), self._heard)
        loop.add_reader(self._process.sentinel, self._ended)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it is over."""
        if not self.over.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _heard(self) -> None:
        try:
            said = str(self._hears.recv())
            if said.startswith("ready on"):  # ready on 127.0.0.1: edge 8081, history 8082
                listens = (each.split() for each in said.partition(": ")[2].split(", "))
                self.ports = {role: int(port) for role, port in listens}
                self.ready.set()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._hears.fileno())

    def _ended(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._process.sentinel)
        loop.remove_reader(self._hears.fileno())
        self._hears.close()
        self._process.join()
        self.over.set()


class Processes:
    """The processes of a LinkFlow, by the names that the test gave them.

    Attributes:
        lives: The running or last life of each.
        proxies: The lines to each, where they lead over proxies.
    """

    def __init__(
        self,
        folder: Path,
        roles: Mapping[str, str],
        environment: Mapping[str, str],
        skew: Callable[[], float],
    ) -> None:
        self._skew = skew
        self.lives: dict[str, Life] = {}
        self.proxies: dict[str, Proxy] = {}
        self._ports: dict[str, int] = {}
        self._folder, self._roles, self._environment = folder, dict(roles), environment

    def start(self, *names: str) -> None:
        """Start processes; those that live already are left alone."""
        for name in names:
            if name not in self.lives or self.lives[name].over.is_set():
                roles, port = self._roles[name], self._ports.get(name, 0)
                ports = ",".join(f"{role}={port}" for role in sorted(roles_of(roles)))
                environment = {**self._environment, "LINKFLOW_PORTS": ports}
                if name in self.proxies:
                    environment["LINKFLOW_ADVERTISE"] = PROXIES
                self.lives[name] = Life(environment, roles, self._folder / f"{name}.log", self._skew())

    async def part(self, *names: str) -> None:
        """Lay the lines to processes of one role, before they start, over proxies that can be cut."""
        for name in names:
            self._ports[name] = port = free_port()
            self.proxies[name] = Proxy(f"127.0.0.1:{port}", f"{PROXIES}:{port}")
            await self.proxies[name].start()

    def send(self, number: signal.Signals, *names: str) -> None:
        """Send a signal to processes."""
        for name in names:
            self.lives[name].send(number)

    async def ended(self, names: Iterable[str]) -> None:
        """Wait until processes are over."""
        async with asyncio.timeout(PATIENCE_S):
            for name in names:
                await self.lives[name].over.wait()

    async def kill(self, *names: str) -> None:
        """Kill -9 processes, all at once."""
        self.send(signal.SIGKILL, *names)
        await self.ended(names)

    async def ready(self, *names: str) -> None:
        """Wait until processes serve, by default all.

        Raises:
            TimeoutError: One does not; the message says what it said.
        """
        for name in names or self.lives:
            life = self.lives[name]
            waits = [asyncio.ensure_future(each.wait()) for each in (life.ready, life.over)]
            try:
                await asyncio.wait(waits, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waits:
                    each.cancel()
            if life.over.is_set() or not life.ready.is_set():
                raise TimeoutError(f"{name} does not serve:\n{self.said(name)}")

    async def measured(self, name: str, metric: str) -> float:
        """Add up a metric of a process over its labels."""
        port = next(iter(self.lives[name].ports.values()))
        async with aiohttp.request("GET", f"http://127.0.0.1:{port}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        found = [line for line in lines if line.startswith((f"{metric} ", f"{metric}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def said(self, name: str) -> str:
        """Read the end of what a process said, over all its lives."""
        return (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-5000:]


@asynccontextmanager
async def cluster(
    dsn: str,
    folder: Path,
    roles: Mapping[str, str],
    *,
    apart: Sequence[str] = (),
    skew: Callable[[], float] = lambda: 0.0,
    **environment: str,
) -> AsyncIterator[Processes]:
    """Run processes and end them with the block.

    Args:
        dsn: Their database, with LinkFlow's schema.
        folder: For what they say and keep.
        roles: What each process does, by a name for it.
        apart: Those that are reached over proxies.
        skew: Says by how many seconds the clock of the next process is off.
        environment: More variables for all.
    """
    said = {
        "LINKFLOW_DATABASE_URL": dsn,
        "LINKFLOW_HOME": str(folder / "home"),
        "LINKFLOW_OUTBOUND_ALLOW": "127.0.0.1",
        "LINKFLOW_OWNER_PASSWORD": "a storm is coming",
        "LINKFLOW_LOG_LEVEL": "warning",
        "LINKFLOW_SECRET": SECRET,
        **environment,
    }
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    found = Processes(folder, roles, said, skew)
    try:
        await found.part(*apart)
        found.start(*roles)
        await found.ready()
        yield found
    finally:
        found.send(signal.SIGKILL, *found.lives)
        await found.ended(found.lives)
        for proxy in found.proxies.values():
            await proxy.stop()


@asynccontextmanager
async def frontends(database: Database) -> AsyncIterator[FrontendClient]:
    """Reach the Frontends of a cluster, as a member without a role does."""
    ids = SystemIds()
    member = Member(id=f"test-{ids.uuid()}", roles=[])
    seen = Cluster(member, SqlMembers(database), SqlConfigs(database), SystemClock())
    await seen.look()
    watching = asyncio.ensure_future(seen.run())
    try:
        async with lines(seen, Trust(secret=SECRET)) as found:
            yield FrontendClient(found, ids)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
