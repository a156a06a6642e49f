"""What is secret in a credential, and how its secrets are taken out of anything else."""

import base64
import html
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from linkflow.domain.values import Json

HIDDEN = "***"

PLAIN = frozenset(
    {
        "username", "user", "email", "host", "port", "database", "security", "ssl", "from", "url", "base_url",
        "endpoint", "test_url", "token_url", "authorize_url", "scope", "provider", "environment", "region",
        "short_code", "account_sid", "header", "name", "in", "type", "token_type", "client_id",
        "authentication",
    }
)  # fmt: skip
"""Names of fields that are no secrets; a field by any other name is one."""

SHORTEST_NAMED, SHORTEST = 4, 8
"""Characters from which on a value is taken out: of a field that says to be a secret, of another one."""

WITH_PASSWORD = ("username", "user", "client_id", "account_sid")
"""Names of fields that are sent together with a secret, as basic authorisation does."""

URL_SAFE = str.maketrans("+/", "-_")
_NAMED = re.compile(r"pass|secret|token|key|pin|credential", re.IGNORECASE)


def secrets_in(fields: Mapping[str, Json]) -> frozenset[str]:
    """List the texts in a credential's fields that nobody may see, in each form they are usually sent in.

    Args:
        fields: `{"<field>": JSON}`, as a broker opens them.
    """
    plain = [text for name, value in fields.items() if name not in PLAIN for text in _texts(name, value)]
    pairs = [f"{fields[name]}:{text}" for name in WITH_PASSWORD if name in fields for text in plain]
    found = {form for text in plain for form in _forms(text)}
    return frozenset(found | {_encoded(pair) for pair in pairs})


def _forms(text: str) -> Iterable[str]:
    """Say how a text is written in addresses, JSON, pages, Base64 and hexadecimal; its longer lines alike."""
    yield from (text, *_lines(text), _encoded(text))
    for safe in ("", "/"):
        yield quote(text, safe=safe)
        yield re.sub("%..", lambda found: found[0].lower(), quote(text, safe=safe))
    yield quote_plus(text)
    for raw in (False, True):
        yield json.dumps(text, ensure_ascii=raw)[1:-1]
    yield html.escape(text)
    data = text.encode()
    if len(data) >= SHORTEST:
        yield from (data.hex(), data.hex().upper())
        for part in _within(data):
            yield from (part, part.translate(URL_SAFE))


def _within(data: bytes) -> Iterable[str]:
    """Say what stands in Base64 wherever in a longer text the data begins: what it alone decides."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode()
        first, last = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
        yield encoded[first:last]


def _texts(name: str, value: Json) -> Iterable[str]:
    """List the texts of a field that are long enough to be told from others."""
    if isinstance(value, Mapping):
        return [text for key, part in value.items() for text in _texts(str(key), part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in _texts(name, part)]
    if not isinstance(value, str):
        return []
    return [value] if len(value) >= (SHORTEST_NAMED if _NAMED.search(name) else SHORTEST) else []


def _lines(text: str) -> Iterable[str]:
    """List the longer lines of a text of several, such as a private key."""
    lines = text.splitlines()
    return [line.strip() for line in lines if len(line.strip()) >= 16] if len(lines) > 1 else []


def _encoded(text: str) -> str:
    """Say a text in Base64, as basic authorisation sends it."""
    return base64.b64encode(text.encode()).decode()


class Redaction:
    """Takes texts out of values.

    Args:
        secrets: What to take out.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = sorted(set(secrets), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """Take secrets out of a text."""
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)

    def value(self, value: Json) -> Json:
        """Take secrets out of a value, its keys among them; numbers stay."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(part) for part in value]
        return value
