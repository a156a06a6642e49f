"""Functions on numbers."""

import math
from decimal import ROUND_HALF_UP, Decimal

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import FunctionFailed
from linkflow.domain.workflow.template.functions.table import define, family, items, number, whole
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.operators import bounded


def number_(meter: Meter, value: Json) -> int | float:
    """Turn text, true or false into a number."""
    meter.step()
    return int(value) if isinstance(value, bool) else number(value)


def int_(meter: Meter, value: Json) -> int:
    """Turn a number or text into a whole number, towards zero."""
    return int(bounded(math.trunc(number_(meter, value))))


def round_(meter: Meter, value: Json, digits: Json = 0) -> int | float:
    """Round half away from zero, to a number of decimals."""
    meter.step()
    places = min(max(whole(digits), -18), 18)
    found = number(value)
    if abs(found) >= 1e18:
        return found
    rounded = Decimal(repr(found)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return int(rounded) if places <= 0 else float(rounded)


def floor(meter: Meter, value: Json) -> int:
    """Round down."""
    meter.step()
    return int(bounded(math.floor(number(value))))


def ceil(meter: Meter, value: Json) -> int:
    """Round up."""
    meter.step()
    return int(bounded(math.ceil(number(value))))


def abs_(meter: Meter, value: Json) -> int | float:
    """Drop the sign."""
    meter.step()
    return bounded(abs(number(value)))


def sign(meter: Meter, value: Json) -> int:
    """Say -1, 0 or 1."""
    meter.step()
    found = number(value)
    return (found > 0) - (found < 0)


def _numbers(meter: Meter, values: tuple[Json, ...]) -> list[int | float]:
    wanted = items(values[0]) if len(values) == 1 and isinstance(values[0], list) else list(values)
    meter.look(4 * len(wanted))
    return [number(value) for value in wanted]


def min_(meter: Meter, *values: Json) -> int | float | None:
    """Find the least of a list or of the arguments; null when there is none."""
    return min(_numbers(meter, values), default=None)


def max_(meter: Meter, *values: Json) -> int | float | None:
    """Find the greatest of a list or of the arguments; null when there is none."""
    return max(_numbers(meter, values), default=None)


def sum_(meter: Meter, *values: Json) -> int | float:
    """Add up a list or the arguments."""
    wanted = _numbers(meter, values)
    return bounded(sum(wanted) if all(isinstance(value, int) for value in wanted) else math.fsum(wanted))


def avg(meter: Meter, *values: Json) -> int | float | None:
    """Find the mean of a list or of the arguments; null when there is none."""
    wanted = _numbers(meter, values)
    return bounded(math.fsum(wanted) / len(wanted)) if wanted else None


def clamp(meter: Meter, value: Json, least: Json, most: Json) -> int | float:
    """Keep a number between two others."""
    meter.step()
    return min(max(number(value), number(least)), number(most))


def pow_(meter: Meter, value: Json, exponent: Json) -> int | float:
    """Raise to a power."""
    meter.step()
    base, power = number(value), number(exponent)
    if (
        isinstance(base, int)
        and isinstance(power, int)
        and power >= 0
        and power * max(abs(base).bit_length(), 1) < 128
    ):
        return bounded(base**power)
    return bounded(math.pow(base, power))


def sqrt(meter: Meter, value: Json) -> float:
    """Take the square root."""
    meter.step()
    return math.sqrt(number(value))


def mod(meter: Meter, value: Json, divisor: Json) -> int | float:
    """Take the remainder, with the sign of the divisor."""
    meter.step()
    by = number(divisor)
    if by == 0:
        raise FunctionFailed("A division by zero has no answer.")
    return bounded(number(value) % by)


def format_number(meter: Meter, value: Json, digits: Json = 0, separator: Json = ",") -> str:
    """Write a number with a fixed number of decimals and a separator at thousands."""
    meter.produce(400)
    places = min(max(whole(digits), 0), 18)
    written = f"{round_(meter, value, places):,.{places}f}"
    return written.replace(",", str(separator)[:4])


NUMBERS = family(
    "numbers",
    define(number_, "number('12.5')", 12.5, "toNumber", "parseFloat", "float"),
    define(int_, "int('12.9')", 12, "toInt", "parseInt"),
    define(round_, "round(2.345, 2)", 2.35),
    define(floor, "floor(2.9)", 2),
    define(ceil, "ceil(2.1)", 3),
    define(abs_, "abs(-3)", 3),
    define(sign, "sign(-3)", -1),
    define(min_, "min(3, 1, 2)", 1),
    define(max_, "max([3, 1, 2])", 3),
    define(sum_, "sum([1, 2, 3.5])", 6.5),
    define(avg, "avg([1, 2, 3])", 2.0, "average", "mean"),
    define(clamp, "clamp(12, 0, 10)", 10),
    define(pow_, "pow(2, 10)", 1024, "power"),
    define(sqrt, "sqrt(9)", 3.0),
    define(mod, "mod(7, 3)", 1),
    define(format_number, "formatNumber(1234567.891, 2)", "1,234,567.89"),
)
