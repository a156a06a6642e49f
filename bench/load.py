"""A client that keeps a number of HTTP connections busy; run as a process of its own.

    python -m bench.load '{"port": 8000, "path": "/x", "headers": {}, "body": "", "callers": 8, "seconds": 3}'

Each caller sends a request, waits for the answer and sends the next. The result is one JSON line on stdout:
`{"count", "seconds", "p50_ms", "p99_ms", "errors": {"<status>": count}, "cpu_s"}`.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any, cast

import uvloop

from bench.meter import percentile


class Caller(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, request: bytes, run: "Run") -> None:
        self._request, self._run = request, run
        self._read, self._need = b"", 0
        self._status, self._sent = 0, 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read an answer; when it is whole, count it and send the next request."""
        self._read += data
        if not self._need:
            end = self._read.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._read[:end].lower()
            self._status = int(head[9:12])
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            self._need = end + 4 + length
        if len(self._read) < self._need:
            return
        self._read, self._need = self._read[self._need :], 0
        now = time.perf_counter()
        self._run.count(self._status, now - self._sent)
        if now < self._run.until:
            self._send()
        else:
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that broke before its time."""
        if self._transport is not None:
            self._run.count(0, 0.0)
            self._transport = None
            self._run.left()

    def _close(self) -> None:
        assert self._transport is not None
        transport, self._transport = self._transport, None
        transport.close()
        self._run.left()


class Run:
    """What all callers count together."""

    def __init__(self, callers: int, seconds: float) -> None:
        self.until = time.perf_counter() + seconds
        self.took: list[float] = []
        self.errors: Counter[str] = Counter()
        self._callers = callers
        self.over = asyncio.Event()

    def count(self, status: int, took: float) -> None:
        """Count one answer; status 0 for none."""
        if 200 <= status < 300:
            self.took.append(took)
        else:
            self.errors[str(status or "broken")] += 1

    def left(self) -> None:
        """One caller has ended."""
        self._callers -= 1
        if not self._callers:
            self.over.set()


def written(path: str, headers: dict[str, str], body: str) -> bytes:
    """Write a request as it goes over the wire."""
    data = body.encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        f"content-length: {len(data)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


async def drive(
    port: int, path: str, headers: dict[str, str], body: str, callers: int, seconds: float
) -> dict[str, Any]:
    """Keep the callers busy for some seconds; see the module for what comes back."""
    loop = asyncio.get_running_loop()
    request = written(path, headers, body)
    started, cpu_s = time.perf_counter(), time.process_time()
    run = Run(callers, seconds)
    for _ in range(callers):
        await loop.create_connection(lambda: Caller(request, run), "127.0.0.1", port)
    await run.over.wait()
    return {
        "count": len(run.took),
        "seconds": time.perf_counter() - started,
        "p50_ms": percentile(run.took, 0.5) * 1e3,
        "p99_ms": percentile(run.took, 0.99) * 1e3,
        "errors": dict(run.errors),
        "cpu_s": time.process_time() - cpu_s,
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(drive(**json.loads(sys.argv[1])))), flush=True)
