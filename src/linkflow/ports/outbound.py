"""What nodes and services need from the world outside: HTTP, code, blobs, callbacks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from linkflow.domain.values import Json


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request.

    Attributes:
        method: Upper-case.
        url: Absolute, http or https.
        headers: Names as sent.
        query: Added to the URL; pairs in order.
        body: Raw bytes; None for no body.
        timeout_s: For the whole exchange.
        max_bytes: The body is refused beyond this size.
        follow_redirects: At most ten, each checked by the guard.
        verify_tls: Refuse certificates that do not match.
    """

    method: str
    url: str
    headers: Mapping[str, str] = {}
    query: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    timeout_s: float = 30.0
    max_bytes: int = 10 * 1024 * 1024
    follow_redirects: bool = True
    verify_tls: bool = True


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One response: status, lower-case header names, raw body, duration in milliseconds."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    url: str
    duration_ms: float


class HttpClient(Protocol):
    """Guarded HTTP: private, loopback, link-local and metadata addresses are refused unless allowed."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request and read the whole response.

        Raises:
            ActivityError: `http.blocked` (validation), `http.connect` (transient, not started),
                `http.timeout` (transient), `http.connection_lost` (transient),
                `http.response_too_large` (permanent), `http.url` (validation).
        """
        ...

    async def close(self) -> None:
        """Close pooled connections."""
        ...


class CodeRunner(Protocol):
    """User code in a sandbox with limits."""

    async def run(
        self,
        source: str,
        names: Mapping[str, Json],
        *,
        timeout_s: float,
        memory_bytes: int,
        say: Callable[[str], None] | None = None,
    ) -> Json:
        """Run Python source with names bound; the last expression or `result` is the value.

        `say` is handed each printed line while the code runs, in the caller's event loop.

        Raises:
            ActivityError: `code.error`, `code.syntax` (permanent), `code.timeout`, `code.memory`.
        """
        ...

    async def close(self) -> None:
        """End the sandbox processes."""
        ...


class BlobStore(Protocol):
    """Large values, by workspace and content hash. Writing the same bytes again is harmless."""

    async def put(self, workspace_id: str, data: bytes) -> str:
        """Store bytes durably and return their SHA-256, 64 hex digits. Safe to repeat."""
        ...

    async def get(self, workspace_id: str, sha256: str) -> bytes:
        """Read bytes.

        Raises:
            NotFound: No such blob in this workspace.
        """
        ...


class CallbackSender(Protocol):
    """Signed calls out to whoever asked to be told."""

    async def send(self, url: str, event: str, body: Json) -> None:
        """Deliver one callback; safe to repeat.

        Raises:
            Unavailable: Not delivered; try again.
        """
        ...


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A letter by e-mail.

    Attributes:
        id: Goes into the Message-ID, so that a letter that was sent twice is one.
        to: One address, lower-case.
        text: Plain text.
    """

    id: str
    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Sends letters."""

    async def send(self, mail: Mail) -> None:
        """Hand a letter to whoever delivers it.

        Raises:
            Unavailable: `mail.unavailable`: not delivered; try again.
        """
        ...
