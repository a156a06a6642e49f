"""When a schedule fires: cron or interval, in a time zone, and what becomes of fires that were missed.

A fire is named by its nominal time, so that every process and every repeat gives the same start one name.
In a zone with daylight saving time a cron time that does not exist fires right after the gap, and one that
comes twice fires once (Debian cron's rules, for 5 fields at fixed hours).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from cronsim import CronSim, CronSimError

from linkflow.domain.errors import Invalid

_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

MAX_MISSED = 100
"""At most so many missed fires are made up for."""

_LEAST_S = 1.0
_MOST_S = 366 * 86_400.0


class Misfire(StrEnum):
    """What becomes of fires that were missed, because nothing ran or the schedule was paused."""

    SKIP = "skip"  # none of them starts anything
    ONCE = "once"  # the last of them starts one execution
    ALL = "all"  # each starts one, the last MAX_MISSED of them


class Schedule(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """When executions start.

    Attributes:
        cron: 5 fields, or 6 with seconds first, or `@daily` and its like; empty with an interval.
        interval_s: Seconds between fires, 1 or more, counted from `anchor`; 0 with a cron.
        timezone: IANA name that cron times are local to.
        misfire: What becomes of missed fires.
        starts_at: First moment a fire is possible, seconds since 1970.
        ends_at: Last moment a fire is possible, seconds since 1970.
        anchor: A moment at which an interval fires, seconds since 1970.
    """

    cron: str = ""
    interval_s: float = 0.0
    timezone: str = "UTC"
    misfire: Misfire = Misfire.ONCE
    starts_at: float | None = None
    ends_at: float | None = None
    anchor: float = 0.0


def check_schedule(schedule: Schedule) -> None:
    """Refuse a schedule that can never fire.

    Raises:
        Invalid: `schedule.invalid`: the cron, interval, zone or window is wrong; says what to write.
    """
    _place(schedule.timezone)
    if bool(schedule.cron) == bool(schedule.interval_s):
        raise _wrong("Give either a cron expression or an interval.")
    if schedule.interval_s and not _LEAST_S <= schedule.interval_s <= _MOST_S:
        raise _wrong("An interval lasts from 1 second to 366 days.")
    if (
        schedule.starts_at is not None
        and schedule.ends_at is not None
        and schedule.ends_at < schedule.starts_at
    ):
        raise _wrong("The schedule ends before it starts.")
    if schedule.cron:
        _simulate(schedule, datetime(2024, 1, 1, tzinfo=UTC))


def next_fire(schedule: Schedule, after: float) -> float | None:
    """Find the first fire later than an instant.

    Args:
        schedule: A checked schedule.
        after: Seconds since 1970.

    Returns:
        Seconds since 1970; None when there is none within 50 years, or the schedule has ended.

    Raises:
        Invalid: `schedule.invalid`.
    """
    return next(_fires(schedule, after), None)


def fires(schedule: Schedule, after: float, limit: int) -> list[float]:
    """List the next fires later than an instant, soonest first, for people to look at."""
    return list(islice(_fires(schedule, after), limit))


def due(schedule: Schedule, last: float, now: float, *, grace_s: float = 60.0) -> list[float]:
    """List the fires that should start something now, oldest first; safe to repeat.

    Args:
        schedule: A checked schedule.
        last: The nominal time up to which fires have been dealt with, seconds since 1970.
        now: Seconds since 1970.
        grace_s: A fire this late still counts as on time, not as missed.

    Returns:
        Nominal times in (last, now]. Missed ones follow the schedule's policy; those on time are always in.
    """
    found = _fires(schedule, _recent_enough(schedule, last, now))
    recent = list(takewhile(lambda at: at <= now, found))[-MAX_MISSED:]
    match schedule.misfire:
        case Misfire.ALL:
            return recent
        case Misfire.ONCE:
            return recent[-1:]
    return [at for at in recent if now - at <= grace_s]


def _recent_enough(schedule: Schedule, last: float, now: float) -> float:
    """Move the start of the search up, so that a long pause of a busy schedule costs nothing."""
    if schedule.interval_s:
        return max(last, now - (MAX_MISSED + 1) * schedule.interval_s)
    window = 3_600.0
    while now - window > last:
        found = fires(schedule, now - window, MAX_MISSED + 1)
        if sum(at <= now for at in found) >= MAX_MISSED:
            return _last_hundred(schedule, now - window, now)
        window *= 8
    return last


def _last_hundred(schedule: Schedule, after: float, now: float) -> float:
    """Halve the stretch while the later half still holds as many fires as are made up for."""
    while now - after > 2:
        middle = (after + now) / 2
        if sum(at <= now for at in fires(schedule, middle, MAX_MISSED)) < MAX_MISSED:
            return after
        after = middle
    return after


def _fires(schedule: Schedule, after: float) -> Iterator[float]:
    if schedule.starts_at is not None:
        after = max(after, schedule.starts_at - 0.001)
    found = _steps(schedule, after) if schedule.interval_s else _ticks(schedule, after)
    for at in found:
        if schedule.ends_at is not None and at > schedule.ends_at:
            return
        yield at


def _steps(schedule: Schedule, after: float) -> Iterator[float]:
    number = (after - schedule.anchor) // schedule.interval_s + 1
    while True:
        yield schedule.anchor + number * schedule.interval_s
        number += 1


def _ticks(schedule: Schedule, after: float) -> Iterator[float]:
    start = datetime.fromtimestamp(after, UTC).astimezone(_place(schedule.timezone))
    for at in _simulate(schedule, start):
        found = at.timestamp()
        if found > after:
            yield found


def _simulate(schedule: Schedule, start: datetime) -> CronSim:
    text = " ".join(_ALIASES.get(schedule.cron.strip().lower(), schedule.cron).split())
    if len(text) > 200:
        raise _wrong("The cron expression is too long.")
    try:
        return CronSim(text, start)
    except (CronSimError, ValueError, IndexError) as error:
        raise _wrong(
            f"{schedule.cron[:60]!r} is not a cron expression: {str(error).lower() or 'it is malformed'}. "
            "Write minute, hour, day, month and weekday, such as 0 9 * * 1-5."
        ) from error


def _place(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _wrong(f"There is no time zone {name[:60]!r}; write one such as Africa/Nairobi.") from error


def _wrong(message: str) -> Invalid:
    return Invalid(message, code="schedule.invalid")
