"""Frames of a WebSocket that passes through the edge."""

import asyncio

import aiohttp
from starlette.types import Receive, Send


async def pump(upstream: aiohttp.ClientWebSocketResponse, receive: Receive, send: Send) -> None:
    """Carry frames both ways."""

    async def up() -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                await upstream.close(code=_sendable(message.get("code")))
                return
            if message.get("text") is not None:
                await upstream.send_str(message["text"])
            else:
                await upstream.send_bytes(message["bytes"])

    async def down() -> None:
        async for message in upstream:
            if message.type is aiohttp.WSMsgType.TEXT:
                await send({"type": "websocket.send", "text": message.data})
            elif message.type is aiohttp.WSMsgType.BINARY:
                await send({"type": "websocket.send", "bytes": message.data})
        await send({"type": "websocket.close", "code": _sendable(upstream.close_code)})

    both = (asyncio.create_task(up()), asyncio.create_task(down()))
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)


def _sendable(code: int | None) -> int:
    """Say a close code that may be sent: some only tell how a connection ended."""
    if code in (None, 1005):
        return 1000
    return 1012 if code in (1006, 1015) else int(code or 1000)
