"""The chain of the audit log, and what a line says."""

import hashlib
from collections.abc import Sequence

import msgspec
import pytest

from linkflow.domain.audit import (
    AuditHead,
    AuditLine,
    ChainCheck,
    Verdict,
    changed,
    head_of,
    redacted_object,
    said,
)
from linkflow.domain.errors import Invalid


def chain(count: int) -> list[AuditLine]:
    """Chain some lines, by the rule as the page says it."""
    lines: list[AuditLine] = []
    for number in range(1, count + 1):
        plain = AuditLine(
            id=f"l{number}", workspace_id="w", actor_id="u", action="a.b", resource="c:d", at=1.5 * number,
            details={"n": number}, number=number, previous=lines[-1].hash if lines else b"",
        )  # fmt: skip
        digest = hashlib.sha256(plain.previous + said(plain)).digest()
        lines.append(msgspec.structs.replace(plain, hash=digest))
    return lines


def checked(lines: Sequence[AuditLine], head: AuditHead | None = None, expect: str = "") -> Verdict:
    """Check lines."""
    check = ChainCheck(head_of(expect) if expect else None)
    check.look(lines)
    return check.verdict(head)


def test_a_chain_holds() -> None:
    """What was written as it says holds, from its first line or from a later one."""
    lines = chain(5)
    head = AuditHead(number=5, hash=lines[-1].hash)

    assert (True, True) == (checked(lines, head).holds, checked(lines[2:], head).holds)


FIELDS = {
    "actor_id": "v", "action": "a.c", "resource": "c:e", "at": 9.0, "details": {"n": 9}, "via": "key:k",
    "address": "192.0.2.1", "workspace_id": "x", "id": "l9",
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_a_changed_line_is_found(field: str) -> None:
    """Whatever of a line is changed, its number is found."""
    lines = chain(4)
    lines[2] = msgspec.structs.replace(lines[2], **{field: FIELDS[field]})

    assert [3] == [each.number for each in checked(lines).findings]


def test_a_line_that_was_hashed_anew_is_found() -> None:
    """Who changes a line and gives it a fitting hash breaks the line after it."""
    lines = chain(4)
    forged = msgspec.structs.replace(lines[1], actor_id="somebody else")
    digest = hashlib.sha256(forged.previous + said(forged)).digest()
    lines[1] = msgspec.structs.replace(forged, hash=digest)

    assert [3] == [each.number for each in checked(lines).findings]


@pytest.mark.parametrize(("gone", "where"), [(0, 2), (2, 3), (4, 4)])
def test_a_removed_line_is_found(gone: int, where: int) -> None:
    """A line that is missing inside or at the end is found; so is the first one, by whoever noted it."""
    whole = chain(5)
    head = AuditHead(number=5, hash=whole[4].hash)
    lines = [line for place, line in enumerate(whole) if place != gone]
    expect = f"1:{whole[0].hash.hex()}" if gone == 0 else ""
    found = checked(lines, head, expect)

    assert not found.holds
    assert gone == 0 or found.findings[0].number == where


def test_a_chain_that_was_written_anew_is_found_by_who_noted_its_head() -> None:
    """A whole chain that was forged holds by itself, and is not the one that was noted."""
    noted = chain(3)[-1].hash.hex()
    forged = chain(2)[:1]
    for number in (2, 3):
        line = msgspec.structs.replace(forged[0], id="x", number=number, previous=forged[-1].hash)
        forged.append(msgspec.structs.replace(line, hash=hashlib.sha256(line.previous + said(line)).digest()))

    assert (True, False) == (checked(forged).holds, checked(forged, expect=f"3:{noted}").holds)


def test_secrets_are_left_out() -> None:
    """What is named like a secret is not said at any depth; whether there is one is."""
    found = redacted_object(
        {"name": "x", "apiKey": "k", "a": [{"clientSecret": {"b": 1}}], "is_secret": True, "password": ""}
    )

    assert {
        "name": "x", "apiKey": "[redacted]", "a": [{"clientSecret": "[redacted]"}], "is_secret": True,
        "password": "",
    } == found  # fmt: skip


def test_a_change_says_old_and_new() -> None:
    """Only what differs is said, bytes by their hash."""
    before = AuditHead(number=1, hash=b"a")
    found = changed(before, AuditHead(number=2, hash=b"a"))

    assert {"old": {"number": 1}, "new": {"number": 2}} == found


@pytest.mark.parametrize("text", ["", "1:xyz", "x:00"])
def test_a_head_is_number_and_hash(text: str) -> None:
    """Anything but NUMBER:HASH is refused."""
    with pytest.raises(Invalid):
        head_of(text)
