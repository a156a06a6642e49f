"""What is taken out of what leaves a node."""

import base64
import html
import json
import re
from urllib.parse import quote, urlencode

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


AWKWARD = 'p"a\\s/s+w<ö>rd & more'


@pytest.mark.parametrize(
    "said",
    [
        json.dumps({"sent": AWKWARD}),
        json.dumps({"sent": AWKWARD}, ensure_ascii=False),
        urlencode({"sent": AWKWARD}),
        f"/a/{quote(AWKWARD)}/b",
        re.sub("%..", lambda found: found[0].lower(), quote(AWKWARD, safe="")),
        html.escape(AWKWARD),
        AWKWARD.encode().hex(),
        AWKWARD.encode().hex().upper(),
        *(base64.b64encode(b"x" * n + AWKWARD.encode() + b"tail").decode() for n in range(4)),
        *(base64.urlsafe_b64encode(b"x" * n + AWKWARD.encode()).decode() for n in range(3)),
    ],
)
def test_no_form_of_a_secret_is_left(said: str) -> None:
    """Escaped in JSON or a page, in an address, in hexadecimal, anywhere in Base64: it is hidden."""
    left = Redaction(secrets_in({"token": AWKWARD})).text(said)

    assert "***" in left
    assert not any(part in left for part in ("s/s", "s%2Fs", "s%2fs", "c/s", AWKWARD[-6:].encode().hex()))
    assert len(left) < len(said)


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
