"""The life of a log line: whose it is, and what it never says."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from linkflow import telemetry
from linkflow.apps.settings import secrets_of
from linkflow.nodes.registry import BUILTIN, NodeRegistry
from linkflow.nodes.sdk import node
from linkflow.ports.nodes import NodeContext
from linkflow.testing.live import Live, settings_of, started
from linkflow.testing.receiver import Receiver, Scripted

SECRET = "sk-live-7b1d93c2aa"


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Log as a service does, and give the next test the logging it expects."""
    before = structlog.get_config()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    telemetry.set_up("debug", as_json=True)
    yield
    structlog.configure(**before)
    telemetry.set_level("debug")
    logging.getLogger().handlers, logging.getLogger().level = handlers, level


@node("test.leaky")
async def leaky(context: NodeContext) -> str:
    """Open a credential and stop with its value in the error."""
    fields = await context.secret("key")
    raise RuntimeError(f"refused with {fields['value']}\n2026-01-01 owner signed in")


@pytest_asyncio.fixture
async def talkative(logged: None, database_dsn: str, tmp_path: Path) -> AsyncIterator[Live]:
    """Run a LinkFlow that logs every request and has a node that leaks."""
    settings = replace(settings_of(database_dsn, tmp_path / "home"), access_log=True)
    nodes = NodeRegistry((*BUILTIN, leaky))
    telemetry.set_up("debug", as_json=True, secrets=secrets_of(settings))
    async with started(settings, nodes) as live:
        yield live


async def test_a_secret_never_shows_in_the_log(
    talkative: Live, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """A credential that a node sends, and one that a node puts into its error, are in no line of the log."""
    live = talkative
    receiver.answer("/work", Scripted(500, {}), Scripted(200, {}))
    await live.post("/credentials", {"name": "key", "data": {"value": SECRET}})
    spec = {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {
                "id": "call",
                "type": "http.request",
                "config": {"url": f"{receiver.address}/work?key={{{{credential.key.value}}}}"},
                "retry": {"max_attempts": 2, "initial_delay_ms": 1},
            },
            {"id": "leak", "type": "test.leaky", "config": {}},
        ],
        "edges": [{"source": "start", "target": "call"}, {"source": "call", "target": "leak"}],
    }
    found = await live.run(spec)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    crashed = next(line for line in lines if line["event"] == "node crashed")

    assert ("failed", SECRET) == (found["status"], receiver.to("/work")[0].query["key"])
    assert SECRET not in json.dumps(lines)
    assert "refused with ***" in crashed["exception"]
    assert (found["id"], live.running.owner.user.workspace_id) == (
        crashed["execution_id"],
        crashed["workspace_id"],
    )


async def test_a_request_is_one_line(talkative: Live, capsys: pytest.CaptureFixture[str]) -> None:
    """With the access log on each request is one line: its id, its status, neither query nor token."""
    live = talkative
    capsys.readouterr()
    await live.call("GET", "/workflows?limit=1", headers={"x-request-id": "mine-1"})
    await live.call("GET", "/resume/secret-link-token", headers={"x-request-id": "mine-2"})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    said = {line["request_id"]: line for line in lines if line["event"] == "request"}

    assert ("GET", "/api/v1/workflows", 200) == tuple(
        said["mine-1"][name] for name in ("method", "path", "status")
    )
    assert "/api/v1/resume/{token}" == said["mine-2"]["path"]
    assert "secret-link-token" not in json.dumps(lines)
    assert "workspace_id" in said["mine-1"]
