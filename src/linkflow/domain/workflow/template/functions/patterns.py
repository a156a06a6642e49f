"""Functions that search by a regular expression, in linear time."""

from linkflow.domain.errors import Invalid
from linkflow.domain.patterns import pattern_found
from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import FunctionFailed
from linkflow.domain.workflow.template.functions.table import define, family, text
from linkflow.domain.workflow.template.meter import Meter

_LONGEST = 1_000


def matches(meter: Meter, value: Json, pattern: Json) -> bool:
    """Say whether a pattern is found in a text; no look-around, no back references, `(?i)` ignores case."""
    found, wanted = text(value), text(pattern)
    meter.look(32 * len(found))
    if len(wanted) > _LONGEST:
        raise FunctionFailed(f"A pattern has at most {_LONGEST} characters.")
    try:
        return pattern_found(wanted, found)
    except Invalid as error:
        raise FunctionFailed(str(error)) from None


PATTERNS = family(
    "patterns",
    define(matches, "matches('+254712345678', '^[+]254[0-9]{9}$')", True, "regexMatch", "test"),
)
