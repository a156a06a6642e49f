"""The calls as values: route, body, shape of the answer; blocking and asyncio clients send the same ones."""

import secrets
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from linkflow.client.errors import CallFailed
from linkflow.client.shapes import EventPage, Execution, ExecutionPage, Imports, Nothing, Started

T = TypeVar("T")
PAGE = 1000


@dataclass(frozen=True)
class Call(Generic[T]):
    """One call.

    Attributes:
        method: GET or POST.
        route: As the OpenAPI document spells it.
        shape: Of the answer.
        ids: Fill the route.
        query: Pairs; those that are None are left out.
        body: Goes as JSON; None for none.
        key: Makes a repeat harmless; empty for calls that are harmless anyway.
    """

    method: str
    route: str
    shape: type[T]
    ids: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    key: str = ""

    @property
    def target(self) -> str:
        """The path with its query."""
        path = self.route.format(**{name: quote(value, safe="") for name, value in self.ids.items()})
        query = urlencode({name: value for name, value in self.query.items() if value is not None})
        return f"{path}?{query}" if query else path

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when the answer got lost."""
        return self.method == "GET" or bool(self.key)

    def headers(self, token: str) -> dict[str, str]:
        """Say the headers."""
        found = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if self.body is not None:
            found["Content-Type"] = "application/json"
        if self.key:
            found["Idempotency-Key"] = self.key
        return found

    def data(self) -> bytes | None:
        """Say the body as bytes."""
        return None if self.body is None else msgspec.json.encode(self.body)

    def read(self, status: int, body: bytes, retry_after: str = "") -> T:
        """Read the answer.

        Raises:
            CallFailed: LinkFlow refused.
        """
        if status >= 400:
            raise CallFailed(status, body, retry_after)
        return msgspec.json.decode(body or b"{}", type=self.shape)


def start(
    workflow_id: str, data: Any, *, wait_s: float, version: int | None, key: str, attributes: dict[str, Any]
) -> Call[Started]:
    """Start a workflow; one key starts one execution, however often it is sent."""
    body: dict[str, Any] = {"input": data}
    if wait_s > 0:
        body |= {"mode": "wait", "wait_ms": min(60_000, round(1000 * wait_s))}
    if version is not None:
        body["version"] = version
    if attributes:
        body["attributes"] = attributes
    route = "/api/v1/workflows/{workflow_id}/execute"
    key = key or secrets.token_hex(16)
    return Call("POST", route, Started, {"workflow_id": workflow_id}, body=body, key=key)


def execution(execution_id: str) -> Call[Execution]:
    """Read an execution."""
    return Call("GET", "/api/v1/executions/{execution_id}", Execution, {"execution_id": execution_id})


def executions(
    workflow_id: str | None, status: str | None, after: str | None, limit: int
) -> Call[ExecutionPage]:
    """List executions."""
    query = {"workflow_id": workflow_id, "status": status, "after": after, "limit": limit}
    return Call("GET", "/api/v1/executions", ExecutionPage, query=query)


def events(execution_id: str, after: int) -> Call[EventPage]:
    """Read events after a number."""
    route = "/api/v1/executions/{execution_id}/events"
    return Call("GET", route, EventPage, {"execution_id": execution_id}, {"after": after, "limit": PAGE})


def stream(execution_id: str) -> Call[Nothing]:
    """Follow an execution; the answer is a stream of server-sent events."""
    return Call("GET", "/api/v1/executions/{execution_id}/stream", Nothing, {"execution_id": execution_id})


def signal(execution_id: str, name: str, data: Any, *, match: str, key: str) -> Call[Nothing]:
    """Send a message to an execution."""
    body = {"name": name, "key": match, "data": data}
    route = "/api/v1/executions/{execution_id}/signal"
    key = key or secrets.token_hex(16)
    return Call("POST", route, Nothing, {"execution_id": execution_id}, body=body, key=key)


def cancel(execution_id: str, reason: str) -> Call[Nothing]:
    """Ask an execution to end."""
    route = "/api/v1/executions/{execution_id}/cancel"
    return Call("POST", route, Nothing, {"execution_id": execution_id}, body={"reason": reason})


def upload(document: Any) -> Call[Imports]:
    """Upload workflows."""
    return Call("POST", "/api/v1/workflows/import", Imports, body=document, key=secrets.token_hex(16))


def frame_of(line: bytes) -> dict[str, Any] | None:
    """Read one line of a stream: the frame of a data line, None for any other."""
    if not line.startswith(b"data:"):
        return None
    found: dict[str, Any] = msgspec.json.decode(line[5:])
    return found
