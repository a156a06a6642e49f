"""Which addresses outbound requests may reach: everything public, and what the allow-list names.

The check is made on the address of every single connect, after names are resolved, so it holds for
redirects, for names that resolve to something else the second time, and for every way to write an address.
"""

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DENIED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, and the metadata services of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
            "168.63.129.16/32",  # the platform service of one cloud
        ),
    )
)
"""Special addresses (IANA's registry for IPv4), and what clouds keep for themselves."""

ALLOWED_V6 = ipaddress.IPv6Network("2000::/3")
"""Global unicast; everything outside of it is special."""

DENIED_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address inside
            "3fff::/20",  # documentation
        ),
    )
)
"""Special addresses within global unicast (IANA's registry for IPv6)."""

_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


class Guard:
    """Decide about addresses and host names.

    Args:
        allow: Host names, addresses, networks (`10.1.0.0/16`), each optionally with `:port`;
            IPv6 with a port is written `[::1]:8080`. `*` allows everything.

    Raises:
        ValueError: An entry is none of these.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._networks: list[tuple[Network, int | None]] = []
        self._names: set[tuple[str, int | None]] = set()
        self._is_open = False
        for entry in allow:
            self._add(entry.strip())

    def allows_address(self, address: str, port: int) -> bool:
        """Say whether a connection to this address and port may be made."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if self._is_open or is_public(found):
            return True
        plain = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped else found
        return any(plain in network and wanted in (None, port) for network, wanted in self._networks)

    def allows_name(self, host: str, port: int) -> bool:
        """Say whether the allow-list names this host, wherever it resolves to."""
        name = host.lower().rstrip(".")
        return self._is_open or (name, None) in self._names or (name, port) in self._names

    def _add(self, entry: str) -> None:
        if not entry:
            return
        if entry == "*":
            self._is_open = True
            return
        host, port = _split(entry)
        try:
            self._networks.append((ipaddress.ip_network(host, strict=False), port))
        except ValueError:
            if "/" in host or ":" in host or not host:
                raise ValueError(f"{entry!r} is not a host, an address or a network.") from None
            self._names.add((host.lower().rstrip("."), port))


def is_public(address: Address) -> bool:
    """Say whether an address belongs to the public internet.

    Source:
        IANA's special-purpose registries; the standard library's `is_global` lets some of them through.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in DENIED_V4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if any(address in network for network in _NAT64):
        return False  # an IPv4 address inside, translated by a gateway of the network
    return address in ALLOWED_V6 and not any(address in network for network in DENIED_V6)


def _split(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.rpartition(":")
    if not colon or not port.isdigit() or (":" in host and not host.endswith("]")):
        return entry.strip("[]"), None
    if not 0 < int(port) < 65_536:
        raise ValueError(f"{entry!r} has no valid port.")
    return host.strip("[]"), int(port)
