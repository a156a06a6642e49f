"""Histories without what differs from one execution of a workflow to the next."""

from collections.abc import Mapping
from typing import Any

FORGOTTEN = {
    "at",
    "child_id",
    "duration",
    "duration_ms",
    "headers",
    "id",
    "ms",
    "number",
    "seed",
    "session",
    "token",
}
"""Names of what differs: identities, times, who did it; and all that ends in `_at`."""


def normalised(events: list[Any]) -> list[Any]:
    """Say a history without identities and times, each start of an attempt next to its scheduling."""
    plain = [_without(event) for event in events]
    starts = {_attempt_of(event): event for event in plain if event["type"] == "ActivityTaskStarted"}
    found = []
    for event in plain:
        if event["type"] == "ActivityTaskStarted":
            continue
        found.append(event)
        if event["type"] == "ActivityTaskScheduled":
            found.append(starts[_attempt_of(event)])
    return found


def _attempt_of(event: Any) -> tuple[str, int]:
    """Name the attempt of an event."""
    return event["data"]["key"], event["data"].get("attempt", 1)


def _without(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {name for name in value if name not in FORGOTTEN and not name.endswith("_at")}
        return {name: _without(each) for name, each in value.items() if name in kept}
    return [_without(each) for each in value] if isinstance(value, list) else value
