"""What executions are searched by."""

import pytest

from linkflow.domain.attributes import MOST, TEXT_LENGTH, AttributeKind, checked, kept, read
from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json


def test_only_plain_values_are_kept() -> None:
    """Lists, objects, nothing, odd names and numbers that are none are left out; long texts are cut."""
    values: Json = {
        "customer": "A\x00-17",
        "long": "x" * 1000,
        "amount": 1.5,
        "is_vip": False,
        "none": None,
        "list": [1],
        "9lives": 9,
        "nan": float("nan"),
    }

    assert {"customer": "A\ufffd-17", "long": "x" * TEXT_LENGTH, "amount": 1.5, "is_vip": False} == kept(
        values
    )


def test_only_so_many_are_kept() -> None:
    """An execution has at most MOST attributes, and none from what is no object."""
    assert (MOST, {}, {}) == (len(kept({f"a{n}": n for n in range(100)})), kept([1]), kept(None))


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (AttributeKind.TEXT, "12", "12"),
        (AttributeKind.NUMBER, "12.5", 12.5),
        (AttributeKind.BOOLEAN, "True", True),
        (AttributeKind.INSTANT, "1970-01-01T00:01:00Z", 60.0),
        (AttributeKind.INSTANT, "1970-01-01T00:01:00", 60.0),
        (AttributeKind.INSTANT, "60", 60.0),
    ],
)
def test_values_are_read_by_kind(kind: AttributeKind, text: str, expected: Json) -> None:
    """A search says values as text; the attribute's kind says what they are."""
    assert expected == read("a", kind, text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (AttributeKind.TEXT, 12),
        (AttributeKind.TEXT, "x" * (TEXT_LENGTH + 1)),
        (AttributeKind.NUMBER, "12"),
        (AttributeKind.NUMBER, True),
        (AttributeKind.NUMBER, float("inf")),
        (AttributeKind.BOOLEAN, 1),
        (AttributeKind.INSTANT, "yesterday"),
    ],
)
def test_values_of_another_kind_are_refused(kind: AttributeKind, value: Json) -> None:
    """A value of another kind is refused in words that name the attribute."""
    with pytest.raises(Invalid, match="'a' is"):
        checked("a", kind, value)
