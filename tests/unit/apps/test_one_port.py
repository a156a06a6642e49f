"""One port for gRPC and HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.responses import PlainTextResponse

from linkflow.apps.one_port import PREFACE, OnePort

PASSED_ON = 2


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[str, int]]:
    """Listen on a port, in front of a server that echoes and an HTTP application."""
    ended = asyncio.Semaphore(0)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(b"echo:" + data)
        writer.close()
        await writer.wait_closed()
        ended.release()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse(f"{scope['path']} from {scope['client'][0]}")(scope, receive, send)

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    behind = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    http = uvicorn.Server(uvicorn.Config(app, http="httptools", lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with OnePort(behind, http).listening(listener):
            yield listener.getsockname()
            for _ in range(PASSED_ON):
                await ended.acquire()
    server.close()


async def test_http_and_grpc_on_one_port() -> None:
    """C20, A21: what begins as HTTP/2 or TLS is passed on whole, both ways; the rest is served as HTTP."""
    async with opened() as (host, port):
        answers = []
        for first in (PREFACE, b"\x16\x03\x01"):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(first)
            answers.append(await reader.readexactly(5 + len(first)))
            writer.write(b"more")
            answers.append(await reader.readexactly(9))
            writer.close()
            await writer.wait_closed()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"G")
        await writer.drain()
        writer.write(b"ET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert [b"echo:" + PREFACE, b"echo:more", b"echo:\x16\x03\x01", b"echo:more"] == answers
    assert (True, True) == (said.startswith(b"HTTP/1.1 200"), said.endswith(b"/health from 127.0.0.1"))
