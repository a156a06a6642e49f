"""Who the caller is, and which headers go on."""

import pytest

from linkflow.domain.forwarding import Caller, Trust, may_repeat, passed_back, passed_on

PROXY = "10.0.0.5"


@pytest.mark.parametrize(
    ("trusted", "peer", "chain", "expected"),
    [
        ((), "203.0.113.9", b"198.51.100.1", "203.0.113.9"),
        (("10.0.0.0/8",), "203.0.113.9", b"198.51.100.1", "203.0.113.9"),
        (("10.0.0.0/8",), PROXY, b"198.51.100.1", "198.51.100.1"),
        (("10.0.0.0/8",), PROXY, b"1.2.3.4, 198.51.100.1, 10.0.0.9", "198.51.100.1"),
        (("10.0.0.0/8",), PROXY, b"[2001:db8::7]:443", "2001:db8::7"),
        (("10.0.0.0/8",), PROXY, b"198.51.100.1:5555", "198.51.100.1"),
        (("10.0.0.0/8",), PROXY, b"unknown", PROXY),
        (("10.0.0.0/8",), PROXY, b"", PROXY),
        (("10.0.0.0/8",), "::ffff:10.0.0.5", b"198.51.100.1", "198.51.100.1"),
    ],
)
def test_who_calls(trusted: tuple[str, ...], peer: str, chain: bytes, expected: str) -> None:
    """Only a trusted proxy says on whose behalf it calls, and the first stranger on the way back calls."""
    caller = Trust(trusted).caller(peer, "http", {b"x-forwarded-for": chain, b"host": b"flow.example"})

    assert (expected, "flow.example") == (caller.address, caller.host)


def test_the_scheme_of_a_caller() -> None:
    """A trusted proxy that ends TLS says so; a stranger who says so is not believed."""
    said = {b"x-forwarded-proto": b"https"}
    trust = Trust((PROXY,))

    assert ["https", "http", "https"] == [
        trust.caller(PROXY, "http", said).scheme,
        trust.caller("203.0.113.9", "http", said).scheme,
        trust.caller("203.0.113.9", "wss", {}).scheme,
    ]


def test_the_headers_of_a_request() -> None:
    """Claims and what is for one hop are dropped; who called is said once; Host and the rest stay."""
    came = [
        (b"host", b"flow.example:8443"),
        (b"connection", b"keep-alive, X-Secret-Hop, host"),
        (b"x-secret-hop", b"1"),
        (b"transfer-encoding", b"chunked"),
        (b"x-forwarded-for", b"127.0.0.1"),
        (b"forwarded", b"for=127.0.0.1"),
        (b"x-real-ip", b"127.0.0.1"),
        (b"x-request-id", b"theirs"),
        (b"authorization", b"Bearer x"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
    ]

    assert [
        (b"host", b"flow.example:8443"),
        (b"authorization", b"Bearer x"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"x-request-id", b"ours"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"flow.example:8443"),
        (b"x-forwarded-for", b"2001:db8::7"),
        (b"forwarded", b'for="[2001:db8::7]";proto=https'),
    ] == passed_on(came, Caller("2001:db8::7", "https", "flow.example:8443"), "ours")


def test_the_headers_of_an_answer() -> None:
    """What is for one hop stays behind; every answer carries the request's id once."""
    plain = [(b"Content-Type", b"text/plain"), (b"Connection", b"close"), (b"Set-Cookie", b"a=1")]
    named = [(b"X-Request-Id", b"same"), (b"Transfer-Encoding", b"chunked")]

    assert [
        (b"content-type", b"text/plain"),
        (b"set-cookie", b"a=1"),
        (b"x-request-id", b"ours"),
    ] == passed_back(plain, "ours")
    assert [(b"x-request-id", b"same")] == passed_back(named, "ours")


def test_the_network_of_a_caller() -> None:
    """Addresses of one IPv6 network count together, others by themselves."""
    found = [Caller(each, "http", "").network for each in ("2001:db8::1", "2001:db8::2:3", "203.0.113.9", "")]

    assert ["2001:db8::/64", "2001:db8::/64", "203.0.113.9", ""] == found


def test_what_may_be_repeated() -> None:
    """A request that only reads, or that carries a key, may be sent again; no other."""
    methods = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE")

    assert ([True] * 3 + [False] * 3, [True] * 6) == (
        [may_repeat(method, has_key=False) for method in methods],
        [may_repeat(method, has_key=True) for method in methods],
    )
