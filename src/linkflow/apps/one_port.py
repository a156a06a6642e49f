"""One port for gRPC and HTTP: the first bytes say which (seed 001 has both on 8080).

connection ──first bytes──► `PRI * HTTP/2` or TLS ──► bytes are passed on to the gRPC server
                      └───► anything else         ──► the HTTP server takes the connection over
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakSet

import uvicorn

from linkflow.telemetry import logger

PREFACE = b"PRI * HTTP/2"
TLS_HANDSHAKE = 0x16

log = logger("port")


class _Pipe(asyncio.Protocol):
    """One end of a connection that is passed on: what it receives, the other end sends."""

    def __init__(self, other: asyncio.Transport, ended: list[object]) -> None:
        self.other = other
        self._ended = ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing is sent before something came."""

    def data_received(self, data: bytes) -> None:
        """Pass on."""
        self.other.write(data)

    def eof_received(self) -> bool:
        """Pass the end on, and keep the other direction open until it has ended, too."""
        self._ended.append(self)
        with contextlib.suppress(OSError):
            if self.other.can_write_eof():
                self.other.write_eof()
        return len(self._ended) < 2

    def pause_writing(self) -> None:
        """Let the other end read no further while this one cannot send."""
        if not self.other.is_closing():
            self.other.pause_reading()

    def resume_writing(self) -> None:
        """Let it read on."""
        if not self.other.is_closing():
            self.other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other end, too."""
        self.other.close()


class _Door(asyncio.Protocol):
    """A connection of which it is not known yet what it is."""

    def __init__(self, port: "OnePort") -> None:
        self._port = port
        self._seen = b""
        self._transport: asyncio.Transport | None = None
        self._passing: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen."""
        opened: Any = transport  # uvloop's is none of asyncio's classes
        self._transport = opened
        self._port.opened(opened)

    def data_received(self, data: bytes) -> None:
        """Look at the first bytes."""
        transport = self._transport
        assert transport is not None, "connection_made comes first"
        self._seen += data
        if self._passing is not None:
            return
        if self._seen[0] == TLS_HANDSHAKE or self._seen.startswith(PREFACE):
            transport.pause_reading()
            self._passing = asyncio.ensure_future(self._pass_on(transport))
        elif not PREFACE.startswith(self._seen):
            protocol = self._port.http()
            transport.set_protocol(protocol)
            protocol.connection_made(transport)
            protocol.data_received(self._seen)

    async def _pass_on(self, transport: asyncio.Transport) -> None:
        try:
            ended: list[object] = []
            other = await self._port.connect(lambda: _Pipe(transport, ended))
        except OSError as error:
            log.warning("the gRPC server cannot be reached", error=str(error))
            transport.abort()
            return
        transport.set_protocol(_Pipe(other, ended))
        other.write(self._seen)
        transport.resume_reading()


class OnePort:
    """Where a connection goes, once it is known what it is."""

    def __init__(self, grpc: str, server: uvicorn.Server) -> None:
        """Put it together.

        Args:
            grpc: Address of the gRPC server: `host:port` or `unix:path`.
            server: The HTTP server, which needs not listen itself.
        """
        self._grpc = grpc
        self._server = server
        self._open: WeakSet[asyncio.Transport] = WeakSet()

    def opened(self, transport: asyncio.Transport) -> None:
        """Take note of a connection, to cut it at the end."""
        self._open.add(transport)

    def http(self) -> asyncio.Protocol:
        """Make the HTTP server's side of a connection."""
        config = self._server.config
        if not config.loaded:
            config.load()
        made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
            config=config, server_state=self._server.server_state, app_state={}
        )
        return made

    async def connect(self, protocol: Callable[[], asyncio.Protocol]) -> asyncio.Transport:
        """Connect to the gRPC server.

        Raises:
            OSError: It does not answer.
        """
        loop = asyncio.get_running_loop()
        if self._grpc.startswith("unix:"):
            transport, _ = await loop.create_unix_connection(protocol, self._grpc.removeprefix("unix:"))
        else:
            host, _, port = self._grpc.rpartition(":")
            transport, _ = await loop.create_connection(protocol, host.strip("[]"), int(port))
        self.opened(transport)
        return transport

    @asynccontextmanager
    async def listening(self, listener: socket.socket) -> AsyncIterator[None]:
        """Take connections for as long as the context lasts; those under way are cut at its end."""
        server = await asyncio.get_running_loop().create_server(lambda: _Door(self), sock=listener)
        try:
            yield
        finally:
            server.close()
            for transport in list(self._open):
                transport.abort()
