"""What holds for every test: with LINKFLOW_REQUIRE_ALL a skip is a failure; else the last line names it."""

import os
from collections.abc import Generator

import pytest
from _pytest._code.code import ExceptionRepr
from hypothesis import settings

# No promise is about time: a busy machine must not fail a test. What is slow, the benchmarks show.
settings.register_profile("linkflow", deadline=None)
settings.load_profile("linkflow")

pytest_plugins = ["linkflow.testing.postgres", "linkflow.testing.bindings", "linkflow.testing.services"]
REQUIRE_ALL = os.environ.get("LINKFLOW_REQUIRE_ALL", "") not in {"", "0"}


SERVERS = {"redis_url", "rabbitmq_url", "s3_url"}
SERVER_S = 90.0
"""For the first test that needs a real server: RabbitMQ takes 10 s to start, more on a busy machine."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test that may have to start a real server the time that takes."""
    servers = SERVERS | ({"queue_settings"} if config.getoption("--queue") != "embedded" else set())
    for item in items:
        needed = servers & set(getattr(item, "fixturenames", ()))
        if (needed or item.get_closest_marker("external")) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SERVER_S))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say again in short why a test failed, below what it wrote: of long logs often only the end is kept."""
    report = yield
    told = report.longrepr
    if report.failed and report.sections and isinstance(told, ExceptionRepr) and told.reprcrash is not None:
        entries = getattr(told.reprtraceback, "reprentries", ())
        places = [
            str(each.reprfileloc.path) + f":{each.reprfileloc.lineno}" for each in entries if each.reprfileloc
        ]
        report.sections.append(("Why it failed", "\n".join((*places, told.reprcrash.message))))
    return report


def _skips(reporter: pytest.TerminalReporter) -> list[str]:
    """List what was skipped and why, as `test (reason)`."""
    found = []
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found.append(f"{report.nodeid.rpartition('/')[2]} ({reason.removeprefix('Skipped: ')})")
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn skips into a failure where everything is required; that `-m` left nothing to run is none."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.getoption("markexpr"):
        session.exitstatus = pytest.ExitCode.OK
    if REQUIRE_ALL and reporter is not None and _skips(reporter) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Name what was skipped in the very last line."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and (skips := _skips(reporter)):
        word = "Refused under LINKFLOW_REQUIRE_ALL" if REQUIRE_ALL else "Not run here"
        reporter.write_line(f"{word}: {len(skips)} skipped: {'; '.join(skips)}")
