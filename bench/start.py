"""From nothing to ready: LinkFlow started by its own command, and how much memory it then holds."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from bench.meter import Meter, Patience, memory_mb, spent
from bench.peers.run import free_port

PATIENCE_S = 60.0
SETTLE_S = 2.0


def started(home: Path, patience: Patience) -> Mapping[str, float]:
    """Start LinkFlow on an empty folder and again on what it left.

    Returns:
        `{"first_s", "again_s", "memory_mb", "foreign"}`: seconds from the command to `/ready`, the memory of
        its own process (PostgreSQL's not counted) two seconds later, and what strangers took.
    """
    meter = Meter({"ours": [os.getpid()]})
    patience.wait(meter)
    before = meter.read()
    first_s, _ = _start(home)
    again_s, memory = _start(home)
    return {
        "first_s": first_s,
        "again_s": again_s,
        "memory_mb": memory,
        "foreign": spent(before, meter.read()).foreign,
    }


def _start(home: Path) -> tuple[float, float]:
    """Start once, look, stop; (seconds until ready, MB)."""
    port = free_port()
    environment = os.environ | {"LINKFLOW_HOME": str(home), "LINKFLOW_PORT": str(port)}
    command = [str(Path(sys.executable).parent / "linkflow"), "serve"]
    with home.with_suffix(".log").open("ab") as log:
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            while not _is_ready(port):
                if process.poll() is not None or time.monotonic() > began + PATIENCE_S:
                    raise SystemExit(f"LinkFlow did not start; {log.name} says why.")
                time.sleep(0.01)
            ready_s = time.monotonic() - began
            time.sleep(SETTLE_S)
            return ready_s, memory_mb(process.pid)
        finally:
            process.terminate()
            process.wait()


def _is_ready(port: int) -> bool:
    """Ask whether it can serve."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
