"""Which addresses outbound requests may reach."""

import ipaddress

import pytest

from linkflow.domain.address import Guard, is_public

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
]
SPECIAL = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    """Addresses of the public internet may be reached."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", SPECIAL)
def test_special(address: str) -> None:
    """Private, loopback, link-local, metadata, translated, documentation and multicast addresses may not."""
    assert not is_public(ipaddress.ip_address(address))


def test_everything_that_the_standard_library_calls_private_is_special() -> None:
    """No address that is not global for the standard library passes; the list here only adds to it."""
    samples = [ipaddress.ip_address((n * 2_654_435_761) % 2**32) for n in range(20_000)]
    samples += [
        ipaddress.ip_address((n * 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835) % 2**128) for n in range(20_000)
    ]

    assert [] == [address for address in samples if is_public(address) and not address.is_global]


@pytest.mark.parametrize(
    ("allow", "address", "port", "expected"),
    [
        ("10.1.0.0/16", "10.1.2.3", 80, True),
        ("10.1.0.0/16", "10.2.2.3", 80, False),
        ("10.0.0.5:8080", "10.0.0.5", 8080, True),
        ("10.0.0.5:8080", "10.0.0.5", 80, False),
        ("10.0.0.5", "::ffff:10.0.0.5", 80, True),
        ("[fd00::1]:443", "fd00::1", 443, True),
        ("fd00::/8", "fd12::1", 1, True),
        ("fe80::/10", "fe80::1%eth0", 1, True),
        ("internal.example", "10.0.0.5", 80, False),
        ("*", "127.0.0.1", 1, True),
        ("", "127.0.0.1", 1, False),
    ],
)
def test_allowed_addresses(allow: str, address: str, port: int, expected: bool) -> None:
    """The allow-list opens addresses and networks, for one port or all."""
    assert expected == Guard([allow]).allows_address(address, port)


def test_allowed_names() -> None:
    """The allow-list opens hosts by name, whatever the case and the last dot."""
    guard = Guard(["Internal.Example:8080", "db"])

    found = [
        guard.allows_name(*place)
        for place in [("internal.example.", 8080), ("internal.example", 80), ("DB", 1)]
    ]

    assert [True, False, True] == found


def test_no_address_at_all() -> None:
    """What is no address is refused."""
    assert not Guard().allows_address("not an address", 80)
