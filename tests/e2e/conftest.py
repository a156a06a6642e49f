"""Browser tests get more time than others, and the fixtures of `linkflow.testing.browser`."""

import pytest

from linkflow.testing.browser import browser, ui

__all__ = ["browser", "ui"]

TEST_S = 90
"""A browser on a busy machine is slow; nothing here waits so long when all is well."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give browser tests more time than others."""
    for item in items:
        if "/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(TEST_S))
