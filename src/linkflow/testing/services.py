"""A real Redis and a real RabbitMQ for tests, as a pytest plugin.

`pytest_plugins = ["linkflow.testing.services"]`. Each pytest process starts its own when the first test asks,
and may wipe it. A test that uses one carries the marker `external`; where the server cannot be had the test
is skipped and named, and under LINKFLOW_REQUIRE_ALL the run fails. `make services` installs them.
"""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from linkflow.testing.servers import Server, ServerMissing, start_rabbitmq, start_redis

NUMBERS = count(1)


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


@pytest.fixture
def queue_prefix() -> str:
    """Name the test's own corner of a shared broker."""
    return f"test{next(NUMBERS)}"
