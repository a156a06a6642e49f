"""A real Redis, a real RabbitMQ and a real S3 server for tests, as a pytest plugin.

`pytest_plugins = ["linkflow.testing.services"]`. Each pytest process starts its own when the first test asks,
and may wipe it. A test that uses one carries the marker `external`; where the server cannot be had the test
is skipped and named, and under LINKFLOW_REQUIRE_ALL the run fails. `make services` installs them.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from linkflow.testing.servers import Server, ServerMissing, start_rabbitmq, start_redis, start_s3

NUMBERS = count(1)
FEW_SLOTS = 2
"""So few attempts at once that tasks do wait in the queue that is tried."""


def _running(start: Callable[[], Server]) -> Iterator[str]:
    """Start a server for this pytest process, or skip."""
    try:
        server = start()
    except ServerMissing as missing:
        pytest.skip(f"{missing}; `make services` installs it")
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Start the Redis of this pytest process."""
    yield from _running(start_redis)


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    """Start the RabbitMQ of this pytest process."""
    yield from _running(start_rabbitmq)


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Start the S3 server of this pytest process; key, secret and bucket are those of `servers`."""
    yield from _running(start_s3)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the flows run over another queue, and the faults in full numbers.

    `pytest tests/flows --queue redis`; `pytest tests/faults --full`, which is `make chaos FULL=1`.
    """
    parser.addoption("--queue", choices=["embedded", "redis", "rabbitmq"], default="embedded")
    parser.addoption("--full", action="store_true", help="as many faults as the promises name")


@pytest.fixture
def is_full(request: pytest.FixtureRequest) -> bool:
    """Say whether faults come in the numbers that the promises name, whatever the time it takes."""
    return bool(request.config.getoption("--full"))


@pytest.fixture
def queue_settings(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """Say the settings of a LinkFlow over the queue that `--queue` names."""
    queue = request.config.getoption("--queue")
    if queue == "embedded":
        return {}
    url = request.getfixturevalue(f"{queue}_url")
    return {"queue": queue, f"{queue}_url": url, "worker_slots": FEW_SLOTS}


@pytest.fixture
def queue_prefix() -> str:
    """Name the test's own corner of a shared broker."""
    return f"test{next(NUMBERS)}"
