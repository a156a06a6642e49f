"""Which rows of the read model a query means, said a second time and plainly, for the store in memory."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from linkflow.domain.errors import Invalid
from linkflow.ports.views import DURATIONS_S, GROUPS, AttributeMatch, ExecutionQuery, ExecutionRow

FIELDS = ("workspace_id", "workflow_id", "trigger_kind", "mode", "parent_id")
SOME_ROW = ExecutionRow(execution_id="", workspace_id="", workflow_id="")


def fits(row: ExecutionRow, query: ExecutionQuery) -> bool:
    """Say whether a query means a row."""
    wanted = {name: getattr(query, name) for name in FIELDS}
    duration_s = None if row.closed_at is None else row.closed_at - row.started_at
    return (
        all(not value or getattr(row, name) == value for name, value in wanted.items())
        and (not query.status or row.status in query.status)
        and (not query.error_code or (row.error is not None and row.error.code == query.error_code))
        and _within(row.started_at, query.started_from, query.started_to)
        and _within(row.closed_at, query.closed_from, query.closed_to)
        and _within(duration_s, query.min_duration_s, query.max_duration_s)
        and all(_has(row, match) for match in query.attributes)
        and (not query.text or _says(row, query.text, query.text_workflows))
    )


def _within(value: float | None, start: float | None, end: float | None) -> bool:
    if start is None and end is None:
        return True
    return value is not None and (start is None or value >= start) and (end is None or value < end)


def _has(row: ExecutionRow, match: AttributeMatch) -> bool:
    value = row.attributes.get(match.name)
    if match.sign == "=":
        is_same = type(value) is type(match.value) and value == match.value
        return is_same or _same_number(value, match.value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return bool(value >= match.value if match.sign == ">=" else value <= match.value)


def _same_number(one: object, other: object) -> bool:
    numbers = [each for each in (one, other) if isinstance(each, int | float) and not isinstance(each, bool)]
    return len(numbers) == 2 and numbers[0] == numbers[1]


def _says(row: ExecutionRow, text: str, workflows: Sequence[str]) -> bool:
    if row.workflow_id in workflows or row.execution_id == text.strip():
        return True
    if row.error is None:
        return False
    said = re.findall(r"\w+", f"{row.error_key} {row.error.code} {row.error.message}".lower())
    words = re.findall(r"\w+", text.lower())
    return bool(words) and all(any(each.startswith(word) for each in said) for word in words)


def key_of(row: ExecutionRow, group: str) -> str | None:
    """Say under which key a row is counted; None for not at all.

    Raises:
        Invalid: Rows cannot be counted by that.
    """
    at = datetime.fromtimestamp(row.started_at, UTC)
    match group:
        case "status":
            return row.status
        case "workflow":
            return row.workflow_id
        case "trigger":
            return row.trigger_kind
        case "mode":
            return row.mode
        case "error":
            return row.error.code if row.error is not None else None
        case "hour":
            return f"{at:%Y-%m-%dT%H}:00:00Z"
        case "day":
            return f"{at:%Y-%m-%d}"
        case "duration" if row.closed_at is None:
            return None
        case "duration":
            assert row.closed_at is not None
            took_s = row.closed_at - row.started_at
            return next((f"{bound:g}" for bound in DURATIONS_S if took_s <= bound), "inf")
    raise Invalid(f"Executions cannot be counted by {group!r}; say {', '.join(GROUPS)}.")
