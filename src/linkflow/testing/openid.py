"""A real OpenID Connect provider for tests, in a process of its own."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from linkflow.domain.values import Json
from linkflow.testing.receiver import GENEROUS_S


@dataclass(frozen=True)
class OpenIdProvider:
    """A provider that runs.

    Attributes:
        address: Its issuer, `http://127.0.0.1:<port>`.
        process: To end it early.
    """

    address: str
    process: asyncio.subprocess.Process


@asynccontextmanager
async def openid_provider(*users: Mapping[str, Json]) -> AsyncIterator[OpenIdProvider]:
    """Run a provider until the block is left.

    Args:
        users: Claims of those who may sign in there, each with `sub`.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    claims = [word for user in users for word in ("--user-claims", json.dumps(user))]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port), *claims,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert process.stderr is not None
    drain: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(GENEROUS_S):
            while b"running on" not in (line := await process.stderr.readline()):
                assert line, "the provider ended"
        drain = asyncio.create_task(process.stderr.read())  # what it says must not fill the pipe
        yield OpenIdProvider(f"http://127.0.0.1:{port}", process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if drain is not None:
            await drain
