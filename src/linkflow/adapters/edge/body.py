"""The body of a request on its way through the edge, and the caller who may leave meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.types import Receive, Scope

from linkflow.domain.errors import LinkFlowError, PayloadTooLarge
from linkflow.ports.edge import RequestSlow

HELD_BYTES = 64 * 1024
BODY_S = 30.0


class Left(LinkFlowError):
    """The caller has left."""


class Watch:
    """Notices that the caller leaves while its request is answered, and ends the answering then."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task = asyncio.current_task()
        self._listening: asyncio.Future[Any] | None = None
        self.has_answered = False
        self.has_left = False
        self._is_over = False

    def begin(self) -> None:
        """Listen; the whole request is read, so the next message can only be that the caller leaves."""
        self._listening = asyncio.ensure_future(self._receive())
        self._listening.add_done_callback(self._leave)

    def _leave(self, done: "asyncio.Future[Any]") -> None:
        if not self._is_over and not done.cancelled():
            self.has_left = True
            assert self._task is not None
            self._task.cancel()

    def over(self) -> None:
        """Say that the answer is complete."""
        self._is_over = True

    def end(self) -> None:
        """Stop listening."""
        self._is_over = True
        if self._listening is not None:
            self._listening.cancel()
        if self.has_left and self._task is not None:
            self._task.uncancel()


class Body:
    """The body of a request: held whole when it is short, else passed through once.

    Attributes:
        is_begun: Some of a body that is not held was taken; it cannot be sent again.
        refusal: Why it could not be read to its end.
    """

    def __init__(self, scope: Scope, receive: Receive, most_bytes: int) -> None:
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"")
        self._length = int(declared) if declared.isdigit() else None
        self._is_empty = not self._length and b"transfer-encoding" not in headers
        self._receive, self._most_bytes = receive, most_bytes
        self._held: bytes | None = None
        self._is_held = False
        self._read = 0
        self._ended: Callable[[], None] = lambda: None
        self.is_begun = False
        self.refusal: LinkFlowError | None = None

    def at_end(self, ended: Callable[[], None]) -> None:
        """Call back once all was read; at once when it is."""
        self._ended = ended
        if self._is_held:
            ended()

    async def hold(self) -> None:
        """Read a short body.

        Raises:
            PayloadTooLarge: It says it is larger than the limit.
            RequestSlow: It did not come in time.
        """
        if self._length is not None and self._length > self._most_bytes:
            raise self._too_large()
        if not self._is_empty and (self._length is None or self._length > HELD_BYTES):
            return
        self._held = b"".join([part async for part in self._parts()]) or None
        self._is_held = True

    def data(self) -> bytes | AsyncIterator[bytes] | None:
        """Say what is sent."""
        return self._held if self._is_held else self._flow()

    async def _flow(self) -> AsyncIterator[bytes]:
        """Pass the body through."""
        self.is_begun = True
        async for part in self._parts():
            yield part
        self._ended()

    async def _parts(self) -> AsyncIterator[bytes]:
        """Read part after part."""
        has_more = True
        while has_more:
            try:
                async with asyncio.timeout(BODY_S):
                    message = await self._receive()
            except TimeoutError:
                self.refusal = RequestSlow(f"The rest of the request did not come within {BODY_S:g} s.")
                raise self.refusal from None
            if message["type"] == "http.disconnect":
                self.refusal = Left()
                raise self.refusal
            part = message.get("body", b"")
            self._read += len(part)
            if self._read > self._most_bytes:
                self.refusal = self._too_large()
                raise self.refusal
            has_more = message.get("more_body", False)
            if part:
                yield part

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"A request body has at most {self._most_bytes // 1024 // 1024} MB here.")
