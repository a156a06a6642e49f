"""A small HTTP server for the GETs of a workload; run as a process of its own, prints its port.

`/slow` is answered after a while, all else at once.
"""

import asyncio
from typing import cast

import uvloop

BODY = b'{"ok":true,"id":42,"name":"ada"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY)
) + BODY


SLOW = b"GET /slow "
SLOW_S = 0.2


class Target(asyncio.Protocol):
    """Answers every request of a connection with the same JSON."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass
        self._read = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request whose head is whole; a GET has no body."""
        *heads, self._read = (self._read + data).split(b"\r\n\r\n")
        if heads and heads[0].startswith(SLOW):
            asyncio.get_running_loop().call_later(SLOW_S, self._transport.write, ANSWER * len(heads))
        else:
            self._transport.write(ANSWER * len(heads))


async def serve() -> None:
    """Serve for ever."""
    server = await asyncio.get_running_loop().create_server(Target, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
