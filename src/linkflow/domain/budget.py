"""Budgets: how much one execution, or a workspace in a day or a month, may use before it is stopped.

Nodes report what they used in a completion's `meta`, `{"ai_tokens": 812}`; attempts and time are counted by
the engine. A budget is checked before a node begins, so what runs away stops within one node.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from linkflow.domain.values import Json

REPORTED: Mapping[str, str] = {
    "ai_tokens": "AI tokens",
    "sms_parts": "SMS parts",
    "airtime_cents": "cents of airtime",
}
"""Meters that nodes report, and how people call them; amounts are whole numbers."""

METERS: Mapping[str, str] = {
    "attempts": "attempts of nodes",
    "node_ms": "milliseconds of work on nodes",
    **REPORTED,
}
"""What a budget of an execution limits: nodes that begin (each attempt, iteration, visit), time, reports."""

WORKSPACE_METERS: Mapping[str, str] = {"executions": "executions", **METERS}
"""What a workspace's budget of a day or a month limits."""

MOST = 10**12
"""More of a meter than one attempt can use; what is beyond it is a node's mistake."""

DAY_MS = 24 * 3600 * 1000


class OnExceeded(StrEnum):
    """What happens to an execution whose budget is used up."""

    FAIL = "fail"
    PAUSE = "pause"  # and ask: raise and go on, or stop


class Budget(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How much one execution may use.

    Attributes:
        limits: By meter, 1 or more each; `{"attempts": 500, "ai_tokens": 20000}`.
        on_exceeded: Fail, or pause and ask.
        decide_within_ms: How long a paused execution waits for a decision; then it fails.
    """

    limits: Mapping[str, int] = {}
    on_exceeded: OnExceeded = OnExceeded.FAIL
    decide_within_ms: int = DAY_MS


def problems(budget: Budget, meters: Mapping[str, str] = METERS) -> list[tuple[str, str]]:
    """List what is wrong with a budget: (where in it, what and how to mend it)."""
    found = [
        (f"limits.{meter}", f"There is no meter {meter[:60]!r}; there are {', '.join(meters)}.")
        for meter in budget.limits
        if meter not in meters
    ]
    found += [
        (f"limits.{meter}", f"A limit is 1 to {MOST}.")
        for meter, limit in budget.limits.items()
        if not 1 <= limit <= MOST
    ]
    if not budget.limits:
        found.append(("limits", f"A budget limits something; name one of {', '.join(meters)}."))
    if not 1 <= budget.decide_within_ms <= 366 * DAY_MS:
        found.append(("decideWithinMs", f"decideWithinMs is 1 to {366 * DAY_MS}, a year."))
    return found


PERIODS = ("execution", "day", "month")
"""What a workspace's budget is for: each execution whose workflow has none, a day, a month (UTC)."""


def period_of(period: str, now: float) -> str:
    """Name the day or the month of an instant, as `day 2026-01-31`, `month 2026-01`."""
    at = datetime.fromtimestamp(now, UTC)
    return f"{period} {at:%Y-%m-%d}" if period == "day" else f"{period} {at:%Y-%m}"


def period_ends_at(period: str, now: float) -> float:
    """Say when the day or the month of an instant is over, seconds since 1970."""
    day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end = (
        day + timedelta(days=1)
        if period == "day"
        else (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    )
    return end.timestamp()


def reported(meta: Mapping[str, Json]) -> dict[str, int]:
    """Read what a node reports in a completion's `meta`, by meter; what is no amount is left out."""
    found = {}
    for meter in REPORTED:
        if meter in meta:
            amount = meta[meter]
            if isinstance(amount, int | float) and not isinstance(amount, bool) and 0 < amount <= MOST:
                found[meter] = -int(-amount // 1)  # a part of a unit is a whole one
    return found
