"""The client for asyncio."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

import aiohttp

from linkflow.client import calls
from linkflow.client.calls import Call
from linkflow.client.errors import CallFailed, ExecutionFailed, Unreachable
from linkflow.client.shapes import Event, Execution, ExecutionPage, Import, Started

T = TypeVar("T")
TIMEOUT_S = 90.0
"""Longer than the longest wait of the server."""


class AsyncClient:
    """Calls one LinkFlow; for many tasks at once.

    Args:
        url: Such as `https://linkflow.example`.
        token: An API key (`lfk_…`) or an access token.
        timeout_s: How long to wait for the next byte.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._token, self._timeout_s = url.rstrip("/"), token, timeout_s
        self._kept: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._kept is not None:
            await self._kept.close()
            self._kept = None

    async def start(
        self,
        workflow_id: str,
        data: Any = None,
        *,
        wait_s: float = 0.0,
        version: int | None = None,
        key: str = "",
        attributes: dict[str, Any] | None = None,
    ) -> Started:
        """Start a workflow; return once the start is durable.

        Args:
            workflow_id: Which.
            data: The input, anything that is JSON.
            wait_s: Wait so long for the end, at most a minute; the answer then has the result.
            version: Which version; the published one when left out.
            key: One key starts one execution; made up when left out.
            attributes: What the execution will be found by.

        Raises:
            CallFailed: LinkFlow refused.
            Unreachable: Nobody answered, twice.
        """
        return await self._send(
            calls.start(
                workflow_id, data, wait_s=wait_s, version=version, key=key, attributes=attributes or {}
            )
        )

    async def run(self, workflow_id: str, data: Any = None, *, key: str = "") -> Execution:
        """Start a workflow and wait until it completes.

        Raises:
            ExecutionFailed: It ended otherwise.
        """
        started = await self.start(workflow_id, data, key=key)
        return await self.wait(started.execution_id)

    async def wait(self, execution_id: str) -> Execution:
        """Wait until an execution completes.

        Raises:
            ExecutionFailed: It ended otherwise.
        """
        async for _ in self._frames(execution_id):
            pass
        found = await self.execution(execution_id)
        if found.status != "completed":
            raise ExecutionFailed(found)
        return found

    async def execution(self, execution_id: str) -> Execution:
        """Read an execution as it stands."""
        return await self._send(calls.execution(execution_id))

    async def executions(
        self,
        *,
        workflow_id: str | None = None,
        status: str | None = None,
        after: str | None = None,
        limit: int = 20,
    ) -> ExecutionPage:
        """List executions, newest first."""
        return await self._send(calls.executions(workflow_id, status, after, limit))

    async def events(self, execution_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        """Give the events of an execution, the past ones first, then new ones as they happen, to its end.

        Whoever was cut off goes on with the number of the last event as `after`.
        """
        async for _ in self._frames(execution_id):
            async for event in self._new_events(execution_id, after):
                yield event
                after = event.number
        async for event in self._new_events(execution_id, after):
            yield event

    async def _new_events(self, execution_id: str, after: int) -> AsyncIterator[Event]:
        """Give the events after a number."""
        more = True
        while more:
            page = await self._send(calls.events(execution_id, after))
            for event in page.data:
                yield event
                after = event.number
            more = page.next is not None

    async def signal(
        self, execution_id: str, name: str, data: Any = None, *, match: str = "", key: str = ""
    ) -> None:
        """Send a message to an execution; one key sends it once."""
        await self._send(calls.signal(execution_id, name, data, match=match, key=key))

    async def cancel(self, execution_id: str, reason: str = "") -> None:
        """Ask an execution to end."""
        await self._send(calls.cancel(execution_id, reason))

    async def upload(self, document: Any) -> "list[Import]":
        """Upload one workflow or a bundle, of any shape that LinkFlow reads; each arrives inactive."""
        return list((await self._send(calls.upload(document))).workflows)

    def _session(self) -> aiohttp.ClientSession:
        """Give the connections."""
        if self._kept is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=self._timeout_s)
            self._kept = aiohttp.ClientSession(timeout=timeout)
        return self._kept

    async def _send(self, call: Call[T]) -> T:
        """Send a call; once more when that is harmless and the first one broke."""
        for is_last in (not call.is_repeatable, True):
            try:
                async with self._session().request(
                    call.method, self._url + call.target, data=call.data(), headers=call.headers(self._token)
                ) as answer:
                    body = await answer.read()
            except (OSError, TimeoutError, aiohttp.ClientError) as error:
                if is_last:
                    raise Unreachable(f"No answer from {self._url}: {error}.") from error
                continue
            return call.read(answer.status, body, answer.headers.get("Retry-After", ""))
        raise AssertionError("the last try answers or raises")

    async def _frames(self, execution_id: str) -> AsyncIterator[dict[str, Any]]:
        """Follow an execution to its end; a stream that breaks is taken up again.

        Raises:
            CallFailed: There is no such execution, or it may not be seen.
            Unreachable: Nobody answers.
        """
        call = calls.stream(execution_id)
        while True:
            is_open = False
            try:
                async with self._session().get(
                    self._url + call.target, headers=call.headers(self._token)
                ) as answer:
                    is_open = True
                    if answer.status != 200:
                        raise CallFailed(answer.status, await answer.read())
                    async for line in answer.content:
                        frame = calls.frame_of(line)
                        if frame is not None:
                            yield frame
                        if frame is not None and frame.get("t") == "end":
                            return
            except (OSError, TimeoutError, aiohttp.ClientError) as error:
                if not is_open:
                    raise Unreachable(f"No answer from {self._url}: {error}.") from error
