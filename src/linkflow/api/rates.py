"""What a caller is told about limits: X-RateLimit-Limit, -Remaining and -Reset (seconds from now)."""

import math
from collections.abc import Awaitable, Sequence

from starlette.types import Scope

from linkflow.control.gate import Passed, TooFast

HEADERS = "linkflow.rate"
"""Where the headers stay until the answer begins; there once a request was counted."""


async def count(scope: Scope, passing: Awaitable[Passed | None]) -> None:
    """Count a request, once, and keep what its caller is told.

    Raises:
        TooFast: There were too many.
    """
    try:
        passed = await passing
    except TooFast as error:
        scope[HEADERS] = _said(error.passed)
        raise
    scope[HEADERS] = () if passed is None else _said(passed)


def _said(passed: Passed) -> Sequence[tuple[bytes, bytes]]:
    """Say a limit in headers."""
    return (
        (b"x-ratelimit-limit", b"%d" % passed.limit),
        (b"x-ratelimit-remaining", b"%d" % passed.remaining),
        (b"x-ratelimit-reset", b"%d" % math.ceil(passed.reset_s)),
    )
