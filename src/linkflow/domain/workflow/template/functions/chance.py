"""Functions of chance; the draws come from the caller, so a replay repeats them."""

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import FunctionFailed
from linkflow.domain.workflow.template.functions.table import define, family, items, whole
from linkflow.domain.workflow.template.meter import Meter


def random(meter: Meter) -> float:
    """Draw a number from 0 up to, not including, 1."""
    meter.step()
    return meter.scope.draw()


def random_int(meter: Meter, least: Json, most: Json) -> int:
    """Draw a whole number between two, both included."""
    meter.step()
    low, high = whole(least), whole(most)
    if high < low or high - low > 2**52:
        raise FunctionFailed("The second number must not be below the first, nor 2^52 above it.")
    return low + int(meter.scope.draw() * (high - low + 1))


def sample(meter: Meter, values: Json) -> Json:
    """Draw one element of a list; null when it is empty."""
    found = items(values)
    meter.step()
    return found[int(meter.scope.draw() * len(found))] if found else None


def shuffle(meter: Meter, values: Json) -> list[Json]:
    """Put the elements of a list in an order by chance."""
    found = list(items(values))
    meter.step(len(found))
    meter.produce(8 * len(found))
    for at in range(len(found) - 1, 0, -1):
        other = int(meter.scope.draw() * (at + 1))
        found[at], found[other] = found[other], found[at]
    return found


def uuid(meter: Meter) -> str:
    """Make a UUID of version 4; every attempt of a node sees the same one."""
    meter.step(4)
    bits = 0
    for _ in range(4):
        bits = bits << 32 | int(meter.scope.draw() * 2**32)
    bits = bits & ~(0xF << 76) & ~(0b11 << 62) | 0x4 << 76 | 0b10 << 62
    written = f"{bits:032x}"
    return f"{written[:8]}-{written[8:12]}-{written[12:16]}-{written[16:20]}-{written[20:]}"


CHANCE = family(
    "chance",
    define(random, "random()", is_checked=False),
    define(random_int, "randomInt(7, 7)", 7, "randint"),
    define(sample, "sample(['only'])", "only"),
    define(shuffle, "shuffle([1])", [1]),
    define(uuid, "uuid()", None, "uuid4", is_checked=False),
)
