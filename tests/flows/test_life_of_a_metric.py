"""The life of a metric: what a LinkFlow does is counted, and all that is declared is exported."""

import asyncio
import contextlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from linkflow import __version__
from linkflow.domain.errors import Overloaded
from linkflow.engine.frontend import MOST_PENDING, Frontend
from linkflow.ports.services import DeadLetter, StartExecution
from linkflow.telemetry import metrics
from linkflow.telemetry.declared import METRICS, Metric
from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(live: Live) -> tuple[Samples, set[str]]:
    """Scrape as Prometheus does: samples by name and labels, and the names of all families."""
    async with live.http.get(f"{live.address}/metrics") as answer:
        assert 200 == answer.status
        text = await answer.text()
    families = list(text_string_to_metric_families(text))
    samples = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }
    with_samples = {family.name for family in families if family.samples}
    return samples, with_samples


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((f"linkflow_{name}", frozenset(labels.items())), 0.0)


def grown(before: Samples, after: Samples, name: str, **labels: str) -> float:
    return value(after, name, **labels) - value(before, name, **labels)


def spec(url: str, trigger: str = "trigger.manual", **settings: Any) -> dict[str, Any]:
    """Say a workflow with an effect, a delay and a pure node."""
    return {
        "trigger": {"id": "start", "type": trigger},
        "nodes": [
            {"id": "call", "type": "http.request", "config": {"url": url}},
            {"id": "wait", "type": "logic.delay", "config": {"milliseconds": 50}},
            {"id": "note", "type": "data.set", "config": {"values": {"done": True}}},
        ],
        "edges": [
            {"source": "start", "target": "call"},
            {"source": "call", "target": "wait"},
            {"source": "wait", "target": "note"},
        ],
        "settings": settings,
    }


async def test_what_is_done_is_counted(live: Live, receiver: Receiver) -> None:
    """An execution counts once as started and as ended, its effect once, each of its events once."""
    receiver.answer("/fine", Scripted(200, {}))
    before, _ = await scraped(live)

    found = await live.run(spec(f"{receiver.address}/fine"))
    events = (await live.get(f"/executions/{found['id']}/events")).json["data"]
    after, _ = await scraped(live)

    assert {
        "executions_started_total": 1,
        "workflow_executions_total": 1,
        "workflow_execution_duration_seconds_count": 1,
        "history_events_total": len(events),
        "node_executions_total": 1,
        "timers_fired_total": 1,
    } == {
        "executions_started_total": grown(before, after, "executions_started_total", trigger="api"),
        "workflow_executions_total": grown(before, after, "workflow_executions_total", status="completed"),
        "workflow_execution_duration_seconds_count": grown(
            before, after, "workflow_execution_duration_seconds_count", status="completed"
        ),
        "history_events_total": grown(before, after, "history_events_total"),
        "node_executions_total": grown(
            before, after, "node_executions_total", node_type="http.request", outcome="completed"
        ),
        "timers_fired_total": grown(before, after, "timers_fired_total"),
    }


async def test_requests_are_counted_by_route(live: Live) -> None:
    """Requests are counted by the declared route: ids and wrong addresses make no series of their own."""
    before, _ = await scraped(live)
    for execution_id in ("01a1fd01-ae86-8339-9a22-eec90751cbe8", "01a1fd01-ae86-8339-9a22-eec90751cbe9"):
        await live.get(f"/executions/{execution_id}")
        await live.get(f"/nowhere/{execution_id}")
    after, _ = await scraped(live)

    route = "/api/v1/executions/{execution_id}"
    assert (2, 2) == (
        grown(before, after, "http_requests_total", method="GET", route=route, status="404"),
        grown(before, after, "http_requests_total", method="GET", route="unmatched", status="404"),
    )
    assert not [key for key in after if "01a1fd01" in str(key)]


async def test_everything_declared_is_exported_and_nothing_else(live: Live, receiver: Receiver) -> None:
    """A LinkFlow that was used, and had its troubles, exports each declared metric and no undeclared one."""
    receiver.answer("/fine", Scripted(200, {}))
    receiver.answer("/down", Scripted(500, {}), Scripted(200, {}))
    engine, workspace_id = live.running.engine, live.running.owner.user.workspace_id
    await live.run(spec(f"{receiver.address}/fine", callbackUrl=f"{receiver.address}/down"))
    await receiver.called("/down")
    hook = await live.hook(await live.active(spec(f"{receiver.address}/fine", "trigger.webhook")))
    await live.knock(hook, {"n": 1})
    await engine.letters.add(
        DeadLetter(id="1", workspace_id=workspace_id, kind="task", execution_id="e", reason="r", at=0.0)
    )
    crowded = Frontend(engine.history, lambda: MOST_PENDING + 1)
    with contextlib.suppress(Overloaded):
        await crowded.start(StartExecution(workspace_id=workspace_id, workflow_id="w", spec_hash="h"))
    wrong = {"email": "nobody@example.com", "password": "wrong-password"}
    while (await live.call("POST", "/auth/login", wrong, signed_in=False)).status != 429:
        pass
    await live.post("/admin/scheduler/duties/partitions/run?wait_ms=15000", {})
    async with asyncio.timeout(10):
        while not {"linkflow_outbox_failures", "linkflow_outbox_delivered"} <= (await scraped(live))[1]:
            pass
    metrics.ask_again()
    samples, exported = await scraped(live)

    # The edge, and what goes over gRPC, are exported where they are; tests/split looks at them.
    here = [metric for metric in METRICS if metric.room != "edge" and "_grpc_" not in metric.name]
    ours = {name for name in exported if not name.startswith("process_")}
    names = {name for name, _ in samples}
    assert (set(), set()) == (_families(here) - ours, ours - _families(METRICS))
    assert {metric.name for metric in here if metric.kind == "counter"} <= names
    assert 1 == value(samples, "dead_letters", kind="task")
    assert ("linkflow_outbox_messages", frozenset({("kind", "callback")})) in samples
    assert ("running", "most") == tuple(
        sorted(
            (dict(labels)["state"] for name, labels in samples if name == "linkflow_worker_slots"),
            reverse=True,
        )
    )


@pytest.mark.one_process
async def test_a_sample_that_cannot_be_had_is_left_out(live: Live) -> None:
    """When what must be asked for does not answer, the rest is exported all the same."""

    async def ask() -> Mapping[str, metrics.Reading]:
        raise OSError("away")

    with metrics.sampling(["linkflow_webhook_queue_depth"], ask):
        samples, _ = await scraped(live)

    assert 1 == value(samples, "build_info", version=__version__)


def _families(declared: Iterable[Metric]) -> set[str]:
    return {re.sub("_total$", "", metric.name) for metric in declared}
