"""What tests of a LinkFlow of many processes share."""

from collections.abc import AsyncIterator

import pytest

from linkflow.adapters.sql.database import Database


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    """Open the test's own database."""
    found = await Database.open(database_dsn)
    yield found
    await found.close()
