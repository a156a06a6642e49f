"""Calls over lines that are cut and opened again: whoever is there is asked."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from linkflow.adapters.grpc.channels import Channels
from linkflow.adapters.grpc.failures import LineCut
from linkflow.adapters.grpc.lines import Line, RoleLines
from linkflow.adapters.grpc.surface import HISTORY
from linkflow.adapters.grpc.trust import Trust
from linkflow.adapters.grpc.wire import Wire
from linkflow.domain.errors import Unavailable
from linkflow.ports.cluster import Member


class Scripted(Wire):
    """A line that does what it is told when it is called."""

    def __init__(self, does: Any) -> None:
        self._does = does

    async def call(self, call: int, record: bytes, execution_id: str = "", deadline_s: float = 30.0) -> bytes:
        """Answer, or be cut."""
        found: bytes = self._does()
        return found

    def close(self) -> None:
        """Cut nothing."""


def cut() -> bytes:
    """Lose the line."""
    raise LineCut("The connection is lost.")


async def test_a_line_that_is_back_while_another_was_asked_is_asked() -> None:
    """A call that lost two lines in turn waits for nobody when the first one is open again."""
    nobody: Any = None  # it keeps no lines open here
    kept = RoleLines(nobody, "history", "Exchange", nobody, is_single=False)
    both = [Line(Member(id=name, roles=("history",)), name) for name in ("a", "b")]
    for line in both:
        kept._lines[line.member.id, line.address] = (line, nobody)
        kept._set(line, Scripted(cut))
    first, second = kept.ranked(0)

    def comes_back() -> bytes:
        kept._set(first, Scripted(lambda: b"done"))
        return cut()

    kept._set(second, Scripted(comes_back))
    async with asyncio.timeout(5):
        found = await kept.call(1, b"", shard=0)

    assert b"done" == found


class Known:
    """The members that are known.

    Attributes:
        members: Who is there just now.
    """

    def __init__(self) -> None:
        self.members: list[Member] = []

    def of(self, role: str) -> list[Member]:
        """List the members of a role."""
        return [member for member in self.members if role in member.roles]

    async def changed(self) -> None:
        """Never change."""
        await asyncio.Event().wait()


async def test_members_that_left_leave_no_connection_behind() -> None:
    """However many members come and go, a process keeps connections to those that are there."""
    known, calls = Known(), HISTORY.calls()
    async with asyncio.TaskGroup() as group:

        def spawn(work: Coroutine[Any, Any, None]) -> None:
            group.create_task(work)

        found = Channels(known, Trust(secret="s3cret"), spawn)
        for number in range(5):
            address = f"127.0.0.1:{number + 1}"
            member = Member(id=str(number), roles=("history",), addresses={"history": address})
            known.members = [member]
            with pytest.raises(Unavailable):
                await found.ask(member, "history", calls["view"], calls["view"].request("x"), 0.01)

        left = len(found)
        await found.close()

    assert 1 == left
