"""Instants: read, write, add, compare; the instant `now` is the record's."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from linkflow.domain.delay import UNIT_S, instant
from linkflow.domain.errors import Invalid
from linkflow.domain.node import NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json
from linkflow.nodes.schema import either, record, spelled, text

_TEXT_OR_NUMBER = ({"type": "string"}, {"type": "number"})
OPERATIONS = ("now", "format", "parse", "add", "subtract", "diff", "start_of", "end_of", "extract")
_PARTS = ("year", "month", "week", "day", "hour", "minute", "second")
DAY_S = 86_400.0
_CALENDAR = {"month": 1, "months": 1, "quarter": 3, "quarters": 3, "year": 12, "years": 12, "y": 12}


class DateTime:
    """Work with instants."""

    spec = NodeSpec(
        type="data.datetime",
        title="Date and time",
        summary="Read, write, add and compare dates, in a time zone.",
        node_class=NodeClass.PURE,
        aliases=("logic.datetime", "datetime", "data_datetime", "data.date", "n8n-nodes-base.dateTime"),
        parameters=record(
            {
                "operation": text("What to do.", default="now", choices=(*OPERATIONS, "convert")),
                **spelled(
                    either(
                        "ISO 8601, or seconds or milliseconds since 1970; without it, now.",
                        *_TEXT_OR_NUMBER,
                        {"type": "null"},
                    ),
                    "value",
                    "date",
                    "input",
                    "from",
                ),
                **spelled(either("For diff: the other instant.", *_TEXT_OR_NUMBER), "other", "to", "end"),
                **spelled(either("For add and subtract: how much.", *_TEXT_OR_NUMBER), "amount", "duration"),
                "unit": text("Of `amount`, of a difference, or of start_of and end_of.", default="s"),
                "timezone": text("IANA name.", default="UTC"),
                **spelled(
                    text("iso, date, time, unix, unix_ms, or a pattern such as %d.%m.%Y.", default="iso"),
                    "format",
                    "output_format",
                ),
                **spelled(text("For parse: the pattern that the text has."), "pattern", "input_format"),
            }
        ),
        output={"value": "2030-01-31T09:00:00+00:00", "unix": 1896080400},
        example={
            "operation": "add",
            "value": "{{trigger.paid_at}}",
            "amount": 30,
            "unit": "days",
            "timezone": "Africa/Nairobi",
        },
        docs="""\
Days, weeks, months and years are those of the calendar, whatever the clock does in between: a month after
January 31 is the last of February. Hours and less are exact. A difference is `other` minus `value`.""",
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Do the operation."""
        zone = _zone(config)
        operation = str(config.get("operation") or "now")
        moment = _moment(config, context, zone)
        unit = str(config.get("unit") or "s").lower()
        match operation:
            case "diff":
                other = _in_zone(instant(config.get("other", context.now), str(zone)), zone)
                return PureResult(output={"value": _difference(moment, other, unit), "unit": unit})
            case "extract":
                return PureResult(output=_parts(moment))
            case "add" | "subtract":
                moment = _moved(moment, _amount(config), unit, -1 if operation == "subtract" else 1)
            case "start_of":
                moment = _start(moment, unit)
            case "end_of":
                moment = _start(_moved(_start(moment, unit), 1, unit, 1), unit) - timedelta(milliseconds=1)
            case "now" | "format" | "parse" | "convert":
                pass
            case _:
                raise Invalid(f"{operation[:30]!r} is not an operation of data.datetime.", code="node.config")
        return PureResult(output={"value": _written(moment, config), "unix": moment.timestamp()})


def _zone(config: Mapping[str, Json]) -> Any:
    name = str(config.get("timezone") or "UTC")
    try:
        return UTC if name.upper() in ("UTC", "Z") else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(f"There is no time zone {name[:60]!r}.", code="node.config") from error


def _moment(config: Mapping[str, Json], context: PureContext, zone: Any) -> datetime:
    value = config.get("value")
    if value is None or value == "" or value == "now":
        return _in_zone(context.now, zone)
    pattern = config.get("pattern")
    if isinstance(pattern, str) and pattern and isinstance(value, str):
        try:
            found = datetime.strptime(value, pattern)  # noqa: DTZ007  the zone follows
        except ValueError as error:
            raise Invalid(
                f"{value[:40]!r} does not have the form {pattern[:40]!r}.", code="date.invalid"
            ) from error
        return found.replace(tzinfo=found.tzinfo or zone).astimezone(zone)
    return _in_zone(instant(value, str(zone)), zone)


