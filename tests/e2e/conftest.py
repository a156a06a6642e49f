"""Browser tests: one Chromium for a pytest process, so that all of them live in the loop of the session."""

import inspect
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from linkflow.testing.bindings import BINDINGS
from linkflow.testing.browser import browser, ui
from linkflow.testing.live import Live, settings_of
from linkflow.testing.receiver import Receiver

__all__ = ["browser", "ui"]

TEST_S = 90
"""A browser on a busy machine is slow; nothing here waits so long when all is well."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give browser tests more time than others, and the loop that the browser lives in."""
    for item in items:
        if "/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(TEST_S))
            if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def live(
    request: pytest.FixtureRequest, database_dsn: str, tmp_path: Path, queue_settings: Mapping[str, Any]
) -> AsyncIterator[Live]:
    """Run a LinkFlow of the test's own."""
    settings = replace(settings_of(database_dsn, tmp_path / "home"), **queue_settings)
    async with BINDINGS[request.config.getoption("--binding")](settings) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    """Listen as the world outside."""
    async with Receiver.open() as opened:
        yield opened
