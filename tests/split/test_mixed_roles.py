"""Any set of roles makes a process; beyond one machine processes talk TLS."""

from pathlib import Path
from typing import Any

import pytest

from linkflow.testing.certificates import Authority
from linkflow.testing.processes import Deployment
from linkflow.testing.receiver import Receiver, Scripted

pytestmark = pytest.mark.timeout(400)

FRONT, MIDDLE, WORKER = "rest,frontend,control-plane", "history,matching,timer,visibility", "worker"


def tls(folder: Path) -> dict[str, str]:
    """Write certificates, and say where they are."""
    authority = Authority()
    signed = authority.sign()
    files = {"CERT": signed.certificate, "KEY": signed.key, "CA": authority.certificate}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {f"LINKFLOW_TLS_{name}": str(folder / name) for name in files}


def spec(address: str) -> dict[str, Any]:
    """Say a workflow with an effect and a delay."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {"id": "pause", "type": "logic.delay", "config": {"milliseconds": 100}},
            {"id": "get", "type": "http.request", "config": {"url": f"{address}/n"}},
            {"id": "end", "type": "flow.output", "config": {"value": "{{node_get.output.body}}"}},
        ],
        "edges": [
            {"source": "start", "target": "pause"},
            {"source": "pause", "target": "get"},
            {"source": "get", "target": "end"},
        ],
    }


async def test_three_processes_over_tls(database_dsn: str, tmp_path: Path, receiver: Receiver) -> None:
    """C9, C10r, B13: three mixed processes run a job over mutual TLS, by the ports that they advertise."""
    receiver.answer("/n", Scripted(200, {"n": 5}))
    said = tls(tmp_path) | {"LINKFLOW_ADVERTISE": "127.0.0.1"}
    async with Deployment.running(database_dsn, tmp_path / "split", [FRONT, MIDDLE, WORKER], **said) as split:
        made = await split.post("/workflows", {"name": "Job", "spec": spec(receiver.address)})
        started = await split.post(f"/workflows/{made.json['id']}/execute", {"input": None})
        found = await split.ended(started.json["execution_id"])
        members = (await split.get("/admin/cluster")).json["members"]
    ports = {role: port for each in split.processes.values() for role, port in each.ports.items()}
    addresses = {role: where for each in members for role, where in each["addresses"].items()}

    assert ("completed", {"n": 5}) == (found["status"], found["result"])
    assert {role: f"127.0.0.1:{port}" for role, port in ports.items()} == addresses
