"""The listening side of the edge: HTTP/1.1 with limits on what a stranger may keep us busy with, and TLS.

uvicorn bounds neither the size of a request's head nor how long it may take; `GuardedHttp` does.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from linkflow import telemetry

HEAD_BYTES = 32 * 1024
HEAD_S = 10.0
"""How long the head of a request may take, and a fresh connection may stay silent."""
LOOK_S = 5.0

log = telemetry.logger("edge")


class GuardedHttp(HttpToolsProtocol):
    """A connection whose heads are small and quick, or it is closed with words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._is_in_head = True
        self._hurry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and wait for a head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; refuse a head that never ends."""
        if self._is_in_head:
            self._head_bytes += len(data)
            self._await_head()
        super().data_received(data)
        if self._is_in_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, f"The head of a request has at most {HEAD_BYTES // 1024} KB here.")

    def on_message_begin(self) -> None:
        """Count a head from its beginning."""
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take a head that is complete."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_BYTES:
            raise ValueError("too large")  # the parser stops, and `send_400_response` answers
        self._is_in_head = False
        self._head_bytes = 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for the next head."""
        self._is_in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be read."""
        if self._is_in_head and self._head_bytes > HEAD_BYTES:
            self._refuse(431, f"The head of a request has at most {HEAD_BYTES // 1024} KB here.")
        else:
            self._refuse(400, "This is not HTTP/1.1.")

    def _await_head(self) -> None:
        """Give the head its time, counted from its first byte."""
        if self._hurry is None:
            self._hurry = self.loop.call_later(HEAD_S, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None

    def _too_slow(self) -> None:
        self._hurry = None
        if self._is_in_head and not self.transport.is_closing():
            self._refuse(408, f"The head of a request did not come within {HEAD_S:g} s.")

    def _refuse(self, status: int, detail: str) -> None:
        """Answer with a problem and close."""
        code = {400: "invalid", 408: "edge.request_timeout", 431: "edge.head_too_large"}[status]
        body = msgspec.json.encode(
            {"type": f"urn:linkflow:error:{code}", "status": status, "detail": detail, "code": code}
        )
        head = f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()


class Certificate:
    """A certificate and its key, from files that may be replaced while we serve.

    Args:
        chain: The certificate and those that lead to its authority, PEM.
        key: Its private key, PEM.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain, self._key = chain, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self.context.load_cert_chain(chain, key)
        self._seen = self._state()

    def _state(self) -> tuple[int, ...]:
        """Say which edition of the files is there."""
        found = [path.stat() for path in (self._chain, self._key)]
        return tuple(number for each in found for number in (each.st_mtime_ns, each.st_ino, each.st_size))

    def reload(self) -> bool:
        """Take the files again if they changed; connections that are open keep what they have.

        Returns:
            Whether they changed. Files that cannot be used change nothing, and are looked at again.
        """
        try:
            state = self._state()
            if state == self._seen:
                return False
            self.context.load_cert_chain(self._chain, self._key)
        except (OSError, ssl.SSLError) as error:
            log.warning("the certificate cannot be used; the old one stays", error=str(error))
            return False
        self._seen = state
        log.info("certificate replaced", file=str(self._chain))
        return True

    async def keep_fresh(self) -> None:
        """Look for new files for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.reload()
