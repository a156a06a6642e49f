"""The audit log: lines chained by hashes, so that a line that was changed, removed or put in later is found.

    hash of line n = SHA-256(hash of line n-1, what line n says)

Each workspace has a chain of its own, numbered from 1. Old lines are let go of, so a chain may begin later;
its first line says the hash of the line before it. Whoever can write the database can write a whole new
chain; who noted the last number and hash somewhere else finds that too (`expect`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json, canonical

SECRET_WORDS = (
    "password", "secret", "token", "api_key", "apikey", "authorization", "cookie", "credit_card", "ssn",
    "private_key",
)  # fmt: skip
REDACTED = "[redacted]"
LONGEST = 1000
"""Characters of a text that a line keeps."""
FINDINGS = 100
"""A verdict lists no more findings than this."""


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, to what, from where.

    Attributes:
        actor_id: The user; empty for LinkFlow itself.
        action: Such as `workflow.publish`.
        resource: Such as `workflow:<id>`.
        at: Seconds since 1970.
        details: Old and new values and what else matters; no secrets.
        via: What the actor showed: `sign-in:<id>`, `key:<id>` or `client:<id>`.
        address: Of the caller; empty for LinkFlow itself.
        number: Its place in the workspace's chain, from 1; 0 for lines from before there were chains.
        previous: Hash of the line before it; empty for the first.
        hash: SHA-256 over `previous` and what the line says.
    """

    id: str
    workspace_id: str
    actor_id: str
    action: str
    resource: str
    at: float
    details: Mapping[str, Json] = {}
    via: str = ""
    address: str = ""
    number: int = 0
    previous: bytes = b""
    hash: bytes = b""


class AuditHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where a workspace's chain ends: the number and hash of its last line."""

    number: int = 0
    hash: bytes = b""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong with a chain: at which number, and what, in words."""

    number: int
    what: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of checking a chain.

    Attributes:
        lines: How many were checked.
        first: Number of the first line that is kept.
        head: Where the chain ends by its lines.
        findings: Nothing when the chain holds; the first hundred.
    """

    lines: int
    first: int
    head: AuditHead
    findings: Sequence[Finding] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def said(line: AuditLine) -> bytes:
    """Say a line as the bytes that its hash covers."""
    return canonical(
        [
            line.id,
            line.workspace_id,
            line.actor_id,
            line.action,
            line.resource,
            line.at,
            dict(line.details),
            line.via,
            line.address,
        ]
    )


def redacted(value: Json) -> Json:
    """Say a value without secrets, judged by names, and without long texts."""
    match value:
        case dict():
            return redacted_object(value)
        case list() | tuple():
            return [redacted(each) for each in value]
        case str() if len(value) > LONGEST:
            return value[:LONGEST] + "…"
    return value


def redacted_object(value: Mapping[str, Json]) -> dict[str, Json]:
    """Say an object without secrets."""
    return {name: _under(name, each) for name, each in value.items()}


def _under(name: str, value: Json) -> Json:
    """Say the value of a name; whether there is one may be said, what it is not."""
    is_secret = any(word in name.lower().replace("-", "_") for word in SECRET_WORDS)
    if is_secret and value not in (None, "") and not isinstance(value, bool):
        return REDACTED
    return redacted(value)


def changed(before: msgspec.Struct, after: msgspec.Struct) -> dict[str, Json]:
    """Say what differs between two records, `{"old": {…}, "new": {…}}`; bytes by the start of their hash."""
    names = [
        name
        for name in before.__struct_fields__
        if name != "updated_at" and getattr(before, name) != getattr(after, name)
    ]
    return {
        "old": {name: _shown(getattr(before, name)) for name in names},
        "new": {name: _shown(getattr(after, name)) for name in names},
    }


def _shown(value: object) -> Json:
    """Say the value of a record's field as JSON."""
    if isinstance(value, bytes):
        return f"sha256:{hashlib.sha256(value).hexdigest()[:16]}" if value else ""
    found: Json = msgspec.to_builtins(value)
    return found


def head_of(text: str) -> AuditHead:
    """Read `NUMBER:HASH`, the hash in hex, as `linkflow audit verify` prints it.

    Raises:
        Invalid: It is something else.
    """
    number, _, digest = text.partition(":")
    try:
        return AuditHead(number=int(number), hash=bytes.fromhex(digest))
    except ValueError as error:
        raise Invalid("Say NUMBER:HASH, as a verification printed it.", code="audit.expect") from error


class ChainCheck:
    """Checks the lines of one workspace's chain, oldest first, however many there are."""

    def __init__(self, expect: AuditHead | None = None) -> None:
        """Begin.

        Args:
            expect: A line that somebody noted; the chain must still hold it.
        """
        self._expect = expect
        self._has_expected = expect is None or expect.number == 0
        self._lines = self._first = 0
        self._head: AuditHead | None = None
        self._findings: list[Finding] = []

    def _found(self, number: int, what: str) -> None:
        if len(self._findings) < FINDINGS:
            self._findings.append(Finding(number=number, what=what))

    def look(self, lines: Iterable[AuditLine]) -> None:
        """Check the next lines."""
        for line in lines:
            self._look(line)

    def _look(self, line: AuditLine) -> None:
        """Check one line against itself and the one before."""
        before, self._lines = self._head, self._lines + 1
        if hashlib.sha256(line.previous + said(line)).digest() != line.hash:
            self._found(line.number, "This line was changed: it does not have the hash it was written with.")
        if before is None:
            self._first = line.number
            if line.number == 1 and line.previous:
                self._found(1, "The first line follows another, which was removed.")
        elif line.number != before.number + 1:
            missing = line.number - before.number - 1
            self._found(before.number + 1, f"{missing} lines are missing here.")
        elif line.previous != before.hash:
            self._found(line.number, "This line does not follow the one before it.")
        expect = self._expect
        if expect is not None and line.number == expect.number:
            self._has_expected = line.hash == expect.hash
        self._head = AuditHead(number=line.number, hash=line.hash)

    def verdict(self, head: AuditHead | None = None) -> Verdict:
        """Say what was found.

        Args:
            head: Where the chain ends by what is kept beside it; None where nothing is.
        """
        last = self._head or AuditHead()
        if head is not None and head != last and self._lines:
            self._found(last.number, f"The chain ended at line {head.number}; what follows here is missing.")
        if not self._has_expected:
            assert self._expect is not None
            self._found(self._expect.number, "The line that was noted is another one by now, or gone.")
        return Verdict(lines=self._lines, first=self._first, head=last, findings=tuple(self._findings))
