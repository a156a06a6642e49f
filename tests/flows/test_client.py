"""The Python client against a running LinkFlow, and against what the API says of itself."""

import asyncio
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from linkflow.api.app import openapi_document
from linkflow.client import AsyncClient, CallFailed, Client, ExecutionFailed, Unreachable, calls
from linkflow.testing.live import Live

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "use-the-python-client.md"
EVERY = (
    calls.start("w", {}, wait_s=1.0, version=1, key="k", attributes={"a": 1}),
    calls.execution("e"),
    calls.executions("w", "failed", "c", 20),
    calls.events("e", 0),
    calls.stream("e"),
    calls.signal("e", "n", None, match="", key=""),
    calls.cancel("e", ""),
    calls.upload({}),
)
QUIET = {"trigger": {"id": "start", "type": "trigger.manual"}, "nodes": [], "edges": []}
WAITING = QUIET | {
    "nodes": [{"id": "hold", "type": "logic.wait_event", "config": {"event": "go"}}],
    "edges": [{"source": "start", "target": "hold"}],
}


def members(schema: dict[str, Any], document: dict[str, Any]) -> set[str]:
    """List the members of a schema."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema.get("properties", {}))


@pytest.mark.parametrize("call", EVERY, ids=lambda call: f"{call.method} {call.route}")
def test_calls_are_those_of_the_document(call: calls.Call[Any]) -> None:
    """Each call has its route, its parameters and the members of its answer in the OpenAPI document."""
    document = openapi_document()
    route = document["paths"][call.route][call.method.lower()]
    parameters = {each["name"]: each["in"] for each in route.get("parameters", [])}
    body = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    good = next(answer for status, answer in sorted(route["responses"].items()) if status[0] == "2")
    media = good.get("content", {}).get("application/json", {}).get("schema", {})

    assert set(call.ids) == {name for name, place in parameters.items() if place == "path"}
    assert set(call.query) <= {name for name, place in parameters.items() if place == "query"}
    assert not body.get("properties") or set(call.body or {}) <= members(body, document)
    assert {field.encode_name for field in msgspec.structs.fields(call.shape)} <= members(media, document)


@pytest.mark.timeout(60)
async def test_a_program_runs_a_workflow(live: Live) -> None:
    """Upload, start, wait, events: blocking and asyncio see the same execution."""

    def blocking() -> tuple[str, str, list[int]]:
        with Client(live.address, live.token) as linkflow:
            (arrived,) = linkflow.upload({"name": "Quiet", "spec": QUIET})
            assert arrived.id is not None
            done = linkflow.run(arrived.id, {"a": 1})
            return arrived.id, done.id, [event.number for event in linkflow.events(done.id)]

    workflow_id, execution_id, numbers = await asyncio.to_thread(blocking)
    async with AsyncClient(live.address, live.token) as linkflow:
        found = await linkflow.execution(execution_id)
        events = [event async for event in linkflow.events(execution_id, after=1)]
        started = await linkflow.start(workflow_id, None, wait_s=10.0)

    assert ("completed", list(range(1, found.version + 1))) == (found.status, numbers)
    assert numbers[1:] == [event.number for event in events]
    assert "completed" == started.status


@pytest.mark.timeout(60)
async def test_one_key_starts_one_execution(live: Live) -> None:
    """A start that is sent again under its key is the same execution."""
    async with AsyncClient(live.address, live.token) as linkflow:
        (arrived,) = await linkflow.upload({"name": "Quiet", "spec": QUIET})
        assert arrived.id is not None
        ids = {(await linkflow.start(arrived.id, key="order 4711")).execution_id for _ in range(3)}

    assert 1 == len(ids)


@pytest.mark.timeout(60)
async def test_an_execution_is_cancelled_while_somebody_waits(live: Live) -> None:
    """Who waits for an execution that is cancelled is told so, with the execution."""
    async with AsyncClient(live.address, live.token) as linkflow:
        (arrived,) = await linkflow.upload({"name": "Waiting", "spec": WAITING})
        assert arrived.id is not None, arrived
        started = await linkflow.start(arrived.id)
        waiting = asyncio.create_task(linkflow.wait(started.execution_id))
        await linkflow.cancel(started.execution_id, "enough")
        with pytest.raises(ExecutionFailed) as failed:
            await waiting

    assert "cancelled" == failed.value.execution.status


async def test_refusals_say_why(live: Live) -> None:
    """What LinkFlow refuses has its status, its code and words."""

    def ask(token: str) -> CallFailed:
        with Client(live.address, token) as linkflow, pytest.raises(CallFailed) as failed:
            linkflow.execution("nope")
        return failed.value

    unknown = await asyncio.to_thread(ask, live.token)
    stranger = await asyncio.to_thread(ask, "lfk_wrong")

    assert (404, 401) == (unknown.status, stranger.status)
    assert unknown.code
    assert str(unknown)


async def test_nobody_at_the_address_is_unreachable() -> None:
    """Where nobody listens both clients say so."""
    with Client("http://127.0.0.1:9", "t") as linkflow, pytest.raises(Unreachable):
        linkflow.execution("e")
    async with AsyncClient("http://127.0.0.1:9", "t") as asking:
        with pytest.raises(Unreachable):
            await asking.execution("e")


@pytest.mark.timeout(60)
async def test_the_examples_of_the_page_run(live: Live, capsys: pytest.CaptureFixture[str]) -> None:
    """Every example of the how-to page runs as it stands."""
    async with AsyncClient(live.address, live.token) as linkflow:
        (arrived,) = await linkflow.upload({"name": "Quiet", "spec": QUIET})
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for block in blocks:
        names = {"url": live.address, "token": live.token, "workflow_id": arrived.id}
        await asyncio.to_thread(exec, compile(block, str(PAGE), "exec"), names)
    said = capsys.readouterr().out

    assert 4 == len(blocks)
    assert "completed" in said
    assert "404" in said
