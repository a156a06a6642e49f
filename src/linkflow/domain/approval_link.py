"""Links with which somebody decides an approval without signing in.

A link is `<approval>.<end, hex>.<decider, base64url>.<HMAC-SHA256, base64url>`, signed with a key of this
approval alone: it says nothing about another approval, of another decider, nor after its end.
"""

import base64
import binascii
import hashlib
import hmac

import msgspec

from linkflow.domain.errors import NotFound

MOST = 1_000
"""Characters of a link's token."""


class LinkUnknown(NotFound):
    """This link opens nothing: it is wrong, or it has expired."""

    code = "approval.link"


class SignedLink(msgspec.Struct, frozen=True):
    """What a link says, and the signature to be checked.

    Attributes:
        until: When it ends, seconds since 1970.
        decider: E-mail address of whom it was sent to.
    """

    approval_id: str
    until: int
    decider: str
    signature: bytes


def signed(key: bytes, approval_id: str, until: float, decider: str) -> str:
    """Write the token of a link."""
    link = SignedLink(approval_id, int(until), decider, b"")
    return f"{_said(link)}.{_encoded(_signature(key, link))}"


def read(token: str) -> SignedLink:
    """Read a token; nothing is checked yet.

    Raises:
        LinkUnknown: It is none of ours.
    """
    parts = token.split(".")
    if len(parts) != 4 or len(token) > MOST:
        raise LinkUnknown
    try:
        return SignedLink(parts[0], int(parts[1], 16), _decoded(parts[2]).decode(), _decoded(parts[3]))
    except (ValueError, binascii.Error) as error:
        raise LinkUnknown from error


def require_genuine(link: SignedLink, key: bytes, now: float) -> None:
    """Refuse a link that was not signed with this key, or that has ended.

    Raises:
        LinkUnknown: It is one of both; which, it does not say.
    """
    is_genuine = hmac.compare_digest(_signature(key, link), link.signature)
    if not is_genuine or now >= link.until:
        raise LinkUnknown


def _said(link: SignedLink) -> str:
    return f"{link.approval_id}.{link.until:x}.{_encoded(link.decider.encode())}"


def _signature(key: bytes, link: SignedLink) -> bytes:
    return hmac.new(key, _said(link).encode(), hashlib.sha256).digest()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
