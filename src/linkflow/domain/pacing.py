"""When executions of one workflow may begin: rate limits and debounces, as plain arithmetic.

What is asked under one key is decided one after the other; whoever keeps the answers sees to that
(`ports.coordination.Slots`), and to an execution that asks twice hearing the same twice.
"""

from collections.abc import Sequence

import msgspec

KEPT_S = 3600.0
"""How long an answer is kept after its instant, at the least, for who asks again after a crash."""


class RatePolicy(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """So many executions begin in a period.

    Attributes:
        key: Whose limit it is.
        limit: Executions that begin in any time as long as the period.
        period_s: Its length in seconds.
        on_exceed: queue or skip.
    """

    key: str
    limit: int
    period_s: float
    on_exceed: str = "queue"


class DebouncePolicy(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Of starts that follow closely only the last one runs.

    Attributes:
        key: Whose starts these are.
        quiet_s: How many seconds after a start none may follow, so that it runs.
        max_s: So long after the first one the latest runs, whatever follows; 0 for no such bound.
    """

    key: str
    quiet_s: float
    max_s: float = 0.0


class Debounced(msgspec.Struct, frozen=True):
    """What a debounce made of one start.

    Attributes:
        execution_id: Whose start.
        came_at: When it came; instants are seconds since 1970.
        first_at: When the first of the starts that it follows closely came.
        begins_at: When it runs, unless another one follows.
        older: The execution whose place it took; empty for none.
        newer: The execution that took its place; empty for none.
    """

    execution_id: str
    came_at: float
    first_at: float
    begins_at: float
    older: str = ""
    newer: str = ""


def next_slot(taken: Sequence[float], policy: RatePolicy, at: float) -> float:
    """Find the first instant at which one more may begin.

    Args:
        taken: Instants that are taken under the key, oldest first; those of the last period and later ones.
        policy: The limit.
        at: When it is asked for.

    Returns:
        `at` or later: whichever time of one period one looks at, no more than the limit begin in it.
    """
    if len(taken) < policy.limit:
        return at
    return max(at, taken[-policy.limit] + policy.period_s)


def debounced(
    latest: Debounced | None, policy: DebouncePolicy, execution_id: str, came_at: float
) -> tuple[Debounced, Debounced | None]:
    """Decide about one start.

    Args:
        latest: The latest start under the key that was decided about.
        policy: The debounce.
        execution_id: What was started.
        came_at: When; one may be asked about after another one that came later.

    Returns:
        What became of it, and what becomes of the latest; None when that stays as it was.
    """
    alone = Debounced(execution_id, came_at, came_at, came_at + policy.quiet_s)
    if latest is None:
        return alone, None
    if (latest.came_at, latest.execution_id) > (came_at, execution_id):
        follows = latest.first_at < alone.begins_at
        return (msgspec.structs.replace(alone, newer=latest.execution_id) if follows else alone), None
    if latest.newer or latest.begins_at <= came_at:
        return alone, None
    until = latest.first_at + policy.max_s if policy.max_s else alone.begins_at
    mine = Debounced(
        execution_id,
        came_at,
        latest.first_at,
        min(alone.begins_at, max(until, came_at)),
        older=latest.execution_id,
    )
    return mine, msgspec.structs.replace(latest, newer=execution_id)
