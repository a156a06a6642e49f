"""Signatures of inbound webhooks, against what the vendors published."""

import base64
import hashlib
import hmac

import pytest

from linkflow.domain.errors import Invalid
from linkflow.domain.signature import PRESETS, Signature, SignatureRefused, settled, verify

GITHUB_SECRET = "It's a Secret to Everybody"
GITHUB_BODY = b"Hello, World!"
GITHUB_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
SLACK_AT = 1531420618

STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
STANDARD_BODY = b'{"test": 2432232314}'


def test_github_published_vector() -> None:
    """GitHub's published example is accepted, and the same body with another signature is not."""
    rule = Signature(preset="github")
    verify(rule, {"x-hub-signature-256": GITHUB_SIGNATURE}, GITHUB_BODY, [GITHUB_SECRET], 0)

    with pytest.raises(SignatureRefused):
        verify(rule, {"x-hub-signature-256": GITHUB_SIGNATURE}, GITHUB_BODY + b" ", [GITHUB_SECRET], 0)


def test_slack_published_vector() -> None:
    """Slack's published example is accepted at its time and refused five minutes and a second later."""
    rule = Signature(preset="slack")
    headers = {"x-slack-signature": SLACK_SIGNATURE, "x-slack-request-timestamp": str(SLACK_AT)}
    verify(rule, headers, SLACK_BODY, [SLACK_SECRET], SLACK_AT + 300)

    with pytest.raises(SignatureRefused):
        verify(rule, headers, SLACK_BODY, [SLACK_SECRET], SLACK_AT + 301)


def test_standard_webhooks_published_vector() -> None:
    """The example of Standard Webhooks is accepted, also beside a signature of an older key."""
    rule = Signature(preset="standard")
    verify(rule, STANDARD, STANDARD_BODY, [STANDARD_SECRET], 1614265330)
    rotated = {**STANDARD, "webhook-signature": f"v1,AAAA v1a,xx {STANDARD['webhook-signature']}"}
    verify(rule, rotated, STANDARD_BODY, [STANDARD_SECRET], 1614265330)

    with pytest.raises(SignatureRefused):
        verify(rule, {**STANDARD, "webhook-id": "msg_other"}, STANDARD_BODY, [STANDARD_SECRET], 1614265330)


def test_stripe_scheme() -> None:
    """Stripe's `t=…,v1=…` is accepted with any of several signatures, and refused when it is too old."""
    body, at, secret = b'{"id": "evt_1"}', 1492774577, "whsec_test_secret"
    good = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    header = {"stripe-signature": f"t={at},v1={'0' * 64},v1={good},v0=abc"}
    rule = Signature(preset="stripe")
    verify(rule, header, body, [secret], at + 1)

    with pytest.raises(SignatureRefused):
        verify(rule, header, body, [secret], at + 301)


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_generic_hmac(algorithm: str, encoding: str) -> None:
    """The generic rule takes any header, prefix, algorithm and encoding (K1)."""
    made = hmac.new(b"s", b"body", algorithm).digest()
    written = made.hex() if encoding == "hex" else base64.b64encode(made).decode()
    rule = Signature(header="X-Sig", algorithm=algorithm, encoding=encoding, prefix="sig=")  # type: ignore[arg-type]
    verify(rule, {"x-sig": f"sig={written}"}, b"body", ["s"], 0)

    with pytest.raises(SignatureRefused):
        verify(rule, {"x-sig": written}, b"body", ["s"], 0)


def test_an_old_secret_works_while_it_is_rotated() -> None:
    """Any of the given secrets may have signed."""
    verify(
        Signature(preset="github"),
        {"x-hub-signature-256": GITHUB_SIGNATURE},
        GITHUB_BODY,
        ["new", GITHUB_SECRET],
        0,
    )


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("value", ["", "sha256=", "v0=zz", "t=1,v1=", "v1,", "é", "x" * 9_000])
def test_nonsense_is_refused_alike(preset: str, value: str) -> None:
    """Missing and malformed signatures are refused with one and the same message and code."""
    rule = Signature(preset=preset)
    header = settled(rule).header.lower()

    with pytest.raises(SignatureRefused) as raised:
        verify(rule, {header: value} if value else {}, b"{}", ["secret"], 0)

    assert (str(SignatureRefused("")), "webhook.unauthenticated", {}) == (
        str(raised.value),
        raised.value.code,
        raised.value.details,
    )


def test_an_empty_signature_never_matches_a_missing_body() -> None:
    """Without any secret nothing is accepted."""
    with pytest.raises(SignatureRefused):
        verify(Signature(preset="token"), {"x-webhook-secret": ""}, b"", [""], 0)
    with pytest.raises(SignatureRefused):
        verify(Signature(), {}, b"", [], 0)


def test_shared_tokens_are_compared() -> None:
    """GitLab's and Telegram's tokens are compared as they are."""
    verify(Signature(preset="gitlab"), {"x-gitlab-token": "t0"}, b"", ["t0"], 0)

    with pytest.raises(SignatureRefused):
        verify(Signature(preset="gitlab"), {"x-gitlab-token": "t1"}, b"", ["t0"], 0)


def test_unknown_presets_and_empty_content_are_refused_when_stored() -> None:
    """A rule with an unknown preset, or that signs no body, is invalid."""
    with pytest.raises(Invalid, match="preset"):
        settled(Signature(preset="nobody"))
    with pytest.raises(Invalid, match="body"):
        settled(Signature(content="{timestamp}"))
