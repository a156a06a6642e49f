"""Signatures of the calls that LinkFlow makes when something finished, and how a receiver checks them.

The signed text is `timestamp + "." + raw body`; the signature is the HMAC-SHA256 of it in lower-case hex.

Source:
    Seed 001, "Callback"; RFC 2104.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

TIMESTAMP_HEADER = "X-LinkFlow-Timestamp"
SIGNATURE_HEADER = "X-LinkFlow-Signature"
EVENT_HEADER = "X-LinkFlow-Event"

TOLERANCE_S = 300.0
"""A call older or newer than this is refused."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Sign a body at an instant, given in RFC 3339; 64 lower-case hex digits."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed_headers(secret: str, event: str, body: bytes, at: float) -> Mapping[str, str]:
    """Build the headers of a call.

    Args:
        secret: `LINKFLOW_SECRET`, or the receiver's own.
        event: What happened, such as `execution.completed`.
        body: The exact bytes that will be sent.
        at: Seconds since 1970.
    """
    timestamp = datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "Content-Type": "application/json",
        EVENT_HEADER: event,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign(secret, timestamp, body),
    }


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Say whether a call was signed with the secret within the tolerance; takes equal time either way.

    Args:
        secret: The shared secret.
        headers: By any spelling of their names.
        body: The raw bytes received.
        now: Seconds since 1970.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp = given.get(TIMESTAMP_HEADER.lower(), "")
    expected = sign(secret, timestamp, body)
    is_equal = hmac.compare_digest(
        expected.encode(), given.get(SIGNATURE_HEADER.lower(), "").lower().encode()
    )
    return is_equal and is_recent(timestamp, now)


def is_recent(timestamp: str, now: float, tolerance_s: float = TOLERANCE_S) -> bool:
    """Say whether an instant, in RFC 3339 or in seconds since 1970, is within the tolerance."""
    try:
        if timestamp.isdigit() and len(timestamp) < 16:
            at = float(timestamp)
        else:
            at = datetime.fromisoformat(timestamp).replace(microsecond=0).timestamp()
    except (ValueError, OverflowError):
        return False
    return abs(now - at) <= tolerance_s
