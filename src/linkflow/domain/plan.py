"""Plans: how much a workspace may use, as data. Pure facts; who counts and who refuses is elsewhere.

Source:
    The plans of the reference platforms; reference material of the seeds, "Plans and quotas".
"""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.domain.errors import Denied, LinkFlowError

ANY = -1
"""A limit of any number."""

METERS = (
    "executions_per_month",
    "requests_per_minute",
    "workflows",
    "active_workflows",
    "members",
    "webhooks",
    "schedules",
    "credentials",
    "variables",
    "retention_days",
)
"""What plans limit; all but the first two and the last are counts of things that are there."""

FEATURES: Mapping[str, str] = {
    "webhook_subscriptions": "telling other systems of events",
    "api_clients": "API clients that act for users",
    "audit_export": "taking the audit log out",
}
"""What not every plan includes, and how people call it."""

ALERTS = (50, 80, 100)
"""Percent of a limit at which those who run a workspace are told."""


class Plan(msgspec.Struct, frozen=True):
    """A plan: its name, its title, a limit for each meter (ANY for none), what it has of FEATURES."""

    name: str
    title: str
    limits: Mapping[str, int]
    features: Sequence[str] = ()


def _plan(name: str, title: str, *limits: int, features: int = len(FEATURES)) -> Plan:
    """Say a plan; limits in the order of METERS, and how many of FEATURES, from the first."""
    return Plan(name, title, dict(zip(METERS, limits, strict=True)), tuple(FEATURES)[:features])


SELF_HOSTED = "self-hosted"
PLANS: Mapping[str, Plan] = {
    plan.name: plan
    for plan in (
        _plan(SELF_HOSTED, "Self-hosted", *(ANY for _ in METERS)),
        _plan("free", "Free", 500, 60, 10, 3, 1, 1, 2, 5, 10, 3, features=0),
        _plan("starter", "Starter", 5_000, 120, 100, 20, 3, 10, 10, 20, 50, 14, features=1),
        _plan("pro", "Pro", 25_000, 240, ANY, ANY, 10, 50, 50, 100, 200, 30, features=2),
        _plan("teams", "Teams", 100_000, 600, ANY, ANY, 50, ANY, ANY, ANY, ANY, 90),
        _plan("enterprise", "Enterprise", ANY, 6_000, ANY, ANY, ANY, ANY, ANY, ANY, ANY, 365),
    )
}


class LimitReached(LinkFlowError):
    """The plan of this workspace allows no more."""

    code = "plan_limit_exceeded"


class BudgetUsedUp(LimitReached):
    """A budget of this workspace is used up; nothing starts until it has room again."""

    code = "budget_exceeded"


class WorkspaceLocked(LinkFlowError):
    """This workspace is locked; nothing can be started in it."""

    code = "workspace.locked"


class FeatureMissing(Denied):
    """The plan of this workspace does not include this."""

    code = "feature_not_available"


def reached(used: int, limit: int) -> int:
    """Say the highest step of ALERTS that was reached; 0 for none."""
    if limit == ANY:
        return 0
    return max((step for step in ALERTS if used * 100 >= limit * step), default=0)
