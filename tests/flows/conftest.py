"""The stage on which REST is tried: a real database, a control plane, an engine that runs nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from linkflow.testing.control import Stage


@pytest_asyncio.fixture
async def stage(database_dsn: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Open a stage of the test's own."""
    opened = await Stage.open(database_dsn, tmp_path)
    yield opened
    await opened.close()
