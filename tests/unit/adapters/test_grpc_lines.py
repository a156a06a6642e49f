"""Calls over lines that are cut and opened again: whoever is there is asked."""

import asyncio
from typing import Any

from linkflow.adapters.grpc.failures import LineCut
from linkflow.adapters.grpc.lines import Line, RoleLines
from linkflow.adapters.grpc.wire import Wire
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
    lines = RoleLines(nobody, "history", "Exchange", nobody, is_single=False)
    both = [Line(Member(id=name, roles=("history",)), name) for name in ("a", "b")]
    for line in both:
        lines._lines[line.member.id, line.address] = (line, nobody)
        lines._set(line, Scripted(cut))
    first, second = lines.ranked(0)

    def comes_back() -> bytes:
        lines._set(first, Scripted(lambda: b"done"))
        return cut()

    lines._set(second, Scripted(comes_back))
    async with asyncio.timeout(5):
        found = await lines.call(1, b"", shard=0)

    assert b"done" == found
