"""`linkflow up --workers N`: one LinkFlow and more processes that work."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from linkflow.apps.more_workers import with_workers
from linkflow.ports.cluster import Member
from linkflow.testing.live import settings_of

pytestmark = pytest.mark.timeout(300)
PATIENCE_S = 120.0


def pid_of(member: Member) -> int:
    """Read the process id out of a member's."""
    return int(member.id.split("-")[-2])


async def test_a_worker_that_dies_is_started_again(database_dsn: str, tmp_path: Path) -> None:
    """A worker process joins, is started again when it is killed, and ends with whoever started it."""
    settings = replace(settings_of(database_dsn, tmp_path), port=0)
    async with with_workers(settings, 1, lambda text: None) as running:
        cluster = running.process.cluster

        async def other(than: str = "") -> Member:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    for member in cluster.of("worker"):
                        if member.id not in (cluster.member.id, than) and member.state == "ready":
                            return member
                    await cluster.changed()

        first = await other()
        os.kill(pid_of(first), signal.SIGKILL)
        second = await other(first.id)
    with pytest.raises(ProcessLookupError):
        os.kill(pid_of(second), 0)

    assert ["worker"] == list(second.roles)
