"""How long a delay node waits: every spelling of its config, as seconds."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json

LONGEST_S = 400 * 86_400.0
"""A delay beyond this (400 days) is taken for a mistake."""

_UNITS = {
    1e-3: ("ms", "milli", "millis", "millisecond", "milliseconds"),
    1.0: ("s", "sec", "secs", "second", "seconds"),
    60.0: ("m", "min", "mins", "minute", "minutes"),
    3_600.0: ("h", "hr", "hrs", "hour", "hours"),
    86_400.0: ("d", "day", "days"),
    604_800.0: ("w", "week", "weeks"),
}
UNIT_S = {word: seconds for seconds, words in _UNITS.items() for word in words}
"""Seconds of each word for a unit."""

_FIELDS = ("milliseconds", "seconds", "minutes", "hours", "days", "weeks")
_EPOCH_MS = 1e11
"""A number above this is milliseconds since 1970: as seconds it would lie beyond the year 5000."""


def delay_s(config: Mapping[str, Json], now: float) -> float:
    """Say how long a delay with this config lasts.

    Args:
        config: Resolved. `until` wins; else `duration` or `amount` with `unit` (seconds by
            default); else the sum of `milliseconds`, `seconds`, `minutes`, `hours`, `days`, `weeks`.
        now: Seconds since 1970.

    Returns:
        Seconds in [0, LONGEST_S]; 0 when `until` has passed.

    Raises:
        Invalid: `node.config`: nothing says how long, or what says it cannot be read.
    """
    delay = _wanted_s(config, now)
    if delay > LONGEST_S:
        raise Invalid(f"The delay is longer than {LONGEST_S / 86_400:.0f} days.", code="node.config")
    return max(0.0, delay)


def instant(value: Json, timezone: str = "UTC") -> float:
    """Read an instant: ISO 8601 text, or a number of seconds or milliseconds since 1970.

    Args:
        value: Text without an offset is local time in `timezone`.
        timezone: IANA name.

    Returns:
        Seconds since 1970.

    Raises:
        Invalid: `node.config`: neither of them, or an unknown time zone.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value / 1000 if abs(value) > _EPOCH_MS else float(value)
    if isinstance(value, str) and value.strip():
        text = value.strip()
        try:
            return instant(float(text))
        except ValueError:
            pass
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC if timezone == "UTC" else ZoneInfo(timezone))
            return moment.timestamp()
        except (ValueError, OverflowError) as error:
            raise Invalid(
                f"{text[:60]!r} is not an instant; write it like 2030-01-31T09:00:00Z.", code="node.config"
            ) from error
        except (ZoneInfoNotFoundError, OSError) as error:
            raise Invalid(f"There is no time zone {timezone[:60]!r}.", code="node.config") from error
    raise Invalid("An instant is ISO 8601 text or a number of seconds since 1970.", code="node.config")


def _wanted_s(config: Mapping[str, Json], now: float) -> float:
    until = config.get("until")
    if until is not None and until != "":
        return instant(until, str(config.get("timezone") or "UTC")) - now
    for name in ("duration", "amount"):
        if (value := config.get(name)) is not None:
            return _number(name, value) * _unit_s(config.get("unit") or "s")
    given = [name for name in _FIELDS if config.get(name) is not None]
    if not given:
        raise Invalid(
            "Say how long: duration with unit, or seconds, minutes, …, or until.", code="node.config"
        )
    return sum(_number(name, config[name]) * UNIT_S[name] for name in given)


def _unit_s(unit: Json) -> float:
    try:
        return UNIT_S[str(unit).strip().lower()]
    except KeyError:
        raise Invalid(
            f"{str(unit)[:40]!r} is not a unit of time; take ms, s, m, h, d or w.", code="node.config"
        ) from None


def _number(name: str, value: Json) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 <= number < float("inf"):
        raise Invalid(f"{name} must be a number, 0 or more, not {str(value)[:40]!r}.", code="node.config")
    return number
