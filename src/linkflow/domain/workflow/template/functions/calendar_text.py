"""Dates written and read by a pattern: `YYYY-MM-DD HH:mm` or `%Y-%m-%d`, always in English."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from linkflow.domain.workflow.template.errors import FunctionFailed

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_TOKEN = re.compile(
    r"\[([^\]]*)\]"
    r"|YYYY|yyyy|YY|yy|MMMM|MMM|MM|M|dddd|EEEE|ddd|EEE|DD|dd|D|d|HH|H|hh|h|mm|m|ss|s|SSS|A|a|ZZ|Z|X|x"
)
_PERCENT = re.compile(r"%(.)")
_PERCENT_TOKENS = {
    "Y": "YYYY", "y": "YY", "m": "MM", "d": "DD", "H": "HH", "I": "hh", "M": "mm", "S": "ss", "p": "A",
    "B": "MMMM", "b": "MMM", "A": "dddd", "a": "ddd", "z": "ZZ", "s": "X", "f": "SSS", "L": "SSS",
}  # fmt: skip


def _hour12(at: datetime) -> int:
    return at.hour % 12 or 12


def _offset(at: datetime, colon: str) -> str:
    minutes = int((at.utcoffset() or timedelta()).total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


_WRITE: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda at: f"{at.year:04d}",
    "YY": lambda at: f"{at.year % 100:02d}",
    "MMMM": lambda at: _MONTHS[at.month - 1],
    "MMM": lambda at: _MONTHS[at.month - 1][:3],
    "MM": lambda at: f"{at.month:02d}",
    "M": lambda at: str(at.month),
    "dddd": lambda at: _DAYS[at.weekday()],
    "ddd": lambda at: _DAYS[at.weekday()][:3],
    "DD": lambda at: f"{at.day:02d}",
    "D": lambda at: str(at.day),
    "HH": lambda at: f"{at.hour:02d}",
    "H": lambda at: str(at.hour),
    "hh": lambda at: f"{_hour12(at):02d}",
    "h": lambda at: str(_hour12(at)),
    "mm": lambda at: f"{at.minute:02d}",
    "m": lambda at: str(at.minute),
    "ss": lambda at: f"{at.second:02d}",
    "s": lambda at: str(at.second),
    "SSS": lambda at: f"{at.microsecond // 1000:03d}",
    "A": lambda at: "AM" if at.hour < 12 else "PM",
    "a": lambda at: "am" if at.hour < 12 else "pm",
    "Z": lambda at: _offset(at, ":"),
    "ZZ": lambda at: _offset(at, ""),
    "X": lambda at: str(int(at.timestamp())),
    "x": lambda at: str(int(at.timestamp() * 1000)),
}
_SAME = {"yyyy": "YYYY", "yy": "YY", "dd": "DD", "d": "D", "EEEE": "dddd", "EEE": "ddd"}

_READ = {
    "YYYY": r"(?P<year>\d{4})", "MM": r"(?P<month>\d{2})", "M": r"(?P<month>\d{1,2})",
    "MMM": r"(?P<short>[A-Za-z]{3})", "MMMM": r"(?P<long>[A-Za-z]{3,9})",
    "DD": r"(?P<day>\d{2})", "D": r"(?P<day>\d{1,2})", "HH": r"(?P<hour>\d{2})", "H": r"(?P<hour>\d{1,2})",
    "hh": r"(?P<hour12>\d{2})", "h": r"(?P<hour12>\d{1,2})",
    "mm": r"(?P<minute>\d{2})", "m": r"(?P<minute>\d{1,2})",
    "ss": r"(?P<second>\d{2})", "s": r"(?P<second>\d{1,2})", "SSS": r"(?P<milli>\d{3})",
    "A": r"(?P<half>[AaPp][Mm])", "a": r"(?P<half>[AaPp][Mm])",
}  # fmt: skip


def _tokens(pattern: str) -> str:
    """Turn `%Y` and its like into tokens; everything else in such a pattern is literal."""
    if "%" not in pattern:
        return pattern
    parts = _PERCENT.split(pattern)
    return "".join(
        _PERCENT_TOKENS.get(part, f"[{part}]") if at % 2 else (f"[{part}]" if part else "")
        for at, part in enumerate(parts)
    )


def written(at: datetime, pattern: str) -> str:
    """Write a date by a pattern; `[text]` stands for itself."""

    def one(match: re.Match[str]) -> str:
        if match.group(1) is not None:
            return match.group(1)
        token = match.group()
        return _WRITE[_SAME.get(token, token)](at)

    return _TOKEN.sub(one, _tokens(pattern))


def parsed(value: str, pattern: str, place: tzinfo) -> datetime:
    """Read a date by a pattern; what the pattern lacks is the first of its kind.

    Raises:
        FunctionFailed: The text is not written so, or is no date.
    """
    found = _fields(value[:200], _tokens(pattern[:200]))
    if found is None:
        raise FunctionFailed(f"{value[:40]!r} is not written as {pattern[:40]!r}.")
    try:
        return datetime(
            int(found.get("year", 1970)),
            _month(found),
            int(found.get("day", 1)),
            _hour(found),
            int(found.get("minute", 0)),
            int(found.get("second", 0)),
            int(found.get("milli", 0)) * 1000,
            tzinfo=place,
        )
    except ValueError as error:
        raise FunctionFailed(f"{value[:40]!r} is no date: {error}.") from None


def _fields(value: str, pattern: str) -> dict[str, str] | None:
    at = 0
    regex = ""
    for match in _TOKEN.finditer(pattern):
        regex += re.escape(pattern[at : match.start()])
        token = _SAME.get(match.group(), match.group())
        regex += re.escape(match.group(1)) if match.group(1) is not None else _READ.get(token, "$^")
        at = match.end()
    try:
        found = re.fullmatch(regex + re.escape(pattern[at:]), value.strip())
    except re.error:  # a part that stands twice
        return None
    return None if found is None else found.groupdict()


def _month(found: dict[str, str]) -> int:
    name = (found.get("short") or found.get("long") or "").capitalize()
    for number, month in enumerate(_MONTHS, 1):
        if name and name in (month, month[:3]):
            return number
    return int(found.get("month", 0 if name else 1))


def _hour(found: dict[str, str]) -> int:
    if "hour12" not in found:
        return int(found.get("hour", 0))
    return int(found["hour12"]) % 12 + (12 if found.get("half", "a").lower() == "pm" else 0)
