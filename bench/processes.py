"""The processes of a measurement: LinkFlow, its target, its clients; started and ended together."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from bench.subject import EMAIL, PASSWORD

ROOT = Path(__file__).resolve().parent.parent
STOP_S = 30.0


def python(
    *arguments: str,
    log: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
    root: Path = ROOT,
) -> "subprocess.Popen[bytes]":
    """Start one of the bench's own modules, of this or another checkout, with pipes to talk to it."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=environment,
    )


def line(process: "subprocess.Popen[bytes]") -> Any:
    """Read one JSON line that a process says."""
    assert process.stdout is not None
    said = process.stdout.readline()
    if not said:
        raise SystemExit(f"A process of the bench ended with {process.wait()}: {process.args!r}")
    return json.loads(said)


@contextmanager
def target() -> Iterator["tuple[subprocess.Popen[bytes], int]"]:
    """Run the server that the HTTP GETs read; it and its port."""
    process = python("bench.target")
    try:
        yield process, line(process)
    finally:
        process.kill()
        process.wait()


class Subject:
    """A running LinkFlow.

    Attributes:
        pid: Its process.
        postgres: The process of its database server.
        dsn: Where its database is.
        port: Where it listens.
        parts: Its processes by name, when it is split.
        log: What it says.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process, self.log = process, log
        said = line(process)
        self.pid = process.pid
        self.parts: Mapping[str, int] = said.get("parts", {})
        self.postgres, self.dsn, self.port = said["postgres"], said["dsn"], said["port"]
        self._token = self.rest("/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD})["access_token"]

    @property
    def headers(self) -> Mapping[str, str]:
        """What a client says so that it may."""
        return {"authorization": f"Bearer {self._token}"}

    def rest(self, path: str, body: Any = None) -> Any:
        """Call REST: POST with a body, else GET; what was answered."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            None if body is None else json.dumps(body).encode(),
            {"content-type": "application/json", **(self.headers if hasattr(self, "_token") else {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{path} was answered {error.code}: {error.read().decode()}") from error

    def create(self, spec: dict[str, Any]) -> str:
        """Create and publish a workflow; its id."""
        workflow: str = self.rest("/api/v1/workflows", {"name": spec["metadata"]["name"], "spec": spec})["id"]
        self.rest(f"/api/v1/workflows/{workflow}/publish", {})
        return workflow

    def inside(self, spec: dict[str, Any], callers: int, seconds: float) -> dict[str, Any]:
        """Drive the engine's front door from coroutines inside its process."""
        return self._order({"spec": spec, "callers": callers, "seconds": seconds})

    def timers(self, count: int, spread_s: float) -> dict[str, Any]:
        """Let many timers fall due within some seconds; see `bench.timers`."""
        return self._order({"timers": {"count": count, "spread_s": spread_s}})

    def add(self, roles: str) -> None:
        """Start one more process of a split LinkFlow."""
        self.parts = self._order({"add": roles})["parts"]

    def _order(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Give an order; its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return cast("dict[str, Any]", line(self._process))

    def stop(self) -> None:
        """Ask it to end, and insist after a while."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate(b"\n", timeout=STOP_S)
        self._process.kill()
        self._process.wait()


@contextmanager
def subject(home: Path, outbound: str, layout: str = "", root: Path = ROOT) -> Iterator[Subject]:
    """Run LinkFlow.

    Args:
        home: Its LINKFLOW_HOME; its log goes beside it.
        outbound: What its nodes may call inside the private range.
        layout: The roles of each of its processes, separated by spaces; none for one process.
        root: The checkout that is run.
    """
    home.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".log").open("ab") as log:
        module, said = ("bench.split", [layout]) if layout else ("bench.subject", [])
        source = os.environ | {"PYTHONPATH": str(root / "src")}
        process = python(module, str(home), outbound, *said, log=log, environment=source, root=root)
        try:
            running = Subject(process, home.with_suffix(".log"))
            yield running
            running.stop()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


@contextmanager
def client(order: Mapping[str, Any]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the load client; read its one line with `line`."""
    process = python("bench.load", json.dumps(order))
    try:
        yield process
    finally:
        process.kill()
        process.wait()
