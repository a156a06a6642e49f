"""Functions on dates: ISO 8601 text in and out, seconds (or milliseconds) since 1970 also in.

Time zones are IANA names. `now()` is the time of the record being decided, so a replay repeats it.
"""

import calendar
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import FunctionFailed, WrongType
from linkflow.domain.workflow.template.functions.calendar_text import parsed, written
from linkflow.domain.workflow.template.functions.table import define, family, number, text, whole
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.operators import kind

_MILLISECONDS_FROM = 1e11  # as seconds this is the year 5138
_SECONDS = {"millisecond": 0.001, "second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_UNITS = {
    "ms": "millisecond", "s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour",
    "d": "day", "w": "week", "y": "year",
}  # fmt: skip


def zone(name: Json) -> tzinfo:
    """Find a time zone by its IANA name.

    Raises:
        FunctionFailed: There is none.
    """
    found = text(name)
    if found in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(found)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FunctionFailed(
            f"There is no time zone {found[:60]!r}; write one such as Africa/Nairobi."
        ) from None


def instant(value: Json, timezone: Json = "UTC") -> datetime:
    """Read an instant; text without an offset is local to `timezone`.

    Raises:
        FunctionFailed: Not a date.
        WrongType: Neither text nor number.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            raise FunctionFailed("The number is no date between the years 1 and 9999.") from None
    if not isinstance(value, str):
        raise WrongType(f"A date is needed, not {kind(value)}.")
    try:
        found = datetime.fromisoformat(value.strip()[:40])
    except ValueError:
        raise FunctionFailed(f"{value[:40]!r} is no date such as 2026-11-21T08:30:00Z.") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone(timezone))


def iso(at: datetime) -> str:
    """Write an instant as ISO 8601 with milliseconds, `Z` for UTC."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unit(name: Json) -> str:
    found = text(name).lower()
    found = _UNITS.get(found, found.removesuffix("s"))
    if found not in _SECONDS and found not in _MONTHS:
        raise FunctionFailed(f"There is no unit {found[:20]!r}; use {', '.join((*_SECONDS, *_MONTHS))}.")
    return found


def now(meter: Meter, timezone: Json = "UTC") -> str:
    """Say the time of the record being decided."""
    meter.step()
    return iso(instant(meter.scope.now).astimezone(zone(timezone)))


def today(meter: Meter, timezone: Json = "UTC") -> str:
    """Say today's date, YYYY-MM-DD."""
    meter.step()
    return instant(meter.scope.now).astimezone(zone(timezone)).date().isoformat()


