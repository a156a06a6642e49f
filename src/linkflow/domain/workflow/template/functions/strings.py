"""Functions on text."""

import re
from urllib.parse import quote, unquote

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.functions.table import define, family, items, text, whole
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.operators import to_text

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


def _taken(meter: Meter, value: Json) -> str:
    found = text(value)
    meter.produce(len(found))
    return found


def upper(meter: Meter, value: Json) -> str:
    """Write in capitals."""
    return _taken(meter, value).upper()


def lower(meter: Meter, value: Json) -> str:
    """Write in small letters."""
    return _taken(meter, value).lower()


def capitalize(meter: Meter, value: Json) -> str:
    """Begin with a capital; the rest stays."""
    found = _taken(meter, value)
    return found[:1].upper() + found[1:]


def title_case(meter: Meter, value: Json) -> str:
    """Begin each word with a capital."""
    return " ".join(word[:1].upper() + word[1:] for word in _taken(meter, value).split(" "))


def _words(meter: Meter, value: Json) -> list[str]:
    found = _taken(meter, value)
    meter.produce(len(found))
    return _WORD.findall(found)


def camel_case(meter: Meter, value: Json) -> str:
    """Write as oneWordLikeThis."""
    words = [word.lower() for word in _words(meter, value)]
    return "".join(words[:1] + [word.capitalize() for word in words[1:]])


def snake_case(meter: Meter, value: Json) -> str:
    """Write as words_like_this."""
    return "_".join(word.lower() for word in _words(meter, value))


def kebab_case(meter: Meter, value: Json) -> str:
    """Write as words-like-this, for addresses."""
    return "-".join(word.lower() for word in _words(meter, value))


def trim(meter: Meter, value: Json, characters: Json = None) -> str:
    """Drop white space, or the given characters, at both ends."""
    return _taken(meter, value).strip(None if characters is None else text(characters))


def trim_start(meter: Meter, value: Json, characters: Json = None) -> str:
    """Drop white space, or the given characters, at the start."""
    return _taken(meter, value).lstrip(None if characters is None else text(characters))


def trim_end(meter: Meter, value: Json, characters: Json = None) -> str:
    """Drop white space, or the given characters, at the end."""
    return _taken(meter, value).rstrip(None if characters is None else text(characters))


def split(meter: Meter, value: Json, separator: Json = None, limit: Json = None) -> list[str]:
    """Cut into a list at a separator; without one, at white space; with an empty one, into characters."""
    found = _taken(meter, value)
    most = -1 if limit is None else max(whole(limit) - 1, 0)
    mark = None if separator is None else text(separator)
    meter.produce(8 * (len(found) if not mark else found.count(mark) + 1))
    return list(found) if mark == "" else found.split(mark, most)


