"""Attributes of executions: what people search by, and that only they know: a customer, an order, an amount.

An execution has them from its workflow's settings, from whoever starts it, and from nodes of the type
`data.attributes`; what comes later replaces what was there.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json

MOST = 32
TEXT_LENGTH = 500
NODE_TYPE = "data.attributes"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class AttributeKind(StrEnum):
    """What the values of an attribute are; an instant is seconds since 1970."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "instant"


def kept(values: Json) -> dict[str, Json]:
    """Keep what can be searched by: at most MOST members with a good name and a plain value."""
    if not isinstance(values, Mapping):
        return {}
    found: dict[str, Json] = {}
    for name, value in values.items():
        if len(found) == MOST:
            break
        if not isinstance(name, str) or not NAME.fullmatch(name):
            continue
        if isinstance(value, str):
            found[name] = value[:TEXT_LENGTH].replace("\0", "\ufffd")
        elif isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
            found[name] = value
    return found


def checked(name: str, kind: AttributeKind, value: Json) -> Json:
    """Take a value that somebody gave an attribute.

    Raises:
        Invalid: It is not of the attribute's kind.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    match kind:
        case AttributeKind.TEXT if isinstance(value, str) and len(value) <= TEXT_LENGTH:
            return value
        case AttributeKind.NUMBER | AttributeKind.INSTANT if is_number:
            return value
        case AttributeKind.INSTANT if isinstance(value, str):
            return _instant(name, value)
        case AttributeKind.BOOLEAN if isinstance(value, bool):
            return value
    raise Invalid(f"The attribute {name!r} is {_said(kind)}.", code="attribute.value", attribute=name)


def read(name: str, kind: AttributeKind, text: str) -> Json:
    """Read a value as a person writes it in a search.

    Raises:
        Invalid: It is not of the attribute's kind.
    """
    if kind is AttributeKind.BOOLEAN and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind in (AttributeKind.NUMBER, AttributeKind.INSTANT):
        try:
            return checked(name, kind, float(text))
        except ValueError:
            pass
    return checked(name, kind, text)


def _instant(name: str, text: str) -> float:
    """Read an instant in RFC 3339."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        said = f"The attribute {name!r} is {_said(AttributeKind.INSTANT)}."
        raise Invalid(said, code="attribute.value", attribute=name) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _said(kind: AttributeKind) -> str:
    """Say a kind in words."""
    return {
        AttributeKind.TEXT: f"a text of at most {TEXT_LENGTH} characters",
        AttributeKind.NUMBER: "a number",
        AttributeKind.BOOLEAN: "true or false",
        AttributeKind.INSTANT: "an instant: 2030-01-31T09:00:00Z, or seconds since 1970",
    }[kind]
