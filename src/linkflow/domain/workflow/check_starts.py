"""What is wrong with the start policies of a workflow: concurrency, rate, debounce."""

from collections.abc import Iterator

from linkflow.domain.workflow.spec import Debounce, Problem, Rate, Settings
from linkflow.domain.workflow.template import ExpressionError, compile_expression

MOST_PER_PERIOD = 10_000
LONGEST_PERIOD_S = 30 * 24 * 3600.0
LONGEST_QUIET_S = 7 * 24 * 3600.0


def start_policy_problems(settings: Settings) -> Iterator[Problem]:
    """Say what to mend in the start policies."""
    if settings.concurrency is not None and settings.concurrency.limit < 1:
        yield _wrong("concurrency.limit", "is 1 or more.")
    if settings.rate is not None:
        yield from _rate(settings.rate)
    if settings.debounce is not None:
        yield from _debounce(settings.debounce)
    for name in ("concurrency", "rate", "debounce"):
        policy = getattr(settings, name)
        try:
            if policy is not None and policy.key:
                compile_expression(policy.key)
        except ExpressionError as error:
            yield Problem("EXPRESSION_SYNTAX", str(error), path=f"$.settings.{name}.key")


def _rate(rate: Rate) -> Iterator[Problem]:
    if not 1 <= rate.limit <= MOST_PER_PERIOD:
        yield _wrong("rate.limit", f"is 1 to {MOST_PER_PERIOD:,}; for more, make the period shorter.")
    if not 1.0 <= rate.period_seconds <= LONGEST_PERIOD_S:
        yield _wrong("rate.periodSeconds", f"is 1 to {LONGEST_PERIOD_S:,.0f}, which is 30 days.")


def _debounce(debounce: Debounce) -> Iterator[Problem]:
    if not 0.0 < debounce.seconds <= LONGEST_QUIET_S:
        yield _wrong("debounce.seconds", f"is above 0 and at most {LONGEST_QUIET_S:,.0f}, which is 7 days.")
    if debounce.max_seconds != 0.0 and debounce.max_seconds < debounce.seconds:
        yield _wrong("debounce.maxSeconds", "is 0, for no bound, or at least as long as debounce.seconds.")


def _wrong(where: str, what: str) -> Problem:
    return Problem("SCHEMA_VALIDATION_ERROR", f"{where} {what}", path=f"$.settings.{where}")
