"""Traces cost nothing while they are off, and never stop what they look at."""

import subprocess
import sys

import pytest

from linkflow.telemetry import tracing

EXECUTION = "01a1fdf6-dbb1-86f2-b223-32686bb92786"
NOBODY = "http://127.0.0.1:1"


def test_nothing_heavy_is_imported_while_it_is_off() -> None:
    """A process without an address for traces imports neither the SDK nor the exporter."""
    code = (
        "import sys, linkflow.apps.installation as _; "
        "print([name for name in ('opentelemetry.sdk', 'opentelemetry.exporter', 'linkflow.telemetry.spans') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


def test_what_happens_within_happens_while_it_is_off() -> None:
    """Without an address a span has nothing to send on and lets errors through."""
    with tracing.span("node x", EXECUTION) as span:
        assert {} == span.headers
    with pytest.raises(ValueError, match="mine"), tracing.span("node x", EXECUTION):
        raise ValueError("mine")
    tracing.record(EXECUTION, "queue", took_s=1.0)


async def test_a_collector_that_is_away_stops_nobody() -> None:
    """Spans for a collector that does not answer are dropped; errors within stay what they are."""
    async with tracing.running(NOBODY, "linkflow", "0"):
        with pytest.raises(ValueError, match="mine"), tracing.span("node x", EXECUTION) as span:
            assert EXECUTION.replace("-", "") == span.headers["traceparent"].split("-")[1]
            raise ValueError("mine")
        with tracing.span("GET nowhere", kind="client") as outside:
            assert {} == outside.headers
    assert not tracing.is_on()
