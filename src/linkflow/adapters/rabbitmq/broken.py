"""What a call of the broker may end with, and how to go on."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

BROKEN = (Exception,)
"""A closed channel is a RuntimeError, a connection that ends under a call is a bare Exception. Caught only
around calls of the broker, and followed by `pass_on_a_stop`."""


def pass_on_a_stop() -> None:
    """Stop when this task was told to.

    A call of the broker that is cancelled may end with an error of the library, or as if nothing had happened
    (asyncio.wait_for, whose result came at the same moment). So whoever goes on after one asks here first.

    Raises:
        CancelledError: This task is to stop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@contextmanager
def quietly() -> Iterator[None]:
    """Go on, whatever the calls within end with, unless this task is to stop."""
    try:
        yield
    except BROKEN:
        pass_on_a_stop()
