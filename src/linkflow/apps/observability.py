"""What every process does so that it can be seen: its traces, and which release it is."""

import contextlib
from collections.abc import AsyncIterator, Set

from linkflow import __version__
from linkflow.apps.settings import Settings
from linkflow.telemetry import metrics, tracing


@contextlib.asynccontextmanager
async def observed(settings: Settings, roles: Set[str] = frozenset()) -> AsyncIterator[None]:
    """Send traces, where they are wanted, and say the release for as long as the context lasts.

    Args:
        settings: What a person set.
        roles: What the process does; it is called so in traces. Empty when it does everything.
    """
    service = "-".join(["linkflow", *sorted(roles)])
    with metrics.reading({"linkflow_build_info": lambda: {(__version__,): 1.0}}):
        async with tracing.running(settings.tracing_url, service, __version__):
            yield