def timestamp(meter: Meter, value: Json = None) -> int:
    """Say the whole seconds since 1970 of a date, by default of now."""
    meter.step()
    return int((instant(meter.scope.now if value is None else value)).timestamp() // 1)


def date(meter: Meter, value: Json, timezone: Json = "UTC") -> str:
    """Read a date and write it as ISO 8601 in UTC; text without an offset is local to the time zone."""
    meter.step()
    return iso(instant(value, timezone).astimezone(UTC))


def date_parse(meter: Meter, value: Json, pattern: Json, timezone: Json = "UTC") -> str:
    """Read a date that is written by a pattern such as DD/MM/YYYY HH:mm."""
    meter.step(4)
    return iso(parsed(text(value), text(pattern), zone(timezone)).astimezone(UTC))


def date_format(meter: Meter, value: Json, pattern: Json = "YYYY-MM-DD", timezone: Json = "UTC") -> str:
    """Write a date by a pattern: YYYY MM DD HH mm ss SSS, MMM ddd A Z, or %Y-%m-%d."""
    wanted = text(pattern)
    meter.produce(8 * len(wanted))
    return written(instant(value, timezone).astimezone(zone(timezone)), wanted)


def date_add(meter: Meter, value: Json, amount: Json, unit: Json = "days", timezone: Json = "UTC") -> str:
    """Add to a date; days, weeks, months and years keep the local time of day."""
    meter.step()
    return iso(_added(instant(value, timezone), number(amount), _unit(unit), zone(timezone)).astimezone(UTC))


def _added(at: datetime, amount: int | float, unit: str, place: tzinfo) -> datetime:
    try:
        if unit in _MONTHS:
            local = at.astimezone(place)
            months = local.year * 12 + local.month - 1 + whole(amount) * _MONTHS[unit]
            year, month = divmod(months, 12)
            day = min(local.day, calendar.monthrange(year, month + 1)[1])
            return local.replace(year=year, month=month + 1, day=day)
        if unit in ("day", "week"):
            return at.astimezone(place) + timedelta(seconds=amount * _SECONDS[unit])
        return at.astimezone(UTC) + timedelta(seconds=amount * _SECONDS[unit])
    except (OverflowError, ValueError, calendar.IllegalMonthError):
        raise FunctionFailed("The result is no date between the years 1 and 9999.") from None


def date_diff(meter: Meter, start: Json, end: Json, unit: Json = "days") -> int | float:
    """Say how much time lies between two dates; months and years are whole ones."""
    meter.step()
    first, second, what = instant(start), instant(end), _unit(unit)
    if what in _MONTHS:
        sooner, later = sorted((first.astimezone(UTC), second.astimezone(UTC)))
        months = (later.year - sooner.year) * 12 + later.month - sooner.month
        months -= _added(sooner, months, "month", UTC) > later
        return (months // _MONTHS[what]) * (1 if second >= first else -1)
    found = (second - first).total_seconds() / _SECONDS[what]
    return int(found) if found.is_integer() else found


def start_of(meter: Meter, value: Json, unit: Json, timezone: Json = "UTC") -> str:
    """Find the start of the minute, hour, day, week (Monday), month or year that a date is in."""
    meter.step()
    return iso(_floor(instant(value, timezone).astimezone(zone(timezone)), _unit(unit)).astimezone(UTC))


def _floor(local: datetime, unit: str) -> datetime:
    zeros = {"microsecond": 0, "second": 0, "minute": 0, "hour": 0}
    count = {"second": 1, "minute": 2, "hour": 3}.get(unit, 4)
    floored = local.replace(**dict(list(zeros.items())[:count]))  # type: ignore[arg-type]  # only whole numbers
    if unit == "week":
        return floored - timedelta(days=floored.weekday())
    if unit == "quarter":
        return floored.replace(day=1, month=(floored.month - 1) // 3 * 3 + 1)
    if unit == "month":
        return floored.replace(day=1)
    return floored.replace(day=1, month=1) if unit == "year" else floored


def end_of(meter: Meter, value: Json, unit: Json, timezone: Json = "UTC") -> str:
    """Find the last millisecond of the unit that a date is in."""
    meter.step()
    what, place = _unit(unit), zone(timezone)
    start = _floor(instant(value, timezone).astimezone(place), what)
    return iso((_added(start, 1, what, place).astimezone(UTC) - timedelta(milliseconds=1)).astimezone(UTC))


def date_part(meter: Meter, value: Json, part: Json, timezone: Json = "UTC") -> int:
    """Take the year, month, day, hour, minute, second, weekday (1 is Monday), week or yearday of a date."""
    meter.step()
    local, name = instant(value, timezone).astimezone(zone(timezone)), text(part).lower()
    if name in ("year", "month", "day", "hour", "minute", "second"):
        return int(getattr(local, name))
    found = {
        "weekday": local.isoweekday(),
        "week": local.isocalendar().week,
        "yearday": local.timetuple().tm_yday,
    }.get(name)
    if found is None:
        raise FunctionFailed(f"A date has no part {name[:20]!r}.")
    return found


def to_timezone(meter: Meter, value: Json, timezone: Json) -> str:
    """Write a date with the local time and offset of a time zone."""
    meter.step()
    return iso(instant(value).astimezone(zone(timezone)))


def is_before(meter: Meter, value: Json, other: Json) -> bool:
    """Say whether a date is before another."""
    meter.step()
    return instant(value) < instant(other)


def is_after(meter: Meter, value: Json, other: Json) -> bool:
    """Say whether a date is after another."""
    meter.step()
    return instant(value) > instant(other)


def add_days(meter: Meter, value: Json, amount: Json) -> str:
    """Add days to a date."""
    return date_add(meter, value, amount, "days")


def add_hours(meter: Meter, value: Json, amount: Json) -> str:
    """Add hours to a date."""
    return date_add(meter, value, amount, "hours")


def add_minutes(meter: Meter, value: Json, amount: Json) -> str:
    """Add minutes to a date."""
    return date_add(meter, value, amount, "minutes")


def add_months(meter: Meter, value: Json, amount: Json) -> str:
    """Add months to a date; the 31st becomes the month's last day."""
    return date_add(meter, value, amount, "months")


_DAY = "'2026-11-21T08:30:00Z'"

DATES = family(
    "dates",
    define(now, "now('Africa/Nairobi')", is_checked=False),
    define(today, "today()", is_checked=False),
    define(timestamp, f"timestamp({_DAY})", 1795249800),
    define(date, "date(1795249800)", "2026-11-21T08:30:00.000Z", "toDate", "parseDate"),
    define(date_parse, "dateParse('21/11/2026 08:30', 'DD/MM/YYYY HH:mm')", "2026-11-21T08:30:00.000Z"),
    define(
        date_format,
        f"dateFormat({_DAY}, 'D MMM YYYY HH:mm', 'Africa/Nairobi')",
        "21 Nov 2026 11:30",
        "formatDate",
    ),
    define(date_add, f"dateAdd({_DAY}, 2, 'hours')", "2026-11-21T10:30:00.000Z", "addTime"),
    define(date_diff, f"dateDiff('2026-11-20', {_DAY}, 'hours')", 32.5),
    define(start_of, f"startOf({_DAY}, 'month')", "2026-11-01T00:00:00.000Z"),
    define(end_of, f"endOf({_DAY}, 'day')", "2026-11-21T23:59:59.999Z"),
    define(date_part, f"datePart({_DAY}, 'weekday')", 6),
    define(to_timezone, f"toTimezone({_DAY}, 'Africa/Nairobi')", "2026-11-21T11:30:00.000+03:00"),
    define(is_before, f"isBefore({_DAY}, '2027-01-01')", True),
    define(is_after, f"isAfter({_DAY}, '2027-01-01')", False),
    define(add_days, f"addDays({_DAY}, 1)", "2026-11-22T08:30:00.000Z"),
    define(add_hours, f"addHours({_DAY}, 1)", "2026-11-21T09:30:00.000Z"),
    define(add_minutes, f"addMinutes({_DAY}, -30)", "2026-11-21T08:00:00.000Z"),
    define(add_months, "addMonths('2026-01-31', 1)", "2026-02-28T00:00:00.000Z"),
)
