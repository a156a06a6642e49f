"""Traces: what one execution went through, over every process and attempt. Off unless an address is given.

The trace of an execution is named by it: the trace id is the 128 bits of the execution id, the id of its
first span the last 64. So every process knows where a span belongs without being told, attempts days later
join the same trace, nothing has to be kept in histories, and whoever has the id of an execution finds its
trace. A request that came with a `traceparent` stays in its caller's trace and links to the execution's.

    trace <execution id>
      execution                        History, when it has ended
        POST /api/v1/workflows/…       the API, when its caller had no trace
        frontend start                 Frontend
        queue default                  the worker: from scheduling to the first attempt
        node http.request              the worker, once for each attempt
          GET example.com              sent on with `traceparent`
        callback execution             History's outbox
          POST example.com

While it is off, a call here costs a comparison, and what makes and sends spans is not imported.
"""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Literal

CLOSE_S = 5.0
"""How long the last spans may take to leave."""

Kind = Literal["internal", "server", "client", "consumer", "producer"]

_spans: Any = None  # a `spans.Spans` while it is on


@contextlib.asynccontextmanager
async def running(url: str | None, service: str, release: str) -> AsyncIterator[None]:
    """Make spans and send them for as long as the context lasts; do nothing without an address.

    Args:
        url: Of an OTLP/HTTP receiver: `http://collector:4318`. Headers, time-outs and certificates are taken
            from the variables that OpenTelemetry names, such as `OTEL_EXPORTER_OTLP_HEADERS`.
        service: What this process is called in traces.
        release: Its version.
    """
    global _spans
    if url is None:
        yield
        return
    made = importlib.import_module("linkflow.telemetry.spans").Spans(url, service, release)
    before, _spans = _spans, made
    try:
        yield
    finally:
        _spans = before
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.to_thread(made.close)


def is_on() -> bool:
    """Say whether spans are made."""
    return _spans is not None


def record(
    execution_id: str,
    name: str,
    *,
    took_s: float,
    ended_at: float | None = None,
    kind: Kind = "internal",
    error: str = "",
    **facts: Any,
) -> None:
    """Note in the trace of an execution what is over already.

    Args:
        execution_id: Whose trace.
        name: What it was.
        took_s: How long it took, seconds.
        ended_at: Seconds since 1970; now when left out.
        kind: How it stands to other processes.
        error: Why it failed.
        facts: Attributes, named `linkflow.<fact>`.
    """
    if _spans is not None:
        _spans.record(execution_id, name, took_s, ended_at, kind, error, facts)


def closed(execution_id: str, began_at: float, ended_at: float, *, error: str = "", **facts: Any) -> None:
    """Note that an execution is over: the span that all others of its trace are below.

    Args:
        execution_id: Which.
        began_at: Seconds since 1970.
        ended_at: Seconds since 1970.
        error: Why it failed.
        facts: Attributes, named `linkflow.<fact>`.
    """
    if _spans is not None:
        _spans.closed(execution_id, began_at, ended_at, error, facts)


def requested(
    method: str, route: str, *, status: int, took_s: float, traceparent: str, execution_id: str
) -> None:
    """Note that a request was answered: in its caller's trace, else in that of the execution it is about.

    Args:
        method: HTTP method.
        route: As it is declared.
        status: HTTP status of the answer.
        took_s: Seconds.
        traceparent: As the caller sent it; empty for none.
        execution_id: The execution it was about; empty for none.
    """
    if _spans is not None:
        _spans.requested(method, route, status, took_s, traceparent, execution_id)


class Span:
    """What goes on within a span.

    Attributes:
        headers: To be sent on with a call, so that whoever is called joins the trace; empty while it is off.
        error: Why it failed; set by whoever notices.
    """

    __slots__ = ("error", "headers")

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self.headers: Mapping[str, str] = headers or {}
        self.error = ""


@contextlib.contextmanager
def _untraced() -> Iterator[Span]:
    yield Span()


def span(
    name: str, execution_id: str = "", *, kind: Kind = "internal", **facts: Any
) -> contextlib.AbstractContextManager[Span]:
    """Note what happens within; spans begun meanwhile in this task are below it.

    Args:
        name: What happens.
        execution_id: Whose trace; that of the current span when left out, and no span where there is none.
        kind: How it stands to other processes.
        facts: Attributes, named `linkflow.<fact>`.
    """
    if _spans is None:
        return _untraced()
    found: contextlib.AbstractContextManager[Span] = _spans.span(name, execution_id, kind, facts)
    return found
