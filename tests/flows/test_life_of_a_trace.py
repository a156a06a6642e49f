"""The life of a trace: from the request to the callback, told to a real OTLP receiver."""

import gzip
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest_asyncio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from linkflow.testing.live import Live, settings_of, started
from linkflow.testing.receiver import Received, Receiver, Scripted

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SECRET = "sk-live-9c2e77ab41"


@dataclass(frozen=True)
class Seen:
    """A span as it was received."""

    name: str
    trace: str
    id: str
    parent: str
    links: Sequence[str]
    facts: Mapping[str, Any]
    began_ns: int
    ended_ns: int
    is_error: bool


def spans(calls: Sequence[Received]) -> Sequence[Seen]:
    """Decode what an exporter sent."""
    found = []
    for call in calls:
        body = gzip.decompress(call.body) if call.headers.get("content-encoding") == "gzip" else call.body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                found += [
                    Seen(
                        span.name,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        [link.trace_id.hex() for link in span.links],
                        {each.key: _plain(each.value) for each in span.attributes},
                        span.start_time_unix_nano,
                        span.end_time_unix_nano,
                        span.status.code == 2,
                    )
                    for span in scope.spans
                ]
    return found


def _plain(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[Receiver]:
    """Listen as a collector."""
    async with Receiver.open() as opened:
        opened.answer("/v1/traces", Scripted(200, None))
        yield opened


def calling(world: Receiver) -> dict[str, Any]:
    """Say a workflow with an effect that fails once, and a callback."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {
                "id": "call",
                "type": "http.request",
                "config": {
                    "url": f"{world.address}/work",
                    "headers": {"x-api-key": "{{credential.key.value}}"},
                },
                "retry": {"max_attempts": 3, "initial_delay_ms": 1},
            }
        ],
        "edges": [{"source": "start", "target": "call"}],
        "settings": {"callbackUrl": f"{world.address}/done"},
    }


async def traced(
    dsn: str, home: Path, collector: Receiver, world: Receiver, **headers: str
) -> tuple[Sequence[Seen], str]:
    """Run the workflow with traces on; every span that was sent, and the execution's id."""
    world.answer("/work", Scripted(503, {}), Scripted(200, {}))
    world.answer("/done", Scripted(200, {}))
    settings = replace(settings_of(dsn, home), tracing_url=collector.address)
    async with started(settings) as live:
        await live.post("/credentials", {"name": "key", "data": {"value": SECRET}})
        execution_id = await live.start(await live.made(calling(world)), **headers)
        assert "completed" == (await live.ended(execution_id))["status"]
        await world.called("/done", 3)
    return spans(collector.to("/v1/traces")), execution_id


async def test_one_execution_is_one_trace(
    database_dsn: str, tmp_path: Path, collector: Receiver, receiver: Receiver
) -> None:
    """Request, start, queue, attempts, their calls and the callbacks are in the trace of the execution."""
    seen, execution_id = await traced(database_dsn, tmp_path, collector, receiver)
    trace = execution_id.replace("-", "")
    mine = [span for span in seen if span.trace == trace]
    (top,) = [span for span in mine if not span.parent]
    named = {span.id: span for span in mine}
    shown = sorted({(named[span.parent].name if span.parent else "", span.name) for span in mine})

    assert [
        ("", "execution"),
        ("callback execution", "POST 127.0.0.1"),
        ("callback node", "POST 127.0.0.1"),
        ("execution", "POST /api/v1/workflows/{workflow_id}/execute"),
        ("execution", "callback execution"),
        ("execution", "callback node"),
        ("execution", "frontend start"),
        ("execution", "node http.request"),
        ("execution", "queue default"),
        ("node http.request", "GET 127.0.0.1"),
    ] == shown
    attempts = [span for span in mine if span.name == "node http.request"]
    assert [(1, True), (2, False)] == [
        (span.facts["linkflow.attempt"], span.is_error)
        for span in sorted(attempts, key=lambda span: span.began_ns)
    ]
    assert trace[16:] == top.id
    assert all(span.began_ns <= span.ended_ns for span in mine)
    assert execution_id == top.facts["linkflow.execution_id"]


async def test_what_is_called_joins_the_trace(
    database_dsn: str, tmp_path: Path, collector: Receiver, receiver: Receiver
) -> None:
    """Calls of nodes and callbacks carry a traceparent of the execution's trace, each with its own span."""
    seen, execution_id = await traced(database_dsn, tmp_path, collector, receiver)
    carried = [call.headers["traceparent"].split("-") for call in receiver.calls]

    assert {execution_id.replace("-", "")} == {parts[1] for parts in carried}
    assert {parts[2] for parts in carried} == {
        span.id for span in seen if span.name.endswith("127.0.0.1") and len(span.name.split()) == 2
    }


async def test_a_caller_with_a_trace_keeps_it(
    database_dsn: str, tmp_path: Path, collector: Receiver, receiver: Receiver
) -> None:
    """A request with a traceparent is a span of its caller's trace, and links to the execution's."""
    seen, execution_id = await traced(database_dsn, tmp_path, collector, receiver, traceparent=CALLER)
    _, trace, parent, _ = CALLER.split("-")
    (request,) = [span for span in seen if span.trace == trace]

    assert (parent, [execution_id.replace("-", "")]) == (request.parent, request.links)
    assert request.name == "POST /api/v1/workflows/{workflow_id}/execute"


async def test_no_span_holds_a_secret(
    database_dsn: str, tmp_path: Path, collector: Receiver, receiver: Receiver
) -> None:
    """Neither a credential nor a query nor a body is in what is sent to the collector."""
    await traced(database_dsn, tmp_path, collector, receiver)
    sent = b"".join(
        gzip.decompress(call.body) if call.headers.get("content-encoding") == "gzip" else call.body
        for call in collector.calls
    )

    assert SECRET == receiver.to("/work")[0].headers["x-api-key"]
    assert SECRET.encode() not in sent


async def test_nothing_is_sent_on_while_it_is_off(live: Live, receiver: Receiver) -> None:
    """Without an address no traceparent is made, and one that came in goes nowhere."""
    receiver.answer("/work", Scripted(200, {}))
    receiver.answer("/done", Scripted(200, {}))
    await live.post("/credentials", {"name": "key", "data": {"value": SECRET}})
    execution_id = await live.start(await live.made(calling(receiver)), traceparent=CALLER)
    await live.ended(execution_id)

    assert "traceparent" not in receiver.to("/work")[0].headers
