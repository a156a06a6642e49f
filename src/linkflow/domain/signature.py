"""Signatures of inbound webhooks: one rule that can say every vendor's scheme, and presets of it.

| preset | header | signed | encoding |
|---|---|---|---|
| `hmac` | configurable | body, or with a timestamp | hex or base64 |
| `github` | X-Hub-Signature-256 | body | hex |
| `stripe` | Stripe-Signature | timestamp.body | hex |
| `slack` | X-Slack-Signature | v0:timestamp:body | hex |
| `standard`, `svix` | webhook-signature, svix-signature | id.timestamp.body | base64 |
| `shopify` | X-Shopify-Hmac-Sha256 | body | base64 |
| `linkflow` | X-LinkFlow-Signature | timestamp.body | hex |
| `token` (also gitlab, telegram) | configurable | the secret itself is sent | plain |

Source:
    The vendors' pages on webhook security; Standard Webhooks 1.0.0.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from linkflow.domain.callback import TOLERANCE_S, is_recent
from linkflow.domain.errors import Invalid, Unauthenticated


class SignatureRefused(Unauthenticated):
    """The webhook is not known, or its signature does not match.

    The message is the same for every cause; `reason` is for the log only.
    """

    code = "webhook.unauthenticated"

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Signature(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """How a sender signs; what is left empty comes from the preset.

    Attributes:
        preset: One of `PRESETS`.
        header: Header that holds the signature.
        algorithm: sha256, sha1 or sha512.
        encoding: hex or base64.
        prefix: What stands before the signature in its header, such as `sha256=`.
        form: `plain`: one signature; `pairs`: `t=…,v1=…`; `list`: `v1,… v1,…`; `token`: the secret itself.
        content: What is signed: text with `{body}`, `{timestamp}`, `{id}`.
        timestamp_header: Header with the sender's time, when the scheme has one.
        id_header: Header with the message's id.
        tolerance_s: How old or new a timestamp may be, seconds.
    """

    preset: str = "hmac"
    header: str = ""
    algorithm: Literal["", "sha256", "sha1", "sha512"] = ""
    encoding: Literal["", "hex", "base64"] = ""
    prefix: str = ""
    form: Literal["", "plain", "pairs", "list", "token"] = ""
    content: str = ""
    timestamp_header: str = ""
    id_header: str = ""
    tolerance_s: float = TOLERANCE_S


_SVIX = {"encoding": "base64", "form": "list", "content": "{id}.{timestamp}.{body}"}

PRESETS: Mapping[str, Mapping[str, str]] = {
    "hmac": {"header": "X-Signature"},
    "github": {"header": "X-Hub-Signature-256", "prefix": "sha256=", "id_header": "X-GitHub-Delivery"},
    "stripe": {"header": "Stripe-Signature", "form": "pairs", "content": "{timestamp}.{body}"},
    "slack": {
        "header": "X-Slack-Signature",
        "prefix": "v0=",
        "content": "v0:{timestamp}:{body}",
        "timestamp_header": "X-Slack-Request-Timestamp",
    },
    "standard": {
        "header": "webhook-signature",
        "timestamp_header": "webhook-timestamp",
        "id_header": "webhook-id",
        **_SVIX,
    },
    "svix": {
        "header": "svix-signature",
        "timestamp_header": "svix-timestamp",
        "id_header": "svix-id",
        **_SVIX,
    },
    "shopify": {"header": "X-Shopify-Hmac-Sha256", "encoding": "base64", "id_header": "X-Shopify-Webhook-Id"},
    "linkflow": {
        "header": "X-LinkFlow-Signature",
        "content": "{timestamp}.{body}",
        "timestamp_header": "X-LinkFlow-Timestamp",
    },
    "token": {"header": "X-Webhook-Secret", "form": "token"},
    "gitlab": {"header": "X-Gitlab-Token", "form": "token", "id_header": "X-Gitlab-Event-UUID"},
    "telegram": {"header": "X-Telegram-Bot-Api-Secret-Token", "form": "token"},
}

_DEFAULTS = {"algorithm": "sha256", "encoding": "hex", "form": "plain", "content": "{body}"}


def settled(signature: Signature) -> Signature:
    """Fill in what the preset says.

    Raises:
        Invalid: `webhook.signature`: there is no such preset, or the content lacks the body.
    """
    preset = PRESETS.get(signature.preset)
    if preset is None:
        raise Invalid(
            f"There is no signature preset {signature.preset[:40]!r}; use one of {', '.join(PRESETS)}.",
            code="webhook.signature",
        )
    given: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(signature).items() if value != ""
    }
    found = Signature(**{**_DEFAULTS, **preset, **given})
    if found.form != "token" and "{body}" not in found.content:
        raise Invalid("What is signed must contain {body}.", code="webhook.signature")
    return found


def verify(
    signature: Signature, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float
) -> None:
    """Refuse a request that was not signed with one of the secrets.

    Args:
        signature: The rule; a preset is enough.
        headers: Names in lower case.
        body: The raw bytes received.
        secrets: The current secret and, while it is being rotated, the one before.
        now: Seconds since 1970.

    Raises:
        SignatureRefused: Missing, malformed, too old, or made with another secret.
    """
    rule = settled(signature)
    given = headers.get(rule.header.lower(), "")
    if rule.form == "token":
        found = [hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets]
        if not given or not any(found):
            raise SignatureRefused("the token is missing or wrong")
        return
    timestamp, candidates = _read(rule, given, headers)
    content = _content(rule, timestamp, headers, body)
    found = [
        hmac.compare_digest(_made(rule, secret, content), candidate)
        for secret in secrets
        for candidate in (candidates[:8] or [b""])
    ]
    if not any(found):
        raise SignatureRefused(f"{rule.header} does not match" if given else f"{rule.header} is missing")
    if "{timestamp}" in rule.content and not is_recent(timestamp, now, rule.tolerance_s):
        raise SignatureRefused("the timestamp is too far from now")


def _read(rule: Signature, given: str, headers: Mapping[str, str]) -> tuple[str, list[bytes]]:
    """Take the timestamp and the signatures out of the headers."""
    timestamp = headers.get(rule.timestamp_header.lower(), "") if rule.timestamp_header else ""
    if rule.form == "pairs":
        pairs = [part.strip().partition("=") for part in given[:4_096].split(",")]
        timestamp = next((value for name, _, value in pairs if name == "t"), "")
        return timestamp, [_decoded(rule, value) for name, _, value in pairs if name == "v1"]
    if rule.form == "list":
        parts = [part.partition(",") for part in given[:4_096].split()]
        return timestamp, [_decoded(rule, value) for name, _, value in parts if name == "v1"]
    if rule.prefix and not given.startswith(rule.prefix):
        return timestamp, []
    return timestamp, [_decoded(rule, given[len(rule.prefix) :])]


def _decoded(rule: Signature, text: str) -> bytes:
    try:
        if rule.encoding == "base64":
            return base64.b64decode(text.strip()[:512], validate=True)
        return bytes.fromhex(text.strip()[:512])
    except (ValueError, binascii.Error):
        return b""


def _content(rule: Signature, timestamp: str, headers: Mapping[str, str], body: bytes) -> bytes:
    before, _, after = rule.content.partition("{body}")
    message_id = headers.get(rule.id_header.lower(), "") if rule.id_header else ""

    def filled(text: str) -> bytes:
        return text.replace("{timestamp}", timestamp[:64]).replace("{id}", message_id[:512]).encode()

    return filled(before) + body + filled(after)


def _made(rule: Signature, secret: str, content: bytes) -> bytes:
    key = secret.encode()
    if rule.form == "list":  # Standard Webhooks: the secret is base64 behind whsec_
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except (ValueError, binascii.Error):
            key = secret.encode()
    return hmac.new(key, content, getattr(hashlib, rule.algorithm)).digest()
