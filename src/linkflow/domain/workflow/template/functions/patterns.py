"""Functions that search by a regular expression, in linear time."""

from collections.abc import Iterator

from linkflow.domain.errors import Invalid
from linkflow.domain.patterns import pattern_found
from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import FunctionFailed
from linkflow.domain.workflow.template.functions.table import define, family, text, whole
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.regex import search

_LONGEST = 1_000
_DIGITS = frozenset("0123456789")


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


def extract(meter: Meter, value: Json, pattern: Json, group: Json = None) -> str | None:
    """Take the first match of a pattern, or its first group when it has one; null without a match."""
    found = text(value)
    marks = search(text(pattern), found, 0, meter)
    if marks is None:
        return None
    number = min(1, len(marks) // 2 - 1) if group is None else whole(group)
    if not 0 <= number < len(marks) // 2:
        raise FunctionFailed(f"The pattern has no group {number}.")
    return _taken(meter, found, marks, number)


def groups(meter: Meter, value: Json, pattern: Json) -> list[str | None] | None:
    """List the groups of the first match of a pattern; null without a match."""
    found = text(value)
    marks = search(text(pattern), found, 0, meter)
    return None if marks is None else [_taken(meter, found, marks, at) for at in range(1, len(marks) // 2)]


def find_all(meter: Meter, value: Json, pattern: Json) -> list[str | None]:
    """List every match of a pattern, or of its first group when it has one."""
    found = text(value)
    return [
        _taken(meter, found, marks, min(1, len(marks) // 2 - 1))
        for marks in _all(meter, found, text(pattern))
    ]


def regex_replace(meter: Meter, value: Json, pattern: Json, new: Json) -> str:
    """Replace every match of a pattern; `$1` stands for the first group, `$0` for the whole match."""
    found, after = text(value), text(new)
    parts: list[str] = []
    end = 0
    for marks in _all(meter, found, text(pattern)):
        parts += [found[end : marks[0]], _filled(meter, found, marks, after)]
        end = marks[1]
    meter.produce(len(found))
    return "".join([*parts, found[end:]])


def _all(meter: Meter, found: str, pattern: str) -> Iterator[list[int]]:
    at = 0
    while at <= len(found) and (marks := search(pattern, found, at, meter)) is not None:
        yield marks
        at = marks[1] if marks[1] > marks[0] else marks[1] + 1


def _taken(meter: Meter, found: str, marks: list[int], number: int) -> str | None:
    start, end = marks[2 * number : 2 * number + 2]
    meter.produce(8 + max(end - start, 0))
    return None if start < 0 or end < 0 else found[start:end]


def _filled(meter: Meter, found: str, marks: list[int], new: str) -> str:
    meter.produce(8 + len(new))
    first, *rest = new.split("$")
    made = [first]
    for part in rest:
        number = int(part[0]) if part[:1] in _DIGITS and part else -1
        if 0 <= number < len(marks) // 2:
            made += [_taken(meter, found, marks, number) or "", part[1:]]
        else:
            made.append(f"${part}")
    return "".join(made)


_SMS = "'Ksh1,000 received from 0712345678'"

PATTERNS = family(
    "patterns",
    define(matches, "matches('+254712345678', '^[+]254[0-9]{9}$')", True, "regexMatch", "test"),
    define(extract, f"extract({_SMS}, 'Ksh([0-9,]+)')", "1,000", "regexExtract", "match"),
    define(groups, f"groups({_SMS}, 'Ksh(\\\\S+).*(07[0-9]{{8}})')", ["1,000", "0712345678"]),
    define(find_all, "findAll('a1 b22', '[0-9]+')", ["1", "22"], "matchAll"),
    define(
        regex_replace, "regexReplace('2026-11-21', '([0-9]+)-([0-9]+)-([0-9]+)', '$3.$2.$1')", "21.11.2026"
    ),
)
