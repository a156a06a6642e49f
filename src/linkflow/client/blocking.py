"""The client for programs without asyncio; of the standard library, so it starts at once."""

import http.client
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, TypeVar
from urllib.parse import urlsplit

from linkflow.client import calls
from linkflow.client.calls import Call
from linkflow.client.errors import CallFailed, ExecutionFailed, Unreachable
from linkflow.client.shapes import Event, Execution, ExecutionPage, Import, Started

T = TypeVar("T")
TIMEOUT_S = 90.0
"""Longer than the longest wait of the server."""


class Client:
    """Calls one LinkFlow; not for several threads at once.

    Args:
        url: Such as `https://linkflow.example`.
        token: An API key (`lfk_…`) or an access token.
        timeout_s: How long to wait for the next byte.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._parts, self._token, self._timeout_s = urlsplit(url), token, timeout_s
        self._kept: http.client.HTTPConnection | None = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def start(
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
        return self._send(
            calls.start(
                workflow_id, data, wait_s=wait_s, version=version, key=key, attributes=attributes or {}
            )
        )

    def run(self, workflow_id: str, data: Any = None, *, key: str = "") -> Execution:
        """Start a workflow and wait until it completes.

        Raises:
            ExecutionFailed: It ended otherwise.
        """
        return self.wait(self.start(workflow_id, data, key=key).execution_id)

    def wait(self, execution_id: str) -> Execution:
        """Wait until an execution completes.

        Raises:
            ExecutionFailed: It ended otherwise.
        """
        for _ in self._frames(execution_id):
            pass
        found = self.execution(execution_id)
        if found.status != "completed":
            raise ExecutionFailed(found)
        return found

    def execution(self, execution_id: str) -> Execution:
        """Read an execution as it stands."""
        return self._send(calls.execution(execution_id))

    def executions(
        self,
        *,
        workflow_id: str | None = None,
        status: str | None = None,
        after: str | None = None,
        limit: int = 20,
    ) -> ExecutionPage:
        """List executions, newest first."""
        return self._send(calls.executions(workflow_id, status, after, limit))

    def events(self, execution_id: str, *, after: int = 0) -> Iterator[Event]:
        """Give the events of an execution, the past ones first, then new ones as they happen, to its end.

        Whoever was cut off goes on with the number of the last event as `after`.
        """
        for _ in self._frames(execution_id):
            after = yield from self._new_events(execution_id, after)
        yield from self._new_events(execution_id, after)

    def _new_events(self, execution_id: str, after: int) -> Generator[Event, None, int]:
        """Give the events after a number; return the last number."""
        more = True
        while more:
            page = self._send(calls.events(execution_id, after))
            yield from page.data
            after = page.data[-1].number if page.data else after
            more = page.next is not None
        return after

    def signal(
        self, execution_id: str, name: str, data: Any = None, *, match: str = "", key: str = ""
    ) -> None:
        """Send a message to an execution; one key sends it once."""
        self._send(calls.signal(execution_id, name, data, match=match, key=key))

    def cancel(self, execution_id: str, reason: str = "") -> None:
        """Ask an execution to end."""
        self._send(calls.cancel(execution_id, reason))

    def upload(self, document: Any) -> "list[Import]":
        """Upload one workflow or a bundle, of any shape that LinkFlow reads; each arrives inactive."""
        return list(self._send(calls.upload(document)).workflows)

    def _connection(self) -> http.client.HTTPConnection:
        """Make a connection."""
        parts = self._parts
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "localhost", parts.port, timeout=self._timeout_s)

    def _send(self, call: Call[T]) -> T:
        """Send a call; once more on a new connection when that is harmless and the first one broke."""
        for is_last in (not call.is_repeatable, True):
            if self._kept is None:
                self._kept = self._connection()
            try:
                self._kept.request(call.method, self._path(call), call.data(), call.headers(self._token))
                answer = self._kept.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if is_last:
                    raise Unreachable(f"No answer from {self._parts.geturl()}: {error}.") from error
                continue
            return call.read(answer.status, body, answer.headers.get("Retry-After", ""))
        raise AssertionError("the last try answers or raises")

    def _path(self, call: Call[Any]) -> str:
        """Say the path of a call at this address."""
        return self._parts.path.rstrip("/") + call.target

    def _frames(self, execution_id: str) -> Iterator[dict[str, Any]]:
        """Follow an execution to its end; a stream that breaks is taken up again.

        Raises:
            CallFailed: There is no such execution, or it may not be seen.
            Unreachable: Nobody answers.
        """
        call = calls.stream(execution_id)
        while True:
            with closing(self._connection()) as connection:
                try:
                    connection.request("GET", self._path(call), headers=call.headers(self._token))
                    answer = connection.getresponse()
                    if answer.status != 200:
                        raise CallFailed(answer.status, answer.read())
                except (OSError, http.client.HTTPException) as error:
                    raise Unreachable(f"No answer from {self._parts.geturl()}: {error}.") from error
                try:
                    for line in answer:
                        frame = calls.frame_of(line)
                        if frame is not None:
                            yield frame
                        if frame is not None and frame.get("t") == "end":
                            return
                except (OSError, http.client.HTTPException):
                    continue
