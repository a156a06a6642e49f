"""What the operators mean, within the budget.

- Equality never mixes types, except a number with text that is a number (`"5" == 5`), because query
  strings, forms and phone menus deliver numbers as text. Order compares numbers, or texts.
- `+` adds numbers, joins lists, and joins as text when either side is text.
- Whole numbers stay within 64 bits; a float is never infinite.
"""

import math
import re
from collections.abc import Callable

from linkflow.domain.values import Json, encode_json
from linkflow.domain.workflow.template.errors import OverBudget, WrongType
from linkflow.domain.workflow.template.meter import Meter, weigh

LARGEST = 2**63
_NUMERIC = re.compile(r"\s{0,20}[+-]?\d{1,300}(\.\d{1,300})?([eE][+-]?\d{1,3})?\s{0,20}")


def kind(value: Json) -> str:
    """Name the type of a value for people: text, number, true/false, list, object, null, credential."""
    match value:
        case None:
            return "null"
        case bool():
            return "true/false"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case dict():
            return "object"
    return "credential"


def truth(value: Json) -> bool:
    """Say whether a value counts as true: not null, false, 0, or empty."""
    return bool(value)


def to_number(text: str) -> int | float | None:
    """Read a number out of text; None when it is none."""
    if len(text) > 700 or _NUMERIC.fullmatch(text) is None:
        return None
    try:
        whole = int(text)
    except ValueError:
        found = float(text)
        return found if math.isfinite(found) else None
    return whole if -LARGEST <= whole < LARGEST else float(whole)


def to_text(value: Json, meter: Meter) -> str:
    """Write a value as text: objects and lists as compact JSON, `true`, `null`, 1.0 as `1`.

    Raises:
        OverBudget: The text would be too long.
        WrongType: The value is a credential.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, int):
        return str(bounded(value))
    if isinstance(value, dict | list):
        return to_json(value, meter)
    raise WrongType("A credential cannot be part of a calculation; place it alone or in text.")


def to_json(value: Json, meter: Meter) -> str:
    """Write a value as compact JSON, within the budget.

    Raises:
        OverBudget: The text would be too long, or the value too deep.
        WrongType: The value holds a credential.
    """
    meter.produce(weigh(value, meter.budget, is_plain=True))
    try:
        return encode_json(value).decode()
    except RecursionError:
        raise OverBudget("The value nests too deep.", budget="depth") from None


def bounded(value: int | float) -> int | float:
    """Keep a number inside 64 bits, or finite.

    Raises:
        WrongType: The number is too large or not a number.
    """
    if isinstance(value, int):
        if -LARGEST <= value < LARGEST:
            return value
    elif math.isfinite(value):
        return value
    raise WrongType("The result is too large for a number.")


def equal(left: Json, right: Json, meter: Meter) -> bool:
    """Say whether two values are the same; see the rules at the top."""
    if type(left) is type(right) and not isinstance(left, dict | list):
        return bool(left == right)
    pending = [(left, right)]
    while pending:
        left, right = pending.pop()
        meter.step()
        if isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            meter.step(len(left))
            pending.extend(zip(left, right, strict=True))
        elif isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            meter.step(len(left))
            pending.extend((left[key], right[key]) for key in left)
        elif not _equal_scalars(left, right):
            return False
    return True


def _equal_scalars(left: Json, right: Json) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, str) and isinstance(right, int | float):
        left = to_number(left)
    elif isinstance(right, str) and isinstance(left, int | float):
        right = to_number(right)
    return (bool(left == right) and left is not None) or left is right


def compare(operator: str, left: Json, right: Json) -> bool:
    """Compare numbers, texts, or a number with text that is one.

    Raises:
        WrongType: The two have no order.
    """
    a, b = _comparable(left, right)
    if a is None or b is None:
        raise WrongType(f"{kind(left)} {operator} {kind(right)} has no answer; compare numbers or texts.")
    match operator:
        case "<":
            return bool(a < b)
        case "<=":
            return bool(a <= b)
        case ">":
            return bool(a > b)
    return bool(a >= b)


def _comparable(left: Json, right: Json) -> tuple[Json, Json]:
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    return _as_number(left), _as_number(right)


def _as_number(value: Json) -> int | float | None:
    if isinstance(value, str):
        return to_number(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return None


def contains(item: Json, box: Json, meter: Meter) -> bool:
    """Say whether text holds a text, a list an element, or an object a key.

    Raises:
        WrongType: `box` holds nothing.
    """
    if isinstance(box, str):
        meter.look(len(box))
        return to_text(item, meter) in box
    if isinstance(box, dict):
        return isinstance(item, str) and item in box
    if isinstance(box, list):
        meter.step(1 + len(box) // 2)
        return any(equal(item, other, meter) for other in box)
    raise WrongType(f"`in` needs a list, an object or text on its right, not {kind(box)}.")


def add(left: Json, right: Json, meter: Meter) -> Json:
    """Add numbers, join lists, join as text."""
    if _are_numbers(left, right):
        return bounded(left + right)
    if isinstance(left, str) or isinstance(right, str):
        first, second = to_text(left, meter), to_text(right, meter)
        meter.produce(len(first) + len(second))
        return first + second
    if isinstance(left, list) and isinstance(right, list):
        meter.produce(8 * (len(left) + len(right)))
        return left + right
    raise WrongType(f"{kind(left)} + {kind(right)} has no answer.")


def _are_numbers(left: Json, right: Json) -> bool:
    return (
        isinstance(left, int | float)
        and isinstance(right, int | float)
        and not isinstance(left, bool)
        and not isinstance(right, bool)
    )


def _subtract(left: int | float, right: int | float) -> int | float:
    return left - right


def _multiply(left: int | float, right: int | float) -> int | float:
    return left * right


def _divide(left: int | float, right: int | float) -> int | float:
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def _remainder(left: int | float, right: int | float) -> int | float:
    return left % right


_ARITHMETIC: dict[str, Callable[[int | float, int | float], int | float]] = {
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _remainder,
}


def calculate(operator: str, left: Json, right: Json) -> int | float:
    """Subtract, multiply, divide, or take the remainder of two numbers.

    Raises:
        WrongType: Not numbers, a division by zero, or a result out of range.
    """
    if not _are_numbers(left, right):
        hint = (
            "; number(x) turns text into a number" if isinstance(left, str) or isinstance(right, str) else ""
        )
        raise WrongType(f"{kind(left)} {operator} {kind(right)} has no answer{hint}.")
    try:
        return bounded(_ARITHMETIC[operator](bounded(left), bounded(right)))
    except ZeroDivisionError:
        raise WrongType("A division by zero has no answer.") from None
    except OverflowError:
        raise WrongType("The result is too large for a number.") from None


def negate(value: Json) -> int | float:
    """Change the sign of a number.

    Raises:
        WrongType: Not a number.
    """
    return calculate("-", 0, value)
