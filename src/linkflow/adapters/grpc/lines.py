"""Lines to peers: a stream that is kept open to every member of a role, and channels for unary calls.

async with lines(peers, trust) as found:
    history = HistoryClient(found, ids)
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import blake2b
from typing import Any

import grpc

from linkflow import telemetry
from linkflow.adapters.grpc.channels import Channels
from linkflow.adapters.grpc.failures import LineCut, error_of_call
from linkflow.adapters.grpc.records import Call
from linkflow.adapters.grpc.surface import SERVICES
from linkflow.adapters.grpc.trust import Trust
from linkflow.adapters.grpc.wire import Wire
from linkflow.domain.errors import LinkFlowError, Unavailable
from linkflow.ports.cluster import Member, Peers

PATIENCE_S = 10.0
"""How long a call waits for somebody to call."""

AGAIN_S = (0.05, 1.0)
"""Pause before a line is tried again: the first, and the longest."""

FLUSH_S = 0.5
OPEN_S = 5.0
"""How long a peer may take to accept a stream."""

log = telemetry.logger("grpc")

Carry = Callable[[Wire], Awaitable[None]]
"""Lives with an open stream until it is cut; must run the wire."""


class Line:
    """A stream to one member, opened again whenever it is cut.

    Attributes:
        wire: The open stream; None while there is none.
    """

    def __init__(self, member: Member, address: str) -> None:
        self.member = member
        self.address = address
        self.wire: Wire | None = None


class RoleLines:
    """The lines to all members of a role.

    Attributes:
        generation: Another number whenever a line came up or was cut.
    """

    def __init__(self, owner: "Lines", role: str, stream: str, carry: Carry, *, is_single: bool) -> None:
        self.role = role
        self._is_single = is_single
        self._choice = 0
        self._reason = ""
        self._again = asyncio.Event()
        self.generation = 0
        self._owner = owner
        self._path = SERVICES[role].path(stream)
        self._carry = carry
        self._lines: dict[tuple[str, str], tuple[Line, asyncio.Task[None]]] = {}
        self._changed = asyncio.Event()
        self._ranked: dict[int, list[Line]] = {}
        self._ranked_at = -1

    # ------------------------------------------------------------ asking

    def up(self) -> list[Line]:
        """List the lines that are open, in order of the members' ids."""
        return [line for line, _ in self._lines.values() if line.wire is not None]

    def down(self) -> list[str]:
        """List the members to whom no line is open just now."""
        return [line.member.id for line, _ in self._lines.values() if line.wire is None]

    def ranked(self, shard: int) -> Sequence[Line]:
        """List the open lines, the one that a shard should go to first (rendezvous hashing)."""
        if self._ranked_at != self.generation:
            self._ranked, self._ranked_at = {}, self.generation
        found = self._ranked.get(shard)
        if found is None:
            found = sorted(self.up(), key=lambda line: _weight(line.member.id, shard))
            self._ranked[shard] = found
        return found

    async def appeared(self, since: int, until: float) -> None:
        """Wait until a line is up and the lines are others than they were.

        Args:
            since: The generation of the lines that were tried.
            until: How long, on the loop's clock.

        Raises:
            Unavailable: None came up in time.
        """
        try:
            async with asyncio.timeout_at(until):
                if asyncio.get_running_loop().time() >= until:
                    raise TimeoutError
                while since == self.generation or not self.up():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            reason = f": {self._reason}" if self._reason else "; try again."
            raise Unavailable(f"No {self.role} service can be reached{reason}") from None

    async def call(
        self, call: int, record: bytes, execution_id: str = "", *, shard: int = 0, deadline_s: float = 40.0
    ) -> bytes:
        """Ask the member that a shard should go to, and another one when its line is cut.

        Raises:
            LinkFlowError: What the callee raised.
            Unavailable: Nobody could be reached, or nobody answered in time.
        """
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            tried = self.generation
            for line in self.ranked(shard):
                if line.wire is None:
                    continue
                try:
                    return await line.wire.call(call, record, execution_id, deadline_s)
                except LineCut as error:
                    log.debug("asked another", role=self.role, error=str(error))
            await self.appeared(tried, until)

    # ------------------------------------------------------------ keeping

    async def keep(self) -> None:
        """Keep a line to every member."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    self._meet(group)
                    await self._until_changed(group)
                except Exception:  # a bug in who is there must not end every line
                    log.exception("peers not known", role=self.role)
                    await asyncio.sleep(AGAIN_S[1])

    def _meet(self, group: asyncio.TaskGroup) -> None:
        """Begin lines to members that came, and end those to members that went."""
        wanted = self._wanted()
        for key in [key for key in self._lines if key not in wanted]:
            line, task = self._lines.pop(key)
            self._set(line, None)
            task.cancel()
        for key, member in wanted.items():
            if key not in self._lines:
                line = Line(member, key[1])
                self._lines[key] = (line, group.create_task(self._keep(line)))
        self._lines = dict(sorted(self._lines.items()))

    def _wanted(self) -> dict[tuple[str, str], Member]:
        """List the members to have a line to: all, or one that works."""
        found = {
            (member.id, address): member
            for member in self._owner.peers.of(self.role)
            if (address := member.addresses.get(self.role))
        }
        if not self._is_single or len(found) < 2:
            return found
        ready = sorted(key for key in found if found[key].state == "ready") or sorted(found)
        working = [key for key in ready if key in self._lines and self._lines[key][0].wire is not None]
        chosen = working[0] if working else ready[self._choice % len(ready)]
        return {chosen: found[chosen]}

    async def _until_changed(self, group: asyncio.TaskGroup) -> None:
        """Wait until another list of lines may be right."""
        waits = {
            group.create_task(_quietly(self._owner.peers.changed())),
            group.create_task(_quietly(self._again.wait())),
        }
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in pending:
            wait.cancel()
        self._again.clear()

    async def _keep(self, line: Line) -> None:
        """Keep one line open."""
        pause_s = AGAIN_S[0]
        while True:
            try:
                if await self._open(line):
                    pause_s = AGAIN_S[0]
            except LinkFlowError as error:
                self._reason = str(error)
                if pause_s == AGAIN_S[0]:
                    log.warning("waits for a service", role=self.role, address=line.address, error=str(error))
            except Exception:  # a bug must not end the line for good
                log.exception("line failed", role=self.role, address=line.address)
            self._choice += 1
            if self._is_single:
                self._again.set()
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, AGAIN_S[1])

    async def _open(self, line: Line) -> bool:
        """Open a line and live with it until it is cut; whether it was open."""
        stream = self._owner.stream(line.address, self._path)
        try:
            try:
                async with asyncio.timeout(OPEN_S):
                    await stream.initial_metadata()
            except TimeoutError:
                return False
            if stream.done():
                raise error_of_call(await _end(stream), f"{self.role} at {line.address}")
            log.info("service reached", role=self.role, address=line.address)
            wire = Wire(stream, f"{self.role} at {line.address}")
            self._set(line, wire)
            await self._carry(wire)
            return True
        except grpc.aio.AioRpcError as error:
            raise error_of_call(error, f"{self.role} at {line.address}") from error
        finally:
            self._set(line, None)
            stream.cancel()

    def _set(self, line: Line, wire: Wire | None) -> None:
        if line.wire is wire:
            return
        if line.wire is not None:
            line.wire.close()
        line.wire = wire
        self.generation += 1
        self._changed.set()


class Lines:
    """Everything that this process has open to its peers.

    Attributes:
        peers: Who is there.
    """

    def __init__(self, peers: Peers, trust: Trust, group: asyncio.TaskGroup) -> None:
        self.peers = peers
        self._group = group
        self._channels = Channels(peers, trust, self.spawn)
        self._kept: list[RoleLines] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = 0

    def to(self, role: str, stream: str, carry: Carry, *, is_single: bool = False) -> RoleLines:
        """Keep a stream open to every member of a role from now on, or to one that works."""
        found = RoleLines(self, role, stream, carry, is_single=is_single)
        self._kept.append(found)
        self.spawn(found.keep())
        return found

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something for as long as the lines are there."""
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def missing(self) -> Sequence[str]:
        """List the roles that are needed and that no line reaches."""
        return sorted({each.role for each in self._kept if not each.up()})

    async def unary(
        self, role: str, call: Call, *args: Any, deadline_s: float, shard: int | None = None
    ) -> Any:
        """Call a member of a role, and another one when it cannot be reached: every call may be repeated.

        Raises:
            LinkFlowError: What the callee raised.
            Unavailable: Nobody could be reached, or nobody answered in time.
        """
        request = call.request(*args)
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            error: LinkFlowError | None = None
            for member in self._order(role, shard):
                try:
                    return await self.ask(member, role, call, request, deadline_s)
                except LineCut as cut:
                    error = cut
            if asyncio.get_running_loop().time() >= until:
                raise error or Unavailable(f"No {role} service is there; try again.")
            await asyncio.sleep(AGAIN_S[0] * 2)

    async def ask(self, member: Member, role: str, call: Call, request: Any, deadline_s: float) -> Any:
        """Make a unary call to one member; see `Channels`."""
        return await self._channels.ask(member, role, call, request, deadline_s)

    def stream(self, address: str, path: str) -> Any:
        """Open a stream of frames."""
        return self._channels.stream(address, path)

    def _order(self, role: str, shard: int | None) -> Sequence[Member]:
        members = [member for member in self.peers.of(role) if role in member.addresses]
        down = self._down(role)
        if shard is not None:
            return sorted(members, key=lambda member: (member.id in down, _weight(member.id, shard)))
        self._turn += 1
        start = self._turn % len(members) if members else 0
        return sorted([*members[start:], *members[:start]], key=lambda member: member.id in down)

    def _down(self, role: str) -> set[str]:
        """List the members whose line is known to be cut."""
        return {name for each in self._kept if each.role == role for name in each.down()}

    async def close(self) -> None:
        """End every line; what was said before is sent."""
        wires = [line.wire for each in self._kept for line in each.up() if line.wire is not None]
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await asyncio.gather(*(wire.flush() for wire in wires))
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._channels.close()


@asynccontextmanager
async def lines(peers: Peers, trust: Trust) -> AsyncIterator[Lines]:
    """Keep lines to peers for as long as the context lasts."""
    async with asyncio.TaskGroup() as group:
        found = Lines(peers, trust, group)
        try:
            yield found
        finally:
            await found.close()


def _weight(member_id: str, shard: int) -> bytes:
    """Weigh a member for a shard; the lightest is the one to ask."""
    return blake2b(f"{member_id}:{shard}".encode(), digest_size=8).digest()


async def _quietly(waits: Awaitable[object]) -> None:
    """Wait; who is asked in vain is asked again a little later."""
    try:
        await waits
    except Exception:  # a bug there must not end every line
        log.exception("peers not heard of")
        await asyncio.sleep(AGAIN_S[1])


async def _end(stream: Any) -> grpc.aio.AioRpcError:
    """Say how a stream ended that was never accepted."""
    return grpc.aio.AioRpcError(
        await stream.code(),
        await stream.initial_metadata(),
        await stream.trailing_metadata(),
        await stream.details(),
    )
