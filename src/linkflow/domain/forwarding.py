"""What a proxy passes on: who the caller really is, and which headers go further.

Only what stands in front of us and is trusted may say on whose behalf it calls; what anybody else says about
that is dropped.

Source:
    RFC 9110 section 7.6 (hop-by-hop headers), RFC 7239 (Forwarded).
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

import msgspec

Header = tuple[bytes, bytes]

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
CLAIMS = frozenset(
    (
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-server",
        b"x-real-ip",
    )
)
"""Headers that say on whose behalf a request comes; an outsider could write anything into them."""
REQUEST_ID = b"x-request-id"
NETWORK_BITS = 64
"""A caller with IPv6 has a network of this size to itself."""


class Caller(msgspec.Struct, frozen=True):
    """Who calls, and how.

    Attributes:
        address: IP address; empty when unknown.
        scheme: http or https.
        host: What the caller asked for, as in the Host header.
    """

    address: str
    scheme: str
    host: str

    @property
    def network(self) -> str:
        """What belongs to the same caller for all we know: the address, of IPv6 its /64."""
        if ":" not in self.address:
            return self.address
        plain = self.address.partition("%")[0]
        return str(ipaddress.ip_network(f"{plain}/{NETWORK_BITS}", strict=False))


class Trust:
    """Which neighbours are believed.

    Args:
        networks: Addresses and networks of proxies in front of us.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(ipaddress.ip_network(each, strict=False) for each in networks)

    def trusts(self, address: str) -> bool:
        """Say whether an address is one of the proxies in front of us."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return any(found in network for network in self._networks)

    def caller(self, peer: str, scheme: str, headers: Mapping[bytes, bytes]) -> Caller:
        """Say who calls.

        Args:
            peer: Address of the connection.
            scheme: Of the connection: http, https, ws or wss.
            headers: By lower-case name.
        """
        scheme = "https" if scheme in ("https", "wss") else "http"
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._networks or not self.trusts(peer):
            return Caller(peer, scheme, host)
        said = headers.get(b"x-forwarded-proto", b"").decode("latin-1").rpartition(",")[2].strip().lower()
        if said in ("http", "https"):
            scheme = said
        return Caller(self._origin(peer, headers.get(b"x-forwarded-for", b"")), scheme, host)

    def _origin(self, peer: str, chain: bytes) -> str:
        """Walk back along the trusted proxies to the first address that is none of them."""
        origin = peer
        for said in reversed(chain.decode("latin-1").split(",")):
            address = _plain(said.strip())
            if not address:
                break
            origin = address
            if not self.trusts(address):
                break
        return origin


def _plain(said: str) -> str:
    """Read an address that may carry brackets and a port; empty when it is none."""
    if said.startswith("["):
        said = said[1:].partition("]")[0]
    elif said.count(":") == 1:
        said = said.partition(":")[0]
    try:
        return str(ipaddress.ip_address(said))
    except ValueError:
        return ""


def passed_on(headers: Sequence[Header], caller: Caller, request_id: str) -> list[Header]:
    """Say the headers of a request for the next hop; Host stays as it was.

    Args:
        headers: As they came, names in lower case.
        caller: Who calls.
        request_id: The id that this request has everywhere.
    """
    dropped = HOP_BY_HOP | CLAIMS | {REQUEST_ID, b"expect"} | _named_hop_by_hop(headers)
    passed = [header for header in headers if header[0] not in dropped]
    passed.append((REQUEST_ID, request_id.encode()))
    passed.append((b"x-forwarded-proto", caller.scheme.encode()))
    if caller.host:
        passed.append((b"x-forwarded-host", caller.host.encode("latin-1")))
    if caller.address:
        passed.append((b"x-forwarded-for", caller.address.encode()))
        quoted = f'"[{caller.address}]"' if ":" in caller.address else caller.address
        passed.append((b"forwarded", f"for={quoted};proto={caller.scheme}".encode()))
    return passed


def passed_back(headers: Sequence[Header], request_id: str) -> list[Header]:
    """Say the headers of an answer for the caller; whoever sends it dates it."""
    lower = [(name.lower(), value) for name, value in headers]
    dropped = HOP_BY_HOP | {b"date"} | _named_hop_by_hop(lower)
    passed = [header for header in lower if header[0] not in dropped]
    if all(name != REQUEST_ID for name, _ in passed):
        passed.append((REQUEST_ID, request_id.encode()))
    return passed


def _named_hop_by_hop(headers: Sequence[Header]) -> set[bytes]:
    """List the headers that `Connection` says are for one hop only; never those that a hop cannot drop."""
    named: set[bytes] = set()
    for name, value in headers:
        if name == b"connection":
            named.update(part.strip().lower() for part in value.split(b","))
    return named - {b"host", b"content-length", b"authorization", b"cookie", REQUEST_ID}


def may_repeat(method: str, *, has_key: bool) -> bool:
    """Say whether a request whose outcome is unknown may be sent again: it only reads, or carries a key."""
    return has_key or method in ("GET", "HEAD", "OPTIONS")
