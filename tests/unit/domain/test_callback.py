"""Signatures of outbound calls."""

from linkflow.domain.callback import is_genuine, sign, signed_headers

AT = 1_795_249_800.0


def test_the_signature_is_the_documented_hmac() -> None:
    """The signature is HMAC-SHA256 of timestamp, a dot and the body, in hex (D38)."""
    expected = "b339fc7c0be71be4fbfcf56856ede6fb8d122a4c51b14337c0903b89c6e177fc"

    assert expected == sign("secret", "2026-11-21T08:30:00Z", b"{}")


def test_a_call_is_genuine_for_five_minutes() -> None:
    """A receiver accepts a call with the right secret, body and time, and nothing else (D38)."""
    headers = signed_headers("secret", "execution.completed", b"{}", AT)
    cases = [
        is_genuine("secret", headers, b"{}", AT + 299),
        is_genuine("secret", headers, b"{}", AT + 301),
        is_genuine("other", headers, b"{}", AT),
        is_genuine("secret", headers, b"{} ", AT),
        is_genuine("secret", {**headers, "X-LinkFlow-Timestamp": "2026-11-21T08:30:01Z"}, b"{}", AT),
        is_genuine("secret", {**headers, "X-LinkFlow-Timestamp": "soon"}, b"{}", AT),
        is_genuine("secret", {}, b"{}", AT),
    ]

    assert [True, False, False, False, False, False, False] == cases
    assert ("2026-11-21T08:30:00Z", "execution.completed") == (
        headers["X-LinkFlow-Timestamp"],
        headers["X-LinkFlow-Event"],
    )