def lines(meter: Meter, value: Json) -> list[str]:
    """Cut into a list of lines."""
    found = _taken(meter, value)
    meter.produce(8 * len(found) // 2)
    return found.splitlines()


def join(meter: Meter, values: Json, separator: Json = ", ") -> str:
    """Write the elements of a list one after the other."""
    mark = text(separator)
    elements = items(values)
    meter.look(len(elements))
    parts = [to_text(element, meter) for element in elements]
    meter.produce(sum(map(len, parts)) + len(mark) * len(parts))
    return mark.join(parts)


def replace(meter: Meter, value: Json, old: Json, new: Json) -> str:
    """Replace every occurrence of a text by another."""
    found, before, after = text(value), text(old), text(new)
    meter.look(len(found))
    count = found.count(before)
    meter.produce(len(found) + count * len(after))
    return found.replace(before, after)


def substring(meter: Meter, value: Json, start: Json, end: Json = None) -> str:
    """Take the characters from `start` up to, not including, `end`; negative counts from the end."""
    return _taken(meter, value)[whole(start) : None if end is None else whole(end)]


def truncate(meter: Meter, value: Json, length: Json, suffix: Json = "…") -> str:
    """Shorten to at most `length` characters, with a suffix where something was cut."""
    found, most, mark = _taken(meter, value), max(whole(length), 0), text(suffix)
    return found if len(found) <= most else (found[: max(most - len(mark), 0)] + mark)[:most]


def starts_with(meter: Meter, value: Json, start: Json) -> bool:
    """Say whether a text begins with another."""
    meter.step()
    return text(value).startswith(text(start))


def ends_with(meter: Meter, value: Json, end: Json) -> bool:
    """Say whether a text ends with another."""
    meter.step()
    return text(value).endswith(text(end))


def repeat(meter: Meter, value: Json, times: Json) -> str:
    """Write a text several times."""
    found, count = text(value), max(whole(times), 0)
    meter.produce(len(found) * count)
    return found * count


def pad_start(meter: Meter, value: Json, width: Json, fill: Json = " ") -> str:
    """Fill up to a width at the start."""
    found = text(value)
    return _padding(meter, found, width, fill) + found


def pad_end(meter: Meter, value: Json, width: Json, fill: Json = " ") -> str:
    """Fill up to a width at the end."""
    found = text(value)
    return found + _padding(meter, found, width, fill)


def _padding(meter: Meter, found: str, width: Json, fill: Json) -> str:
    wanted, mark = max(whole(width) - len(found), 0), text(fill) or " "
    meter.produce(len(found) + wanted)
    return (mark * (wanted // len(mark) + 1))[:wanted]


def text_(meter: Meter, value: Json) -> str:
    """Write any value as text; lists and objects as JSON."""
    return to_text(value, meter)


def html_escape(meter: Meter, value: Json) -> str:
    """Make text safe inside HTML."""
    found = _taken(meter, value)
    meter.produce(6 * len(found))
    return "".join(_HTML.get(character, character) for character in found)


def url_encode(meter: Meter, value: Json) -> str:
    """Encode for one part of an address."""
    found = to_text(value, meter)
    meter.produce(12 * len(found))
    return quote(found, safe="", errors="replace")


def url_decode(meter: Meter, value: Json) -> str:
    """Decode one part of an address."""
    return unquote(_taken(meter, value).replace("+", " "))


STRINGS = family(
    "strings",
    define(upper, "upper('kisumu')", "KISUMU", "toUpper", "toUpperCase", "uppercase"),
    define(lower, "lower('NaIrObI')", "nairobi", "toLower", "toLowerCase", "lowercase"),
    define(capitalize, "capitalize('amina')", "Amina", "upperFirst"),
    define(title_case, "titleCase('order received')", "Order Received", "title"),
    define(camel_case, "camelCase('order id')", "orderId"),
    define(snake_case, "snakeCase('orderId')", "order_id"),
    define(kebab_case, "kebabCase('Order ID 7')", "order-id-7", "slug", "slugify"),
    define(trim, "trim('  hello ')", "hello", "strip"),
    define(trim_start, "trimStart('007', '0')", "7", "trimLeft", "ltrim"),
    define(trim_end, "trimEnd('7.00', '0')", "7.", "trimRight", "rtrim"),
    define(split, "split('1*2*3', '*')", ["1", "2", "3"]),
    define(lines, "lines('a\\nb')", ["a", "b"]),
    define(join, "join(['a', 'b'], '-')", "a-b"),
    define(replace, "replace('2026-11-21', '-', '/')", "2026/11/21", "replaceAll"),
    define(substring, "substring('LinkFlow', 0, 4)", "Link", "substr"),
    define(truncate, "truncate('a long message', 7)", "a long…"),
    define(starts_with, "startsWith('+254712', '+254')", True),
    define(ends_with, "endsWith('photo.png', '.png')", True),
    define(repeat, "repeat('ab', 3)", "ababab"),
    define(pad_start, "padStart(7, 3, '0')", "007", "padLeft"),
    define(pad_end, "padEnd('ab', 4, '.')", "ab..", "padRight"),
    define(text_, "text({a: 1.0})", '{"a":1.0}', "toString", "string", "str"),
    define(html_escape, "htmlEscape('a < b')", "a &lt; b", "escapeHtml"),
    define(url_encode, "urlEncode('a b&c')", "a%20b%26c", "encodeURIComponent", "encodeUrl"),
    define(url_decode, "urlDecode('a%20b')", "a b", "decodeURIComponent", "decodeUrl"),
)
