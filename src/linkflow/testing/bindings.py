"""A running LinkFlow for tests, as a pytest plugin: `pytest_plugins = ["linkflow.testing.bindings"]`.

`live` is a LinkFlow on a database of the test's own: one process, or with `--binding grpc` a server per
role; its queue is the one that `--queue` names. `receiver` is the world outside that its nodes may call.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from linkflow.testing.live import Live, settings_of, started
from linkflow.testing.live_split import split
from linkflow.testing.receiver import Receiver

BINDINGS = {"direct": started, "grpc": split}
"""How services call each other, and what runs a LinkFlow so."""

SPLIT_S = 120
"""Seconds that a test may take when every role is a server of its own."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the flows run over another binding: `pytest tests/flows --binding grpc --queue redis`."""
    parser.addoption("--binding", choices=list(BINDINGS), default="direct")


def pytest_configure(config: pytest.Config) -> None:
    """Know the mark of tests that are about one process."""
    config.addinivalue_line("markers", "one_process: looks into the one process of the direct binding")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Over gRPC, leave out what is about one process, and give the rest time to start many members."""
    if config.getoption("--binding") == "direct":
        return
    alone = [item for item in items if item.get_closest_marker("one_process") is not None]
    config.hook.pytest_deselected(items=alone)
    items[:] = [item for item in items if item not in alone]
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(SPLIT_S))


@pytest_asyncio.fixture
async def live(
    request: pytest.FixtureRequest, database_dsn: str, tmp_path: Path, queue_settings: Mapping[str, Any]
) -> AsyncIterator[Live]:
    """Run a LinkFlow of the test's own."""
    settings = replace(settings_of(database_dsn, tmp_path / "home"), **queue_settings)
    async with BINDINGS[request.config.getoption("--binding")](settings) as running:
        yield running


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Listen as the world outside."""
    async with Receiver.open() as opened:
        yield opened
