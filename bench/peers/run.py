"""Runs installed peers on the same work, on the same machine, in the same run."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.meter import Meter, Patience, processes, spent, tree
from bench.peers.found import DBOS, RESTATE, RESTATE_SERVER
from bench.processes import client, line

HERE = Path(__file__).resolve().parent
Peers = dict[str, dict[str, Any]]
Say = Callable[[str], None]

DBOS_PLAN: Mapping[str, Mapping[str, Sequence[int]]] = {
    "async": {"pure1": (1, 10), "effects10": (1, 10), "fan50": (1, 4)},
    "threads": {"pure1": (1, 4), "effects10": (1, 4, 10)},
}
RESTATE_PLAN: Mapping[str, Sequence[int]] = {"pure1": (1, 50), "effects10": (1, 50, 200), "fan50": (4, 16)}
RESTATE_WORKERS = (1, 2, 3, 4)
ACCEPT_LOADS = (64, 128)
READY_S = 30.0


def dbos(url: str, postgres: int, seconds: float, say: Say) -> Peers:
    """Run DBOS on a database of its own in the same server."""
    found: Peers = {}
    for form, plan in DBOS_PLAN.items():
        command = [str(DBOS), str(HERE / "dbos_steps.py"), form, url, str(seconds), json.dumps(plan)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        meter = Meter({"peer": [process.pid], "postgres": [postgres], "driver": [os.getpid()]})
        before = meter.read()
        try:
            for _ in range(sum(len(loads) for loads in plan.values())):
                said = line(process)
                now = meter.read()
                used = spent(before, now)
                name = f"dbos {form} {said['workload']}"
                found.setdefault(name, {"loads": {}})["loads"][str(said["callers"])] = {
                    "rate": said["count"] / said["seconds"],
                    "p50_ms": said["p50_ms"],
                    "p99_ms": said["p99_ms"],
                    "cpu_us": {
                        "peer": said["cpu_s"] / max(1, said["count"]) * 1e6,
                        "postgres": used.cpu_s["postgres"] / max(1, said["count"]) * 1e6,
                    },
                    "foreign": used.foreign,
                }
                before = now
                say(f"{name} c={said['callers']}: {said['count'] / said['seconds']:.0f}/s")
        finally:
            process.kill()
            process.wait()
    return found


def restate(seconds: float, patience: Patience, say: Say) -> Peers:
    """Run Restate's server with one to four worker processes of its Python SDK."""
    found: Peers = {}
    for workers in RESTATE_WORKERS:
        with _restate(workers) as (port, server, service):
            for workload, loads in RESTATE_PLAN.items():
                name = f"restate {workers} {workload}"
                found[name] = _restate_loads(
                    port, f"/bench/{workload}", loads, server, service, seconds, patience
                )
                say(f"{name}: {max(each['rate'] for each in found[name]['loads'].values()):.0f}/s")
            if workers == 1:
                name = "restate 1 accept"
                path = "/bench/pure1/send"
                found[name] = _restate_loads(port, path, ACCEPT_LOADS, server, service, seconds, patience)
                say(f"{name}: {max(each['rate'] for each in found[name]['loads'].values()):.0f}/s")
    return found


def _restate_loads(
    port: int, path: str, loads: Sequence[int], server: int, service: int, seconds: float, patience: Patience
) -> dict[str, Any]:
    """Drive one handler at some loads."""
    by_load = {}
    for callers in loads:
        meter = Meter({"server": [server], "service": [service], "driver": [os.getpid()]})
        patience.wait(meter)
        before = meter.read()
        order = {"port": port, "path": path, "headers": {}, "body": '{"v":1}'}
        with client(order | {"callers": callers, "seconds": seconds}) as process:
            said = line(process)
        used = spent(before, meter.read())
        count = max(1, said["count"])
        by_load[str(callers)] = {
            "rate": said["count"] / said["seconds"],
            "p50_ms": said["p50_ms"],
            "p99_ms": said["p99_ms"],
            "errors": said["errors"],
            "cpu_us": {
                "peer": (used.cpu_s["server"] + used.cpu_s["service"]) / count * 1e6,
                "driver": said["cpu_s"] / count * 1e6,
            },
            "foreign": used.foreign,
        }
    return {"loads": by_load}


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def _restate(workers: int) -> Iterator[tuple[int, int, int]]:
    """Run server and service; (port of its ingress, pid of the server, pid of the service)."""
    folder = Path(tempfile.mkdtemp(prefix="restate-"))
    ingress, admin, node, service_port = (free_port() for _ in range(4))
    settings = {
        "RESTATE_BASE_DIR": str(folder),
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
        "RESTATE_INGRESS__BIND_PORT": str(ingress),
        "RESTATE_ADMIN__BIND_PORT": str(admin),
        "RESTATE_BIND_PORT": str(node),
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LOG_FILTER": "warn",
    }
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [str(RESTATE_SERVER)], env=os.environ | settings, cwd=folder, stdout=log, stderr=log
    )
    bound = ["--bind", f"127.0.0.1:{service_port}", "--workers", str(workers), "--log-level", "error"]
    service = subprocess.Popen(
        [str(RESTATE), "-m", "hypercorn", "restate_service:app", *bound], cwd=HERE, stdout=log, stderr=log
    )
    try:
        _until(f"http://127.0.0.1:{admin}/health")
        deployment = {"uri": f"http://127.0.0.1:{service_port}"}
        _until(f"http://127.0.0.1:{admin}/deployments", deployment)
        _until(f"http://127.0.0.1:{ingress}/bench/effects10", {"v": 1})
        yield ingress, server.pid, service.pid
    finally:
        table = processes()
        for root in (service, server):
            for pid in tree(table, root.pid):
                os.kill(pid, signal.SIGKILL)
            root.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _until(url: str, body: Any = None) -> None:
    """Ask until it answers."""
    until = time.monotonic() + READY_S
    data = None if body is None else json.dumps(body).encode()
    while True:
        try:
            urllib.request.urlopen(
                urllib.request.Request(url, data, {"content-type": "application/json"}), timeout=10
            ).read()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
