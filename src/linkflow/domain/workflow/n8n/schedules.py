"""Times of n8n's triggers as cron or interval."""

from collections.abc import Mapping
from typing import Any

from linkflow.domain.values import Json
from linkflow.domain.workflow.n8n.data import Say

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def schedule(rule: Mapping[str, Any], say: Say) -> dict[str, Json]:
    """Read one rule of the Schedule Trigger.

    Args:
        rule: `{"field": "days", "daysInterval": 1, "triggerAtHour": 9, …}`; an empty one is daily at 0:00.
        say: Takes a note when the time of day is lost.
    """
    unit = str(rule.get("field") or "days")
    if unit == "cronExpression":
        return {"cron": str(rule.get("expression") or "").lstrip("=")}
    every = max(1, _whole(rule.get(f"{unit}Interval"), 1))
    minute, hour = _whole(rule.get("triggerAtMinute"), 0), _whole(rule.get("triggerAtHour"), 0)
    if unit == "months":
        day = _whole(rule.get("triggerAtDayOfMonth"), 1)
        return {"cron": f"{minute} {hour} {day} {'*' if every == 1 else f'*/{every}'} *"}
    if every == 1 and unit in ("hours", "days", "weeks"):
        days = rule.get("triggerAtDay")
        on = ",".join(map(str, days)) if unit == "weeks" and isinstance(days, list) and days else "*"
        on = "0" if unit == "weeks" and on == "*" else on
        return {"cron": f"{minute} {'*' if unit == 'hours' else hour} * * {on}"}
    if unit in ("days", "weeks"):
        say("SCHEDULE", f"Every {every} {unit} counts from activation here, not at {hour}:{minute:02d}.")
    return {"interval_s": every * _SECONDS.get(unit, 86_400)}


def crontab(item: Mapping[str, Any], say: Say) -> dict[str, Json]:
    """Read one time of the older Cron node."""
    minute, hour = _whole(item.get("minute"), 0), _whole(item.get("hour"), 14)
    match item.get("mode") or "everyDay":
        case "custom":
            return {"cron": str(item.get("cronExpression") or "").strip().lstrip("=")}
        case "everyMinute":
            return {"interval_s": 60}
        case "everyHour":
            return {"cron": f"{minute} * * * *"}
        case "everyWeek":
            return {"cron": f"{minute} {hour} * * {item.get('weekday', 1)}"}
        case "everyMonth":
            return {"cron": f"{minute} {hour} {item.get('dayOfMonth', 1)} * *"}
        case "everyX":
            return {
                "interval_s": _whole(item.get("value"), 2)
                * _SECONDS.get(str(item.get("unit") or "hours"), 3_600)
            }
        case _:
            return {"cron": f"{minute} {hour} * * *"}
