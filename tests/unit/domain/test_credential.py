"""What is taken out of what leaves a node."""

import pytest

from linkflow.control.credential_types import TYPES
from linkflow.domain.credential import PLAIN, Redaction, secrets_in


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a tok/en+1 b", "a *** b"),
        ("?key=tok%2Fen%2B1", "?key=***"),
        ("Basic YW5uOnRvay9lbisx", "Basic ***"),
        ("ann at https://x.test", "ann at https://x.test"),
    ],
)
def test_a_secret_is_found_in_each_form_it_is_sent_in(text: str, left: str) -> None:
    """As it is, in an address and in basic authorisation a secret is hidden; what is none stays readable."""
    found = secrets_in({"username": "ann", "base_url": "https://x.test", "token": "tok/en+1"})

    assert left == Redaction(found).text(text)


def test_values_of_every_shape_are_cleaned() -> None:
    """Keys, lists and nested objects are searched; numbers and short words of no secret's name stay."""
    clean = Redaction(secrets_in({"token": "sesame", "note": "short"}))

    assert {"***": [{"a": "x***y"}, 1, None, "short"]} == clean.value(
        {"sesame": [{"a": "xsesamey"}, 1, None, "short"]}
    )


def test_types_and_redaction_agree() -> None:
    """A field that a type calls no secret is shown, every other one is hidden: one list for both."""
    assert {(f.name, f.secret) for kind in TYPES for f in kind.fields} == {
        (f.name, f.name not in PLAIN) for kind in TYPES for f in kind.fields
    }
