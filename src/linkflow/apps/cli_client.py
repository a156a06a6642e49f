"""The command line's way to a running LinkFlow: plain HTTP of the standard library, quick to import."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from linkflow.apps.local_access import LOGIN, LocalAccess, find_access

TIMEOUT_S = 120.0
START_S = 60.0


class CommandFailed(Exception):
    """The command could not do what it was asked.

    Attributes:
        problem: What the server answered, as JSON; or `{"detail": message}`.
    """

    def __init__(self, message: str, problem: Any = None) -> None:
        super().__init__(message)
        self.problem = problem or {"detail": message}


class Api:
    """Calls the REST API of one LinkFlow."""

    def __init__(self, access: LocalAccess) -> None:
        self.url = access.url
        self._token = access.token

    def _connection(self) -> http.client.HTTPConnection:
        """Open a connection."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT_S)

    def _headers(self) -> dict[str, str]:
        """Build the headers of a call."""
        return {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}

    def every(self, path: str) -> list[Any]:
        """Read all pages of what an execution has: its node runs, or its log.

        Raises:
            CommandFailed: Nobody answers, or the answer is a problem.
        """
        found: list[Any] = []
        after, version = 0, 0
        while True:
            page = self.call("GET", f"{path}?after={after}&version={version}")
            found += page["data"]
            if page["next"] is None:
                return found
            after, version = page["next"], page["version"]

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Call the API and read its JSON; None when there is none.

        Raises:
            CommandFailed: Nobody answers, or the answer is a problem.
        """
        connection = self._connection()
        data = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, f"/api/v1{path}", data, self._headers() | (headers or {}))
            response = connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise CommandFailed(
                f"LinkFlow does not answer at {self.url}: {error}. Start it: linkflow up"
            ) from error
        finally:
            connection.close()
        found = json.loads(raw) if raw else None
        if response.status >= 400:
            message = found.get("detail", raw.decode()) if isinstance(found, dict) else raw.decode()
            raise CommandFailed(message, found)
        return found

    def lines(self, path: str) -> Iterator[str]:
        """Read an answer line by line, however long it is.

        Raises:
            CommandFailed: Nobody answers, or the answer is a problem.
        """
        connection = self._connection()
        try:
            connection.request("GET", f"/api/v1{path}", headers=self._headers())
            response = connection.getresponse()
            if response.status != 200:
                problem = json.loads(response.read())
                raise CommandFailed(problem.get("detail", f"It answers {response.status}."), problem)
            for line in response:
                yield line.decode().rstrip("\n")
        except (OSError, http.client.HTTPException) as error:
            raise CommandFailed(f"The answer broke: {error}.") from error
        finally:
            connection.close()

    def stream(self, path: str) -> Iterator[Any]:
        """Read server-sent events: the JSON of each."""
        connection = self._connection()
        try:
            connection.request("GET", f"/api/v1{path}", headers=self._headers())
            response = connection.getresponse()
            if response.status != 200:
                raise CommandFailed(f"The stream answers {response.status}.")
            for line in response:
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])
        except (OSError, http.client.HTTPException) as error:
            raise CommandFailed(f"The stream broke: {error}.") from error
        finally:
            connection.close()

    def is_ready(self) -> bool:
        """Say whether LinkFlow answers and can serve."""
        try:
            self.call("GET", "/ready")
        except CommandFailed:
            return False
        return True


def connect(home: Path) -> Api:
    """Reach the LinkFlow that somebody signed in to, else the one that runs here.

    Raises:
        CommandFailed: None runs here.
    """
    access = find_access(home, LOGIN) or find_access(home)
    if access is None:
        raise CommandFailed(f"No LinkFlow has run in {home}. Start it: linkflow up")
    return Api(access)


@contextmanager
def running(home: Path) -> Iterator[Api]:
    """Reach the running LinkFlow, or start one for as long as the block lasts.

    Raises:
        CommandFailed: It could not be started.
    """
    access = find_access(home)
    if access is not None and Api(access).is_ready():
        yield Api(access)
        return
    environment = os.environ | {
        "LINKFLOW_PORT": "0",
        "LINKFLOW_HOME": str(home),
        "LINKFLOW_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "linkflow", "serve"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603  ourselves
    try:
        yield _wait_for(home, process)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(home: Path, process: "subprocess.Popen[bytes]") -> Api:
    """Wait until a LinkFlow that was just started can serve."""
    give_up_at = time.monotonic() + START_S
    while time.monotonic() < give_up_at and process.poll() is None:
        access = find_access(home)
        if access is not None and access.pid == process.pid and Api(access).is_ready():
            return Api(access)
        time.sleep(0.05)
    raise CommandFailed("LinkFlow could not be started; `linkflow serve` says why.")