def _in_zone(at: float, zone: Any) -> datetime:
    try:
        return datetime.fromtimestamp(at, zone)
    except (OverflowError, ValueError, OSError) as error:
        raise Invalid("The instant lies outside the years 1 to 9999.", code="date.invalid") from error


def _amount(config: Mapping[str, Json]) -> float:
    try:
        return float(config.get("amount") or 0)
    except (TypeError, ValueError) as error:
        raise Invalid("`amount` must be a number.", code="node.config") from error


def _moved(moment: datetime, amount: float, unit: str, sign: int) -> datetime:
    try:
        if unit in _CALENDAR:
            return _months_later(moment, sign * int(amount) * _CALENDAR[unit])
        by = timedelta(seconds=sign * amount * UNIT_S[unit])
        if UNIT_S[unit] >= DAY_S:
            return moment + by  # by the clock on the wall
        return (moment.astimezone(UTC) + by).astimezone(moment.tzinfo)
    except KeyError:
        raise Invalid(f"{unit[:20]!r} is not a unit of time.", code="node.config") from None
    except (OverflowError, ValueError) as error:
        raise Invalid("The instant lies outside the years 1 to 9999.", code="date.invalid") from error


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    first = moment.replace(year=year, month=month + 1, day=1)
    last = ((first + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
    return first.replace(day=min(moment.day, last))


def _start(moment: datetime, unit: str) -> datetime:
    name = {
        "s": "second",
        "m": "minute",
        "min": "minute",
        "h": "hour",
        "d": "day",
        "w": "week",
        "y": "year",
    }.get(unit, unit).rstrip("s")
    if name not in _PARTS:
        raise Invalid(f"{unit[:20]!r} has no start; take one of {', '.join(_PARTS)}.", code="node.config")
    if name == "week":
        moment, name = moment - timedelta(days=moment.weekday()), "day"
    rest = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    finer = [*[part for part in _PARTS if part != "week"], "microsecond"]
    return moment.replace(**{part: rest[part] for part in finer[finer.index(name) + 1 :]})  # type: ignore[arg-type]


def _difference(moment: datetime, other: datetime, unit: str) -> float:
    if unit in _CALENDAR:
        months = (other.year - moment.year) * 12 + other.month - moment.month
        if months > 0 and other < _months_later(moment, months):
            months -= 1
        elif months < 0 and other > _months_later(moment, months):
            months += 1
        return int(months / _CALENDAR[unit])
    if unit not in UNIT_S:
        raise Invalid(f"{unit[:20]!r} is not a unit of time.", code="node.config")
    is_exact = UNIT_S[unit] < DAY_S
    seconds = other.timestamp() - moment.timestamp() if is_exact else (other - moment).total_seconds()
    found = seconds / UNIT_S[unit]
    return int(found) if found.is_integer() else round(found, 6)


def _parts(moment: datetime) -> dict[str, Json]:
    week = moment.isocalendar()
    return {
        **{part: getattr(moment, part) for part in ("year", "month", "day", "hour", "minute", "second")},
        "weekday": week.weekday,
        "week": week.week,
        "day_of_year": moment.timetuple().tm_yday,
        "is_weekend": week.weekday > 5,
    }


def _written(moment: datetime, config: Mapping[str, Json]) -> Json:
    wanted = str(config.get("format") or "iso")
    match wanted.lower():
        case "iso":
            return moment.isoformat()
        case "date":
            return moment.date().isoformat()
        case "time":
            return moment.strftime("%H:%M:%S")
        case "unix":
            return int(moment.timestamp())
        case "unix_ms":
            return int(moment.timestamp() * 1000)
    if "%" not in wanted:
        raise Invalid(
            f"{wanted[:30]!r} is not a format; write a pattern such as %Y-%m-%d.", code="node.config"
        )
    return moment.strftime(wanted)


DATES = (DateTime(),)
