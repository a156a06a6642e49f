"""Subscriptions: which events others may be told of, how a message is signed, when it is tried again.

A message follows Standard Webhooks: `webhook-id` stays the same for every try, so a receiver can drop what it
knows; `webhook-signature` is `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, one for each secret
that is still good. Beside it stands the signature of the seeds (`X-LinkFlow-Signature`, see `callback.py`).

Source:
    Standard Webhooks 1.0.0; seed 003, "Webhooks".
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from linkflow.domain.callback import signed_headers
from linkflow.domain.errors import Invalid

SECRET_PREFIX = "whsec_"  # noqa: S105  what stands before a secret
RETRIES_S = (0.0, 60.0, 300.0, 1800.0, 7200.0)
"""How long after a failed try the next one comes; the first entry is the first try."""
GONE = 410
"""The status by which a receiver says that it wants no more."""
TEST = "subscription.test"

EXECUTION_EVENTS = (
    "execution.started",
    "execution.completed",
    "execution.failed",
    "execution.timed_out",
    "execution.cancelled",
)
FROM_AUDIT: Mapping[str, str] = {
    "workflow.create": "workflow.created",
    "workflow.import": "workflow.created",
    "workflow.update": "workflow.updated",
    "workflow.publish": "workflow.published",
    "workflow.delete": "workflow.deleted",
    "workflow.activate": "workflow.activated",
    "workflow.deactivate": "workflow.deactivated",
    "credential.connect": "integration.connected",
    "credential.needs_reauth": "integration.disconnected",
    "member.join": "member.joined",
}
"""Which lines of the audit log are events for others."""
OLDER_NAMES: Mapping[str, str] = {
    "workflow.executed": "execution.completed",
    "workflow.failed": "execution.failed",
}
"""What the seeds call some of them."""
EVENTS = (*EXECUTION_EVENTS, *dict.fromkeys(FROM_AUDIT.values()), *OLDER_NAMES)


def checked_events(events: Iterable[str]) -> tuple[str, ...]:
    """Say the events of a subscription; `*` and `execution.*` mean all and all of a kind.

    Raises:
        Invalid: `subscription.events`: there is no such event, or none is named.
    """
    found = tuple(dict.fromkeys(events))
    for event in found:
        if event != "*" and not any(covers(event, each) for each in EVENTS):
            raise Invalid(
                f"There is no event {event!r}; there are {', '.join(EVENTS)}, execution.* and *.",
                code="subscription.events",
            )
    if not found:
        raise Invalid("Name at least one event, or * for all.", code="subscription.events")
    return found


def covers(pattern: str, event: str) -> bool:
    """Say whether `*`, `execution.*`, an event's name or its older name means an event."""
    if pattern.endswith(".*"):
        return event.startswith(pattern[:-1])
    return pattern in ("*", event) or OLDER_NAMES.get(pattern) == event


def wanted(patterns: Sequence[str], event: str) -> bool:
    """Say whether one of the patterns means an event."""
    return any(covers(pattern, event) for pattern in patterns)


def checked_url(url: str) -> str:
    """Say the address of a receiver.

    Raises:
        Invalid: `subscription.url`: not http or https, without a host, or with a password in it.
    """
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        is_fit = has_host and parts.scheme in ("http", "https") and not parts.username
    except ValueError:
        is_fit = False
    if not is_fit or not url.isprintable():
        raise Invalid(
            "Say an address such as https://example.com/hook, without a user or password in it.",
            code="subscription.url",
        )
    return url


def secret_of(chance: bytes) -> str:
    """Say a secret made of 24 to 64 bytes of chance."""
    return SECRET_PREFIX + base64.b64encode(chance).decode()


def _key(secret: str) -> bytes:
    """Say the bytes that a secret signs with."""
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()


def message_headers(
    secrets: Sequence[str], message_id: str, event: str, body: bytes, at: float
) -> Mapping[str, str]:
    """Build the headers of a message.

    Args:
        secrets: The secret, then older ones that are still good.
        message_id: The same for every try.
        event: What happened.
        body: The exact bytes that are sent.
        at: Seconds since 1970, of this try.
    """
    timestamp = str(int(at))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    ]
    return {
        **signed_headers(secrets[0], event, body, at),
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def message_id(subscription_id: str, happening: str) -> str:
    """Say the id of the message that tells a subscription of something that happened."""
    return "msg_" + hashlib.sha256(f"{subscription_id} {happening}".encode()).hexdigest()[:32]


def next_try_s(attempts: int) -> float | None:
    """Say how long after so many failed tries the next one comes; None for never."""
    return RETRIES_S[attempts] if attempts < len(RETRIES_S) else None


def instant(at: float) -> str:
    """Say seconds since 1970 as messages do: `2030-01-31T09:00:00.250Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
